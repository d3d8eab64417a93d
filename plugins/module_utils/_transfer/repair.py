# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Repair of a damaged image: the segments that are missing or damaged are sent again, under their names.

``plan_segment_repair`` is for segments whose content a manifest or a listing identifies. ``plan_dlo_repair`` is for a
DLO whose listing lacks segments: the existing segments and the recorded digests must be the source's.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from .._concurrency import parallel_map
from .._context import RunContext
from .._model.image import Image, ManifestKind, Path, Segment, large_object_etag
from .._model.location import Location
from .._model.names import is_numbered, segment_type
from .._model.owners import may_own
from .._model.spec import READING_SECONDS
from .._source.digest import digest, digest_segment
from .._source.file import OpenFile, Part, PartReader
from .._storage.image_object import ImageObject
from .plan import Transfer
from .segment_upload import put_part

_NUMBER = re.compile(r"[0-9]+\Z")


@dataclass(frozen=True)
class Repair:
    """The segments to send again, each with the part of the source that it holds.

    :param image: as it is afterwards
    :param may_replace: the paths of damaged objects, which are overwritten
    """

    image: Image
    parts: Mapping[Segment, Part]
    may_replace: Collection[Path] = ()

    def transfer(self) -> Transfer:
        """Return the counts of sent and reused bytes and segments."""
        uploaded = sum(segment.size for segment in self.parts)
        return Transfer(
            bytes_uploaded=uploaded,
            bytes_reused=self.image.size - uploaded,
            segments_uploaded=len(self.parts),
            segments_reused=len(self.image.pieces) - len(self.parts),
        )


def plan_segment_repair(
    location: Location, image: Image, file: OpenFile, damaged: Collection[Segment], existing: Collection[Path]
) -> Repair | None:
    """Plan to send known segments again; return None if the image must be stored anew.

    A manifest is enough to store a missing segment, but not to overwrite an object. For that, the object's name must
    prove that it is a segment of this image.

    :param image: has the file's content, by its manifest
    :param damaged: segments that are missing, or do not match the manifest or the listing
    :param existing: the paths of those that exist
    """
    if not image.is_comparable_by_segments:
        return None
    pieces: dict[Segment, Part] = {}
    offset = 0
    for piece in image.pieces:
        if piece in damaged:
            pieces.setdefault(piece, Part(file, offset, piece.size))
        offset += piece.size
    # A damaged object that is not a piece is an inner manifest, which is not repaired.
    is_possible = len(pieces) == len(damaged) and all(
        may_own(location, replace(piece, is_vouched=piece.is_vouched and piece.path not in existing))
        for piece in damaged
    )
    return Repair(image, pieces, existing) if is_possible else None


def plan_dlo_repair(location: Location, image: Image, file: OpenFile) -> Repair | None:
    """Plan the repair of a DLO that lacks segments; return None if it has other content, or must be stored anew.

    Only a gap in the numbers, or the size that this collection recorded, shows that segments are missing. The existing
    segments must have the file's content, because only the listing identifies what they hold.
    """
    found = _by_number(image)
    if image.kind is not ManifestKind.DLO or len(found) != len(image.segments) + len(image.strangers) or not found:
        return None
    size, first = found[min(found)].size, min(*found, 1)
    parts = _cut(file, first, size)
    missing = {number: part for number, part in parts.items() if number not in found}
    is_incomplete = bool(missing) and (min(missing) < max(found) or image.recorded_size == file.size)
    if image.recorded_size not in (None, file.size):
        return None
    if not is_incomplete or not all(_is_part(segment, parts.get(number)) for number, segment in found.items()):
        return None
    repaired = {_missing_segment(found, number, part): part for number, part in missing.items()}
    if not all(may_own(location, segment) for segment in repaired):
        return None
    if image.checksums and digest(file.whole(), image.checksums) != image.checksums:
        return None
    segments = tuple(sorted((*found.values(), *repaired), key=lambda segment: segment.name))
    return Repair(_completed(image, segments), repaired)


def _completed(image: Image, segments: tuple[Segment, ...]) -> Image:
    return replace(
        image,
        segments=segments,
        strangers=(),
        segment_count=len(segments),
        size=sum(segment.size for segment in segments),
        etag=large_object_etag(segment.etag for segment in segments),
    )


def _cut(file: OpenFile, first: int, size: int) -> Mapping[int, Part]:
    """Return the file's parts by number; none if the segments have no bytes."""
    return dict(enumerate(file.cut(size), first)) if size else {}


def _is_part(segment: Segment, part: Part | None) -> bool:
    """Return whether a segment holds a part of the file."""
    return part is not None and part.size == segment.size and digest_segment(part, ("md5",))["md5"] == segment.etag


def _by_number(image: Image) -> dict[int, Segment]:
    """Return the segments of a DLO by their numbers, including those after a gap."""
    prefix = str(image.segment_prefix)
    found = (segment for segment in (*image.segments, *image.strangers) if is_numbered(prefix, segment.name))
    return {int(match[0]): segment for segment in found if (match := _NUMBER.search(segment.name))}


def _missing_segment(found: Mapping[int, Segment], number: int, part: Part) -> Segment:
    """Return the segment with a number, named like the others."""
    like = next(iter(found.values()))
    digits = _NUMBER.search(like.name)
    width = len(digits[0]) if digits else 0
    name = f"{like.name[: len(like.name) - width]}{number:0{width}d}"
    return Segment(
        like.container, name, part.size, digest_segment(part, ("md5",))["md5"], content_type=like.content_type
    )


def send_repair(target: ImageObject, plan: Repair, context: RunContext) -> None:
    """Send the segments of a plan; in check mode the client sends nothing."""
    context.progress.begin("repairing", target.location.label, sum(part.size for part in plan.parts.values()))

    def send(item: tuple[Segment, Part]) -> None:
        segment, part = item
        headers = {"ETag": segment.etag, "Content-Type": segment.content_type or segment_type(target.location)}
        if plan.image.delete_at is not None:
            headers["X-Delete-At"] = str(plan.image.delete_at + READING_SECONDS)
        if segment.path not in plan.may_replace:
            headers["If-None-Match"] = "*"
        put_part(target.client, segment.path, PartReader(part, context.progress.add), headers)

    parallel_map(send, plan.parts.items(), context.concurrency)
