# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bounds on an answer: how large it may be if it is read whole, and how slowly it may come.

Whoever answers in Swift's place could send bytes without end, or one byte a second, which a timeout between two bytes
never ends.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

# More than the largest manifest that Swift takes (SLO middleware, max_manifest_size) and a page of a listing.
MAX_ANSWER_BYTES = 16 * 1024 * 1024
# So much is unpacked at a time: gzip makes a thousand bytes of one.
_STEP_BYTES = 8 * 1024
# Slower than any network on which an image is worth its transfer.
_LEAST_BYTES_PER_SECOND = 1024


class TooLargeError(ValueError):
    """An answer that is read whole has more bytes than any answer of Swift's."""


class Pace:
    """How fast the bytes of one answer come.

    :param timeout: seconds without a byte that are allowed at any time
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._begin = time.monotonic()
        self._received = 0

    def check(self, more: int) -> None:
        """Count bytes that have come.

        :raises TimeoutError: they come too slowly
        """
        self._received += more
        if time.monotonic() - self._begin > self._timeout + self._received / _LEAST_BYTES_PER_SECOND:
            raise TimeoutError("the answer trickles")


def read_whole(response: Any, timeout: float) -> bytes:
    """Read all of an answer, unpacked if it is compressed.

    :param response: of requests, streamed
    :raises TooLargeError: it has too many bytes
    :raises TimeoutError: it comes too slowly
    """
    pace = Pace(timeout)
    data = bytearray()
    while chunk := response.raw.read(_STEP_BYTES, decode_content=True):
        data += chunk
        if len(data) > MAX_ANSWER_BYTES:
            raise TooLargeError(f"more than {MAX_ANSWER_BYTES} bytes")
        pace.check(len(chunk))
    # It is not unpacked again.
    response.headers.pop("content-encoding", None)
    response.close()
    return bytes(data)


def bounded_read(response: Any, read_some: Callable[..., bytes], timeout: float) -> Callable[..., bytes]:
    """Return a ``read`` for *response* that is bounded, whether it is asked for all bytes or for some.

    :param read_some: its own
    """
    pace = Pace(timeout)

    def read(*size: int | None) -> bytes:
        if not size or size[0] is None:
            return read_whole(response, timeout)
        chunk = read_some(*size)
        pace.check(len(chunk))
        return chunk

    return read
