# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Partial downloads: a file beside the one that it is to become, and a note of what is in it."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import threading
from collections.abc import Iterable
from pathlib import Path

from .._errors import DestinationError
from .._source.file import OpenFile

_DIGITS = 16


class PartFile:
    """A partial download, written by any number of threads, a range each.

    Ranges that are complete are noted in a second file, so that the next run can resume a download that was killed.

    :param target: what it is to become
    :param identity: of what is written; a part of something else is removed
    :param size: in bytes; what is not written of it is a hole
    :param resume: whether a part that another run left is resumed
    :raises DestinationError: it can't be made there
    """

    def __init__(self, target: str, identity: str, size: int, resume: bool) -> None:
        self._target = Path(target)
        mark = hashlib.sha256(identity.encode("utf-8")).hexdigest()[:_DIGITS]
        self.path = self._target.with_name(f".{self._target.name}.{mark}.part")
        self._note = self._target.with_name(f".{self._target.name}.{mark}.done")
        self._lock = threading.Lock()
        try:
            self._remove_others(keep={self.path, self._note} if resume else set())
            self.is_new = not self.path.exists()
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            os.ftruncate(self._descriptor, size)
            self._done = set() if self.is_new else self._read_note()
            self._notes = os.open(self._note, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._error(error) from error

    def __contains__(self, offset: int) -> bool:
        """Return whether the range that begins at *offset* is complete."""
        return offset in self._done

    def write_at(self, offset: int, data: bytes) -> None:
        """Write all of *data*.

        :raises DestinationError: there is no room, or the disk fails
        """
        view = memoryview(data)
        try:
            while view:
                written = os.pwrite(self._descriptor, view, offset)
                view = view[written:]
                offset += written
        except OSError as error:
            raise self._error(error) from error

    def note(self, offset: int) -> None:
        """Note that the range that begins at *offset* is complete."""
        with self._lock:
            self._done.add(offset)
            try:
                os.write(self._notes, b"%d\n" % offset)
            except OSError as error:
                raise self._error(error) from error

    def reader(self) -> OpenFile:
        """Return the file, which the caller reads and closes."""
        return OpenFile(os.dup(self._descriptor), f"{str(self.path)!r}")

    def close(self) -> None:
        """Close the part; the next run resumes it."""
        os.close(self._descriptor)
        os.close(self._notes)

    def remove_note(self) -> None:
        """Delete the note of a part that is complete."""
        self._note.unlink(missing_ok=True)

    def remove(self) -> None:
        """Delete the part and its note."""
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def _read_note(self) -> set[int]:
        if not self._note.exists():
            return set()
        lines = self._note.read_bytes().split(b"\n")
        # The last line may have been cut off: it is not followed by an end of line.
        return {int(line) for line in lines[:-1] if line.isdigit()}

    def _remove_others(self, keep: Iterable[Path]) -> None:
        pattern = re.compile(rf"\.{re.escape(self._target.name)}\.[0-9a-f]{{{_DIGITS}}}\.(part|done)")
        for path in self._target.parent.iterdir():
            if pattern.fullmatch(path.name) and path not in keep:
                path.unlink(missing_ok=True)

    def _error(self, error: OSError) -> DestinationError:
        folder = str(self._target.parent)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return DestinationError(f"There is no room in {folder!r} for the image: make some, or name another dest.")
        if error.errno == errno.ENAMETOOLONG:
            return DestinationError(
                "dest has a name so long that there is none for the part beside it: choose another."
            )
        return DestinationError(f"{folder!r} can't be written to: {error.strerror}; correct dest, or use become.")
