# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The reading of a source: its parts, one after the other, and beside them the digests of the whole."""

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

    :param parts: of the source, each of which has to be released
    :param checksums: returns the digests of the whole in hex, by algorithm, once all parts have come
    """

    parts: Iterator[Part]
    checksums: Callable[[], Digests]


@contextmanager
def reading(source: Source, segment_size: int, algorithms: Iterable[str]) -> Iterator[Reading]:
    """Read a source, and digest the whole of it beside its parts.

    A file is digested by a thread of its own, from memory that the reading of the parts has filled.

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
    """What a source has to be, as far as that is known before it is opened.

    :param digest: an algorithm, and the digest in hex; None if the user named none
    :param may_be_html: whether a page of HTML may be meant
    """

    digest: tuple[str, str] | None = None
    may_be_html: bool = True


class SourceSpec(Protocol):
    """A source that is not opened yet: opening reads a FIFO, and sends a request to a web server."""

    def fingerprint(self) -> str | None:
        """Return what identifies the state of a URL's file, by what its server says of it; None if nothing does."""

    def known_size(self) -> int | None:
        """Return the size of a file in bytes; None if only reading tells it, or there is no such file."""

    def is_repeatable(self) -> bool:
        """Return whether all of the source can be read another time."""

    def open(self, expected: Expected) -> Source:
        """Open the source, which the caller closes.

        :raises SourceError: it can't be read
        """
