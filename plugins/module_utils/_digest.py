# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Digests of a source: of its pieces, of the whole, and whether they are what the store has."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ._image import Image, ManifestKind, Piece
from ._layout import Layout
from ._parallel import for_each
from ._source import FileSource

# hashlib lets other threads run while it works, so each core can have a piece.
_WORKERS = os.cpu_count() or 1


# Swift's ETag is an MD5; an SLO's segments are named by their SHA-256 besides.
_OF_SEGMENTS = {ManifestKind.SLO: ("md5", "sha256"), ManifestKind.DLO: ("md5",)}


@dataclass(frozen=True)
class Measured:
    """A piece that becomes a segment, and its digests in hex by algorithm."""

    piece: Piece
    digests: Mapping[str, str]


def measure(source: FileSource, layout: Layout, algorithms: Sequence[str]) -> tuple[list[Measured], dict[str, str]]:
    """Digests of each segment, and of the whole source.

    :param algorithms: of the whole source, as hashlib names them; a plain image's MD5 comes with them
    :returns: the segments in their order, none for a plain image, and the whole's digests by algorithm
    """
    whole = Piece(0, source.size)
    if layout.kind is ManifestKind.NONE:
        return [], digest(source, whole, {*algorithms, "md5"})
    of_segments = _OF_SEGMENTS[layout.kind]
    with ThreadPoolExecutor(max_workers=1) as beside:
        checksums = beside.submit(digest, source, whole, algorithms)
        measured = for_each(lambda piece: Measured(piece, digest(source, piece, of_segments)), layout.pieces, _WORKERS)
        return measured, checksums.result()


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
        if not different.is_set() and digest(source, piece, ["md5"])["md5"] != etag:
            different.set()

    for_each(compare, expected, _WORKERS)
    return not different.is_set()
