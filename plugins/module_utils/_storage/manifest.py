# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Manifests: reading of plain objects, SLOs and DLOs, and writing of manifests."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import islice
from typing import Any

from .._errors import ConflictError, ForbiddenError, IntegrityError, LoginError, NotFoundError, SwiftError
from .._model.headers import (
    broken_link,
    broken_slo,
    content_headers,
    has_expired,
    image_of,
    is_through_link,
    kind_of,
    symlink_of,
)
from .._model.image import Image, ManifestKind, Path, Segment, Symlink, large_object_etag
from .._model.layout import MAX_SEGMENTS
from .._model.location import Location, can_be_requested
from .._model.names import content_name, is_numbered, numbered_segments, segment_type
from .._model.owners import SEGMENTS_SUFFIX, Owner, is_of_another, is_swift_cli_upload, may_own, owner_of
from .._retry import wait_for_listing
from .._swift.client import SwiftClient
from .image_object import ImageObject

# The depth to which nested SLOs are read; Swift itself stops at this depth (SLO middleware).
_MAX_DEPTH = 10

_AS_MANIFEST = "multipart-manifest=put"

_NUMBER = re.compile(r"[0-9]{1,20}")

# The keys for an entry's path, ETag and size: OpenStack Swift's, and those of a newer Ceph RGW.
_ENTRY_KEYS = (("name", "path"), ("hash", "etag"), ("bytes", "size_bytes"))


def read_image(target: ImageObject) -> Image | None:
    """Read the current image with its segments; return None if there is none."""
    image = read_summary(target)
    return image and read_segments(target, image)


def read_summary(target: ImageObject, asks_twice: bool = True) -> Image | None:
    """Read the facts of an image that one request returns; return None if the name is free.

    The segments are not read. Their number is known only if this collection recorded it. A symlink takes a second
    request, which also finds a link without a target, a circular link, or a link to another account.

    :param asks_twice: whether to look for a link, or a manifest whose segments are gone, if Swift shows no image
    """
    error: SwiftError | None = None
    try:
        headers = target.head()
    except (ConflictError, ForbiddenError) as refused:
        # Swift answers 409 for a circle of links, and 403 for a link to an object that these credentials may not read.
        headers, error = None, refused
    if headers is not None and has_expired(headers, target.client.now()):
        return None
    if headers is not None and not is_through_link(headers):
        return image_of(headers)
    if headers is None and error is None and not asks_twice:
        return None
    own = target.head_itself()
    symlink = symlink_of(own or {})
    if symlink is not None:
        symlink = _of_account(target, symlink)
        return replace(image_of(headers), symlink=symlink) if headers else broken_link(symlink)
    if headers is None and error is None and own is not None and _is_broken_slo(target, own):
        return broken_slo(own)
    if error is not None:
        if own is None:
            raise error
        return replace(image_of(own), is_readable=False, problems=(*image_of(own).problems, str(error)))
    found = own if headers is None else headers
    return None if found is None else image_of(found)


def _is_broken_slo(target: ImageObject, own: Mapping[str, str]) -> bool:
    """Return whether Ceph RGW answers 404 for an image because it is an SLO that lacks segments.

    :param own: the headers of the object itself, which may have lost the note that it is an SLO
    """
    may_be_slo = kind_of(own) is ManifestKind.SLO or (
        kind_of(own) is ManifestKind.NONE and own.get("content-length") == "0"
    )
    # The object may have been stored between the two requests.
    return may_be_slo and target.client.capabilities.is_rgw and target.head() is None


def _of_account(target: ImageObject, symlink: Symlink) -> Symlink:
    return replace(symlink, account=None) if symlink.account == target.client.account else symlink


def read_segments(target: ImageObject, image: Image) -> Image:
    """Read the segments of a summary, and the facts that only they show."""
    location = target.location
    if image.kind is ManifestKind.SLO:
        found = None if image.hides_segments else slo_segments(target.client, *target.path)
        segments = infer_segments(target, image) if found is None else found
        image = replace(
            image,
            segments=segments,
            segment_container=segments[0].container if segments else image.segment_container,
            hides_segments=found is None,
        )
    elif image.kind is ManifestKind.DLO:
        segments, strangers = _dlo_segments(target, image)
        size = sum(segment.size for segment in (*segments, *strangers))
        image = replace(image, segments=segments, strangers=strangers, size=size)
    foreign_segments = frozenset(found for found in image.objects if is_of_another(location, *found.path))
    count = len(image.pieces) if image.pieces or not image.hides_segments else image.segment_count
    return replace(image, segment_count=count, foreign_segments=foreign_segments)


def read_all_segments(target: ImageObject, summary: Image) -> Image | None:
    """Read all segments of a summary, waiting for them if needed; return None if the image was deleted meanwhile.

    A listing lacks segments if its server does not know of them yet, or is unreachable. Swift computed the size of a
    DLO from a listing of its own, so the two sizes are compared.

    :raises IntegrityError: the sizes still differ after a while
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
    """Store the manifest of *image*, whose segments are stored already.

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
    """Store those of an SLO's segments that are SLOs themselves, whose own segments are stored already."""
    headers = {"Content-Type": segment_type(target.location)}
    for segment in segments:
        if segment.inner:
            body = _slo_body(segment.inner)
            target.client.put_object(*segment.path, BytesIO(body), len(body), headers, _AS_MANIFEST)


def nest(location: Location, segments: Sequence[Segment], most: int) -> tuple[Segment, ...]:
    """Return the entries of an SLO's manifest: the segments, or if they are more than *most*, SLOs of *most* each.

    :param location: of the image
    """
    if len(segments) <= most:
        return tuple(segments)
    return tuple(_inner_slo(location, segments[first : first + most]) for first in range(0, len(segments), most))


def _inner_slo(location: Location, segments: Sequence[Segment]) -> Segment:
    size = sum(segment.size for segment in segments)
    return Segment(
        location.segment_container,
        # No segment with bytes of an image has this name, because no two texts with the same SHA-256 are known.
        content_name(location, hashlib.sha256(_slo_body(segments)).hexdigest(), size),
        size,
        large_object_etag(segment.etag for segment in segments),
        inner=tuple(segments),
    )


def _await_listing(client: SwiftClient, image: Image) -> None:
    """Wait until the listing shows the segments, because Swift reads a DLO by its listing alone."""
    expected = set(image.segments)
    container, prefix = str(image.segment_container), str(image.segment_prefix)
    if not wait_for_listing(
        lambda: expected == {Segment.of_listing(container, entry) for entry in client.list_objects(container, prefix)}
    ):
        raise IntegrityError(
            f"The listing of container {container} does not show the segments that were sent: run again when the "
            "cluster is less busy, or set manifest to slo."
        )


def _dlo_segments(target: ImageObject, image: Image) -> tuple[tuple[Segment, ...], tuple[Segment, ...]]:
    """List the objects under a DLO's prefix: its segments, and those that are not provably segments."""
    container, prefix = str(image.segment_container), str(image.segment_prefix)
    if not can_be_requested(container):
        return (), ()
    entries = islice(target.client.list_objects(container, prefix), MAX_SEGMENTS + 1)
    listed = [Segment.of_listing(container, entry) for entry in entries]
    if len(listed) > MAX_SEGMENTS:
        raise IntegrityError(
            f"More than {MAX_SEGMENTS} objects begin with the prefix in the manifest {target.location.label}: check "
            "it with another client before you change it."
        )
    # openstacksdk's prefix is the manifest's own name.
    others = [found for found in listed if found.path != target.path]
    numbered = numbered_segments(prefix, (found.name for found in others))
    # After a gap in the numbers, only some clients' names prove whose segments they are.
    numbered.update(found.name for found in others if _is_named_for(target.location, prefix, found))
    segments = tuple(found for found in others if found.name in numbered)
    return segments, tuple(found for found in others if found.name not in numbered)


def _is_named_for(location: Location, prefix: str, segment: Segment) -> bool:
    owner = owner_of(*segment.path, segment.content_type)
    return owner == Owner(*location.path) and is_numbered(prefix, segment.name)


def infer_segments(target: ImageObject, image: Image) -> tuple[Segment, ...]:
    """Find the segments of an SLO whose manifest the cluster does not return; return none if nothing proves them.

    The swift CLI and openstacksdk number them under the image's name. An SLO's ETag is the MD5 of its segments' ETags
    (Swift and Ceph RGW). So it proves that a series of objects is the manifest's. The swift CLI's names include the
    time of its file, which it also notes with the manifest. This collection's own segments are not numbered.
    """
    if image.records_segments:
        return ()
    location = target.location
    runs: dict[Path, list[Segment]] = {}
    for container in sorted({location.container, location.container + SEGMENTS_SUFFIX, location.segment_container}):
        for segment in _list_named_for(target, container):
            runs.setdefault((container, segment.name.rpartition("/")[0]), []).append(segment)
    whole = {folder: run for folder, run in runs.items() if sum(segment.size for segment in run) == image.size}
    for run in whole.values():
        if large_object_etag(segment.etag for segment in run) == image.etag:
            return tuple(run)
    # Of a damaged one, this is what is left. Others of the whole size are another upload's.
    left = [folder for folder in runs if folder not in whole and is_swift_cli_upload(location, image, folder[1])]
    return tuple(segment for folder in left for segment in runs[folder])


def _list_named_for(target: ImageObject, container: str) -> Iterator[Segment]:
    """Yield the objects in a container that other clients call segments of the image, as far as it may be listed."""
    with suppress(ForbiddenError, LoginError):
        for entry in islice(target.client.list_objects(container, f"{target.location.name}/"), MAX_SEGMENTS):
            segment = replace(Segment.of_listing(container, entry), is_vouched=False)
            if may_own(target.location, segment):
                yield segment


def slo_segments(client: SwiftClient, container: str, name: str) -> tuple[Segment, ...] | None:
    """Read the segments of an SLO's manifest, in its order, with those of segments that are SLOs.

    :returns: None if the cluster does not return the manifest (Ceph RGW)
    :raises NotFoundError: there is no such manifest
    :raises IntegrityError: a manifest can't be read, or names too many segments
    """
    slo = _SloReader(client).read((container, name))
    return None if slo is None else slo.segments


@dataclass(frozen=True)
class _Slo:
    """One SLO.

    :param count: how many segments it has, with those of segments that are SLOs
    """

    segments: tuple[Segment, ...] = ()
    count: int = 0


class _SloReader:
    """A reader of nested SLOs that reads each manifest once: a few that refer to each other may expand to millions."""

    def __init__(self, client: SwiftClient) -> None:
        self._client = client
        self._known: dict[tuple[Path, bool, bool], _Slo | None] = {}

    def read(self, path: Path, is_whole: bool = True, is_vouched: bool = True, depth: int = 1) -> _Slo | None:
        """Read one SLO.

        :param is_whole: whether the image holds all of it
        :param is_vouched: whether this manifest, and all that lead to it, are in the image's container
        :param depth: the depth of nesting, 1 for the outermost SLO
        :returns: None if the cluster does not return the manifest
        """
        key = path, is_whole, is_vouched
        if key in self._known:
            return self._known[key]
        segments, count = [], 0
        entries = self._client.get_manifest(*path)
        if entries is None:
            self._known[key] = None
            return None
        for entry in entries:
            if "data" in entry:
                # Bytes in the manifest itself are not an object, so there is nothing to compare or to delete.
                continue
            segment = replace(_slo_segment(path, entry, is_whole), is_vouched=is_vouched)
            if entry.get("sub_slo") and depth < _MAX_DEPTH:
                inner = self._read_inner(segment, is_vouched and segment.container == path[0], depth)
                segment, count = replace(segment, inner=inner.segments), count + inner.count
            segments.append(segment)
            count += 1
            if count > MAX_SEGMENTS:
                raise IntegrityError(
                    f"The manifest {'/'.join(path)} names more than {MAX_SEGMENTS} segments: check it with another "
                    "client before you change it."
                )
        slo = self._known[key] = _Slo(tuple(segments), count)
        return slo

    def _read_inner(self, segment: Segment, is_vouched: bool, depth: int) -> _Slo:
        """Read a segment that is an SLO; if it is gone, return an empty one, so that the image can be deleted."""
        if not can_be_requested(*segment.path):
            return _Slo()
        try:
            return self.read(segment.path, segment.whole, is_vouched, depth + 1) or _Slo()
        except NotFoundError:
            return _Slo()


def _slo_segment(path: Path, entry: Mapping[str, Any], is_whole: bool) -> Segment:
    """Return the segment of a manifest's entry, as OpenStack Swift or a newer Ceph RGW writes it.

    :param path: of the manifest
    """
    named, etag, size = (entry.get(key, entry.get(other)) for key, other in _ENTRY_KEYS)
    if not (isinstance(named, str) and isinstance(etag, str) and _NUMBER.fullmatch(str(size))):
        raise IntegrityError(
            f"The manifest {'/'.join(path)} has an invalid entry: check it with another client before you change it."
        )
    container, _slash, name = named.lstrip("/").partition("/")
    return Segment(container, name, int(str(size)), etag, whole=is_whole and not entry.get("range"))


def _slo_body(segments: Sequence[Segment]) -> bytes:
    return json.dumps(
        [
            {"path": f"/{segment.container}/{segment.name}", "etag": segment.etag, "size_bytes": segment.size}
            for segment in segments
        ]
    ).encode("utf-8")
