# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All images of a store: what its containers' listings hold, less the segments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ._connection import Connection
from ._errors import NotFoundError
from ._image import Image
from ._location import RESERVED_PREFIX, Location, Placement
from ._manifest import read_image
from ._parallel import for_each

# Sorts behind all names of segments, and before all other names that follow them.
_BEHIND_RESERVED = f"{RESERVED_PREFIX}\U0010ffff"

_WORKERS = 4


def list_images(connection: Connection, placement: Placement, prefix: str) -> list[tuple[Location, Image]]:
    """The images whose names begin with *prefix*, sorted as Swift sorts them.

    Where images go to several containers, an image is one of theirs that is in the container that its name chooses.
    """
    if not placement.spreads:
        return _list_container(connection, placement.container, prefix)
    found = [
        (location, image)
        for container in connection.list_containers(f"{placement.container}_")
        for location, image in _list_container(connection, container, prefix)
        if placement.container_of(location.name) == container
    ]
    return sorted(found, key=lambda entry: entry[0].name.encode("utf-8"))


def _list_container(connection: Connection, container: str, prefix: str) -> list[tuple[Location, Image]]:
    """The images of one container.

    An object that a manifest in the container names is a segment, and no image, whoever wrote it. The
    manifest's own name need not begin with *prefix*, and so all of them are read.
    """
    found = read_images(connection, [Location(container, name, container) for name in _names(connection, container)])
    images = [(location, image) for location, image in found if image is not None]
    segments = {segment.path for _location, image in images for segment in image.objects}
    return [
        (location, image)
        for location, image in images
        if location.name.startswith(prefix) and (container, location.name) not in segments
    ]


def read_images(connection: Connection, locations: Iterable[Location]) -> list[tuple[Location, Image | None]]:
    """The images at *locations*, in that order, asked for side by side; None for those that are not there."""
    return for_each(lambda location: (location, _read(connection, location)), locations, _WORKERS)


def _read(connection: Connection, location: Location) -> Image | None:
    try:
        return read_image(connection, location)
    except NotFoundError:
        # It went between the look at it and the look at its manifest.
        return None


def _names(connection: Connection, container: str) -> Iterator[str]:
    """Names in the container; the range of this collection's segments is never listed."""
    for entry in connection.list_objects(container, end_marker=RESERVED_PREFIX):
        yield entry["name"]
    for entry in connection.list_objects(container, marker=_BEHIND_RESERVED):
        yield entry["name"]
