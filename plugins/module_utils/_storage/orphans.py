# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Orphans: segments that no manifest refers to, which interrupted uploads and deletions left.

``find_candidates`` lists possible orphans before any manifest is read, so that no manifest is missed that is written
meanwhile. ``OrphanCandidates`` drops, without requests, the segments to which a manifest refers. ``describe_orphans``
describes the rest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .._concurrency import WORKERS, parallel_map
from .._model.headers import has_record, is_through_link, iso_time, kind_of, listing_time, written_at
from .._model.image import Image, ManifestKind, Path
from .._model.location import RESERVED_PREFIX, Location, has_dot_segment
from .._model.names import image_of_journal
from .._model.owners import RCLONE_PREFIX, SEGMENTS_SUFFIX, Owner, owner_of
from .._swift.client import SwiftClient
from .journal import Journal, read_journal

# Listings and headers show the time of one object with different numbers of digits.
_SAME_TIME = 0.001


@dataclass(frozen=True)
class Scope:
    """The images whose orphans are searched for.

    :param containers: of the images
    :param images: container and name of each; None for all whose names begin with *prefix*
    :param segment_container: another container that may hold segments
    """

    containers: Collection[str]
    images: Collection[Path] | None
    prefix: str
    segment_container: str | None

    @property
    def is_whole(self) -> bool:
        """True if the scope includes all images of the containers."""
        return self.images is None and not self.prefix

    def has(self, owner: Owner) -> bool:
        """Return whether a segment of *owner* is in this scope."""
        if owner.container not in self.containers:
            return False
        if owner.name is None:
            return self.is_whole
        if self.images is None:
            return owner.name.startswith(self.prefix)
        return (owner.container, owner.name) in self.images

    def places(self) -> set[Path]:
        """Return the containers, and the prefixes in them, that include every segment in this scope."""
        images = self.images
        if images is None:
            images = [(container, self.prefix) for container in self.containers]
        places = {place for container, begin in images for place in self._places(container, begin)}
        # A prefix is left out if the whole container is listed, so that nothing is listed twice.
        return {(container, prefix) for container, prefix in places if not prefix or (container, "") not in places}

    def _places(self, container: str, begin: str) -> Iterator[Path]:
        for place in (container, container + SEGMENTS_SUFFIX, self.segment_container or container):
            yield place, begin
            yield place, RESERVED_PREFIX + begin
        yield container, RCLONE_PREFIX + begin


@dataclass
class OrphanCandidates:
    """Segments that may be orphans; any number of threads may drop some.

    :param entries: of the listings, by path
    :param now: Swift's clock, in seconds since the epoch
    """

    entries: dict[Path, Mapping[str, Any]]
    now: float

    def drop_named_by(self, location: Location, image: Image | None) -> None:
        """Drop the segments that an image's manifest refers to.

        If the cluster does not return the manifest, all segments are dropped that may have been written for the image.
        """
        if image is None:
            return
        for segment in (*image.objects, *image.strangers):
            self.entries.pop(segment.path, None)
        if image.hides_segments:
            owners = (location.path, (location.container, None))
            for path in [path for path, entry in list(self.entries.items()) if entry["image"] in owners]:
                self.entries.pop(path, None)

    def image_of(self, path: Path) -> tuple[str, str | None]:
        """Return the container and the name of the image that a candidate was written for."""
        image: tuple[str, str | None] = self.entries[path]["image"]
        return image

    def is_still(self, path: Path, headers: Mapping[str, str] | None) -> bool:
        """Return whether an object is still the one that was listed, and is not recorded as an image.

        :param headers: of the object that has its name now; None if there is none
        """
        if headers is None or has_record(headers) or is_through_link(headers):
            return False
        if kind_of(headers) is not ManifestKind.NONE and not path[1].startswith(RESERVED_PREFIX):
            # Only this collection's segments may be manifests themselves.
            return False
        written = written_at(headers)
        return written is not None and abs(written - listing_time(self.entries[path]["last_modified"])) < _SAME_TIME

    def describe(self, path: Path) -> dict[str, Any]:
        """Return the description of one orphan for a module's result; its age is in seconds."""
        entry = self.entries[path]
        written = listing_time(entry["last_modified"])
        return {
            "container": path[0],
            "name": path[1],
            "size": entry["bytes"],
            "last_modified": iso_time(written),
            "age": _age(self.now, entry),
        }


def find_candidates(client: SwiftClient, scope: Scope, min_age: int) -> OrphanCandidates:
    """List the segments in a scope.

    :param min_age: the minimum age of a segment in seconds, because a running upload has no manifest yet
    """
    for container in scope.containers:
        client.head_container(container)
    now = client.now()
    entries: dict[Path, Mapping[str, Any]] = {}
    for container, prefix in sorted(scope.places()):
        for entry in client.list_objects(container, prefix):
            owner = owner_of(container, entry["name"], entry.get("content_type", ""))
            if owner and scope.has(owner) and not has_dot_segment(entry["name"]) and _age(now, entry) >= min_age:
                entries[container, entry["name"]] = {
                    **{name: entry[name] for name in ("bytes", "last_modified")},
                    "image": (owner.container, owner.name),
                }
    return OrphanCandidates(entries, now)


def find_old_journals(client: SwiftClient, scope: Scope, candidates: OrphanCandidates, min_age: int) -> list[Journal]:
    """Read the journals of the images in a scope that are old enough."""
    journals = []
    for container in sorted(scope.containers):
        for entry in client.list_objects(container, RESERVED_PREFIX):
            name = image_of_journal(entry["name"])
            is_meant = name is not None and scope.has(Owner(container, name))
            if is_meant and not has_dot_segment(entry["name"]) and _age(candidates.now, entry) >= min_age:
                journals.append(read_journal(client, container, entry))
    return journals


def describe_orphans(client: SwiftClient, candidates: OrphanCandidates) -> list[dict[str, Any]]:
    """Describe the candidates that no manifest refers to, sorted by container and name.

    A listing also shows objects that have expired or were deleted since, so each one is checked with a request.
    """
    paths = sorted(candidates.entries)
    exist = parallel_map(lambda path: client.head_object(*path) is not None, paths, WORKERS)
    return [candidates.describe(path) for path, exists in zip(paths, exist) if exists]


def _age(now: float, entry: Mapping[str, Any]) -> int:
    """Return the age of a listed object in seconds, never below zero."""
    return max(0, int(now - listing_time(entry["last_modified"])))
