# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sources whose bytes come only once: they are kept in files until they are sent."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from .._errors import SourceError
from .file import OpenFile, Part

_CHUNK = 1024 * 1024

# Returns the next bytes, at most a given number, and none at the end.
Read = Callable[[int], bytes]


@dataclass(frozen=True)
class BufferedPart(Part):
    """A part in a file of its own."""

    def release(self) -> None:
        """Free the disk space."""
        self.file.close()


class Stream:
    """Bytes that come once.

    :param read: returns the next bytes
    :param label: the stream's name in messages
    :param size: the expected size in bytes; None if it is unknown
    :param folder: keeps the bytes until they are sent, in files without a name, which disappear with a process that is
        killed
    :param fingerprint: of the state of the URL that the bytes come from
    """

    def __init__(self, read: Read, label: str, size: int | None, folder: str, fingerprint: str | None = None) -> None:
        self.label = label
        self.fingerprint = fingerprint
        self.size = size
        self._read = read
        self._folder = folder
        self._position = 0
        self._ahead = b""
        self._ended = False
        self._opened = ExitStack()
        self._beginning: OpenFile | None = None

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_error: object) -> None:
        self._opened.close()

    def closes(self, callback: Callable[[], object]) -> Stream:
        """Call *callback* when the stream is closed; return the stream."""
        self._opened.callback(callback)
        return self

    def short_one(self, large_object_size: int, segment_size: int) -> OpenFile | None:
        """Return the whole stream as a file if it has no more than *large_object_size* bytes; None otherwise.

        In the latter case, the bytes that were read for this are kept, and become the first of the stream's parts.

        :param segment_size: of the parts that are requested in that case, in bytes
        :raises SourceError: the stream can't be read, or does not have the expected size
        """
        if self.size is not None and self.size > large_object_size:
            return None
        # Whole segments, so that the next one begins where this ends.
        beginning = self._keep(-(-large_object_size // segment_size) * segment_size)
        self._opened.callback(beginning.close)
        if beginning.size <= large_object_size and self._is_at_end():
            return beginning
        self._beginning = beginning
        return None

    def cut(self, size: int) -> Iterator[Part]:
        """Yield parts of *size* bytes, the last one shorter; none is empty. Each must be released.

        :raises SourceError: the stream can't be read, or does not have the expected size
        """
        if self._beginning is not None:
            yield from self._beginning.cut(size)
        while not self._is_at_end():
            yield BufferedPart(buffer := self._keep(size), 0, buffer.size)

    def check_unchanged(self) -> None:
        """Do nothing: bytes that came once can't change."""

    def _keep(self, size: int) -> OpenFile:
        """Keep the next *size* bytes, or as many as there are, in a file."""
        try:
            with tempfile.TemporaryFile(dir=self._folder, buffering=0) as file:
                while size and not self._is_at_end():
                    chunk = memoryview(self._ahead)[:size]
                    size -= len(chunk)
                    self._ahead = self._ahead[len(chunk) :]
                    while chunk:
                        chunk = chunk[file.write(chunk) :]
                return OpenFile(os.dup(file.fileno()), self.label, self.fingerprint)
        except OSError as error:
            raise SourceError(
                f"{self.label} can't be buffered in {self._folder!r}: {error.strerror}. Make room there, set "
                "buffer_dir to another folder, or reduce segment_size or concurrency."
            ) from error

    def _is_at_end(self) -> bool:
        if not self._ahead and not self._ended:
            self._ahead = self._read(_CHUNK)
            self._ended = not self._ahead
            self._count(len(self._ahead))
        return not self._ahead

    def _count(self, more: int) -> None:
        self._position += more
        if self.size is None:
            return
        if self._position > self.size:
            raise SourceError(f"{self.label} has more than the {self.size} bytes that size allows: correct size.")
        if self._ended and self._position < self.size:
            raise SourceError(
                f"{self.label} ended after {self._position} of {self.size} bytes: run again, or correct size."
            )
