# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What runs that were cut off left of an image: segments without a manifest, and journals of what was to go."""

from __future__ import annotations

from dataclasses import dataclass

from .._model.image import Segment
from .._model.location import Location
from .._model.names import is_journal, is_numbered, is_own_segment, segment_type, segments_prefix
from .._swift.client import SwiftClient
from .journal import Journal, read_journal


@dataclass(frozen=True)
class Leftovers:
    """What there is beside the image.

    :param segments: that this collection wrote for it, whether or not its manifest names them
    :param journals: of deletions that did not end, or that another run is at
    """

    segments: tuple[Segment, ...]
    journals: tuple[Journal, ...]


NOTHING = Leftovers((), ())


def find_leftovers(client: SwiftClient, location: Location) -> Leftovers:
    """What lies where this collection lays it."""
    segments: list[Segment] = []
    journals: list[Journal] = []
    for container in sorted({location.container, location.segment_container}):
        for entry in client.list_objects(container, segments_prefix(location)):
            if container == location.segment_container and is_own_segment(location, entry["name"]):
                segments.append(Segment.of_listing(container, entry))
            elif container == location.container and is_journal(location, entry["name"]):
                journals.append(read_journal(client, container, entry))
    return Leftovers(tuple(segments), tuple(journals))


def find_under(client: SwiftClient, location: Location, prefix: str) -> tuple[list[Segment], str | None]:
    """What lies under a prefix that the user chose.

    :returns: what this collection wrote there, and the first name of what it did not, if there is one
    """
    own_type = segment_type(location)
    ours: list[Segment] = []
    stranger = None
    for entry in client.list_objects(location.segment_container, prefix):
        if entry.get("content_type") == own_type and is_numbered(prefix, entry["name"]):
            ours.append(Segment.of_listing(location.segment_container, entry))
        else:
            stranger = stranger or entry["name"]
    return ours, stranger
