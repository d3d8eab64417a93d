# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Digests of a source: of its pieces, of the whole, and whether they are what the store has."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterable, Mapping
from functools import lru_cache

from ._image import Image, ManifestKind, Piece
from ._parallel import for_each
from ._source import FileSource, zeros

# hashlib lets other threads run while it works, so each core can have a piece.
_WORKERS = os.cpu_count() or 1

Digests = Mapping[str, str]


class Stopped(Exception):
    """Nobody waits for the digest any more."""


def digest(
    source: FileSource, piece: Piece, algorithms: Iterable[str], stop: threading.Event | None = None
) -> dict[str, str]:
    """Digests of one piece in hex, by algorithm, in one reading.

    :param algorithms: as hashlib names them
    :param stop: ends it early
    :raises Stopped: *stop* was set
    """
    return _digest_chunks(source.chunks(piece), algorithms, stop)


def digest_segment(source: FileSource, piece: Piece, algorithms: tuple[str, ...]) -> Digests:
    """The same for a piece that becomes a segment: one that is all a hole is worked out once for its size."""
    if source.is_hole(piece):
        return _digest_zeros(piece.size, algorithms)
    return digest(source, piece, algorithms)


@lru_cache(maxsize=8)
def _digest_zeros(size: int, algorithms: tuple[str, ...]) -> Digests:
    return _digest_chunks(zeros(size), algorithms, None)


def _digest_chunks(chunks: Iterable[bytes], algorithms: Iterable[str], stop: threading.Event | None) -> dict[str, str]:
    hashes = {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}
    if hashes:
        for chunk in chunks:
            if stop is not None and stop.is_set():
                raise Stopped
            for running in hashes.values():
                running.update(chunk)
    return {name: running.hexdigest() for name, running in hashes.items()}


def same_content(source: FileSource, image: Image) -> bool:
    """Whether the image in the store holds the source's bytes; nothing of it is downloaded.

    A plain image is judged by its ETag, a large one segment by segment, whoever cut it. What can't be
    told from ETags (an SLO that holds ranges of objects, or bytes of its own) counts as different, as
    does a DLO that others' objects are read with.
    """
    if source.size != image.size:
        return False
    if image.kind is ManifestKind.NONE:
        return digest(source, Piece(0, source.size), ["md5"])["md5"] == image.etag
    told = not image.strangers and all(segment.whole for segment in image.pieces)
    complete = sum(segment.size for segment in image.pieces) == image.size
    return told and complete and _same_pieces(source, image)


def _same_pieces(source: FileSource, image: Image) -> bool:
    """Compare piece by piece on all cores, and stop at the first difference."""
    expected = []
    offset = 0
    for segment in image.pieces:
        expected.append((Piece(offset, segment.size), segment.etag))
        offset += segment.size
    different = threading.Event()

    def compare(pair: tuple[Piece, str]) -> None:
        piece, etag = pair
        if not different.is_set() and digest_segment(source, piece, ("md5",))["md5"] != etag:
            different.set()

    for_each(compare, expected, _WORKERS)
    return not different.is_set()
