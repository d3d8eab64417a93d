# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Digests of a source: of its parts, of the whole, and whether they are what the store has."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from ._image import Image, ManifestKind
from ._location import Location
from ._parallel import for_each
from ._progress import Progress
from ._segment_names import named_content
from ._source import OpenFile, Part, zeros

# hashlib lets other threads run while it works, so each core can have a part.
_WORKERS = os.cpu_count() or 1

Digests = Mapping[str, str]


class Stopped(Exception):
    """Nobody waits for the digest any more."""


class RunningDigests:
    """Digests of what comes in pieces.

    :param algorithms: as hashlib names them
    """

    def __init__(self, algorithms: Iterable[str]) -> None:
        self._hashes = {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}

    def add(
        self, chunks: Iterable[bytes], stop: threading.Event | None = None, progress: Progress | None = None
    ) -> None:
        """Go on with *chunks*, which are not asked for where there is nothing to work out.

        :param stop: ends it early
        :param progress: counts them
        :raises Stopped: *stop* was set
        """
        if not self._hashes:
            return
        for chunk in chunks:
            if stop is not None and stop.is_set():
                raise Stopped
            for running in self._hashes.values():
                running.update(chunk)
            if progress is not None:
                progress.add(len(chunk))

    def hex(self) -> dict[str, str]:
        """The digests of what there was so far, in hex by algorithm."""
        return {name: running.hexdigest() for name, running in self._hashes.items()}


def digest(
    part: Part, algorithms: Iterable[str], stop: threading.Event | None = None, progress: Progress | None = None
) -> dict[str, str]:
    """Digests of one part in hex, by algorithm, in one reading.

    :param algorithms: as hashlib names them
    :param stop: ends it early
    :param progress: counts what was read
    :raises Stopped: *stop* was set
    """
    running = RunningDigests(algorithms)
    running.add(part.chunks(), stop, progress)
    return running.hex()


def digest_segment(part: Part, algorithms: tuple[str, ...]) -> Digests:
    """The same for a part that becomes a segment: each is worked out once, for all holes of one size, too."""
    known = part.file.digests.setdefault((part.offset, part.size), {})
    missing = tuple(name for name in algorithms if name not in known)
    if missing:
        known.update(digest_zeros(part.size, missing) if part.is_hole() else digest(part, missing))
    return known


@lru_cache(maxsize=8)
def digest_zeros(size: int, algorithms: tuple[str, ...]) -> Digests:
    running = RunningDigests(algorithms)
    running.add(zeros(size))
    return running.hex()


def same_content(file: OpenFile, location: Location, image: Image, progress: Progress) -> bool:
    """Whether the image in the store holds the file's bytes; nothing of it is downloaded.

    A plain image is judged by its ETag, a large one segment by segment, whoever cut it: by the SHA-256 in the names
    that this collection gives, which is worked out in less than half the time of an MD5, and by the ETags of others.
    What can't be told from these (an SLO that holds ranges of objects, or bytes of its own, a DLO that others' objects
    are read with, an SLO whose manifest Ceph RGW does not give) is told by the digests that are recorded, if there are.

    :param location: of the image
    :param progress: counts what was compared
    """
    if file.size != image.size:
        return False
    progress.begin("comparing", location.label, file.size)
    if image.kind is ManifestKind.NONE:
        return digest(file.whole(), ["md5"], progress=progress)["md5"] == image.etag
    if image.is_told_by_pieces:
        return _same_pieces(file, location, image, progress)
    checksums = dict(image.checksums)
    return bool(checksums) and digest(file.whole(), checksums, progress=progress) == checksums


def _same_pieces(file: OpenFile, location: Location, image: Image, progress: Progress) -> bool:
    """Compare piece by piece on all cores, and stop at the first difference."""
    different = threading.Event()

    def compare(expected: tuple[Part, str, str]) -> None:
        part, algorithm, value = expected
        if not different.is_set() and digest_segment(part, (algorithm,))[algorithm] != value:
            different.set()
        progress.add(part.size)

    for_each(compare, _expected_parts(file, location, image), _WORKERS)
    return not different.is_set()


def _expected_parts(file: OpenFile, location: Location, image: Image) -> Iterator[tuple[Part, str, str]]:
    """The file's parts, each with the digest that it is to have, and by which algorithm."""
    offset = 0
    for segment in image.pieces:
        sha256 = named_content(location, segment.name)
        part = Part(file, offset, segment.size)
        yield (part, "md5", segment.etag) if sha256 is None else (part, "sha256", sha256)
        offset += segment.size
