# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The reading of a source: its parts, one after the other, and in parallel the digests of the whole."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, Union

from .digest import Digests, RunningDigests, digest
from .file import OpenFile, Part
from .stream import Stream

Source = Union[OpenFile, Stream]


@dataclass(frozen=True)
class Reading:
    """A source while it is read.

    :param parts: of the source, each of which must be released
    :param checksums: returns the digests of the whole in hex, by algorithm, once all parts have been read
    """

    parts: Iterator[Part]
    checksums: Callable[[], Digests]


@contextmanager
def reading(source: Source, segment_size: int, algorithms: Iterable[str]) -> Iterator[Reading]:
    """Read a source in parts, and digest the whole of it at the same time.

    A thread of its own digests a file, from memory that the reading of the parts has filled.

    :param segment_size: of each part but the last, in bytes
    :param algorithms: of the whole source's digests, as hashlib names them
    """
    parts = source.cut(segment_size)
    if isinstance(source, Stream):
        running = RunningDigests(algorithms)
        yield Reading(_digest_on_the_way(parts, running), running.hex)
        return
    stop = threading.Event()
    with ThreadPoolExecutor(max_workers=1) as beside:
        whole = beside.submit(digest, source.whole(), algorithms, stop)
        try:
            yield Reading(parts, whole.result)
        finally:
            stop.set()


def _digest_on_the_way(parts: Iterator[Part], running: RunningDigests) -> Iterator[Part]:
    for part in parts:
        running.add(part.chunks())
        yield part


@dataclass(frozen=True)
class Expected:
    """The expected properties of a source that are known before it is opened.

    :param digest: an algorithm, and the digest in hex; None if the user named none
    :param may_be_html: whether the source may be a page of HTML
    """

    digest: tuple[str, str] | None = None
    may_be_html: bool = True


class SourceSpec(Protocol):
    """A source that is not opened yet: opening reads a FIFO, and sends a request to a web server."""

    def fingerprint(self) -> str | None:
        """Return the fingerprint of a URL's file, by its server's headers; None if there is none."""

    def known_size(self) -> int | None:
        """Return the size of a file in bytes; None if it is unknown before the reading, or there is no such file."""

    def is_repeatable(self) -> bool:
        """Return whether all of the source can be read again."""

    def open(self, expected: Expected) -> Source:
        """Open the source, which the caller closes.

        :raises SourceError: it can't be read
        """
