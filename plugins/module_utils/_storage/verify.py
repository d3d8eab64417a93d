# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Verification that the segments to which a manifest refers are in the store.

``find_damaged`` uses listings, which take one request for thousands of segments. ``find_problems`` requests each one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Any

from .._concurrency import WORKERS, parallel_map
from .._errors import ForbiddenError, LoginError
from .._model.headers import etag_of, number_of
from .._model.image import Image, ManifestKind, Path, Segment
from .._model.location import can_be_requested
from .._model.names import gaps_among, is_numbered
from .._swift.client import SwiftClient

# The maximum number of other objects among an image's segments that are listed: one page of a listing.
_STRANGERS = 10_000


def find_damaged(client: SwiftClient, image: Image, asks_each: bool) -> tuple[Segment, ...]:
    """Return the segments that are missing, or differ from the image's manifest.

    A segment whose listing differs from an SLO's manifest is requested, because listings may lag. A listing defines a
    DLO, so only a segment that it still shows and that is gone can be found.

    :param image: with its segments
    :param asks_each: whether each object is requested, because listings also show expired objects
    """
    if image.is_link or (image.kind is ManifestKind.DLO and not asks_each):
        return ()
    wanted = {segment.path: segment for segment in image.objects if segment.whole}
    listed = {} if asks_each else _listed(client, wanted)
    doubtful = [segment for path, segment in wanted.items() if not _is_listed(segment, listed.get(path))]
    found = parallel_map(lambda segment: _is_stored(client, segment), doubtful, WORKERS)
    return tuple(segment for segment, is_stored in zip(doubtful, found) if not is_stored)


def _listed(client: SwiftClient, wanted: Mapping[Path, Segment]) -> Mapping[Path, Mapping[str, Any]]:
    """List the containers of segments, under the common prefix of the segments' names."""
    listed: dict[Path, Mapping[str, Any]] = {}
    for container in {container for container, _name in wanted if can_be_requested(container)}:
        names = sorted(name for place, name in wanted if place == container)
        with suppress(ForbiddenError, LoginError):
            # The right to read an image does not include the right to list its segments.
            for entry in islice(client.list_objects(container, _common_prefix(names)), len(names) + _STRANGERS):
                if (container, entry["name"]) in wanted:
                    listed[container, entry["name"]] = entry
    return listed


def _common_prefix(names: Sequence[str]) -> str:
    """Return the common prefix of *names*, which are sorted."""
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(names[0], names[-1]))
    return "".join(character for character, _same in pairs)


def _is_listed(segment: Segment, entry: Mapping[str, Any] | None) -> bool:
    if entry is None:
        return False
    etag = str(entry.get("slo_etag") or entry.get("hash")).strip('"')
    return (entry["bytes"], etag) == (segment.size, segment.etag)


def _is_stored(client: SwiftClient, segment: Segment) -> bool:
    if not can_be_requested(*segment.path):
        return False
    try:
        headers = client.head_object(*segment.path)
    except (ForbiddenError, LoginError):
        # The segment may exist, but these credentials may not read it.
        return True
    return headers is not None and (number_of(headers, "content-length"), etag_of(headers)) == (
        segment.size,
        segment.etag,
    )


@dataclass(frozen=True)
class Findings:
    """The problems of an image.

    :param problems: a sentence each
    :param paths: of its objects that are missing, or differ from the manifest
    """

    problems: tuple[str, ...] = ()
    paths: frozenset[Path] = frozenset()


def find_problems(client: SwiftClient, images: Sequence[Image]) -> list[Findings | None]:
    """Find the problems that keep each of *images* from being read as it was stored.

    Each segment is requested by HEAD, because listings also show expired objects. No bytes are read.

    :param images: with their segments
    :returns: None for an image that can't be verified, because Ceph RGW does not return an SLO's manifest
    """
    spans = [spans_of(image) for image in images]
    asked = parallel_map(
        lambda pair: list(_segment_problems(client, pair[1], spans[pair[0]])), _segments_of(images), WORKERS
    )
    problems: list[list[str]] = [[*image.problems, *incomplete_dlo(image)] for image in images]
    paths: list[set[Path]] = [set() for _image in images]
    for (number, segment), found in zip(_segments_of(images), asked):
        problems[number].extend(found)
        if found:
            paths[number].add(segment.path)
    return [
        None if _is_unverifiable(image) and not told else Findings(tuple(told), frozenset(broken))
        for image, told, broken in zip(images, problems, paths)
    ]


def _segments_of(images: Sequence[Image]) -> Iterator[tuple[int, Segment]]:
    """Yield every segment with its image's number, once for each image."""
    return ((number, segment) for number, image in enumerate(images) for segment in dict.fromkeys(image.objects))


def _is_unverifiable(image: Image) -> bool:
    return image.hides_segments and not image.objects


def spans_of(image: Image) -> Mapping[Path, tuple[int, int]]:
    """Return the first and the last byte of the image that each of its objects holds, at its first occurrence."""
    spans: dict[Path, tuple[int, int]] = {}
    _add_spans(spans, image.read_segments, 0)
    return spans


def _add_spans(spans: dict[Path, tuple[int, int]], segments: Sequence[Segment], offset: int) -> None:
    for segment in segments:
        spans.setdefault(segment.path, (offset, offset + segment.size - 1))
        _add_spans(spans, segment.inner, offset)
        offset += segment.size


def describe_segment(segment: Segment, spans: Mapping[Path, tuple[int, int]]) -> str:
    """Return a segment's name for a sentence, with the bytes of the image that it holds."""
    first, last = spans.get(segment.path, (0, -1))
    return f"Segment {segment.container}/{segment.name} (bytes {first} to {last})"


def _segment_problems(client: SwiftClient, segment: Segment, spans: Mapping[Path, tuple[int, int]]) -> Iterator[str]:
    named = describe_segment(segment, spans)
    if not can_be_requested(*segment.path):
        yield f"{named} has a name that can't be requested."
        return
    try:
        headers = client.head_object(*segment.path)
    except (ForbiddenError, LoginError):
        yield f"{named} can't be checked with these credentials."
        return
    if headers is None:
        yield f"{named} is missing."
        return
    yield from _differences(named, segment, headers)


def _differences(named: str, segment: Segment, headers: Mapping[str, str]) -> Iterator[str]:
    size, etag = number_of(headers, "content-length"), etag_of(headers)
    if size != segment.size:
        yield f"{named} has {size} bytes, but the manifest says {segment.size}."
    elif etag != segment.etag:
        yield f"{named} has the ETag {etag}, but the manifest says {segment.etag}."


def incomplete_dlo(image: Image) -> Iterator[str]:
    """Yield a sentence for each problem under a DLO's prefix: Swift reads everything there for the image."""
    if image.kind is not ManifestKind.DLO:
        return
    prefix = str(image.segment_prefix)
    for first, last in gaps_among(prefix, [found.name for found in (*image.segments, *image.strangers)]):
        yield (
            f"There is no segment numbered {first}{f' to {last}' if last > first else ''}, but there are later "
            "segments."
        )
    for stranger in image.strangers:
        if not is_numbered(prefix, stranger.name):
            yield (
                f"{stranger.container}/{stranger.name} begins with the manifest's prefix, but is not a segment of the "
                "image. Swift reads it as a part of the image."
            )
    if image.recorded_size not in (None, image.size):
        yield f"The image has {image.size} bytes, but had {image.recorded_size} when it was stored."
