# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The metadata and media type that a user gives an image, with checks for values that Swift would change or refuse."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from .._errors import OptionError
from .capabilities import Capabilities
from .checksum import DIGEST_LENGTHS
from .headers import BOOKKEEPING, MAX_RECORD, RECORD_PREFIX, RECORDS, SEGMENT_CONTAINER

# The characters of an HTTP header's name that a server's environment does not confuse.
_METADATA_NAME = re.compile(r"[A-Za-z0-9-]+")

# The length that is assumed for each other record.
_USUAL_RECORD = 64


def check_metadata(metadata: Mapping[str, Any]) -> dict[str, str]:
    """Return the user's metadata as Swift returns it: names in lower case, values as text, no empty ones.

    Servers can't tell ``_`` from ``-`` in the name of a header (RFC 3875, 4.1.18), so that ``_`` is stored as ``-``.

    :raises OptionError: Swift would refuse a name or a value, or return it changed, or two names are the same there
    """
    checked: dict[str, str] = {}
    names: dict[str, str] = {}
    for name, value in metadata.items():
        stored, text = name.replace("_", "-").lower(), _text_of(name, value)
        _check_entry(name, stored, text)
        if stored in names:
            raise OptionError(
                f"metadata names {names[stored]!r} and {name!r} are the same in Swift ({stored}): remove one of them."
            )
        names[stored] = name
        if text:
            checked[stored] = text
    return checked


def _text_of(name: str, value: Any) -> str:
    """Return a value as text: booleans as in YAML, numbers in decimal, nothing for null."""
    if isinstance(value, (dict, list)):
        raise OptionError(
            f"metadata {name!r} is a list or a dict, which Swift can't store: set it to a string or a number."
        )
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{Decimal(repr(value)):f}"
    return "" if value is None else str(value).strip()


def _check_entry(name: str, stored: str, text: str) -> None:
    """Refuse a name or a value that Swift does not keep.

    :param name: as the user writes it, for messages
    :param stored: as Swift keeps it
    """
    if not _METADATA_NAME.fullmatch(stored):
        raise OptionError(
            f"metadata name {name!r} has characters that Swift does not keep: use only letters, digits, dashes and "
            "underscores."
        )
    if stored.startswith(RECORD_PREFIX):
        raise OptionError(
            f"metadata name {name!r} begins with Image-, which is reserved for this collection: choose another name."
        )
    if stored in BOOKKEEPING:
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
        (capabilities.max_meta_value_length, {name: _length(value) for name, value in metadata.items()}),
    ):
        for name, length in lengths.items():
            if length > most:
                raise OptionError(
                    f"metadata {name!r} has {length} bytes, but this cluster allows at most {most}: shorten it."
                )


def _length(value: str) -> int:
    """Return the bytes of a value, which may be another client's and not UTF-8."""
    return len(value.encode("utf-8", "surrogateescape"))


def _check_sum(metadata: Mapping[str, str], algorithms: Collection[str], capabilities: Capabilities) -> None:
    records = {name: MAX_RECORD if name == SEGMENT_CONTAINER else _USUAL_RECORD for name in RECORDS}
    records.update({RECORD_PREFIX + algorithm: DIGEST_LENGTHS[algorithm] for algorithm in algorithms})
    count = len(metadata) + len(records)
    size = sum(len(name) + _length(value) for name, value in metadata.items())
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
