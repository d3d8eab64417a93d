# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Verification: whether the segments that a manifest names are in the store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from .._concurrency import WORKERS, parallel_map
from .._errors import ForbiddenError, LoginError
from .._model.headers import etag_of, number_of
from .._model.image import Image, ManifestKind, Segment
from .._model.location import can_be_requested
from .._model.names import gaps_among, is_numbered
from .._swift.client import SwiftClient


def problems_of(client: SwiftClient, images: Sequence[Image]) -> list[list[str] | None]:
    """Find what keeps each of *images* from being read as it was stored: a sentence for each problem.

    Each segment is requested by HEAD, because listings also show what has expired. No bytes are read.

    :param images: with their segments
    :returns: None for an image that can't be verified, because Ceph RGW does not return an SLO's manifest
    """
    asked = parallel_map(lambda pair: list(_segment_problems(client, pair[1])), _segments_of(images), WORKERS)
    problems: list[list[str]] = [[*image.problems, *_dlo_problems(image)] for image in images]
    for (number, _segment), found in zip(_segments_of(images), asked):
        problems[number].extend(found)
    return [None if _is_unverifiable(image) else found for image, found in zip(images, problems)]


def _segments_of(images: Sequence[Image]) -> Iterator[tuple[int, Segment]]:
    """Yield every segment with its image's number, once for each image."""
    return ((number, segment) for number, image in enumerate(images) for segment in dict.fromkeys(image.objects))


def _is_unverifiable(image: Image) -> bool:
    return image.kind is ManifestKind.SLO and image.size > 0 and not image.objects


def _segment_problems(client: SwiftClient, segment: Segment) -> Iterator[str]:
    named = f"Segment {segment.container}/{segment.name}"
    if not can_be_requested(*segment.path):
        yield f"{named} has a name that can't be requested."
        return
    try:
        headers = client.head_object(*segment.path)
    except (ForbiddenError, LoginError):
        yield f"{named} may not be looked at with these credentials."
        return
    if headers is None:
        yield f"{named} is missing."
        return
    yield from _differences(named, segment, headers)


def _differences(named: str, segment: Segment, headers: Mapping[str, str]) -> Iterator[str]:
    size, etag = number_of(headers, "content-length"), etag_of(headers)
    if size != segment.size:
        yield f"{named} has {size} bytes, and the manifest says {segment.size}."
    elif etag != segment.etag:
        yield f"{named} has the ETag {etag}, and the manifest says {segment.etag}."


def _dlo_problems(image: Image) -> Iterator[str]:
    """Yield what is wrong under a DLO's prefix: Swift reads everything there for the image."""
    if image.kind is not ManifestKind.DLO:
        return
    prefix = str(image.segment_prefix)
    for first, last in gaps_among(prefix, [found.name for found in (*image.segments, *image.strangers)]):
        yield f"There is no segment numbered {first}{f' to {last}' if last > first else ''}, and there are later ones."
    for stranger in image.strangers:
        if not is_numbered(prefix, stranger.name):
            yield (
                f"{stranger.container}/{stranger.name} begins with the manifest's prefix and is none of the image's "
                "segments; it is read with them."
            )
    if image.recorded_size not in (None, image.size):
        yield f"There are {image.size} bytes, and there were {image.recorded_size} when the image was stored."
