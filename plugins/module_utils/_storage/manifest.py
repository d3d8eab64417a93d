# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Manifests: what a plain object, an SLO or a DLO is made of, read and written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from io import BytesIO
from typing import Any

from .._errors import IntegrityError, NotFoundError
from .._model.headers import content_headers, image_of
from .._model.image import Image, ManifestKind, Segment, large_object_etag
from .._model.location import Location
from .._model.names import content_name, is_of_another, numbered_segments, segment_type
from .._retry import wait_for_listing
from .._swift.client import SwiftClient
from .image_object import ImageObject

# How deep SLOs are followed that name other SLOs; Swift itself stops at this depth (SLO middleware).
_MAX_DEPTH = 10

_AS_MANIFEST = "multipart-manifest=put"


def read_image(target: ImageObject) -> Image | None:
    """Read the current image with its segments; return None if there is none."""
    image = read_summary(target)
    return image and read_segments(target, image)


def read_summary(target: ImageObject, asks_twice: bool = True) -> Image | None:
    """Read what one request tells of the image; return None if there is none.

    The segments are not looked at. Their number is known only if this collection recorded it.

    :param asks_twice: whether a manifest is looked for that Swift finds no segments of
    """
    headers = target.head()
    if headers is None and asks_twice:
        headers = target.head_manifest()
    return None if headers is None else image_of(headers)


def read_segments(target: ImageObject, image: Image) -> Image:
    """Read the segments of a summary, and what only they tell."""
    location = target.location
    if image.kind is ManifestKind.SLO:
        segments = tuple(slo_segments(target.client, *target.path))
        image = replace(
            image, segments=segments, segment_container=segments[0].container if segments else image.segment_container
        )
    elif image.kind is ManifestKind.DLO:
        segments, strangers = _dlo_segments(target, image)
        size = sum(segment.size for segment in (*segments, *strangers))
        image = replace(image, segments=segments, strangers=strangers, size=size)
    foreign_segments = frozenset(found for found in image.objects if is_of_another(location, *found.path))
    return replace(image, segment_count=len(image.pieces), foreign_segments=foreign_segments)


def read_all_segments(target: ImageObject, summary: Image) -> Image | None:
    """Read the segments of a summary, all of them; return None if the image is gone meanwhile.

    A listing lacks segments if its server has not heard of them yet, or is unreachable. Swift computed the size of a
    DLO from a listing of its own, so the two sizes are compared.

    :raises IntegrityError: they still differ after a while
    """
    image: Image | None = read_segments(target, summary)
    if _is_listed(summary, image):
        return image

    def is_listed() -> bool:
        nonlocal image
        again = read_summary(target)
        image = again and read_segments(target, again)
        return _is_listed(again, image)

    if not wait_for_listing(is_listed):
        raise IntegrityError(
            f"The listing of container {summary.segment_container} does not show all segments of "
            f"{target.location.name!r}: run again when the cluster is less busy."
        )
    return image


def _is_listed(summary: Image | None, image: Image | None) -> bool:
    """Return whether the listing shows as many bytes as the summary has, if that has a size."""
    return summary is None or image is None or summary.etag is None or summary.size == image.size


def write_manifest(target: ImageObject, image: Image, conditions: Mapping[str, str]) -> None:
    """Let the image's name refer to *image*, whose segments are stored.

    Swift checks an SLO's segments against their ETags and sizes. A DLO's manifest is sent without an ETag: OpenStack
    Swift compares it with the empty body, Ceph RGW with the segments.

    :param conditions: headers of the PUT that say which object may be replaced
    """
    headers = {**content_headers(image), **conditions}
    if image.kind is ManifestKind.DLO:
        _await_listing(target.client, image)
        target.put(BytesIO(), 0, headers)
        return
    write_inner_manifests(target, image.segments)
    body = _slo_body(image.segments)
    target.put(BytesIO(body), len(body), headers, _AS_MANIFEST)


def write_inner_manifests(target: ImageObject, segments: Iterable[Segment]) -> None:
    """Store those of an SLO's segments that are SLOs themselves, whose own segments are stored."""
    headers = {"Content-Type": segment_type(target.location)}
    for segment in segments:
        if segment.inner:
            body = _slo_body(segment.inner)
            target.client.put_object(*segment.path, BytesIO(body), len(body), headers, _AS_MANIFEST)


def nest(location: Location, segments: Sequence[Segment], most: int) -> tuple[Segment, ...]:
    """Return the entries of an SLO's manifest that may have *most*: the segments, or SLOs of that many segments each.

    :param location: of the image
    """
    if len(segments) <= most:
        return tuple(segments)
    return tuple(_inner_slo(location, segments[first : first + most]) for first in range(0, len(segments), most))


def _inner_slo(location: Location, segments: Sequence[Segment]) -> Segment:
    size = sum(segment.size for segment in segments)
    return Segment(
        location.segment_container,
        # No image's bytes have this name, as long as nobody finds two texts with one SHA-256.
        content_name(location, hashlib.sha256(_slo_body(segments)).hexdigest(), size),
        size,
        large_object_etag(segment.etag for segment in segments),
        inner=tuple(segments),
    )


def _await_listing(client: SwiftClient, image: Image) -> None:
    """Wait until the listing shows the segments: Swift reads a DLO by nothing else."""
    expected = set(image.segments)
    container, prefix = str(image.segment_container), str(image.segment_prefix)
    if not wait_for_listing(
        lambda: expected == {Segment.of_listing(container, entry) for entry in client.list_objects(container, prefix)}
    ):
        raise IntegrityError(
            f"The listing of container {container} does not show the segments that were sent: "
            "run again when the cluster is less busy, or with manifest slo."
        )


def _dlo_segments(target: ImageObject, image: Image) -> tuple[tuple[Segment, ...], tuple[Segment, ...]]:
    """List the objects under a DLO's prefix: its segments, and those that are not provably segments."""
    container, prefix = str(image.segment_container), str(image.segment_prefix)
    listed = [Segment.of_listing(container, entry) for entry in target.client.list_objects(container, prefix)]
    # openstacksdk's prefix is the manifest's own name.
    others = [found for found in listed if found.path != target.path]
    numbered = numbered_segments(prefix, (found.name for found in others))
    segments = tuple(found for found in others if found.name in numbered)
    return segments, tuple(found for found in others if found.name not in numbered)


def slo_segments(
    client: SwiftClient, container: str, name: str, whole: bool = True, depth: int = 1
) -> Iterator[Segment]:
    """Yield the segments that an SLO's manifest names, in its order, with those of segments that are SLOs.

    :param whole: whether the image holds all of the SLO
    :param depth: how many SLOs it lies in, itself counted
    :raises NotFoundError: there is no such manifest
    """
    for entry in client.get_manifest(container, name):
        if "data" in entry:
            # Bytes in the manifest itself are no object, so there is nothing to compare or to delete.
            continue
        segment = _slo_segment(entry, whole)
        if entry.get("sub_slo") and depth < _MAX_DEPTH:
            segment = replace(segment, inner=_inner_segments(client, segment, depth))
        yield segment


def _inner_segments(client: SwiftClient, segment: Segment, depth: int) -> tuple[Segment, ...]:
    """Read the segments of a segment that is an SLO; none if it is gone: the image is broken and can be deleted."""
    try:
        return tuple(slo_segments(client, *segment.path, segment.whole, depth + 1))
    except NotFoundError:
        return ()


def _slo_segment(entry: Mapping[str, Any], whole: bool) -> Segment:
    container, _slash, name = entry["name"].lstrip("/").partition("/")
    return Segment(
        container,
        name,
        size=int(entry["bytes"]),
        etag=str(entry["hash"]),
        whole=whole and not entry.get("range"),
    )


def _slo_body(segments: Sequence[Segment]) -> bytes:
    return json.dumps(
        [
            {"path": f"/{segment.container}/{segment.name}", "etag": segment.etag, "size_bytes": segment.size}
            for segment in segments
        ]
    ).encode("utf-8")
