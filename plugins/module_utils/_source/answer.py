# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The facts in the headers of a web server's answer: length, encoding, range and validators. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from .._errors import SourceError

_RANGE = re.compile(r"bytes ([0-9]{1,20})-([0-9]{1,20})/([0-9]{1,20}|\*)")
_NUMBER = re.compile(r"[0-9]{1,20}")

# A date is a strong validator if it is at least a second older than the answer, by one clock (RFC 9110, 8.8.2.2). A
# minute allows for the clocks of two servers, one that made the file and one that answers.
_SECONDS = 60

_GZIP = frozenset({"gzip", "x-gzip"})


@dataclass(frozen=True)
class AnswerFacts:
    """The facts in the headers of an answer.

    :param length: of the whole file as it is sent, in bytes; None if it is unknown
    :param encoding: ``gzip``, ``deflate``, or empty
    :param etag: a strong one; None if there is none
    :param modified: the time of the last change, as the header has it; None if there is none
    :param is_dated: whether that time is a strong validator
    :param tells_end: whether a truncated answer can be told from a complete one
    :param media_type: in lower case, without parameters
    """

    length: int | None
    encoding: str
    etag: str | None
    modified: str | None
    is_dated: bool
    tells_end: bool
    media_type: str

    @property
    def validator(self) -> str | None:
        """The strong validator that a resumed request may name (RFC 9110, 13.1.5); None if there is none."""
        return self.etag or (self.modified if self.is_dated else None)

    def is_of_same_file(self, other: AnswerFacts, is_rest: bool) -> bool:
        """Return whether an answer may be of the same state of the file as an earlier one.

        :param is_rest: whether this is the rest of the file, after a request with ``If-Range``. Such an answer need not
            repeat the headers of the earlier one (RFC 9110, 15.3.7), which has no length if it was sent in chunks.
        """
        if is_rest and other.length is None:
            other = replace(other, length=self.length)
        names = ("length", "encoding", "etag", "modified")
        pairs = [(getattr(self, name), getattr(other, name)) for name in names]
        return all(one == before or (is_rest and not one) for one, before in pairs)


def facts_of(response: Any, label: str, position: int = 0) -> AnswerFacts:
    """Read the headers of an answer.

    :param response: with ``status`` and ``headers``
    :param label: the file's name in messages
    :param position: of the first byte that was requested
    :raises SourceError: the headers contradict each other, or do not match the request
    """
    headers = response.headers
    lengths = {value.strip() for value in headers.get_all("Content-Length") or () for value in value.split(",")}
    if len(lengths) > 1 or not all(map(_NUMBER.fullmatch, lengths)):
        raise SourceError(
            f"{label} has a Content-Length that is not a number: report this to the server's administrator."
        )
    transfer = (headers.get("Transfer-Encoding") or "").strip().lower()
    if transfer not in ("", "chunked"):
        raise SourceError(
            f"{label} is sent with the Transfer-Encoding {transfer!r}, which is not supported: use another URL."
        )
    length = int(lengths.pop()) if lengths and not transfer else None
    if response.status == HTTPStatus.PARTIAL_CONTENT:
        length = _length_of_range(headers.get("Content-Range") or "", length, label, position)
    return AnswerFacts(
        length=length,
        encoding=_encoding_of(headers.get("Content-Encoding") or "", label),
        etag=_strong_etag(headers.get("ETag")),
        modified=headers.get("Last-Modified"),
        is_dated=_is_strong_date(headers.get("Last-Modified"), headers.get("Date")),
        tells_end=length is not None or bool(transfer),
        media_type=(headers.get("Content-Type") or "").partition(";")[0].strip().lower(),
    )


def _length_of_range(value: str, length: int | None, label: str, position: int) -> int:
    """Return the length of the whole file from a ``Content-Range``, which must match the request."""
    found = _RANGE.fullmatch(value.strip())
    first, last = (int(found[1]), int(found[2])) if found else (-1, -1)
    total = last + 1 if found is None or found[3] == "*" else int(found[3])
    is_asked = first == position and last >= first and total == last + 1
    if not is_asked or (length is not None and length != last + 1 - first):
        raise SourceError(
            f"{label} was requested from byte {position} on, but the server answered with the range {value!r}: report "
            "this to its administrator."
        )
    return total


def _encoding_of(value: str, label: str) -> str:
    encodings = [name for one in value.lower().split(",") if (name := one.strip()) not in ("", "identity")]
    if not encodings:
        return ""
    if len(encodings) == 1 and encodings[0] in (*_GZIP, "deflate"):
        return "gzip" if encodings[0] in _GZIP else "deflate"
    raise SourceError(
        f"{label} is sent with the Content-Encoding {value!r}, which was not requested, and only gzip and deflate are "
        "unpacked: use another URL."
    )


def _strong_etag(etag: str | None) -> str | None:
    """Return a strong ETag; None for a weak one, which does not identify every byte (RFC 9110, 8.8.3)."""
    return etag if etag and etag.startswith('"') else None


def _is_strong_date(modified: str | None, date: str | None) -> bool:
    try:
        age = parsedate_to_datetime(date or "").timestamp() - parsedate_to_datetime(modified or "").timestamp()
    except (TypeError, ValueError, OverflowError):
        return False
    return age >= _SECONDS
