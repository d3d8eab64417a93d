# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plain objects, SLOs and DLOs: read, write, and tell what belongs to one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from . import _headers
from ._connection import Connection
from ._image import Image, ManifestKind, Segment
from ._location import Location
from ._segment_names import is_numbered_segment, is_own_segment, parse_manifest_header, segments_prefix

# How deep SLOs are followed that name other SLOs; Swift itself stops at this depth (SLO middleware).
_MAX_DEPTH = 10


def read_image(connection: Connection, location: Location) -> Image | None:
    """The image as it stands, its segments included; None when there is none."""
    headers = connection.head_object(location.container, location.name)
    if headers is None:
        return None
    kind = _headers.kind_of(headers)
    segments = tuple(_read_segments(connection, location, kind, headers))
    prefix = None
    container = segments[0].container if segments else None
    if kind is ManifestKind.DLO:
        container, prefix = parse_manifest_header(headers["x-object-manifest"])
    return Image(
        kind=kind,
        size=_size(headers, kind, segments),
        etag=_headers.etag_of(headers),
        segments=segments,
        checksums=_headers.checksums_of(headers),
        segment_container=container,
        segment_prefix=prefix,
        content_type=headers.get("content-type"),
        metadata=_headers.metadata_of(headers),
        last_modified=_headers.last_modified_of(headers),
        delete_at=_headers.delete_at_of(headers),
        kept_headers=_headers.kept_headers_of(headers),
    )


def write_manifest(connection: Connection, location: Location, image: Image) -> None:
    """Let the image's name mean *image*, whose segments are all there.

    An SLO's segments are checked by Swift against their ETags and sizes. A DLO's manifest is sent
    without an ETag: OpenStack compares it with the empty body, Ceph RGW with the segments.
    """
    body, query = b"", None
    if image.kind is ManifestKind.SLO:
        body, query = _slo_body(image.segments), "multipart-manifest=put"
    connection.put_object(location.container, location.name, body, len(body), _headers.content_headers(image), query)


def leftovers(connection: Connection, location: Location) -> Iterator[Segment]:
    """Every segment that this collection ever wrote for the image, whether or not a manifest names it."""
    for entry in connection.list_objects(location.segment_container, segments_prefix(location.name)):
        if is_own_segment(location.name, entry["name"]):
            yield Segment(location.segment_container, entry["name"], entry["bytes"], entry["hash"])


def strangers(connection: Connection, location: Location, image: Image) -> list[str]:
    """Names under a DLO's prefix that are not provably its segments, although Swift reads them with it."""
    if image.segment_prefix is None or image.segment_container is None:
        return []
    return [
        entry["name"]
        for entry in connection.list_objects(image.segment_container, image.segment_prefix)
        if not is_numbered_segment(image.segment_prefix, entry["name"])
        and (image.segment_container, entry["name"]) != (location.container, location.name)
    ]


def _read_segments(
    connection: Connection, location: Location, kind: ManifestKind, headers: Mapping[str, str]
) -> Iterator[Segment]:
    if kind is ManifestKind.SLO:
        yield from _slo_segments(connection, location.container, location.name)
    elif kind is ManifestKind.DLO:
        container, prefix = parse_manifest_header(headers["x-object-manifest"])
        for entry in connection.list_objects(container, prefix):
            if is_numbered_segment(prefix, entry["name"]):
                yield Segment(container, entry["name"], entry["bytes"], entry["hash"])


def _slo_segments(
    connection: Connection, container: str, name: str, whole: bool = True, depth: int = 1
) -> Iterator[Segment]:
    for entry in connection.get_manifest(container, name):
        if "data" in entry:
            # Bytes that stand in the manifest itself: no object, so nothing to compare or to delete.
            continue
        segment = _slo_segment(entry, whole)
        yield segment
        if segment.nested and depth < _MAX_DEPTH:
            yield from _slo_segments(connection, segment.container, segment.name, segment.whole, depth + 1)


def _slo_segment(entry: Mapping[str, Any], whole: bool) -> Segment:
    container, _slash, name = entry["name"].lstrip("/").partition("/")
    return Segment(
        container,
        name,
        size=int(entry["bytes"]),
        etag=str(entry["hash"]),
        whole=whole and not entry.get("range"),
        nested=bool(entry.get("sub_slo")),
    )


def _slo_body(segments: tuple[Segment, ...]) -> bytes:
    return json.dumps(
        [
            {"path": f"/{segment.container}/{segment.name}", "etag": segment.etag, "size_bytes": segment.size}
            for segment in segments
        ]
    ).encode("utf-8")


def _size(headers: Mapping[str, str], kind: ManifestKind, segments: tuple[Segment, ...]) -> int:
    """The image's bytes; a DLO of more than one listing page has no length in its headers."""
    if kind is ManifestKind.DLO:
        return sum(segment.size for segment in segments)
    return int(headers["content-length"])
