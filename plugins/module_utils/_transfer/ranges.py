# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading of an image from Swift, which resumes at the byte reached if a connection breaks."""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from http import HTTPStatus
from itertools import accumulate

from .._errors import ConflictError, ImageStoreError, SwiftError, UnreachableError
from .._model.headers import etag_of
from .._model.image import Image, ManifestKind, Segment
from .._model.location import Location
from .._retry import Backoff
from .._swift.client import SwiftClient

_CHUNK = 512 * 1024

# A connection that delivers fewer bytes makes no progress, so that the count of retries is not reset.
_PROGRESS = 64 * 1024

# The object was deleted, or ends before the range begins.
_GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE})

# The bytes that one request fetches of an image whose segments do not determine the ranges.
_STRETCH = 64 * 1024 * 1024


_MD5 = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True)
class Range:
    """The bytes that one request fetches of an image.

    :param offset: of the first byte in the image
    :param size: in bytes
    :param path: container and name of the object that is requested: the image itself, or a segment
    :param start: of the first byte in that object
    :param etag: of that object; None if it is unknown
    :param md5: of these bytes, in hex; None if it is unknown
    """

    offset: int
    size: int
    path: tuple[str, str]
    start: int
    etag: str | None
    md5: str | None = None


def ranges_of(location: Location, image: Image) -> list[Range]:
    """Return the ranges of an image: its segments if they identify its content, equal pieces otherwise.

    Swift serves no ranges of a DLO with more than one listing page (DLO middleware), so its segments are requested.
    """
    path = (location.container, location.name)
    if image.kind is ManifestKind.DLO and image.etag is None:
        placed = _placed(image.read_segments)
        return [_range(offset, segment, segment.path, 0, segment.etag) for offset, segment in placed]
    if image.kind is not ManifestKind.NONE and image.is_comparable_by_segments:
        return [_range(offset, piece, path, offset, image.etag) for offset, piece in _placed(image.pieces)]
    return [
        Range(offset, min(_STRETCH, image.size - offset), path, offset, image.etag)
        for offset in range(0, image.size, _STRETCH)
    ]


def _placed(segments: Iterable[Segment]) -> Iterator[tuple[int, Segment]]:
    """Yield the segments that have bytes, each with its offset in the image."""
    kept = [segment for segment in segments if segment.size]
    return zip(accumulate((segment.size for segment in kept), initial=0), kept)


def _range(offset: int, segment: Segment, path: tuple[str, str], start: int, etag: str | None) -> Range:
    """Return the range of one segment, with its expected MD5.

    On Ceph RGW, the ETag of an object that was stored by S3's multipart upload is not an MD5.
    """
    return Range(offset, segment.size, path, start, etag, segment.etag if _MD5.fullmatch(segment.etag) else None)


class Replaced(ConflictError):
    """Error for an image that was replaced or deleted while it was read."""

    def __init__(self, path: tuple[str, str], status: int) -> None:
        thing = "/".join(path)
        super().__init__(
            f"{thing} was replaced or deleted while the image was read: run again when no other run writes it.", status
        )


class RangeReader:
    """A thread-safe reader of ranges.

    :param retries: how often a range is resumed at the same byte
    """

    def __init__(self, client: SwiftClient, retries: int) -> None:
        self._client = client
        self._retries = retries

    def read(self, wanted: Range) -> Iterator[bytes]:
        """Yield the bytes of a range, a bounded number at a time.

        :raises Replaced: the image was replaced meanwhile
        :raises ImageStoreError: the bytes can't be read
        """
        offset, end = wanted.start, wanted.start + wanted.size
        backoff = Backoff(self._retries, self._client.count_retry)
        while offset < end:
            failure: ImageStoreError | None = None
            begin = offset
            try:
                for chunk in self._read_once(wanted, offset, end):
                    offset += len(chunk)
                    yield chunk
            except OSError as error:
                failure = _explain(wanted, offset, end, error)
            if offset >= end:
                return
            if offset - begin >= _PROGRESS:
                backoff.reset()
            if not backoff.wait():
                raise failure or _explain(wanted, offset, end, None)

    def _read_once(self, wanted: Range, offset: int, end: int) -> Iterator[bytes]:
        """Yield the bytes of one answer, which may be fewer than were requested.

        The request has no ``If-Match``, because Ceph RGW answers 412 to a large object's own ETag.
        """
        try:
            with self._client.open_object(*wanted.path, offset, end) as answer:
                found = etag_of(answer.headers)
                if wanted.etag and found and found != wanted.etag:
                    raise Replaced(wanted.path, HTTPStatus.PRECONDITION_FAILED)
                left = end - offset
                while left and (chunk := answer.read(min(_CHUNK, left))):
                    left -= len(chunk)
                    yield chunk
                if not left:
                    # Reading the end of the answer frees the connection for the next request.
                    answer.read(1)
        except SwiftError as error:
            if error.status not in _GONE:
                raise
            raise Replaced(wanted.path, error.status) from error


class ReadAhead:
    """A parallel reader of ranges of any number of images, with one bound on memory for all of them.

    :param reader: reads one range
    :param pool: its threads fetch the ranges
    :param most: how many ranges may be in flight or in memory
    """

    def __init__(self, reader: RangeReader, pool: Executor, most: int) -> None:
        self._reader = reader
        self._pool = pool
        self._slots = threading.BoundedSemaphore(most)

    def read(self, ranges: Iterator[Range]) -> Iterator[bytes]:
        """Yield the bytes of each range, in their order.

        :raises Replaced: an image was replaced meanwhile
        :raises ImageStoreError: a range can't be read
        """
        ahead: deque[Future[bytes]] = deque()
        try:
            for wanted in ranges:
                # Only an image without ranges ahead waits for a slot. There is no deadlock, because each holder of a
                # slot frees it when it yields its bytes.
                while not self._slots.acquire(blocking=not ahead):
                    yield self._next(ahead)
                ahead.append(self._pool.submit(self._fetch, wanted))
            while ahead:
                yield self._next(ahead)
        finally:
            for left in ahead:
                left.cancel()
                self._slots.release()

    def _next(self, ahead: deque[Future[bytes]]) -> bytes:
        try:
            return ahead[0].result()
        finally:
            ahead.popleft()
            self._slots.release()

    def _fetch(self, wanted: Range) -> bytes:
        return b"".join(self._reader.read(wanted))


def _explain(wanted: Range, offset: int, end: int, error: Exception | None) -> UnreachableError:
    why = f" ({type(error).__name__})" if error is not None else ""
    return UnreachableError(
        f"Swift's answer for {'/'.join(wanted.path)} ended at byte {offset} before {end}{why}: run again. If this "
        "does not help, check the image with swift_image_info and verify: true, because a segment may be missing."
    )
