# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images by name, or all images of a container without the segments there, read in parallel."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Generic, TypeVar

from .._concurrency import WORKERS, parallel_map
from .._errors import ConflictError, ForbiddenError, IntegrityError, NotFoundError
from .._model.image import Image, ManifestKind, unreadable_image
from .._model.location import RESERVED_PREFIX, Location, Placement, has_dot_segment
from .._model.names import numbered_segments
from .._model.owners import may_be_segment, owner_of
from .._swift.client import SwiftClient
from .containers import LAST, list_entries
from .image_object import ImageObject
from .manifest import read_segments, read_summary
from .manifest_index import References, manifest_index

Summary = TypeVar("Summary")

# The MD5 of no bytes.
_EMPTY = hashlib.md5(b"", usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class Lister(Generic[Summary]):
    """A reader of images that keeps a summary of each: thousands of images with their segments would fill the memory.

    :param summarize: returns the summary of an image, or of a name without an image; several threads call it
    :param is_deep: whether images come with their segments, which takes more requests
    """

    client: SwiftClient
    summarize: Callable[[Location, Image | None], Summary]
    is_deep: bool = False

    def read(self, locations: Iterable[Location]) -> list[Summary]:
        """Read the images at *locations*, in that order."""
        return parallel_map(lambda location: self.summarize(location, self._read(location)), locations, WORKERS)

    def read_all(self, placement: Placement, prefix: str = "") -> list[Summary]:
        """Read all images whose names begin with *prefix*, sorted as Swift sorts names.

        If *placement* spreads images over several containers, only images in the container that their name chooses
        count.
        """
        if placement.multi_tenant:
            locations = _own_containers(self.client, placement, prefix)
            return list(chain.from_iterable(parallel_map(self._read_existing, locations, WORKERS)))
        containers = image_containers(self.client, placement)
        found = (
            (location, summary)
            for location, summary in self.walk(containers, prefix)
            if placement.container_of(location.name) == location.container
        )
        # Code points sort in the same order as UTF-8.
        return [summary for _location, summary in sorted(found, key=lambda one: one[0].name)]

    def walk(self, containers: Sequence[str], prefix: str = "") -> list[tuple[Location, Summary]]:
        """Read all images in *containers*, whichever container their names choose."""
        # Several threads walk a single container. If there are several containers, one thread walks each of them.
        workers = WORKERS if len(containers) == 1 else 1
        walked = parallel_map(
            lambda container: _Walk(self, container, workers).run(prefix),
            containers,
            WORKERS if workers == 1 else 1,
        )
        return list(chain.from_iterable(walked))

    def read_listed(self, contents: Contents, location: Location) -> Image | None:
        """Read one image of a listed container.

        A DLO's segments are counted in *contents* if that has all of them, which saves a listing.
        """
        return _unless_unreadable(lambda: self._read_listed(contents, location))

    def _read_listed(self, contents: Contents, location: Location) -> Image | None:
        image = read_summary(ImageObject(self.client, location))
        if image is None or image.kind is not ManifestKind.DLO:
            return image and self._complete(location, image)
        container, prefix = str(image.segment_container), str(image.segment_prefix)
        if image.etag is None or not contents.has_all_under(container, prefix):
            return self._complete(location, image)
        count, size = contents.mark_dlo(prefix, location.name)
        if self.is_deep:
            return read_segments(ImageObject(self.client, location), image)
        return replace(image, segment_count=count, size=size)

    def _read(self, location: Location) -> Image | None:
        def read() -> Image | None:
            image = read_summary(ImageObject(self.client, location))
            return image and self._complete(location, image)

        return _unless_unreadable(read)

    def _read_existing(self, location: Location) -> list[Summary]:
        image = self._read(location)
        return [self.summarize(location, image)] if image else []

    def _complete(self, location: Location, image: Image) -> Image | None:
        """Read the facts that an image's headers lack; return None if the image was deleted meanwhile."""
        if not self.is_deep and image.segment_count is not None:
            return image
        try:
            return read_segments(ImageObject(self.client, location), image)
        except NotFoundError:
            return None


def _unless_unreadable(read: Callable[[], Image | None]) -> Image | None:
    """Return the result of *read*; an unreadable object spoils only its own entry of a listing."""
    try:
        return read()
    except (IntegrityError, ConflictError, ForbiddenError) as error:
        return unreadable_image(str(error))


def image_containers(client: SwiftClient, placement: Placement) -> Sequence[str]:
    """Return the containers that *placement* puts images in."""
    if not placement.spreads:
        return [placement.container]
    return list(client.list_containers(f"{placement.container}_"))


def list_locations(client: SwiftClient, placement: Placement) -> list[Location]:
    """Return the locations of all images, with no more requests than it takes to tell images from segments."""
    if placement.multi_tenant:
        return Lister(client, lambda location, _image: location).read_all(placement)
    return [
        Location(container, name, container)
        for container in image_containers(client, placement)
        for name in list_without_segments(client, container).images()
        if placement.container_of(name) == container
    ]


def list_without_segments(client: SwiftClient, container: str) -> Contents:
    """List all of a container, and mark the segments to which its manifests refer."""
    contents = Contents(container, "", list_entries(client, container, ""))
    index = manifest_index(client, container)

    def mark(entry: Mapping[str, Any]) -> None:
        try:
            references = index.read(client, entry)
        except (IntegrityError, ConflictError, ForbiddenError):
            # The object does not spoil the listing. A request for it by name returns the error.
            return
        contents.mark(references, entry["name"])

    parallel_map(mark, contents.possible_manifests(), WORKERS)
    return contents


def _own_containers(client: SwiftClient, placement: Placement, prefix: str) -> list[Location]:
    """Return the locations of images that have a container each, whose name includes the image's."""
    begin = f"{placement.container}_"
    containers = client.list_containers(begin + prefix)
    locations = [Location(container, container[len(begin) :], container, True) for container in containers]
    return [location for location in locations if location.name and not has_dot_segment(location.name)]


class _Walk(Generic[Summary]):
    """A walk through one container: manifests first, so that their segments need no requests.

    :param workers: requests in flight
    """

    def __init__(self, lister: Lister[Summary], container: str, workers: int) -> None:
        self._lister = lister
        self._container = container
        self._workers = workers
        self._found: dict[str, tuple[Location, Summary]] = {}

    def run(self, prefix: str) -> list[tuple[Location, Summary]]:
        """Return the images whose names begin with *prefix*, sorted by name."""
        contents = Contents(self._container, prefix, list_entries(self._lister.client, self._container, prefix))
        self._visit(contents, (entry["name"] for entry in contents.possible_manifests()))
        if prefix and contents.has_doubtful():
            self._mark_by_all_manifests(contents)
        self._visit(contents, (name for name in contents.images() if name not in self._found))
        return [found for name, found in sorted(self._found.items()) if not contents.is_segment(name)]

    def _mark_by_all_manifests(self, contents: Contents) -> None:
        """Mark segments whose manifest's name does not begin with the prefix."""
        everything = list_without_segments(self._lister.client, self._container)
        for name in contents.images():
            if everything.is_segment(name):
                contents.mark_segment(name)

    def _visit(self, contents: Contents, names: Iterable[str]) -> None:
        parallel_map(lambda name: self._visit_one(contents, name), names, self._workers)

    def _visit_one(self, contents: Contents, name: str) -> None:
        location = Location(self._container, name, self._container)
        image = self._lister.read_listed(contents, location)
        if image is None:
            # The object was deleted after the listing.
            return
        for container, segment in (found.path for found in image.objects):
            if container == self._container:
                contents.mark_segment(segment)
        self._found[name] = location, self._lister.summarize(location, image)


class Contents:
    """The names in a container that begin with *prefix*, and the segments among them. Pure.

    :param entries: of the listing, in its order, without the range where this collection keeps segments
    """

    def __init__(self, container: str, prefix: str, entries: Iterable[Mapping[str, Any]]) -> None:
        self._container = container
        self._prefix = prefix
        self._sizes: dict[str, int] = {}
        self._manifests: dict[str, Mapping[str, Any]] = {}
        self._segments: set[str] = set()
        for entry in entries:
            name = entry["name"]
            self._sizes[name] = entry["bytes"]
            if owner_of(container, name, entry.get("content_type", "")):
                self._segments.add(name)
            elif not entry["bytes"] or entry.get("slo_etag") or entry.get("hash") == _EMPTY:
                self._manifests[name] = entry
        # Sorted, as the listing is.
        self._names = list(self._sizes)

    def possible_manifests(self) -> Iterator[Mapping[str, Any]]:
        """Yield the entries that may be manifests.

        A DLO's has no bytes. An SLO's has an ETag of its own, or on Ceph RGW that of no bytes, and bytes all the same.
        """
        return (entry for name, entry in self._manifests.items() if name not in self._segments)

    def images(self) -> Iterator[str]:
        """Yield the names that are not known as segments at the time when they are yielded."""
        return (name for name in self._names if name not in self._segments)

    def has_doubtful(self) -> bool:
        """Return whether a name that is not known as a segment's looks like one."""
        return any(map(may_be_segment, self.images()))

    def is_segment(self, name: str) -> bool:
        """Return whether *name* is known as a segment."""
        return name in self._segments

    def mark_segment(self, name: str) -> None:
        """Remember that a manifest refers to *name* as a segment."""
        if name in self._sizes:
            self._segments.add(name)

    def mark(self, references: References, manifest: str) -> None:
        """Remember the segments to which a manifest refers.

        :param manifest: the manifest's name
        """
        for container, name in references.paths:
            if container == self._container:
                self.mark_segment(name)
        if references.prefix and references.prefix[0] == self._container:
            self.mark_dlo(references.prefix[1], manifest)

    def mark_dlo(self, prefix: str, manifest: str) -> tuple[int, int]:
        """Remember the segments of a DLO.

        :param prefix: the prefix in its manifest
        :returns: how many segments there are, and how many bytes Swift reads for the image
        """
        under = self._names[bisect_left(self._names, prefix) : bisect_left(self._names, prefix + LAST)]
        # openstacksdk's prefix is the manifest's own name.
        read = [name for name in under if name != manifest]
        segments = numbered_segments(prefix, read)
        self._segments.update(segments)
        return len(segments), sum(self._sizes[name] for name in read)

    def has_all_under(self, container: str, prefix: str) -> bool:
        """Return whether the listing has all names in *container* that begin with *prefix*."""
        is_apart = not prefix.startswith(RESERVED_PREFIX) and not RESERVED_PREFIX.startswith(prefix)
        return container == self._container and prefix.startswith(self._prefix) and is_apart
