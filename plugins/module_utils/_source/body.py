# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bytes of a file on a web server, over as many connections as it takes."""

from __future__ import annotations

import hashlib
import time
import zlib
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from http.client import HTTPException
from typing import Any

from .._errors import SourceChangedError, SourceError
from .._retry import Backoff, Pace
from .answer import facts_of
from .web import WebFile

# The progress after which all retries are allowed again. One byte for each connection is not enough.
_PROGRESS_BYTES = 1024 * 1024
_PROGRESS_SHARE = 100

# How long bytes may arrive slower than 1 KiB a second.
_SLOW_SECONDS = 60

# The maximum of packed bytes that unpack to nothing, as empty members of gzip do.
_MAX_IDLE_BYTES = 4 * 1024 * 1024

# The number of bytes that tell one format from another.
_MAGIC_BYTES = 2


class Body:
    """The bytes of a file as they are sent.

    After a broken connection, reading is resumed if the server sent a strong validator. Otherwise the file is read from
    the beginning again, and the repeated bytes are compared.

    :param response: the answer to a request for the whole file
    """

    def __init__(self, file: WebFile, response: Any) -> None:
        self.facts = facts_of(response, file.label)
        self._file = file
        self._response = response
        # The positions in the file: of all bytes returned, and of the current answer, which may repeat the file.
        self._position = 0
        self._at = 0
        self._backoff = Backoff(file.options.retries)
        self._progress = 0
        self._pace = Pace(_SLOW_SECONDS)
        # The digests of all bytes so far, and of the bytes that a new answer repeats, until they have been compared.
        self._digest = hashlib.blake2b() if self.facts.validator is None else None
        self._repeated: Any = None

    def read(self, size: int) -> bytes:
        """Return at most *size* bytes, none at the end.

        :raises SourceError: the bytes can't be read
        :raises SourceChangedError: the file was changed meanwhile
        """
        while True:
            data, failure = self._try_to_read(size)
            if data or failure is None:
                self._count(data)
                return data
            if not self._backoff.wait():
                raise failure
            self._resume()

    def close(self) -> None:
        """Close the connection."""
        self._response.close()

    def _count(self, data: bytes) -> None:
        self._position += len(data)
        if self._digest is not None:
            self._digest.update(data)
        share = (self.facts.length or 0) // _PROGRESS_SHARE or _PROGRESS_BYTES
        if self._position - self._progress >= min(share, _PROGRESS_BYTES):
            self._progress = self._position
            self._backoff.reset()

    def _try_to_read(self, size: int) -> tuple[bytes, SourceError | None]:
        """Return the next bytes; if they are missing, also the error."""
        while self._at < self._position:
            data, failure = self._read_once(min(size, self._position - self._at))
            if not data:
                return b"", failure or self._end_error()
            if self._repeated is not None:
                self._repeated.update(data)
        if self._repeated is not None and self._digest is not None:
            if self._repeated.digest() != self._digest.digest():
                raise self._change_error()
            self._repeated = None
        return self._read_once(size)

    def _read_once(self, size: int) -> tuple[bytes, SourceError | None]:
        begin = time.monotonic()
        try:
            # Only the bytes that have arrived, so that a slow transfer is noticed.
            data: bytes = self._response.read1(size)
            self._pace.add(len(data), time.monotonic() - begin)
        except (HTTPException, OSError, ValueError) as error:
            return b"", self._file.silence(error)
        self._at += len(data)
        if data or self.facts.length is None or self._at >= self.facts.length:
            return data, None
        return b"", self._end_error()

    def _end_error(self) -> SourceError:
        of_all = "" if self.facts.length is None else f" of {self.facts.length}"
        return SourceError(
            f"{self._file.label} ended after {self._at}{of_all} bytes: check the network, and run again."
        )

    def _resume(self) -> None:
        """Request the rest of the file, or all of it.

        :raises SourceChangedError: the file was changed meanwhile
        """
        self._response.close()
        validator = self.facts.validator
        if validator is None or not self._position:
            self._response = self._file.get()
        else:
            self._response = self._file.get_from(self._position, validator)
        is_rest = self._response.status == HTTPStatus.PARTIAL_CONTENT
        facts = facts_of(self._response, self._file.label, self._position)
        if not facts.is_of_same_file(self.facts, is_rest):
            raise self._change_error()
        if self.facts.length is None:
            self.facts = replace(self.facts, length=facts.length)
        self._at = self._position if is_rest else 0
        self._repeated = None if is_rest or self._digest is None else hashlib.blake2b()

    def _change_error(self) -> SourceChangedError:
        return SourceChangedError(f"{self._file.label} was changed while it was read: run again.")


class Unpacked:
    """The unpacked bytes of a file that its server packed for the transfer.

    :param read: returns the next packed bytes, none at the end
    :param encoding: ``gzip`` or ``deflate``
    :param label: the file's name in messages
    """

    def __init__(self, read: Callable[[int], bytes], encoding: str, label: str) -> None:
        self._read = read
        self._encoding = encoding
        self._label = label
        self._packed = b""
        # zlib's object for what is being unpacked: gzip may be several members, one after the other.
        self._member: Any = None

    def read(self, size: int) -> bytes:
        """Return at most *size* bytes, none at the end.

        :raises SourceError: the bytes are not packed as their server says, or are truncated
        """
        idle = 0
        while True:
            while len(self._packed) < _MAGIC_BYTES and (more := self._read(size)):
                self._packed += more
                idle += len(more)
            if idle > _MAX_IDLE_BYTES:
                raise SourceError(f"{self._label} is compressed, but much of it unpacks to no data: use another URL.")
            if not self._packed:
                if self._member is not None and not self._member.eof:
                    raise SourceError(f"{self._label} is compressed and truncated: run again.")
                return b""
            data = self._unpack(size)
            if data:
                return data

    def _unpack(self, size: int) -> bytes:
        if self._member is None or self._member.eof:
            self._member = zlib.decompressobj(_window_of(self._encoding, self._packed))
        try:
            data: bytes = self._member.decompress(self._packed, size)
        except zlib.error as error:
            raise SourceError(
                f"{self._label} is not compressed as its Content-Encoding says ({self._encoding}): use another URL."
            ) from error
        self._packed = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
        return data


def _window_of(encoding: str, packed: bytes) -> int:
    """Return zlib's number for a format.

    Servers use "deflate" for zlib's own format, and for the raw data inside it, too (RFC 9110, 8.4.1.2).

    :param packed: the first bytes
    """
    if encoding == "gzip":
        return zlib.MAX_WBITS | 16
    # A header of zlib's own format (RFC 1950, 2.2).
    is_zlib = packed[0] & 0x0F == zlib.DEFLATED and int.from_bytes(packed[:2], "big") % 31 == 0
    return zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS
