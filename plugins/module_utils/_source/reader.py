# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One reading of a source: its parts, one after the other, and beside them the digests of the whole."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, Union

from .digest import Digests, RunningDigests, digest
from .file import OpenFile, Part
from .stream import Stream

Source = Union[OpenFile, Stream]


class Reading(Protocol):
    """What :func:`reading` gives."""

    def parts(self) -> Iterator[Part]:
        """The source's parts, each of which has to be released."""

    def checksums(self) -> Digests:
        """Digests of the whole source in hex, by algorithm, when all parts have come."""


@contextmanager
def reading(source: Source, segment_size: int, algorithms: Iterable[str]) -> Iterator[Reading]:
    """Read a source.

    :param segment_size: of each part but the last, in bytes
    :param algorithms: of the whole source's digests, as hashlib names them
    """
    if isinstance(source, Stream):
        yield _StreamReading(source, segment_size, algorithms)
        return
    stop = threading.Event()
    with ThreadPoolExecutor(max_workers=1) as beside:
        try:
            yield _FileReading(source, segment_size, algorithms, beside, stop)
        finally:
            stop.set()


class _FileReading:
    """The whole is digested beside the parts, in the order of its bytes, from memory that their reading filled."""

    def __init__(
        self,
        file: OpenFile,
        segment_size: int,
        algorithms: Iterable[str],
        beside: ThreadPoolExecutor,
        stop: threading.Event,
    ) -> None:
        self._file = file
        self._segment_size = segment_size
        self._whole = beside.submit(digest, file.whole(), algorithms, stop)

    def parts(self) -> Iterator[Part]:
        return self._file.cut(self._segment_size)

    def checksums(self) -> Digests:
        return self._whole.result()


class _StreamReading:
    """The whole is digested as it comes, while parts that came before are on their way."""

    def __init__(self, stream: Stream, segment_size: int, algorithms: Iterable[str]) -> None:
        self._stream = stream
        self._segment_size = segment_size
        self._running = RunningDigests(algorithms)

    def parts(self) -> Iterator[Part]:
        for part in self._stream.cut(self._segment_size):
            self._running.add(part.chunks())
            yield part

    def checksums(self) -> Digests:
        return self._running.hex()


class SourceSpec(Protocol):
    """What ``src`` or ``url`` names."""

    def fingerprint(self) -> str | None:
        """What stands for the state of it, where somebody else than its bytes tells that."""

    def known_size(self) -> int | None:
        """Its size in bytes, where it is a file; None where only reading it tells, or it can't be had."""

    def is_repeatable(self) -> bool:
        """Whether all of it can be read another time."""

    def open(self) -> AbstractContextManager[tuple[Source, str | None]]:
        """The source, and its fingerprint."""
