# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An object's headers as facts about an image, and the other way round."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from string import hexdigits
from typing import Any
from urllib.parse import quote, unquote

from .._errors import OptionError
from .capabilities import Capabilities
from .checksum import DIGEST_LENGTHS
from .image import Image, ManifestKind
from .names import manifest_header, parse_manifest_header

Headers = Mapping[str, str]

_METADATA = "x-object-meta-"
_CHECKSUM = "image-"
_SIZE = "image-size"
# How many segments there are and where, so that one request tells all that there is to say of an image.
_SEGMENTS = "image-segments"
_SEGMENT_CONTAINER = "image-segment-container"
_DELETE_AFTER = "image-delete-after"
_SOURCE = "image-source"
_PENDING = "image-pending"
# Swift's own default for a value, in bytes (swift.conf [swift-constraints] max_meta_value_length).
_MAX_RECORD = 256
# Of all others the longest is a digest.
_USUAL_RECORD = 64
_RECORDS = frozenset({_SIZE, _SEGMENTS, _SEGMENT_CONTAINER, _DELETE_AFTER, _SOURCE, _PENDING})


# What other clients note beside the content of the objects they write: swift CLI and rclone their
# file's time, openstacksdk its digests. True of that content only, and none of the user's business.
_BOOKKEEPING = frozenset({"mtime", "x-sdk-md5", "x-sdk-sha256"})

# Where openstacksdk looks for digests, both of them, to see whether an object is still the same as a file.
_SDK_DIGESTS = {"md5": "x-sdk-md5", "sha256": "x-sdk-sha256"}

# What an HTTP header's name can hold and a server's environment can tell apart again: "_" and "-" are the
# same there (RFC 3875, 4.1.18).
_METADATA_NAME = re.compile(r"[A-Za-z0-9-]+")

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


def check_metadata(metadata: Mapping[str, Any]) -> dict[str, str]:
    """The user's metadata as Swift gives it back: names in lower case, values as text, no empty ones.

    :raises OptionError: a name or value that would come back otherwise than it was sent
    """
    checked = {}
    for name, value in metadata.items():
        if isinstance(value, (dict, list)):
            raise OptionError(f"metadata {name!r} is no text: Swift keeps a word or a number for each name.")
        text = "" if value is None else str(value).strip()
        _check_entry(name, text)
        if text:
            checked[name.lower()] = text
    return checked


def _check_entry(name: str, text: str) -> None:
    if not _METADATA_NAME.fullmatch(name):
        raise OptionError(
            f"metadata name {name!r} has more than the letters, digits and dashes Swift keeps: rename it."
        )
    if name.lower().startswith(_CHECKSUM):
        raise OptionError(f"metadata name {name!r} begins with Image-, which is this collection's own: rename it.")
    if name.lower() in _BOOKKEEPING:
        raise OptionError(f"metadata name {name!r} is what other clients note for themselves: rename it.")
    if not text.isprintable():
        raise OptionError(f"metadata {name!r} holds control characters, which no header can carry: take them out.")


def check_content_type(content_type: str | None) -> str | None:
    """A media type as Swift gives it back; None for none.

    :raises OptionError: nothing that a header could carry
    """
    if content_type is None:
        return None
    text = content_type.strip()
    if not text or not text.isprintable() or not text.isascii():
        raise OptionError(
            f"content_type {content_type!r} is no media type: write one such as application/x-iso9660-image."
        )
    return text


def check_limits(metadata: Mapping[str, str], algorithms: Collection[str], capabilities: Capabilities) -> None:
    """Refuse metadata that the cluster would refuse after the whole image was sent.

    :param algorithms: of the digests that are recorded beside it
    :raises OptionError: a name or value that is too long, too many of them, or too much in all
    """
    _check_sum(metadata, algorithms, capabilities)
    for most, lengths in (
        (capabilities.max_meta_name_length, {name: len(name) for name in metadata}),
        (capabilities.max_meta_value_length, {name: len(value.encode("utf-8")) for name, value in metadata.items()}),
    ):
        for name, length in lengths.items():
            if length > most:
                raise OptionError(f"metadata {name!r} has {length} bytes where this cluster takes {most}: shorten it.")


def _check_sum(metadata: Mapping[str, str], algorithms: Collection[str], capabilities: Capabilities) -> None:
    records = {name: _MAX_RECORD if name == _SEGMENT_CONTAINER else _USUAL_RECORD for name in _RECORDS}
    records.update({_CHECKSUM + algorithm: DIGEST_LENGTHS[algorithm] for algorithm in algorithms})
    count = len(metadata) + len(records)
    size = sum(len(name) + len(value.encode("utf-8")) for name, value in metadata.items())
    size += sum(len(name) + length for name, length in records.items())
    for most, found, of_what in (
        (capabilities.max_meta_count, count, "entries"),
        (capabilities.max_meta_overall_size, size, "bytes"),
    ):
        if metadata and found > most:
            raise OptionError(
                f"metadata makes {found} {of_what}, with what is recorded beside it, and this cluster takes {most}: "
                "leave some out."
            )


def kind_of(headers: Headers) -> ManifestKind:
    """Whether *headers* are a plain object's, an SLO's or a DLO's."""
    if headers.get("x-static-large-object", "").lower() == "true":
        return ManifestKind.SLO
    if headers.get("x-object-manifest"):
        return ManifestKind.DLO
    return ManifestKind.NONE


def etag_of(headers: Headers) -> str:
    """The ETag without the quotes that large objects have around it."""
    return headers.get("etag", "").strip('"')


def checksums_of(headers: Headers) -> dict[str, str]:
    """The digests of the whole image that are recorded with it, by algorithm.

    A plain object's MD5 is its ETag, whatever else somebody recorded.
    """
    recorded = {
        name[len(_CHECKSUM) :]: value.lower()
        for name, value in _all_metadata(headers).items()
        if _is_checksum(name, value)
    }
    if kind_of(headers) is ManifestKind.NONE:
        recorded["md5"] = etag_of(headers)
    return recorded


def metadata_of(headers: Headers) -> dict[str, str]:
    """The user's metadata: without what this collection and other clients note for themselves."""
    return {
        name: value
        for name, value in _all_metadata(headers).items()
        if name not in _BOOKKEEPING and name not in _RECORDS and not _is_checksum(name, value)
    }


def kept_headers_of(headers: Headers) -> dict[str, str]:
    """What a POST has to send again, or Swift drops it, besides what the image itself says."""
    kept = {name: headers[name] for name in _KEPT if headers.get(name)}
    desired = {*metadata_of(headers), _DELETE_AFTER, _SOURCE, _PENDING}
    kept.update({_METADATA + name: value for name, value in _all_metadata(headers).items() if name not in desired})
    return kept


def last_modified_of(headers: Headers) -> str | None:
    """Return the time of the last change as ISO 8601 in UTC; None if the headers have none."""
    stamp = headers.get("last-modified")
    return iso_time(parsedate_to_datetime(stamp).timestamp()) if stamp else None


def iso_time(seconds: float) -> str:
    """Return a time as ISO 8601 in UTC, whole seconds.

    :param seconds: since the epoch
    """
    return datetime.fromtimestamp(int(seconds), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def listing_time(text: str) -> float:
    """Seconds since the epoch of a time in a listing, which is UTC, and on Ceph RGW says so."""
    return datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=timezone.utc).timestamp()


def written_at(headers: Headers) -> float:
    """When an object was last written, in seconds since the epoch by Swift's clock."""
    return float(headers["x-timestamp"])


def number_of(headers: Headers, name: str) -> int | None:
    """Return the number in the header *name*; None if there is none."""
    value = headers.get(name, "")
    return int(value) if value.isdecimal() else None


def delete_at_of(headers: Headers) -> int | None:
    """Return when Swift removes the object, in seconds since the epoch."""
    return number_of(headers, "x-delete-at")


def recorded_size_of(headers: Headers) -> int | None:
    """The size in bytes that this collection noted, with all else that it notes: a POST of others drops it."""
    return number_of(headers, _METADATA + _SIZE)


def tells_size(headers: Headers) -> bool:
    """Whether Swift says how large the image is, and what its ETag is.

    It does not for a DLO of more than one listing page: that has no length, or 0, and the manifest's own ETag.
    """
    return kind_of(headers) is not ManifestKind.DLO or headers.get("content-length", "0") != "0"


def is_of_image(headers: Headers) -> bool:
    """Whether an object has what no writer gives to a segment: a manifest, a record of an image, or a file's time."""
    is_whole = kind_of(headers) is not ManifestKind.NONE or "content-location" in headers
    return is_whole or recorded_size_of(headers) is not None or _METADATA + "mtime" in headers


def size_of(headers: Headers) -> int:
    """The image's bytes; of a DLO of more than one listing page, as they were recorded, or 0."""
    told = headers.get("content-length") if tells_size(headers) else None
    return int(told or headers.get(_METADATA + _SIZE) or 0)


def segment_count_of(headers: Headers) -> int | None:
    """How many segments there are, where that was recorded and the image's size still is what was recorded with it."""
    holds = headers.get("content-length") == headers.get(_METADATA + _SIZE)
    return number_of(headers, _METADATA + _SEGMENTS) if holds else None


def image_of(headers: Headers) -> Image:
    """Return what an object's headers tell of the image: all but its segments.

    The number of segments is known only if this collection recorded it.
    """
    kind = kind_of(headers)
    container = prefix = None
    if kind is ManifestKind.SLO:
        container = unquote(headers.get(_METADATA + _SEGMENT_CONTAINER, "")) or None
    elif kind is ManifestKind.DLO:
        container, prefix = parse_manifest_header(headers["x-object-manifest"])
    delete_at = delete_at_of(headers)
    return Image(
        kind=kind,
        size=size_of(headers),
        etag=etag_of(headers) if tells_size(headers) else None,
        segment_count=0 if kind is ManifestKind.NONE else segment_count_of(headers),
        is_link="content-location" in headers,
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
    )


def content_headers(image: Image) -> dict[str, str]:
    """What the PUT of an image's manifest, or of a plain image, says beside its content."""
    headers = {**_desired_headers(image), **_records_of(image)}
    if image.kind is ManifestKind.DLO and image.segment_container and image.segment_prefix:
        headers["X-Object-Manifest"] = manifest_header(image.segment_container, image.segment_prefix)
    return headers


def post_headers(image: Image) -> dict[str, str]:
    """What a POST sends so that the object has *image*'s metadata and loses nothing else."""
    return {**image.kept_headers, **_desired_headers(image), **(_records_of(image) if image.is_recorded else {})}


def _records_of(image: Image) -> dict[str, str]:
    """What is noted of an image's size and segments."""
    records = {_METADATA + _SIZE: str(image.size)}
    container = quote(str(image.segment_container))
    if image.kind is not ManifestKind.NONE and len(container) <= _MAX_RECORD:
        records[_METADATA + _SEGMENTS] = str(image.segment_count)
        records[_METADATA + _SEGMENT_CONTAINER] = container
    return records


def expiry_headers(headers: Headers, delete_at: int | None) -> dict[str, str]:
    """What a POST sends so that an object has another expiry and loses nothing else.

    :param headers: its own
    :param delete_at: in seconds since the epoch; None for no expiry
    """
    kept = {name: headers[name] for name in (*_KEPT, "content-type") if headers.get(name)}
    kept.update({_METADATA + name: value for name, value in _all_metadata(headers).items()})
    if delete_at is not None:
        kept["X-Delete-At"] = str(delete_at)
    return kept


def _desired_headers(image: Image) -> dict[str, str]:
    """All that can be changed while the content stays where it is, and what is known of that content."""
    headers = {_METADATA + name: value for name, value in image.metadata.items()}
    headers.update({f"{_METADATA}{_CHECKSUM}{name}": value for name, value in image.checksums.items()})
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
    length = DIGEST_LENGTHS.get(name[len(_CHECKSUM) :]) if name.startswith(_CHECKSUM) else None
    return len(value) == length and all(digit in hexdigits for digit in value)


def _all_metadata(headers: Headers) -> dict[str, str]:
    return {name[len(_METADATA) :]: value for name, value in headers.items() if name.startswith(_METADATA) and value}
