# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One reading of a source: its parts, one after the other, and beside them the digests of the whole."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
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
    """A source that is not opened yet: opening reads a FIFO, and sends a request to a web server."""

    def fingerprint(self) -> str | None:
        """Return what identifies the state of a URL's file, by what its server says of it; None if nothing does."""

    def known_size(self) -> int | None:
        """Return the size of a file in bytes; None if only reading tells it, or there is no such file."""

    def is_repeatable(self) -> bool:
        """Return whether all of the source can be read another time."""

    def open(self) -> Source:
        """Open the source, which the caller closes.

        :raises SourceError: it can't be read
        """
