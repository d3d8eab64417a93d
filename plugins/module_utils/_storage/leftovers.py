# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Leftovers of interrupted runs: segments without a manifest, and journals of pending deletions."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from .._model.image import Image, Path, Segment
from .._model.location import can_be_requested
from .._model.names import is_journal, is_numbered, is_own_segment, segment_type, segments_prefix
from .image_object import ImageObject
from .journal import Journal, read_journal, remove_journals
from .segments import delete_segments


@dataclass(frozen=True)
class Leftovers:
    """Objects beside an image that its manifest may not name.

    :param segments: that this collection wrote for the image
    :param journals: that note which objects to delete with it
    """

    segments: tuple[Segment, ...] = ()
    journals: tuple[Journal, ...] = ()


def find_leftovers(target: ImageObject, image: Image | None = None) -> Leftovers:
    """List the segments and journals that this collection keeps under ``.segments/<name>/``.

    Segments of the current image are among them.

    :param image: the current one. If the cluster does not return its manifest, the container that is recorded with it
        is listed, too.
    """
    location = target.location
    places = {location.segment_container}
    if image is not None and image.hides_segments and can_be_requested(str(image.segment_container)):
        places.add(image.segment_container or location.container)
    segments: list[Segment] = []
    journals: list[Journal] = []
    for container in sorted({location.container, *places}):
        here = replace(location, segment_container=container)
        for entry in target.client.list_objects(container, segments_prefix(location)):
            if container in places and is_own_segment(here, entry["name"]):
                segments.append(Segment.of_listing(container, entry))
            elif container == location.container and is_journal(location, entry["name"]):
                journals.append(read_journal(target.client, container, entry))
    return Leftovers(tuple(segments), tuple(journals))


def find_under_prefix(target: ImageObject, prefix: str) -> tuple[tuple[Segment, ...], str | None]:
    """List the objects under a prefix that the user chose.

    :returns: the image's own segments, and the first name of any other object
    """
    location = target.location
    own_type = segment_type(location)
    own: list[Segment] = []
    other = None
    for entry in target.client.list_objects(location.segment_container, prefix):
        if entry.get("content_type") == own_type and is_numbered(prefix, entry["name"]):
            own.append(Segment.of_listing(location.segment_container, entry))
        else:
            other = other or entry["name"]
    return tuple(own), other


def delete_leftovers(target: ImageObject, leftovers: Leftovers, concurrency: int) -> None:
    """Delete segments, and then the journals that note them.

    :param concurrency: requests in flight
    :raises ImageStoreError: a segment could not be deleted; the journals stay for the next run
    """
    delete_segments(target.client, leftovers.segments, concurrency)
    remove_journals(target.client, leftovers.journals)


def without(segments: Iterable[Segment], kept: Collection[Path]) -> tuple[Segment, ...]:
    """Return *segments* without those at the paths *kept*."""
    return tuple(segment for segment in segments if segment.path not in kept)
