# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Segments that no manifest names: what uploads left that were cut off, and deletes that did not end."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

from .._concurrency import WORKERS, parallel_map
from .._errors import OptionError
from .._model.headers import listing_time
from .._model.image import Image, Path
from .._model.location import RESERVED_PREFIX, Location, has_dot_segment
from .._model.names import RCLONE_PREFIX, SEGMENTS_SUFFIX, Owner, owner_of
from .._swift.client import SwiftClient
from .listing import visit_all


@dataclass(frozen=True)
class Scope:
    """The images whose segments are looked for.

    :param containers: of the images
    :param images: container and name of each; None for all that begin with *prefix*
    :param segment_container: where segments may lie besides
    """

    containers: Collection[str]
    images: Collection[Path] | None
    prefix: str
    segment_container: str | None

    @property
    def is_whole(self) -> bool:
        """Whether all images of the containers are meant."""
        return self.images is None and not self.prefix

    def holds(self, owner: Owner) -> bool:
        """Whether a segment of *owner* is one to look for."""
        if owner.container not in self.containers:
            return False
        if owner.name is None:
            return self.is_whole
        if self.images is None:
            return owner.name.startswith(self.prefix)
        return (owner.container, owner.name) in self.images

    def places(self) -> set[Path]:
        """Containers, and prefixes in them, under which everything lies that could be such a segment."""
        images = self.images
        if images is None:
            images = [(container, self.prefix) for container in self.containers]
        places = {place for container, begin in images for place in self._places(container, begin)}
        # Nothing is listed twice.
        return {(container, prefix) for container, prefix in places if not prefix or (container, "") not in places}

    def _places(self, container: str, begin: str) -> Iterator[Path]:
        for place in (container, container + SEGMENTS_SUFFIX, self.segment_container or container):
            yield place, begin
            yield place, RESERVED_PREFIX + begin
        yield container, RCLONE_PREFIX + begin


class Orphans:
    """The search: what could be an orphan is found first, so that no manifest that is written meanwhile is missed.

    :param min_age: seconds that a segment has to be old, because an upload that is under way has no manifest yet
    :raises OptionError: the store does not tell
    """

    def __init__(self, client: SwiftClient, scope: Scope, min_age: int) -> None:
        slo = client.capabilities.get("slo", {})
        if slo and "min_segment_size" not in slo:
            raise OptionError(
                "orphans can't be told on this cluster, which (as Ceph RGW) does not give the manifests of static "
                "large objects: leave it out."
            )
        self._client = client
        self._scope = scope
        self._now = _server_time(client, scope)
        self._candidates = dict(self._find(min_age))

    def count_out(self, image: Image | None) -> None:
        """Segments that *image* names are none."""
        if image:
            for segment in (*image.objects, *image.strangers):
                self._candidates.pop(segment.path, None)

    def result(self) -> list[dict[str, Any]]:
        """What is left when every manifest of the containers was counted out, sorted by container and name."""
        if self._candidates and not self._scope.is_whole:
            visit_all(self._client, sorted(self._scope.containers), self._count_out_one, is_deep=True)
        left = sorted(self._candidates.items())
        # A listing also shows what has expired, and what went since.
        there = parallel_map(lambda item: self._client.head_object(*item[0]) is not None, left, WORKERS)
        return [self._describe(path, entry) for (path, entry), stands in zip(left, there) if stands]

    def _count_out_one(self, _location: Location, image: Image | None) -> None:
        self.count_out(image)

    def _find(self, min_age: int) -> Iterator[tuple[Path, Mapping[str, Any]]]:
        for container, prefix in sorted(self._scope.places()):
            for entry in self._client.list_objects(container, prefix):
                owner = owner_of(container, entry["name"], entry.get("content_type", ""))
                if not owner or has_dot_segment(entry["name"]):
                    continue
                if self._scope.holds(owner) and self._age(entry) >= min_age:
                    yield (container, entry["name"]), {name: entry[name] for name in ("bytes", "last_modified")}

    def _age(self, entry: Mapping[str, Any]) -> int:
        """In seconds; never below zero."""
        return max(0, int(self._now - listing_time(entry["last_modified"])))

    def _describe(self, path: Path, entry: Mapping[str, Any]) -> dict[str, Any]:
        modified = datetime.fromtimestamp(int(listing_time(entry["last_modified"])), timezone.utc)
        return {
            "container": path[0],
            "name": path[1],
            "size": entry["bytes"],
            "last_modified": modified.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "age": self._age(entry),
        }


def _server_time(client: SwiftClient, scope: Scope) -> float:
    """Swift's clock, by which its times are; this host's where there is none of the containers."""
    for container in scope.containers:
        headers = client.head_container(container)
        if headers and "date" in headers:
            return parsedate_to_datetime(headers["date"]).timestamp()
    return time.time()
