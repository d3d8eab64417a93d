# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Conversion of an object's headers to facts about an image, and the other way round."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from string import hexdigits
from urllib.parse import quote, unquote

from .checksum import DIGEST_LENGTHS
from .image import Image, ManifestKind, Symlink, unreadable_image
from .location import can_be_requested
from .names import manifest_header, parse_manifest_header

Headers = Mapping[str, str]

# The key, among an answer's headers, for a header that HTTP does not allow.
DEFECT = ":defect"

_METADATA = "x-object-meta-"
RECORD_PREFIX = "image-"
_SIZE = "image-size"
# The number of segments and their container, so that one request returns all facts about an image.
_SEGMENTS = "image-segments"
SEGMENT_CONTAINER = "image-segment-container"
_DELETE_AFTER = "image-delete-after"
_SOURCE = "image-source"
_PENDING = "image-pending"
# Swift's own default for a value, in bytes (swift.conf [swift-constraints] max_meta_value_length).
MAX_RECORD = 256
RECORDS = frozenset({_SIZE, _SEGMENTS, SEGMENT_CONTAINER, _DELETE_AFTER, _SOURCE, _PENDING})


# Ceph RGW shows this among a static large object's metadata; a POST without it is harmless.
_SLO_NOTE = "static-large-object"

# The notes of other clients beside the objects that they write: the swift CLI and rclone note their file's time, and
# openstacksdk its digests. They are valid for that content only, and are not the user's metadata.
BOOKKEEPING = frozenset({"mtime", "x-sdk-md5", "x-sdk-sha256"})

# openstacksdk compares both of these digests to find out whether an object still has the content of a file.
_SDK_DIGESTS = {"md5": "x-sdk-md5", "sha256": "x-sdk-sha256"}

# More digits than any size, count or time has; int() refuses more than 4300.
_NUMBER = re.compile(r"[0-9]{1,20}")

# This follows the name of a version. A question mark that is a part of a link's target is percent-encoded.
_VERSION = "?version-id="

# Swift drops an expiry that a POST does not repeat. Ceph RGW drops it only if a header says so.
_NO_EXPIRY = {"X-Remove-Delete-At": "true"}

# A POST drops these unless it repeats them (seen on OpenStack Swift 2.38.3).
_KEPT = (
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "expires",
    "x-object-manifest",
    "x-robots-tag",
)


def is_repeated(name: str) -> bool:
    """Return whether requests repeat a header as it was read, so that each of its bytes has to be kept.

    :param name: in lower case
    """
    return name in (*_KEPT, "content-type") or (
        name.startswith(_METADATA) and not name.startswith(_METADATA + RECORD_PREFIX)
    )


def kind_of(headers: Headers) -> ManifestKind:
    """Return the kind of the object: a plain one, an SLO or a DLO.

    On Ceph RGW, the manifest of an SLO itself is empty, and has a note among its metadata.
    """
    is_noted = headers.get(_METADATA + _SLO_NOTE, "").lower() == "true" and headers.get("content-length") == "0"
    if headers.get("x-static-large-object", "").lower() == "true" or is_noted:
        return ManifestKind.SLO
    if headers.get("x-object-manifest"):
        return ManifestKind.DLO
    return ManifestKind.NONE


def etag_of(headers: Headers) -> str:
    """Return the ETag without the quotes that large objects have around it."""
    return headers.get("etag", "").strip('"')


def checksums_of(headers: Headers) -> dict[str, str]:
    """Return the recorded digests of the whole image, by algorithm.

    A plain object's MD5 is its ETag, even if another one is recorded.
    """
    recorded = {
        name[len(RECORD_PREFIX) :]: value.lower()
        for name, value in _all_metadata(headers).items()
        if _is_checksum(name, value)
    }
    if kind_of(headers) is ManifestKind.NONE:
        recorded["md5"] = etag_of(headers)
    return recorded


def metadata_of(headers: Headers) -> dict[str, str]:
    """Return the user's metadata, without the notes of this collection, other clients and Ceph RGW."""
    others = BOOKKEEPING | RECORDS | ({_SLO_NOTE} if kind_of(headers) is ManifestKind.SLO else set())
    return {
        name: value
        for name, value in _all_metadata(headers).items()
        if name not in others and not _is_checksum(name, value)
    }


def kept_headers_of(headers: Headers) -> dict[str, str]:
    """Return the headers that a POST must repeat beside the image's own, because Swift would drop them."""
    kept = {name: headers[name] for name in _KEPT if headers.get(name)}
    desired = {*metadata_of(headers), _DELETE_AFTER, _SOURCE, _PENDING}
    kept.update({_METADATA + name: value for name, value in _all_metadata(headers).items() if name not in desired})
    return kept


def last_modified_of(headers: Headers) -> str | None:
    """Return the time of the last change as ISO 8601 in UTC; None if the headers have none."""
    try:
        return iso_time(parsedate_to_datetime(headers.get("last-modified", "")).timestamp())
    except (TypeError, ValueError, OverflowError):
        return None


def iso_time(seconds: float) -> str:
    """Return a time as ISO 8601 in UTC, whole seconds.

    :param seconds: since the epoch
    """
    return datetime.fromtimestamp(int(seconds), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def listing_time(text: str) -> float:
    """Return the seconds since the epoch of a time in a listing, which is UTC; 0 if the text is not a time.

    Ceph RGW ends such a time with a Z.
    """
    try:
        return datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=timezone.utc).timestamp()
    except ValueError:
        return 0.0


def written_at(headers: Headers) -> float | None:
    """Return when an object was last written, in seconds since the epoch by Swift's clock; None if it is unknown."""
    try:
        return float(headers.get("x-timestamp", ""))
    except ValueError:
        return None


def number_of(headers: Headers, name: str) -> int | None:
    """Return the number in the header *name*; None if there is none."""
    value = headers.get(name, "")
    return int(value) if _NUMBER.fullmatch(value) else None


def delete_at_of(headers: Headers) -> int | None:
    """Return when Swift removes the object, in seconds since the epoch."""
    return number_of(headers, "x-delete-at")


def has_expired(headers: Headers, now: float) -> bool:
    """Return whether an object has expired, although the store still shows it, as Ceph RGW does with a large object.

    :param now: seconds since the epoch by Swift's clock
    """
    delete_at = delete_at_of(headers)
    return delete_at is not None and delete_at <= now


def recorded_size_of(headers: Headers) -> int | None:
    """Return the size in bytes that this collection recorded; None if a POST of another client dropped the record."""
    return number_of(headers, _METADATA + _SIZE)


def tells_size(headers: Headers) -> bool:
    """Return whether the headers have the size and the ETag of the image.

    They do not for a DLO of more than one listing page: it has no length, or 0, and the manifest's own ETag.
    """
    return kind_of(headers) is not ManifestKind.DLO or headers.get("content-length", "0") != "0"


def is_of_image(headers: Headers) -> bool:
    """Return whether an object has what no client gives to a segment: a manifest, an image record, or a file's time."""
    is_whole = kind_of(headers) is not ManifestKind.NONE or is_through_link(headers)
    return is_whole or recorded_size_of(headers) is not None or _METADATA + "mtime" in headers


def has_record(headers: Headers) -> bool:
    """Return whether an object is an image by the records with it, or the manifest of one.

    A segment may be an SLO itself. But an SLO with the notes of another client about its file is an image.
    """
    names = _all_metadata(headers)
    kind = kind_of(headers)
    is_noted = any(name.startswith(RECORD_PREFIX) for name in names)
    is_whole = kind is ManifestKind.DLO or (kind is ManifestKind.SLO and not BOOKKEEPING.isdisjoint(names))
    return is_noted or is_whole or is_through_link(headers)


def size_of(headers: Headers) -> int:
    """Return the size in bytes; of a DLO of more than one listing page the recorded one, or 0."""
    told = number_of(headers, "content-length") if tells_size(headers) else None
    return (recorded_size_of(headers) or 0) if told is None else told


def segment_count_of(headers: Headers) -> int | None:
    """Return the recorded number of segments, if the image still has the size that was recorded with it."""
    holds = headers.get("content-length") == headers.get(_METADATA + _SIZE)
    return number_of(headers, _METADATA + _SEGMENTS) if holds else None


def image_of(headers: Headers) -> Image:
    """Return the image that an object's headers describe, without its segments.

    The number of segments is known only if this collection recorded it.
    """
    kind = kind_of(headers)
    container = prefix = None
    if kind is ManifestKind.SLO:
        container = unquote(headers.get(_METADATA + SEGMENT_CONTAINER, "")) or None
    elif kind is ManifestKind.DLO:
        container, prefix = parse_manifest_header(headers["x-object-manifest"])
    delete_at = delete_at_of(headers)
    return Image(
        kind=kind,
        size=size_of(headers),
        etag=etag_of(headers) if tells_size(headers) else None,
        segment_count=0 if kind is ManifestKind.NONE else segment_count_of(headers),
        checksums=checksums_of(headers),
        segment_container=container,
        segment_prefix=prefix,
        content_type=headers.get("content-type"),
        metadata=metadata_of(headers),
        last_modified=last_modified_of(headers),
        delete_at=delete_at,
        delete_after=None if delete_at is None else number_of(headers, _METADATA + _DELETE_AFTER),
        source_fingerprint=headers.get(_METADATA + _SOURCE),
        recorded_size=recorded_size_of(headers),
        is_pending=_METADATA + _PENDING in headers,
        kept_headers=kept_headers_of(headers),
        problems=tuple(_problems_of(headers, container)),
        manifest_etag=headers.get("x-manifest-etag", "").strip('"') or None,
    )


def _problems_of(headers: Headers, container: str | None) -> Iterator[str]:
    """Yield a sentence for each header with a value that no client writes.

    :param container: that the manifest names
    """
    for name in ("content-length", "x-delete-at", _METADATA + _SIZE, _METADATA + _SEGMENTS, _METADATA + _DELETE_AFTER):
        if headers.get(name) and number_of(headers, name) is None:
            yield f"The header {name} is {headers[name]!r}, which is not a number."
    if DEFECT in headers:
        yield "A header has a name that HTTP does not allow, and is left out."
    if container is not None and not can_be_requested(container):
        yield f"The manifest names {container!r}, which is not a valid container name."


def is_through_link(headers: Headers) -> bool:
    """Return whether headers are those of a symlink's target; a version of the object itself does not count as one."""
    return _VERSION not in headers.get("content-location", _VERSION)


def symlink_of(headers: Headers) -> Symlink | None:
    """Return the target of a symlink, from the link's own headers (symlink middleware); None for other objects."""
    target = headers.get("x-symlink-target")
    if target is None:
        return None
    if _VERSION in target:
        # The current version of an object in a container with X-Versions-Enabled (object_versioning middleware).
        return None
    container, _slash, name = unquote(target).lstrip("/").partition("/")
    account = headers.get("x-symlink-target-account")
    return Symlink(container, name, None if account is None else unquote(account))


def broken_slo(headers: Headers) -> Image:
    """Return the image of an SLO that Ceph RGW does not return, because segments are missing.

    :param headers: the manifest's own
    """
    sentence = "Segments of the static large object are missing: the cluster answers 404 for it."
    shown = image_of(headers)
    return replace(
        shown,
        size=shown.recorded_size or 0,
        etag=None,
        is_readable=False,
        hides_segments=True,
        problems=(*shown.problems, sentence),
    )


def broken_link(symlink: Symlink) -> Image:
    """Return the image of a name whose symlink leads to nothing that can be read."""
    sentence = (
        f"The name is a symlink to {symlink.label}, which does not exist, or can't be read with these credentials."
    )
    return replace(unreadable_image(sentence), symlink=symlink)


def content_headers(image: Image) -> dict[str, str]:
    """Return the headers of the PUT that stores an image's manifest, or a plain image."""
    headers = {**_desired_headers(image), **_records_of(image)}
    if image.kind is ManifestKind.DLO and image.segment_container and image.segment_prefix:
        headers["X-Object-Manifest"] = manifest_header(image.segment_container, image.segment_prefix)
    return headers


def post_headers(image: Image) -> dict[str, str]:
    """Return the headers of a POST that gives the object *image*'s metadata, and loses nothing else.

    A record of the number and the container of segments is repeated, but not added: it says that this collection wrote
    the segments.
    """
    record = {_METADATA + _SIZE: str(image.size)} if image.is_recorded else {}
    lasting = _NO_EXPIRY if image.delete_at is None else {}
    return {**image.kept_headers, **_desired_headers(image), **record, **lasting}


def _records_of(image: Image) -> dict[str, str]:
    """Return the headers that record an image's size and segments."""
    records = {_METADATA + _SIZE: str(image.size)}
    container = quote(str(image.segment_container))
    if image.kind is not ManifestKind.NONE and len(container) <= MAX_RECORD:
        records[_METADATA + _SEGMENTS] = str(image.segment_count)
        records[_METADATA + SEGMENT_CONTAINER] = container
    return records


def expiry_headers(headers: Headers, delete_at: int | None) -> dict[str, str]:
    """Return the headers of a POST that gives an object another expiry, and loses nothing else.

    :param headers: its own
    :param delete_at: in seconds since the epoch; None for no expiry
    """
    kept = {name: headers[name] for name in (*_KEPT, "content-type") if headers.get(name)}
    kept.update({_METADATA + name: value for name, value in _all_metadata(headers).items()})
    return {**kept, **(_NO_EXPIRY if delete_at is None else {"X-Delete-At": str(delete_at)})}


def _desired_headers(image: Image) -> dict[str, str]:
    """Return the headers that can change while the content stays, and the digests of that content."""
    headers = {_METADATA + name: value for name, value in image.metadata.items()}
    headers.update({f"{_METADATA}{RECORD_PREFIX}{name}": value for name, value in image.checksums.items()})
    if image.checksums.keys() >= _SDK_DIGESTS.keys():
        headers.update({_METADATA + name: image.checksums[algorithm] for algorithm, name in _SDK_DIGESTS.items()})
    if image.content_type:
        headers["Content-Type"] = image.content_type
    if image.delete_at is not None:
        headers["X-Delete-At"] = str(image.delete_at)
    if image.delete_after is not None:
        headers[_METADATA + _DELETE_AFTER] = str(image.delete_after)
    if image.is_pending:
        headers[_METADATA + _PENDING] = "true"
    if image.source_fingerprint is not None:
        headers[_METADATA + _SOURCE] = image.source_fingerprint
    return headers


def _is_checksum(name: str, value: str) -> bool:
    length = DIGEST_LENGTHS.get(name[len(RECORD_PREFIX) :]) if name.startswith(RECORD_PREFIX) else None
    return len(value) == length and all(digit in hexdigits for digit in value)


def _all_metadata(headers: Headers) -> dict[str, str]:
    return {name[len(_METADATA) :]: value for name, value in headers.items() if name.startswith(_METADATA) and value}
