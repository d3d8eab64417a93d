# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sources that can be read again: files, and parts of them."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .._errors import SourceError

_CHUNK = 1024 * 1024

_ZEROS = bytes(_CHUNK)


def zeros(size: int) -> Iterator[bytes]:
    """Yield the bytes of a hole: *size* zeros, a bounded number at a time."""
    while size:
        chunk = _ZEROS[:size]
        size -= len(chunk)
        yield chunk


class OpenFile:
    """A regular file or a block device that is open, read by any number of threads.

    :param descriptor: the file's; this object closes it
    :param label: the file's name in messages
    :param fingerprint: of the state of the URL that the bytes came from
    :raises SourceError: the file has no size, like some of the kernel's files
    """

    def __init__(self, descriptor: int, label: str, fingerprint: str | None = None) -> None:
        self.descriptor = descriptor
        self.label = label
        self.fingerprint = fingerprint
        self._state = os.fstat(descriptor)
        # The digests that are known of its parts, by offset and size.
        self.digests: dict[tuple[int, int], dict[str, str]] = {}
        # fstat() does not return a device's size.
        try:
            self.size = os.lseek(descriptor, 0, os.SEEK_END)
        except OSError as error:
            os.close(descriptor)
            raise SourceError(f"{label} can't be read as a file ({error.strerror}): name an image file.") from error

    def __enter__(self) -> OpenFile:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        os.close(self.descriptor)

    def whole(self) -> Part:
        """Return the whole file as one part."""
        return Part(self, 0, self.size)

    def cut(self, size: int) -> Iterator[Part]:
        """Yield parts of *size* bytes, the last one shorter; none is empty."""
        for offset in range(0, self.size, size):
            yield Part(self, offset, min(size, self.size - offset))

    def read_at(self, offset: int, size: int) -> bytes:
        """Return at most *size* bytes from *offset*, and at least one.

        :raises SourceError: the file ends before that, or its disk fails
        """
        try:
            data = os.pread(self.descriptor, size, offset)
        except OSError as error:
            raise SourceError(f"{self.label} can't be read: {error.strerror}.") from error
        if size and not data:
            raise SourceError(f"{self.label} was truncated while it was read: run again when it is complete.")
        return data

    def hole_from(self, offset: int, end: int) -> int:
        """Return how many bytes of a hole there are from *offset*, up to *end*."""
        try:
            data = os.lseek(self.descriptor, offset, os.SEEK_DATA)
        except OSError as error:
            # ENXIO: there is no data from here on. Other errors come from a file system or a device without holes.
            return end - offset if error.errno == errno.ENXIO and self._still_holds(end) else 0
        return min(data, end) - offset

    def _still_holds(self, end: int) -> bool:
        """Return whether the file still has *end* bytes: a truncated file looks like a hole at its end."""
        return os.fstat(self.descriptor).st_size >= end

    def check_unchanged(self) -> None:
        """Check that all bytes that were read are of one state of the file.

        :raises SourceError: the file was written to after it was opened
        """
        now = os.fstat(self.descriptor)
        # A device's time does not show when its content was written.
        if stat.S_ISREG(now.st_mode) and (now.st_size, now.st_mtime_ns) != (
            self._state.st_size,
            self._state.st_mtime_ns,
        ):
            raise SourceError(f"{self.label} was written to while it was read: run again when it is complete.")


@dataclass(frozen=True)
class Part:
    """A range of bytes of an open file.

    :param offset: of the first byte
    :param size: in bytes
    """

    file: OpenFile
    offset: int
    size: int

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes, a bounded number at a time; holes are not read."""
        offset, end = self.offset, self.offset + self.size
        while offset < end:
            hole = self.file.hole_from(offset, end)
            if hole:
                yield from zeros(hole)
                offset += hole
            else:
                data = self.file.read_at(offset, min(_CHUNK, end - offset))
                offset += len(data)
                yield data

    def is_hole(self) -> bool:
        """Return whether the part is a hole, and so all zeros."""
        return self.file.hole_from(self.offset, self.offset + self.size) == self.size

    def release(self) -> None:
        """Release the bytes; here do nothing, because other parts share the file."""


class PartReader:
    """A reader of a part for an HTTP client, which seeks back to send the part again.

    :param count: called with the number of bytes by which the position changes
    """

    def __init__(self, part: Part, count: Callable[[int], None]) -> None:
        self.size = part.size
        self._part = part
        self._count = count
        self._position = 0

    def read(self, size: int = -1) -> bytes:
        """Return at most *size* bytes; all that are left if *size* is negative."""
        left = self._part.size - self._position
        wanted = left if size < 0 else min(size, left)
        data = self._part.file.read_at(self._part.offset + self._position, wanted) if wanted else b""
        self.seek(self._position + len(data))
        return data

    def tell(self) -> int:
        """Return the position in the part."""
        return self._position

    def seek(self, position: int) -> int:
        """Go to *position*, counted from the beginning of the part."""
        self._count(position - self._position)
        self._position = position
        return position


def open_to_read(path: str, option: str = "src") -> int:
    """Open the file at *path*, on the host that runs the task, and return its descriptor.

    :param option: the option that names the file, for messages
    :raises SourceError: the file does not exist, or may not be read
    """
    if path.startswith("file://"):
        raise SourceError(f"{option} is {path!r}, which is a URL: write only the path, {path[7:]!r}.")
    if "\0" in path:
        raise SourceError(f"{option} has a null byte, which is not valid in a path: remove it.")
    try:
        # Without O_NONBLOCK a FIFO would block here until somebody writes to it.
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError as error:
        where = "" if os.path.isabs(path) else f" (looked for in {os.getcwd()!r})"
        remedy = f"correct {option}" if os.path.isabs(path) else f"write an absolute path in {option}"
        raise SourceError(f"There is no file {path!r} on this host{where}: {remedy}.") from error
    except PermissionError as error:
        raise SourceError(f"This user may not read {option} {path!r}: change its mode, or use become.") from error
    except OSError as error:
        raise SourceError(f"{option} {path!r} can't be opened: {error.strerror}.") from error
