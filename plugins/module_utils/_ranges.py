# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bytes of an image out of Swift, gone on with at the byte reached where a connection breaks."""

from __future__ import annotations

import time
from collections.abc import Iterator

from ._connection import Connection
from ._errors import ConflictError, ImageStoreError, UnreachableError
from ._headers import etag_of
from ._location import Location
from ._retry import pause_seconds

_CHUNK = 512 * 1024


class Replaced(ConflictError):
    """Under the image's name there is another one by now."""


class RangeReader:
    """One image, read in ranges by any number of threads.

    :param etag: the image's; without it (a DLO of more than one listing page) a change is not noticed here
    :param retries: how often a range is gone on with at the same byte
    """

    def __init__(self, connection: Connection, location: Location, etag: str | None, retries: int) -> None:
        self._connection = connection
        self._location = location
        self._etag = etag
        self._retries = retries

    def read(self, offset: int, size: int) -> Iterator[bytes]:
        """The bytes of the image from *offset*, *size* of them, a bounded number at a time.

        :raises Replaced: it is another image by now
        :raises ImageStoreError: they can't be had
        """
        end = offset + size
        tries = 0
        while offset < end:
            failure: ImageStoreError | None = None
            begin = offset
            try:
                for chunk in self._read_once(offset, end):
                    offset += len(chunk)
                    yield chunk
            except OSError as error:
                failure = self._explain(offset, end, error)
            if offset >= end:
                return
            tries = tries + 1 if offset == begin else 1
            if tries > self._retries:
                raise failure or self._explain(offset, end, None)
            self._connection.count_retry()
            time.sleep(pause_seconds(tries, None))

    def _read_once(self, offset: int, end: int) -> Iterator[bytes]:
        """What one request gives, which may be less than what was asked for.

        A server's ``If-Match`` is not used: Ceph RGW answers 412 to a large object's own ETag.
        """
        with self._connection.open_object(self._location.container, self._location.name, offset, end) as answer:
            found = etag_of(answer.headers)
            if self._etag and found and found != self._etag:
                raise Replaced(
                    f"Image {self._location.container}/{self._location.name} was replaced while it was read: "
                    "run again when nobody writes it.",
                    412,
                )
            left = end - offset
            while left and (chunk := answer.read(min(_CHUNK, left))):
                left -= len(chunk)
                yield chunk

    def _explain(self, offset: int, end: int, error: Exception | None) -> UnreachableError:
        why = f" ({type(error).__name__})" if error is not None else ""
        return UnreachableError(
            f"Swift ends image {self._location.container}/{self._location.name} at byte {offset} before {end}{why}: "
            "run again, and where that does not help, look whether a segment of it is missing."
        )
