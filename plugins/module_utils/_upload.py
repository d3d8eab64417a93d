# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A source's bytes into Swift: segments in flight, and those that are there already left alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from ._connection import Connection
from ._errors import IntegrityError
from ._headers import content_headers
from ._image import Image, Piece, Segment
from ._location import Location
from ._parallel import for_each
from ._source import FileSource, PieceReader


@dataclass(frozen=True)
class Transfer:
    """What an upload sent and what it could spare; a plain image has no segments."""

    bytes_uploaded: int = 0
    bytes_reused: int = 0
    segments_uploaded: int = 0
    segments_reused: int = 0


def send_plain(connection: Connection, location: Location, source: FileSource, image: Image) -> Transfer:
    """Store the whole source as one object.

    :param image: as it will stand; Swift refuses what arrives with another MD5 than its ETag
    """
    source.check_unchanged()
    whole = Piece(0, source.size)
    _put(connection, location.container, location.name, source, whole, str(image.etag), content_headers(image))
    return Transfer(bytes_uploaded=source.size)


def send_segments(
    connection: Connection,
    source: FileSource,
    pieces: Sequence[Piece],
    segments: Sequence[Segment],
    there: Collection[Segment],
    concurrency: int,
) -> Transfer:
    """Store *pieces* as *segments*, each object once and none that is *there*.

    :param there: segments in the store; what has the same name, size and ETag is not sent again
    :param concurrency: how many are in flight
    """
    known = set(there)
    missing = {segment: piece for segment, piece in zip(segments, pieces, strict=True) if segment not in known}

    def send(item: tuple[Segment, Piece]) -> None:
        segment, piece = item
        _put(connection, segment.container, segment.name, source, piece, segment.etag, {})

    for_each(send, missing.items(), concurrency)
    source.check_unchanged()
    uploaded = sum(segment.size for segment in missing)
    return Transfer(
        bytes_uploaded=uploaded,
        bytes_reused=source.size - uploaded,
        segments_uploaded=len(missing),
        segments_reused=len(segments) - len(missing),
    )


def _put(
    connection: Connection,
    container: str,
    name: str,
    source: FileSource,
    piece: Piece,
    md5: str,
    headers: Mapping[str, str],
) -> None:
    etag = connection.put_object(container, name, PieceReader(source, piece), piece.size, {**headers, "ETag": md5})
    if etag != md5:
        raise IntegrityError(
            f"Swift stored {container}/{name} with ETag {etag} and {md5} was sent: run again to send it anew."
        )
