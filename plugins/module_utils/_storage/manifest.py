# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plain objects, SLOs and DLOs: read, write, and tell what belongs to one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from io import BytesIO
from typing import Any

from .._errors import IntegrityError, NotFoundError
from .._model import headers as _headers
from .._model.image import Image, ManifestKind, Segment, large_object_etag
from .._model.location import Location
from .._model.names import content_name, is_of_another, numbered_segments, parse_manifest_header, segment_type
from .._retry import listing_agrees
from .._swift.client import SwiftClient

# How deep SLOs are followed that name other SLOs; Swift itself stops at this depth (SLO middleware).
_MAX_DEPTH = 10

_AS_MANIFEST = "multipart-manifest=put"


def read_image(client: SwiftClient, location: Location) -> Image | None:
    """The image as it stands, its segments included; None when there is none."""
    image = read_summary(client, location)
    return image and read_segments(client, location, image)


def read_summary(client: SwiftClient, location: Location, asks_twice: bool = True) -> Image | None:
    """What one request tells of the image; None when there is none.

    Its segments have not been looked at, and how many there are is told only where this collection wrote it.

    :param asks_twice: whether there may be a manifest that Swift finds no segments of
    """
    headers = client.head_object(location.container, location.name)
    if headers is None and asks_twice:
        # Swift answers 404 for a DLO whose segments' container is gone, too.
        headers = client.head_object(location.container, location.name, manifest=True)
    return None if headers is None else _summary(headers)


def _summary(headers: Mapping[str, str]) -> Image:
    kind = _headers.kind_of(headers)
    container = prefix = None
    if kind is ManifestKind.SLO:
        container = _headers.segment_container_of(headers)
    elif kind is ManifestKind.DLO:
        container, prefix = parse_manifest_header(headers["x-object-manifest"])
    return Image(
        kind=kind,
        size=_headers.size_of(headers),
        etag=_headers.etag_of(headers) if _headers.tells_size(headers) else None,
        segment_count=0 if kind is ManifestKind.NONE else _headers.segment_count_of(headers),
        is_link="content-location" in headers,
        checksums=_headers.checksums_of(headers),
        segment_container=container,
        segment_prefix=prefix,
        content_type=headers.get("content-type"),
        metadata=_headers.metadata_of(headers),
        last_modified=_headers.last_modified_of(headers),
        delete_at=_headers.delete_at_of(headers),
        delete_after=_headers.delete_after_of(headers),
        source_fingerprint=_headers.source_fingerprint_of(headers),
        recorded_size=_headers.recorded_size_of(headers),
        is_pending=_headers.is_pending(headers),
        kept_headers=_headers.kept_headers_of(headers),
    )


def read_segments(client: SwiftClient, location: Location, image: Image) -> Image:
    """A summary with its segments, and with what only they tell."""
    if image.kind is ManifestKind.SLO:
        segments = tuple(slo_segments(client, location.container, location.name))
        image = replace(
            image, segments=segments, segment_container=segments[0].container if segments else image.segment_container
        )
    elif image.kind is ManifestKind.DLO:
        segments, strangers = _dlo_segments(client, location, image)
        size = sum(segment.size for segment in (*segments, *strangers))
        image = replace(image, segments=segments, strangers=strangers, size=size)
    foreign_segments = frozenset(found for found in image.objects if is_of_another(location, *found.path))
    return replace(image, segment_count=len(image.pieces), foreign_segments=foreign_segments)


def read_all_segments(client: SwiftClient, location: Location, summary: Image) -> Image | None:
    """The same for who must not miss one, to replace, delete or read them; None when the image has gone meanwhile.

    A listing lacks some where its server has not heard of them yet, or is away. Swift told the size of a DLO by a
    listing of its own, and so the two are compared.

    :raises IntegrityError: they do not agree
    """
    image: Image | None = read_segments(client, location, summary)
    if _is_listed(summary, image):
        return image

    def is_listed() -> bool:
        nonlocal image
        told = read_summary(client, location)
        image = told and read_segments(client, location, told)
        return _is_listed(told, image)

    if not listing_agrees(is_listed):
        raise IntegrityError(
            f"The listing of container {summary.segment_container} does not show all segments of {location.name!r}: "
            "run again when the cluster is less busy."
        )
    return image


def _is_listed(told: Image | None, listed: Image | None) -> bool:
    """Whether a listing showed as many bytes as Swift told, where it did."""
    return told is None or listed is None or told.etag is None or told.size == listed.size


def write_manifest(client: SwiftClient, location: Location, image: Image, conditions: Mapping[str, str]) -> None:
    """Let the image's name mean *image*, whose segments are all there.

    :param conditions: headers that say what must not stand there

    An SLO's segments are checked by Swift against their ETags and sizes. A DLO's manifest is sent
    without an ETag: OpenStack compares it with the empty body, Ceph RGW with the segments.
    """
    if image.kind is ManifestKind.DLO:
        _await_listing(client, image)
        _put(client, location.container, location.name, b"", {**_headers.content_headers(image), **conditions})
        return
    write_inner_manifests(client, location, image.segments)
    body = _slo_body(image.segments)
    headers = {**_headers.content_headers(image), **conditions}
    _put(client, location.container, location.name, body, headers, _AS_MANIFEST)


def write_inner_manifests(client: SwiftClient, location: Location, segments: Iterable[Segment]) -> None:
    """Store those of an SLO's segments that are SLOs themselves, whose own segments are all there."""
    headers = {"Content-Type": segment_type(location)}
    for segment in segments:
        if segment.inner:
            _put(client, *segment.path, _slo_body(segment.inner), headers, _AS_MANIFEST)


def nest(location: Location, segments: Sequence[Segment], most: int) -> tuple[Segment, ...]:
    """What an SLO's manifest names where it may name *most* segments: them, or SLOs that hold that many of them each.

    :param location: of the image
    """
    if len(segments) <= most:
        return tuple(segments)
    return tuple(_inner_slo(location, segments[first : first + most]) for first in range(0, len(segments), most))


def _inner_slo(location: Location, segments: Sequence[Segment]) -> Segment:
    size = sum(segment.size for segment in segments)
    return Segment(
        location.segment_container,
        # Named by what it says, which no image's bytes are, as long as nobody finds two texts of one SHA-256.
        content_name(location, hashlib.sha256(_slo_body(segments)).hexdigest(), size),
        size,
        large_object_etag(segment.etag for segment in segments),
        inner=tuple(segments),
    )


def _put(
    client: SwiftClient, container: str, name: str, body: bytes, headers: Mapping[str, str], query: str | None = None
) -> None:
    client.put_object(container, name, BytesIO(body), len(body), headers, query)


def _await_listing(client: SwiftClient, image: Image) -> None:
    """Wait until the listing, which is all that a DLO is read by, shows the segments."""
    expected = set(image.segments)
    container, prefix = str(image.segment_container), str(image.segment_prefix)
    if not listing_agrees(
        lambda: expected == {Segment.of_listing(container, entry) for entry in client.list_objects(container, prefix)}
    ):
        raise IntegrityError(
            f"The listing of container {container} does not show the segments that were sent: "
            "run again when the cluster is less busy, or with manifest slo."
        )


def _dlo_segments(
    client: SwiftClient, location: Location, image: Image
) -> tuple[tuple[Segment, ...], tuple[Segment, ...]]:
    """What lies under a DLO's prefix: its segments, and what is not provably one."""
    container, prefix = str(image.segment_container), str(image.segment_prefix)
    listed = [Segment.of_listing(container, entry) for entry in client.list_objects(container, prefix)]
    # openstacksdk's prefix is the manifest's own name.
    others = [found for found in listed if found.path != (location.container, location.name)]
    numbered = numbered_segments(prefix, (found.name for found in others))
    segments = tuple(found for found in others if found.name in numbered)
    return segments, tuple(found for found in others if found.name not in numbered)


def slo_segments(
    client: SwiftClient, container: str, name: str, whole: bool = True, depth: int = 1
) -> Iterator[Segment]:
    """What an SLO's manifest names, in its order, with what those name that are SLOs themselves.

    :param whole: whether the image holds all of it
    :param depth: how deep it lies in others
    :raises NotFoundError: there is no such manifest
    """
    for entry in client.get_manifest(container, name):
        if "data" in entry:
            # Bytes that stand in the manifest itself: no object, so nothing to compare or to delete.
            continue
        segment = _slo_segment(entry, whole)
        if entry.get("sub_slo") and depth < _MAX_DEPTH:
            segment = replace(segment, inner=_inner_segments(client, segment, depth))
        yield segment


def _inner_segments(client: SwiftClient, segment: Segment, depth: int) -> tuple[Segment, ...]:
    """What a segment that is an SLO names; nothing where it is gone, and the image can't be read but has to go."""
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
