# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All images of a container: what its listing holds, less the segments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ._connection import Connection
from ._image import Image
from ._location import RESERVED_PREFIX, Location
from ._manifest import read_image
from ._parallel import for_each

# The first name that sorts behind all those that begin with the reserved prefix.
_BEHIND_RESERVED = RESERVED_PREFIX[:-1] + chr(ord(RESERVED_PREFIX[-1]) + 1)

_WORKERS = 4


def list_images(connection: Connection, container: str, prefix: str) -> list[tuple[Location, Image]]:
    """The images of *container* whose names begin with *prefix*, sorted as Swift sorts them.

    An object that a manifest in the container names is a segment, and no image, whoever wrote it.
    """
    names = _names(connection, container, prefix)
    found = read_images(connection, [Location(container, name, container) for name in names])
    images = [(location, image) for location, image in found if image is not None]
    segments = {(segment.container, segment.name) for _location, image in images for segment in image.segments}
    return [(location, image) for location, image in images if (container, location.name) not in segments]


def read_images(connection: Connection, locations: Iterable[Location]) -> list[tuple[Location, Image | None]]:
    """The images at *locations*, in that order, asked for side by side; None for those that are not there."""
    return for_each(lambda location: (location, read_image(connection, location)), locations, _WORKERS)


def _names(connection: Connection, container: str, prefix: str) -> Iterator[str]:
    """Names in the container; the range of this collection's segments is never listed."""
    for entry in connection.list_objects(container, prefix, end_marker=RESERVED_PREFIX):
        yield entry["name"]
    for entry in connection.list_objects(container, prefix, marker=_BEHIND_RESERVED):
        yield entry["name"]
