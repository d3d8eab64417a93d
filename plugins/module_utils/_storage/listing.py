# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images of a store, by name or all that there are: looked at side by side, without their segments among them."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, Generic, Protocol, TypeVar

from .._concurrency import WORKERS, parallel_map
from .._errors import NotFoundError
from .._model.image import Image, ManifestKind
from .._model.location import RESERVED_PREFIX, Location, Placement, has_dot_segment
from .._model.names import may_be_segment, numbered_segments, owner_of
from .._swift.client import SwiftClient
from .manifest import read_segments, read_summary

Found = TypeVar("Found")
Found_co = TypeVar("Found_co", covariant=True)


class Look(Protocol[Found_co]):
    """What becomes of an image that is found, or of a name that there is no image of."""

    def __call__(self, location: Location, image: Image | None, /) -> Found_co: ...


def read_images(client: SwiftClient, locations: Iterable[Location], look: Look[Found], is_deep: bool) -> list[Found]:
    """What *look* makes of the images at *locations*, in that order.

    :param look: called side by side
    :param is_deep: whether the images that it is given have their segments with them, which takes more requests
    """
    return parallel_map(lambda location: look(location, _read(client, location, is_deep)), locations, WORKERS)


def list_images(
    client: SwiftClient, placement: Placement, prefix: str, look: Look[Found], is_deep: bool
) -> list[Found]:
    """The same for all images whose names begin with *prefix*, sorted as Swift sorts names.

    Where images go to several containers, an image is one of theirs that is in the container that its name chooses.
    """
    if placement.multi_tenant:
        return _list_own_containers(client, placement, prefix, look, is_deep)
    containers = image_containers(client, placement)
    walked = _walk_all(client, containers, prefix, look, is_deep)
    found = (
        entry
        for container, entries in zip(containers, walked)
        for entry in entries
        if placement.container_of(entry[0]) == container
    )
    # Code points sort as UTF-8 does.
    return [one for _name, one in sorted(found, key=lambda entry: entry[0])]


def visit_all(client: SwiftClient, containers: Sequence[str], look: Look[Found], is_deep: bool) -> None:
    """Call *look* for every image of the containers, whichever its name would choose."""
    _walk_all(client, containers, "", look, is_deep)


def list_locations(client: SwiftClient, placement: Placement) -> list[Location]:
    """Where all images are; no more is asked about each than it takes to tell them from segments."""
    if placement.multi_tenant:
        return _list_own_containers(client, placement, "", lambda location, _image: location, False)
    return [
        Location(container, name, container)
        for container in image_containers(client, placement)
        for name in _Walk[None](client, container, lambda _location, _image: None, False, WORKERS).names()
        if placement.container_of(name) == container
    ]


def _list_own_containers(
    client: SwiftClient, placement: Placement, prefix: str, look: Look[Found], is_deep: bool
) -> list[Found]:
    """Of images that have a container each, whose name tells theirs."""
    begin = f"{placement.container}_"
    containers = client.list_containers(begin + prefix)
    locations = [Location(container, container[len(begin) :], container, True) for container in containers]
    found = parallel_map(
        lambda location: (location, _read(client, location, is_deep)), filter(_can_be, locations), WORKERS
    )
    return [look(location, image) for location, image in found if image]


def _can_be(location: Location) -> bool:
    """Whether there can be such an image."""
    return bool(location.name) and not has_dot_segment(location.name)


def _walk_all(
    client: SwiftClient, containers: Sequence[str], prefix: str, look: Look[Found], is_deep: bool
) -> list[list[tuple[str, Found]]]:
    # Connections belong to threads: where containers are walked side by side, each is walked by one.
    workers = WORKERS if len(containers) == 1 else 1
    return parallel_map(
        lambda container: _Walk(client, container, look, is_deep, workers).run(prefix),
        containers,
        WORKERS if workers == 1 else 1,
    )


def image_containers(client: SwiftClient, placement: Placement) -> Sequence[str]:
    """The containers that images go to."""
    if not placement.spreads:
        return [placement.container]
    return list(client.list_containers(f"{placement.container}_"))


class _Walk(Generic[Found]):
    """One container's images: manifests first, so that nothing is asked about what they name.

    :param workers: requests at once
    """

    def __init__(self, client: SwiftClient, container: str, look: Look[Found], is_deep: bool, workers: int) -> None:
        self._client = client
        self._container = container
        self._look = look
        self._is_deep = is_deep
        self._workers = workers
        self._found: dict[str, Found] = {}

    def run(self, prefix: str) -> list[tuple[str, Found]]:
        """What was made of each image whose name begins with *prefix*, by name."""
        contents = self._list(prefix)
        self._visit(contents, contents.possible_manifests())
        if prefix and contents.has_doubtful():
            self._ask_all_manifests(contents)
        self._visit(contents, (name for name in contents.images() if name not in self._found))
        return [(name, found) for name, found in sorted(self._found.items()) if not contents.is_segment(name)]

    def names(self) -> list[str]:
        """The names of all images."""
        contents = self._list("")
        self._visit(contents, contents.possible_manifests())
        return list(contents.images())

    def _list(self, prefix: str) -> Contents:
        return Contents(self._container, prefix, list_entries(self._client, self._container, prefix))

    def _ask_all_manifests(self, contents: Contents) -> None:
        """Learn of segments whose manifest's name does not begin with the prefix."""
        everything = self._list("")
        walk = _Walk[None](self._client, self._container, lambda _location, _image: None, False, self._workers)
        walk._visit(everything, everything.possible_manifests())
        for name in contents.images():
            if everything.is_segment(name):
                contents.mark_segment(name)

    def _visit(self, contents: Contents, names: Iterable[str]) -> None:
        parallel_map(lambda name: self._visit_one(contents, name), names, self._workers)

    def _visit_one(self, contents: Contents, name: str) -> None:
        location = Location(self._container, name, self._container)
        image = self._read(contents, location)
        if image is None:
            # It went since the listing.
            return
        for container, segment in (found.path for found in image.objects):
            if container == self._container:
                contents.mark_segment(segment)
        self._found[name] = self._look(location, image)

    def _read(self, contents: Contents, location: Location) -> Image | None:
        image = read_summary(self._client, location)
        if image is None or image.kind is not ManifestKind.DLO:
            return image and _complete(self._client, location, image, self._is_deep)
        container, prefix = str(image.segment_container), str(image.segment_prefix)
        if image.etag is None or not contents.holds_all_under(container, prefix):
            return _complete(self._client, location, image, self._is_deep)
        count, size = contents.mark_dynamic(prefix, location.name)
        if self._is_deep:
            return read_segments(self._client, location, image)
        return replace(image, segment_count=count, size=size)


def _read(client: SwiftClient, location: Location, is_deep: bool) -> Image | None:
    image = read_summary(client, location)
    return image and _complete(client, location, image, is_deep)


def _complete(client: SwiftClient, location: Location, summary: Image, is_deep: bool) -> Image | None:
    """A summary, with what more requests tell where it lacks something; None when the image went meanwhile."""
    if not is_deep and summary.segment_count is not None:
        return summary
    try:
        return read_segments(client, location, summary)
    except NotFoundError:
        return None


def list_entries(client: SwiftClient, container: str, prefix: str) -> Iterator[dict[str, Any]]:
    """The listing without the reserved range, what stands for a folder, and names that no HTTP client can ask for.

    :returns: as the connection's
    """
    pages: list[Iterator[dict[str, Any]]] = []
    # A range is asked for only where the prefix lets there be something.
    if prefix < RESERVED_PREFIX:
        pages.append(client.list_objects(container, prefix, end_marker=RESERVED_PREFIX))
    if RESERVED_PREFIX.startswith(prefix) or (prefix > RESERVED_PREFIX and not prefix.startswith(RESERVED_PREFIX)):
        pages.append(client.list_objects(container, prefix, marker=RESERVED_PREFIX + LAST))
    return (entry for entry in chain.from_iterable(pages) if not (has_dot_segment(entry["name"]) or _is_folder(entry)))


def _is_folder(entry: Mapping[str, Any]) -> bool:
    """Whether it is what the swift CLI and rclone make where they are to keep an empty folder."""
    return not entry["bytes"] and entry.get("content_type") == "application/directory"


# Sorts behind all names that begin with what it follows.
LAST = "\U0010ffff"

_MANIFEST = 1
_SEGMENT = 2


class Contents:
    """The names in a container that begin with *prefix*.

    :param entries: of the listing, in its order, without those in the range where this collection keeps segments
    """

    def __init__(self, container: str, prefix: str, entries: Iterable[Mapping[str, Any]]) -> None:
        self._container = container
        self._prefix = prefix
        self._names: list[str] = []
        self._sizes = array("Q")
        self._marks = bytearray()
        for entry in entries:
            self._names.append(entry["name"])
            self._sizes.append(entry["bytes"])
            self._marks.append(_mark(container, entry))

    def possible_manifests(self) -> Iterator[str]:
        """What may be a manifest, by what the listing says: a DLO's has no bytes, an SLO's an ETag of its own."""
        return (name for name, mark in zip(self._names, self._marks) if mark == _MANIFEST)

    def images(self) -> Iterator[str]:
        """What is no segment, as far as is known."""
        return (name for name, mark in zip(self._names, self._marks) if not mark & _SEGMENT)

    def has_doubtful(self) -> bool:
        """Whether there are names, not known as segments, that are such as segments have."""
        return any(map(may_be_segment, self.images()))

    def is_segment(self, name: str) -> bool:
        """Whether something names *name* as a segment."""
        index = self._find(name)
        return index is not None and bool(self._marks[index] & _SEGMENT)

    def mark_segment(self, name: str) -> None:
        """Remember that something names *name* as a segment."""
        index = self._find(name)
        if index is not None:
            self._marks[index] |= _SEGMENT

    def mark_dynamic(self, prefix: str, manifest: str) -> tuple[int, int]:
        """Remember which names are the segments of a DLO.

        :param prefix: in its manifest; see :meth:`holds_all_under`
        :returns: how many segments there are, and how many bytes Swift reads for the image
        """
        first, end = bisect_left(self._names, prefix), bisect_left(self._names, prefix + LAST)
        # openstacksdk's prefix is the manifest's own name.
        read = [index for index in range(first, end) if self._names[index] != manifest]
        segments = numbered_segments(prefix, (self._names[index] for index in read))
        for index in read:
            if self._names[index] in segments:
                self._marks[index] |= _SEGMENT
        return len(segments), sum(self._sizes[index] for index in read)

    def holds_all_under(self, container: str, prefix: str) -> bool:
        """Whether all that begins with *prefix* is here."""
        is_apart = not prefix.startswith(RESERVED_PREFIX) and not RESERVED_PREFIX.startswith(prefix)
        return container == self._container and prefix.startswith(self._prefix) and is_apart

    def _find(self, name: str) -> int | None:
        index = bisect_left(self._names, name)
        return index if index < len(self._names) and self._names[index] == name else None


def _mark(container: str, entry: Mapping[str, Any]) -> int:
    if owner_of(container, entry["name"], entry.get("content_type", "")):
        return _SEGMENT
    return _MANIFEST if not entry["bytes"] or entry.get("slo_etag") else 0
