# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An object's headers as facts about an image, and the other way round."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from ._errors import OptionError
from ._image import Image, ManifestKind
from ._segment_names import manifest_header

Headers = Mapping[str, str]

_METADATA = "x-object-meta-"
_CHECKSUM = "image-"
_SIZE = "image-size"

# What other clients note beside the content of the objects they write: swift CLI and rclone their
# file's time, openstacksdk its digests. True of that content only, and none of the user's business.
_BOOKKEEPING = frozenset({"mtime", "x-sdk-md5", "x-sdk-sha256"})

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
    "x-delete-at",
    "x-object-manifest",
    "x-robots-tag",
)


def check_metadata(metadata: Mapping[str, Any]) -> dict[str, str]:
    """The user's metadata as Swift gives it back: names in lower case, values as text, no empty ones.

    :raises OptionError: a name or value that would come back otherwise than it was sent
    """
    checked = {}
    for name, value in metadata.items():
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
    if not text.isprintable():
        raise OptionError(f"metadata {name!r} holds control characters, which no header can carry: take them out.")


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
        if name.startswith(_CHECKSUM) and name != _SIZE
    }
    if kind_of(headers) is ManifestKind.NONE:
        recorded["md5"] = etag_of(headers)
    return recorded


def metadata_of(headers: Headers) -> dict[str, str]:
    """The user's metadata: without what this collection and other clients note for themselves."""
    return {
        name: value
        for name, value in _all_metadata(headers).items()
        if name not in _BOOKKEEPING and not name.startswith(_CHECKSUM)
    }


def bookkeeping_of(headers: Headers) -> dict[str, str]:
    """The metadata that is nobody's wish and that a POST has to repeat all the same."""
    users = metadata_of(headers)
    return {name: value for name, value in _all_metadata(headers).items() if name not in users}


def kept_headers_of(headers: Headers) -> dict[str, str]:
    """What a POST has to send again besides the user's metadata, or Swift drops it."""
    kept = {name: headers[name] for name in _KEPT if headers.get(name)}
    kept.update({_METADATA + name: value for name, value in bookkeeping_of(headers).items()})
    return kept


def last_modified_of(headers: Headers) -> str | None:
    """The time of the last change as ISO 8601 in UTC."""
    stamp = headers.get("last-modified")
    return parsedate_to_datetime(stamp).strftime("%Y-%m-%dT%H:%M:%SZ") if stamp else None


def delete_at_of(headers: Headers) -> int | None:
    """When Swift removes the object, in seconds since the epoch."""
    stamp = headers.get("x-delete-at")
    return int(stamp) if stamp else None


def content_headers(image: Image) -> dict[str, str]:
    """What the PUT of an image's manifest, or of a plain image, says beside its content."""
    headers = user_headers(image)
    headers[_METADATA + _SIZE] = str(image.size)
    headers.update({f"{_METADATA}{_CHECKSUM}{name}": value for name, value in image.checksums.items()})
    if image.kind is ManifestKind.DLO and image.segment_container and image.segment_prefix:
        headers["X-Object-Manifest"] = manifest_header(image.segment_container, image.segment_prefix)
    if image.delete_at is not None:
        headers["X-Delete-At"] = str(image.delete_at)
    return headers


def post_headers(image: Image) -> dict[str, str]:
    """What a POST sends so that the object has *image*'s metadata and loses nothing else."""
    return {**image.kept_headers, **user_headers(image)}


def user_headers(image: Image) -> dict[str, str]:
    """Content type and the user's metadata."""
    headers = {_METADATA + name: value for name, value in image.metadata.items()}
    if image.content_type:
        headers["Content-Type"] = image.content_type
    return headers


def _all_metadata(headers: Headers) -> dict[str, str]:
    return {name[len(_METADATA) :]: value for name, value in headers.items() if name.startswith(_METADATA) and value}
