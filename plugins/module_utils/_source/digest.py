# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Digests of a source: of its parts, and of the whole."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Mapping
from functools import lru_cache

from .._progress import Progress
from .file import Part, zeros

Digests = Mapping[str, str]


class Stopped(Exception):
    """Exception for a digest that is not needed any more."""


class RunningDigests:
    """Digests of bytes that come in pieces.

    :param algorithms: as hashlib names them
    """

    def __init__(self, algorithms: Iterable[str]) -> None:
        self._hashes = {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}

    def add(
        self, chunks: Iterable[bytes], stop: threading.Event | None = None, progress: Progress | None = None
    ) -> None:
        """Add *chunks*, which are not read if there are no digests to compute.

        :param stop: ends the computation early
        :param progress: counts the bytes
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
        """Return the digests of the bytes so far, in hex by algorithm."""
        return {name: running.hexdigest() for name, running in self._hashes.items()}


def digest(
    part: Part, algorithms: Iterable[str], stop: threading.Event | None = None, progress: Progress | None = None
) -> dict[str, str]:
    """Return digests of one part in hex, by algorithm, in one reading.

    :param algorithms: as hashlib names them
    :param stop: ends the computation early
    :param progress: counts the bytes
    :raises Stopped: *stop* was set
    """
    running = RunningDigests(algorithms)
    running.add(part.chunks(), stop, progress)
    return running.hex()


def digest_segment(part: Part, algorithms: tuple[str, ...]) -> Digests:
    """Return digests of a part that becomes a segment; each is computed once, and once for all holes of one size."""
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
