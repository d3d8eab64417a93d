# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The metadata and media type that a user gives an image, with checks for values that Swift would change or refuse."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from .._errors import OptionError
from .capabilities import Capabilities
from .checksum import DIGEST_LENGTHS
from .headers import BOOKKEEPING, MAX_RECORD, RECORD_PREFIX, RECORDS, SEGMENT_CONTAINER

# The characters of an HTTP header's name that a server's environment does not confuse: "_" and "-" are the same there
# (RFC 3875, 4.1.18).
_METADATA_NAME = re.compile(r"[A-Za-z0-9-]+")

# The length that is assumed for each other record.
_USUAL_RECORD = 64


def check_metadata(metadata: Mapping[str, Any]) -> dict[str, str]:
    """Return the user's metadata as Swift returns it: names in lower case, values as text, no empty ones.

    :raises OptionError: Swift would refuse a name or a value, or return it changed
    """
    checked = {}
    for name, value in metadata.items():
        if isinstance(value, (dict, list)):
            raise OptionError(
                f"metadata {name!r} is a list or a dict, which Swift can't store: set it to a string or a number."
            )
        text = "" if value is None else str(value).strip()
        _check_entry(name, text)
        if text:
            checked[name.lower()] = text
    return checked


def _check_entry(name: str, text: str) -> None:
    if not _METADATA_NAME.fullmatch(name):
        raise OptionError(
            f"metadata name {name!r} has characters that Swift does not keep: use only letters, digits and dashes."
        )
    if name.lower().startswith(RECORD_PREFIX):
        raise OptionError(
            f"metadata name {name!r} begins with Image-, which is reserved for this collection: choose another name."
        )
    if name.lower() in BOOKKEEPING:
        raise OptionError(f"metadata name {name!r} is reserved for other clients: choose another name.")
    if not text.isprintable():
        raise OptionError(f"metadata {name!r} has control characters, which are not valid in a header: remove them.")


def check_content_type(content_type: str | None) -> str | None:
    """Return a media type as Swift returns it; None if there is none.

    :raises OptionError: no header could carry the text
    """
    if content_type is None:
        return None
    text = content_type.strip()
    if not text or not text.isprintable() or not text.isascii():
        raise OptionError(
            f"content_type {content_type!r} is not a media type: write one such as application/x-iso9660-image."
        )
    return text


def check_limits(metadata: Mapping[str, str], algorithms: Collection[str], capabilities: Capabilities) -> None:
    """Refuse metadata that the cluster would refuse after the whole image was sent.

    :param algorithms: of the digests that are recorded beside it
    :raises OptionError: a name or value is too long, or there are too many entries or bytes
    """
    _check_sum(metadata, algorithms, capabilities)
    for most, lengths in (
        (capabilities.max_meta_name_length, {name: len(name) for name in metadata}),
        (capabilities.max_meta_value_length, {name: len(value.encode("utf-8")) for name, value in metadata.items()}),
    ):
        for name, length in lengths.items():
            if length > most:
                raise OptionError(
                    f"metadata {name!r} has {length} bytes, but this cluster allows at most {most}: shorten it."
                )


def _check_sum(metadata: Mapping[str, str], algorithms: Collection[str], capabilities: Capabilities) -> None:
    records = {name: MAX_RECORD if name == SEGMENT_CONTAINER else _USUAL_RECORD for name in RECORDS}
    records.update({RECORD_PREFIX + algorithm: DIGEST_LENGTHS[algorithm] for algorithm in algorithms})
    count = len(metadata) + len(records)
    size = sum(len(name) + len(value.encode("utf-8")) for name, value in metadata.items())
    size += sum(len(name) + length for name, length in records.items())
    for most, found, of_what in (
        (capabilities.max_meta_count, count, "entries"),
        (capabilities.max_meta_overall_size, size, "bytes"),
    ):
        if metadata and found > most:
            raise OptionError(
                f"metadata and the records of this collection have {found} {of_what}, but this cluster allows at most "
                f"{most}: remove some metadata."
            )
