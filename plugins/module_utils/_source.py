# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an image is read from, in pieces that can be read again."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from types import TracebackType

from ._errors import SourceError
from ._image import Piece

_CHUNK = 1024 * 1024

_ZEROS = bytes(_CHUNK)


def zeros(size: int) -> Iterator[bytes]:
    """What a hole of *size* bytes is read as, a bounded number at a time."""
    while size:
        chunk = _ZEROS[:size]
        size -= len(chunk)
        yield chunk


class FileSource:
    """A regular file or a block device, opened once and read by any number of threads.

    :param path: of the file, on the host that runs the task
    :raises SourceError: it is not there, is nothing that can be read again, or may not be read
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._descriptor = _open(path)
        self._state = os.fstat(self._descriptor)
        # A device's size is not in its state.
        self.size = os.lseek(self._descriptor, 0, os.SEEK_END)

    def __enter__(self) -> FileSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)

    def read_at(self, offset: int, size: int) -> bytes:
        """*size* bytes from *offset*.

        :raises SourceError: the file ends before that, or its disk fails
        """
        try:
            data = os.pread(self._descriptor, size, offset)
        except OSError as error:
            raise SourceError(f"src {self.path!r} can't be read: {error.strerror}.") from error
        if size and not data:
            raise SourceError(f"src {self.path!r} became shorter while it was read: run again when it is complete.")
        return data

    def chunks(self, piece: Piece) -> Iterator[bytes]:
        """The bytes of *piece*, a bounded number at a time; holes are not read."""
        offset, end = piece.offset, piece.offset + piece.size
        while offset < end:
            hole = self._hole_from(offset, end)
            if hole:
                yield from zeros(hole)
                offset += hole
            else:
                data = self.read_at(offset, min(_CHUNK, end - offset))
                offset += len(data)
                yield data

    def is_hole(self, piece: Piece) -> bool:
        """Whether there is nothing in the file where *piece* is, and so it is all zeros."""
        return self._hole_from(piece.offset, piece.offset + piece.size) == piece.size

    def _hole_from(self, offset: int, end: int) -> int:
        """How many bytes of a hole there are from *offset*, up to *end*."""
        try:
            data = os.lseek(self._descriptor, offset, os.SEEK_DATA)
        except OSError as error:
            # No data from here on; anything else is a file system, or a device, that knows no holes.
            return end - offset if error.errno == errno.ENXIO and self._still_holds(end) else 0
        return min(data, end) - offset

    def _still_holds(self, end: int) -> bool:
        """Whether the file has not become shorter, which looks like a hole at its end."""
        return os.fstat(self._descriptor).st_size >= end

    def check_unchanged(self) -> None:
        """Make sure that all that was read is of one state of the file.

        :raises SourceError: it was written to since it was opened
        """
        now = os.fstat(self._descriptor)
        # A device's time is not that of what is on it.
        if stat.S_ISREG(now.st_mode) and (now.st_size, now.st_mtime_ns) != (
            self._state.st_size,
            self._state.st_mtime_ns,
        ):
            raise SourceError(f"src {self.path!r} was written to while it was read: run again when it is complete.")


class PieceReader:
    """A piece of a source as a file that an HTTP client reads, and seeks back when it has to send it again."""

    def __init__(self, source: FileSource, piece: Piece) -> None:
        self._source = source
        self._piece = piece
        self._position = 0

    def read(self, size: int = -1) -> bytes:
        """At most *size* bytes; all that are left when it is negative."""
        left = self._piece.size - self._position
        wanted = left if size < 0 else min(size, left)
        data = self._source.read_at(self._piece.offset + self._position, wanted) if wanted else b""
        self._position += len(data)
        return data

    def tell(self) -> int:
        """The position in the piece."""
        return self._position

    def seek(self, position: int) -> int:
        """Go to *position*, counted from the piece's begin."""
        self._position = position
        return position


def _open(path: str) -> int:
    try:
        # Without O_NONBLOCK a FIFO would block here until somebody writes to it.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise SourceError(f"There is no file {path!r} on this host: correct src.") from error
    except PermissionError as error:
        raise SourceError(f"src {path!r} may not be read by this user: change its mode, or use become.") from error
    except OSError as error:
        raise SourceError(f"src {path!r} can't be opened: {error.strerror}.") from error
    mode = os.fstat(descriptor).st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISBLK(mode)):
        os.close(descriptor)
        kind = "a folder" if stat.S_ISDIR(mode) else "neither a regular file nor a block device"
        raise SourceError(f"src {path!r} is {kind}: name an image file.")
    return descriptor
