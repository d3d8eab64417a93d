# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Digests of a source: of its pieces, of the whole, and whether they are what the store has."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ._image import Image, ManifestKind, Piece
from ._parallel import for_each
from ._source import FileSource

# hashlib lets other threads run while it works, so each core can have a piece.
_WORKERS = os.cpu_count() or 1


@dataclass(frozen=True)
class Measured:
    """A piece and its digests, in hex: MD5 for Swift's ETag, SHA-256 for an SLO segment's name."""

    piece: Piece
    md5: str
    sha256: str


def measure(
    source: FileSource, pieces: Sequence[Piece], algorithms: Sequence[str]
) -> tuple[list[Measured], dict[str, str]]:
    """Digests of each piece, and of the whole source.

    :param algorithms: of the whole source, as hashlib names them
    :returns: the pieces in their order, and the whole's digests by algorithm
    """
    with ThreadPoolExecutor(max_workers=1) as beside:
        whole = beside.submit(digest, source, Piece(0, source.size), algorithms)
        measured = for_each(lambda piece: _measure(source, piece), pieces, _WORKERS)
        return measured, whole.result()


def digest(source: FileSource, piece: Piece, algorithms: Iterable[str]) -> dict[str, str]:
    """Digests of one piece in hex, by algorithm, in one reading."""
    hashes = {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}
    if hashes:
        for chunk in source.chunks(piece):
            for running in hashes.values():
                running.update(chunk)
    return {name: running.hexdigest() for name, running in hashes.items()}


def same_content(source: FileSource, image: Image) -> bool:
    """Whether the image in the store holds the source's bytes; nothing of it is downloaded.

    A plain image is judged by its ETag, a large one segment by segment, whoever cut it. What can't be
    told from ETags (an SLO that holds ranges of objects, or bytes of its own) counts as different.
    """
    if source.size != image.size:
        return False
    if image.kind is ManifestKind.NONE:
        return digest(source, Piece(0, source.size), ["md5"])["md5"] == image.etag
    if sum(segment.size for segment in image.pieces) != image.size:
        return False
    return all(segment.whole for segment in image.pieces) and _same_pieces(source, image)


def _measure(source: FileSource, piece: Piece) -> Measured:
    digests = digest(source, piece, ["md5", "sha256"])
    return Measured(piece, digests["md5"], digests["sha256"])


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
        if not different.is_set() and digest(source, piece, ["md5"])["md5"] != etag:
            different.set()

    for_each(compare, expected, _WORKERS)
    return not different.is_set()
