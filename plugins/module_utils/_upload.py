# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A source's bytes into Swift: segments in flight, and those that are there already left alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus

from ._connection import Connection
from ._digest import Digests, digest, digest_segment
from ._errors import ConflictError, IntegrityError
from ._headers import content_headers, etag_of
from ._image import Image, ManifestKind, Piece, Segment
from ._layout import Layout
from ._location import Location
from ._parallel import for_each
from ._source import FileSource, PieceReader

# Swift's ETag is an MD5; an SLO's segments are named by their SHA-256 besides.
_OF_SEGMENTS = {ManifestKind.SLO: ("md5", "sha256"), ManifestKind.DLO: ("md5",)}

# Names the segment that a piece becomes: by its number from 1, its size in bytes and its digests.
Naming = Callable[[int, int, Digests], Segment]


@dataclass(frozen=True)
class Transfer:
    """What an upload sent and what it could spare; a plain image has no segments."""

    bytes_uploaded: int = 0
    bytes_reused: int = 0
    segments_uploaded: int = 0
    segments_reused: int = 0


@dataclass(frozen=True)
class Sent:
    """What became of a source.

    :param segments: in the image's order
    :param checksums: of the whole source, in hex by algorithm
    """

    segments: Sequence[Segment]
    checksums: Mapping[str, str]


def send_plain(connection: Connection, location: Location, source: FileSource, image: Image) -> Transfer:
    """Store the whole source as one object.

    :param image: as it will stand; Swift refuses what arrives with another MD5 than its ETag
    """
    source.check_unchanged()
    headers = {**content_headers(image), "ETag": str(image.etag)}
    _put(connection, location.container, location.name, source, Piece(0, source.size), headers)
    return Transfer(bytes_uploaded=source.size)


class SegmentUpload:
    """A large image's segments: each is digested, and sent unless it is there.

    :param name_segment: says which segment a piece becomes
    :param there: segments in the store; what has the same name, size and ETag is not sent again
    :param concurrency: how many segments are in flight
    :param sends: False for finding out what the segments would be, and sending none
    """

    def __init__(
        self,
        connection: Connection,
        source: FileSource,
        layout: Layout,
        name_segment: Naming,
        there: Collection[Segment],
        concurrency: int,
        sends: bool,
    ) -> None:
        self._connection = connection
        self._source = source
        self._layout = layout
        self._name_segment = name_segment
        self._there = {(segment.container, segment.name): segment for segment in there}
        self._concurrency = concurrency
        self._sends = sends
        self._lock = threading.Lock()
        # What this upload stores, or would: nobody else's.
        self._begun: set[Segment] = set()

    @property
    def stored(self) -> frozenset[Segment]:
        """What this upload stored, or began to."""
        return frozenset(self._begun if self._sends else ())

    def run(self, algorithms: Sequence[str]) -> Sent:
        """Digest and send all of the source.

        The whole is digested beside that, in the order of its bytes, out of the memory that the segments' reading
        filled.

        :param algorithms: of the whole source's digests, as hashlib names them
        :raises SourceError: the source changed meanwhile
        """
        whole = Piece(0, self._source.size)
        stop = threading.Event()
        with ThreadPoolExecutor(max_workers=1) as beside:
            checksums = beside.submit(digest, self._source, whole, algorithms, stop)
            try:
                segments = for_each(self._send, enumerate(self._layout.pieces, 1), self._concurrency)
                sent = Sent(segments, checksums.result())
            finally:
                stop.set()
        self._source.check_unchanged()
        return sent

    def transfer(self, segments: Sequence[Segment]) -> Transfer:
        """What had to be sent of *segments*, which are all of the image's."""
        uploaded = sum(segment.size for segment in self._begun)
        return Transfer(
            bytes_uploaded=uploaded,
            bytes_reused=sum(segment.size for segment in segments) - uploaded,
            segments_uploaded=len(self._begun),
            segments_reused=len(segments) - len(self._begun),
        )

    def _send(self, numbered: tuple[int, Piece]) -> Segment:
        number, piece = numbered
        digests = digest_segment(self._source, piece, _OF_SEGMENTS[self._layout.kind])
        segment = self._name_segment(number, piece.size, digests)
        if self._begin(segment) and self._sends:
            self._put_segment(segment, piece)
        return segment

    def _begin(self, segment: Segment) -> bool:
        """Whether *segment* is nowhere yet: not in the store, nor another piece's of the same content."""
        there = self._there.get((segment.container, segment.name))
        if there is not None and self._layout.kind is ManifestKind.DLO and there != segment:
            raise _in_the_way(segment)
        with self._lock:
            if segment == there or segment in self._begun:
                return False
            self._begun.add(segment)
            return True

    def _put_segment(self, segment: Segment, piece: Piece) -> None:
        headers = {"ETag": segment.etag}
        if self._layout.kind is ManifestKind.DLO:
            # Two uploads that take over the same generation must not write over each other's segments.
            headers["If-None-Match"] = "*"
        try:
            _put(self._connection, segment.container, segment.name, self._source, piece, headers)
        except ConflictError:
            self._accept_if_same(segment)

    def _accept_if_same(self, segment: Segment) -> None:
        """Go on where the segment in the way has the same bytes: another upload's, or ours whose answer was lost."""
        headers = self._connection.head_object(segment.container, segment.name)
        if headers is None or etag_of(headers) != segment.etag:
            raise _in_the_way(segment)


def _in_the_way(segment: Segment) -> ConflictError:
    return ConflictError(
        f"Another upload of this image writes other bytes to {segment.container}/{segment.name}: "
        "run again when it has ended.",
        HTTPStatus.PRECONDITION_FAILED,
    )


def _put(
    connection: Connection,
    container: str,
    name: str,
    source: FileSource,
    piece: Piece,
    headers: Mapping[str, str],
) -> None:
    etag = connection.put_object(container, name, PieceReader(source, piece), piece.size, headers)
    md5 = headers["ETag"]
    if etag != md5:
        raise IntegrityError(
            f"Swift stored {container}/{name} with ETag {etag} and {md5} was sent: run again to send it anew."
        )
