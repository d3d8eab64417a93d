# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plain objects, SLOs and DLOs: read, write, and tell what belongs to one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any

from . import _headers
from ._connection import Connection
from ._errors import IntegrityError
from ._image import Image, ManifestKind, Segment
from ._location import Location
from ._segment_names import is_own_segment, numbered_segments, parse_manifest_header, segments_prefix
from ._waiting import listing_agrees

# How deep SLOs are followed that name other SLOs; Swift itself stops at this depth (SLO middleware).
_MAX_DEPTH = 10


def read_image(connection: Connection, location: Location) -> Image | None:
    """The image as it stands, its segments included; None when there is none."""
    headers = connection.head_object(location.container, location.name)
    if headers is None:
        # Swift answers 404 for a DLO whose segments' container is gone, too.
        headers = connection.head_object(location.container, location.name, manifest=True)
    if headers is None:
        return None
    kind = _headers.kind_of(headers)
    segments: tuple[Segment, ...] = ()
    strangers: tuple[Segment, ...] = ()
    container = prefix = None
    if kind is ManifestKind.SLO:
        segments = tuple(_slo_segments(connection, location.container, location.name))
        container = segments[0].container if segments else None
    elif kind is ManifestKind.DLO:
        container, prefix = parse_manifest_header(headers["x-object-manifest"])
        segments, strangers = _dlo_segments(connection, location, container, prefix)
    return Image(
        kind=kind,
        size=_size(headers, kind, (*segments, *strangers)),
        etag=_headers.etag_of(headers),
        segments=segments,
        strangers=strangers,
        is_link="content-location" in headers,
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
    else:
        _await_listing(connection, image)
    connection.put_object(
        location.container, location.name, BytesIO(body), len(body), _headers.content_headers(image), query
    )


def leftovers(connection: Connection, location: Location) -> Iterator[Segment]:
    """Every segment that this collection ever wrote for the image, whether or not a manifest names it."""
    for entry in connection.list_objects(location.segment_container, segments_prefix(location)):
        if is_own_segment(location, entry["name"]):
            yield _listed(location.segment_container, entry)


def _await_listing(connection: Connection, image: Image) -> None:
    """Wait until the listing, which is all that a DLO is read by, shows the segments."""
    expected = set(image.segments)
    container, prefix = str(image.segment_container), str(image.segment_prefix)
    if not listing_agrees(
        lambda: expected == {_listed(container, entry) for entry in connection.list_objects(container, prefix)}
    ):
        raise IntegrityError(
            f"The listing of container {container} does not show the segments that were sent: "
            "run again when the cluster is less busy, or with manifest slo."
        )


def _listed(container: str, entry: Mapping[str, Any]) -> Segment:
    return Segment(container, entry["name"], entry["bytes"], entry["hash"])


def _dlo_segments(
    connection: Connection, location: Location, container: str, prefix: str
) -> tuple[tuple[Segment, ...], tuple[Segment, ...]]:
    """What lies under a DLO's prefix: its segments, and what is not provably one."""
    listed = [_listed(container, entry) for entry in connection.list_objects(container, prefix)]
    # openstacksdk's prefix is the manifest's own name.
    others = [found for found in listed if (found.container, found.name) != (location.container, location.name)]
    numbered = numbered_segments(prefix, (found.name for found in others))
    segments = tuple(found for found in others if found.name in numbered)
    return segments, tuple(found for found in others if found.name not in numbered)


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
