# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bounds on an answer: the size of one that is read whole, and the minimum transfer rate.

Another server in Swift's place could send bytes without end. It could also send one byte a second, which a timeout
between two bytes never ends.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable
from http.client import HTTPException
from typing import Any

from .._retry import Pace

# As large as the largest manifest that Swift takes (SLO middleware, max_manifest_size).
MAX_ANSWER_BYTES = 8 * 1024 * 1024
_STEP_BYTES = 64 * 1024
_UNPACKED_BYTES = 1024 * 1024
_GZIP_MAGIC = b"\x1f\x8b"
# JSON of many small values takes forty times its size in memory. A page of a listing has 60,000 of them.
_MAX_VALUES = 400_000
_SEPARATORS = (b",", b"[", b"{")
# zlib's number for its own format or gzip's, which the header distinguishes.
_GZIP = zlib.MAX_WBITS | 32


class TooLargeError(ValueError):
    """Error for an answer that is read whole, and is larger than any answer of Swift's."""


def bounded_read(response: Any, timeout: float) -> Callable[..., bytes]:
    """Return a bounded ``read`` for *response*, which reads all bytes or some.

    urllib3's own waits for as many bytes as it was asked for, however slowly they arrive.

    :param response: of requests, streamed
    :param timeout: how many seconds the answer may be slower than 1 KiB a second
    """
    pace = Pace(timeout)

    def read(size: int | None = None) -> bytes:
        if size is None:
            return _read_whole(response, pace)
        data = bytearray()
        try:
            while len(data) < size and (chunk := _read_arrived(response, size - len(data), pace)):
                data += chunk
        except OSError:
            # The bytes that have arrived are returned; the next call meets the same error.
            if not data:
                raise
        if not data:
            _release(response)
        return bytes(data)

    return read


def _read_whole(response: Any, pace: Pace) -> bytes:
    """Read all of an answer, unpacked if it is compressed.

    :raises TooLargeError: the answer is too large
    :raises TimeoutError: the answer is too slow
    """
    # Without the header, the answer is not unpacked again.
    is_packed = "gzip" in response.headers.pop("content-encoding", "")
    member = zlib.decompressobj(_GZIP)
    data = bytearray()
    commas = 0
    while chunk := _read_arrived(response, _STEP_BYTES, pace):
        # An object may have the header although its bytes are not packed.
        is_packed = is_packed and (bool(data) or chunk.startswith(_GZIP_MAGIC))
        # One step of packed bytes may unpack to a thousand steps.
        while chunk:
            if not is_packed:
                more, chunk = chunk, b""
            else:
                member, more, chunk = _unpack(member, chunk)
            data += more
            commas += sum(map(more.count, _SEPARATORS))
            if len(data) > MAX_ANSWER_BYTES or commas > _MAX_VALUES:
                response.close()
                raise TooLargeError(f"more than {MAX_ANSWER_BYTES} bytes or {_MAX_VALUES} values")
    _release(response)
    return bytes(data)


def _unpack(member: Any, packed: bytes) -> tuple[Any, bytes, bytes]:
    """Unpack some bytes of gzip, which may be several members one after the other.

    :param member: zlib's object for the current one
    :returns: the object for the next call, a bounded number of unpacked bytes, and the bytes that are still packed
    :raises ValueError: the bytes are not packed by gzip
    """
    try:
        data = member.decompress(packed, _UNPACKED_BYTES)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if member.eof:
        return zlib.decompressobj(_GZIP), data, member.unused_data
    return member, data, member.unconsumed_tail


def _read_arrived(response: Any, size: int, pace: Pace) -> bytes:
    """Read bytes that have arrived, and wait only if there are none; return none at the end.

    :raises OSError: the answer is truncated or too slow
    """
    original = response.raw._original_response
    begin = time.monotonic()
    try:
        chunk: bytes = original.read1(size)
    except HTTPException as error:
        raise ConnectionError(type(error).__name__) from error
    pace.add(len(chunk), time.monotonic() - begin)
    if not chunk and original.length:
        raise ConnectionError("IncompleteRead")
    return chunk


def _release(response: Any) -> None:
    """Return the connection of an answer that has been read to urllib3, for the next request."""
    response.raw._original_response.read()
    response.raw.release_conn()
    response.close()
