# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Partial downloads: a file beside the target, which notes the ranges that it holds.

Other users of the host may be able to write to the folder. So a file with the part's name is used only if it is this
user's own. A lock keeps two downloads from writing one part.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import secrets
import stat
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .._errors import DestinationError, NoRoomError, ReadOnlyFolderError
from .._source.file import OpenFile

# How many characters of the target's name the part's name has: people recognize it, and it is never too long.
_CHARACTERS = 24
_DIGITS = 16

# Many more bytes than the notes of the longest list of ranges need.
_MAX_NOTES_BYTES = 4 * 1024 * 1024
_OFFSETS = re.compile(rb"(?:[0-9]{1,20}\n)*")

# How long another download may hold the part without touching it, and how often a download touches it.
_SILENCE_SECONDS = 600
_BEAT_SECONDS = 30
_PAUSE_SECONDS = 0.5

_MODE = 0o600
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
# Errors of open() for something that is not this user's own file: a link, a folder, a FIFO, or another user's file in a
# sticky folder (fs.protected_regular).
_NOT_OWN = frozenset({errno.ELOOP, errno.EISDIR, errno.ENXIO, errno.EACCES, errno.EPERM})
# Errors of flock() on a file system that has no locks.
_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL})
# Errors for a folder in which this user may not create a file.
_READ_ONLY = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
# How often a part is opened, if another download finishes it each time.
_TRIES = 10


@dataclass(frozen=True)
class PartSpec:
    """The description of a part file to open.

    :param target: the path of the file that it becomes
    :param folder: the folder of the part file
    :param identity: of the content; a part with another identity is written anew
    :param size: of the content, in bytes
    :param resume: whether to resume a part that another run left
    """

    target: str
    folder: str
    identity: str
    size: int
    resume: bool


class PartFile:
    """A partial download, written by any number of threads, a range each.

    Behind the image's bytes, the file has a line with its identity, and one for each complete range. The next run
    resumes by these notes. They are valid for this file only, and are cut off when it is complete.

    :param path: of the file
    :param descriptor: of the same file, locked; the part file closes it
    :param has_waited: whether another download of the same target ended before this one began
    :param can_be_resumed: whether the next run finds the file by its name
    """

    def __init__(
        self, path: Path, descriptor: int, spec: PartSpec, has_waited: bool, can_be_resumed: bool = True
    ) -> None:
        self.path = path
        self.is_new = True
        self.has_waited = has_waited
        self.can_be_resumed = can_be_resumed
        self._spec = spec
        self._descriptor = descriptor
        self._lock = threading.Lock()
        self._done: set[int] = set()
        self._end = spec.size
        self._is_closed = threading.Event()
        self._pulse: threading.Thread | None = None

    @property
    def descriptor(self) -> int:
        """The file's descriptor, which the part closes."""
        return self._descriptor

    def __contains__(self, offset: int) -> bool:
        """Return whether the range that begins at *offset* is complete."""
        return offset in self._done

    def begin(self, anew: bool = False) -> None:
        """Resume the file if its notes are of the same image, or else empty it.

        :param anew: whether to empty the file in any case
        :raises DestinationError: the file can't be written
        """
        if self._pulse is None:
            self._pulse = threading.Thread(target=self._beat, daemon=True)
            self._pulse.start()
        try:
            header = self._header()
            lines = self._read_notes() if self._spec.resume and not anew else b""
            self.is_new = not (lines.startswith(header) and _OFFSETS.fullmatch(lines, len(header)))
            if self.is_new:
                lines = header
                os.ftruncate(self._descriptor, 0)
            self._done = {int(line) for line in lines[len(header) :].split()}
            self._end = self._spec.size + len(lines)
            os.ftruncate(self._descriptor, self._end)
            self._write(self._spec.size, lines)
            # No byte of the image is written before the notes are on the disk.
            os.fsync(self._descriptor)
        except OSError as error:
            raise folder_error(self._spec.folder, error) from error

    def _header(self) -> bytes:
        """Return the first line of the notes, which no image can hold, because it depends on the inode's number."""
        identity = f"{os.fstat(self._descriptor).st_ino} {self._spec.identity}"
        return f"part of {hashlib.sha256(identity.encode('utf-8')).hexdigest()}\n".encode()

    def _read_notes(self) -> bytes:
        """Return all complete lines behind the image's bytes, without a truncated last one."""
        notes = os.pread(self._descriptor, _MAX_NOTES_BYTES, self._spec.size)
        return notes[: notes.rfind(b"\n") + 1]

    def write_at(self, offset: int, data: bytes) -> None:
        """Write all of *data*.

        :raises DestinationError: there is no room, or the disk fails
        """
        try:
            self._write(offset, data)
        except OSError as error:
            raise folder_error(self._spec.folder, error) from error

    def note(self, offset: int) -> None:
        """Note that the range that begins at *offset* is complete, once its bytes are on the disk.

        :raises DestinationError: there is no room, or the disk fails
        """
        line = b"%d\n" % offset
        try:
            os.fdatasync(self._descriptor)
            with self._lock:
                self._done.add(offset)
                self._write(self._end, line)
                self._end += len(line)
        except OSError as error:
            raise folder_error(self._spec.folder, error) from error

    def reader(self) -> OpenFile:
        """Return the file, which the caller reads and closes."""
        return OpenFile(os.dup(self._descriptor), f"{str(self.path)!r}")

    def finish(self) -> None:
        """Cut off the notes, write the bytes to the disk, and check that the file still has its name.

        :raises DestinationError: the disk fails, or the file was moved or replaced
        """
        try:
            os.ftruncate(self._descriptor, self._spec.size)
            os.fsync(self._descriptor)
        except OSError as error:
            raise folder_error(self._spec.folder, error) from error
        if not _is_at(self.path, self._descriptor):
            raise DestinationError(
                f"{str(self.path)!r} was moved or replaced while the image was written to it: find out who writes to "
                "its folder, and run again."
            )

    def keep(self) -> None:
        """Restore the owner, mode and notes of a file that was finished or placed, so that the next run resumes it."""
        with suppress(OSError):
            os.fchown(self._descriptor, os.geteuid(), -1)
            os.fchmod(self._descriptor, _MODE)
            notes = b"".join([self._header(), *(b"%d\n" % offset for offset in sorted(self._done))])
            self._write(self._spec.size, notes)

    def close(self) -> None:
        """Close the file."""
        self._is_closed.set()
        if self._pulse is not None:
            self._pulse.join()
        os.close(self._descriptor)

    def _beat(self) -> None:
        """Touch the file regularly, so that a waiting download knows that this one is running."""
        while not self._is_closed.wait(_BEAT_SECONDS):
            with suppress(OSError):
                os.utime(self._descriptor)

    def remove(self) -> None:
        """Delete the file, if it still has its name."""
        if _is_at(self.path, self._descriptor):
            self.path.unlink(missing_ok=True)

    def _write(self, offset: int, data: bytes) -> None:
        view = memoryview(data)
        while view:
            written = os.pwrite(self._descriptor, view, offset)
            view = view[written:]
            offset += written


def open_part(spec: PartSpec, warn: Callable[[str], None]) -> PartFile:
    """Open a part, and wait for another download of the same target to end.

    :param warn: called if something that is not this user's file has the part's name; another name is used then, and
        the part can't be resumed
    :raises DestinationError: the part can't be created, or the other download does not end
    """
    name = Path(spec.target).name
    path = Path(spec.folder) / _part_name(name, hashlib.sha256(os.fsencode(spec.target)).hexdigest()[:_DIGITS])
    try:
        part = _open_own(path, spec)
        if part is None:
            warn(
                f"The partial file {str(path)!r} belongs to another user, is not a regular file, or is writable by "
                "others. The file is not changed, and this download can't be resumed."
            )
            path = path.with_name(_part_name(name, secrets.token_hex(_DIGITS // 2)))
            descriptor = os.open(path, _FLAGS | os.O_EXCL, _MODE)
            part = PartFile(path, descriptor, spec, has_waited=False, can_be_resumed=False)
        return part
    except OSError as error:
        raise folder_error(spec.folder, error) from error


def _part_name(name: str, mark: str) -> str:
    return f".{name[:_CHARACTERS]}.{mark}.part"


def _open_own(path: Path, spec: PartSpec) -> PartFile | None:
    """Open and lock the file at *path*; return None if it is anything other than this user's own file."""
    has_waited = False
    for _try in range(_TRIES):
        try:
            descriptor = os.open(path, _FLAGS, _MODE)
        except OSError as error:
            if error.errno in _NOT_OWN and os.path.lexists(path):
                return None
            raise
        try:
            if not _is_own(os.fstat(descriptor)):
                return None
            has_waited = _wait_for_lock(descriptor, spec.target) or has_waited
            if _is_at(path, descriptor):
                part = PartFile(path, os.dup(descriptor), spec, has_waited)
                return part
        finally:
            # The duplicated descriptor shares the lock.
            os.close(descriptor)
    return None


def _is_own(state: os.stat_result) -> bool:
    """Return whether a file is regular, this user's, not writable by others, and has no other name."""
    is_alone = state.st_uid == os.geteuid() and not state.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return stat.S_ISREG(state.st_mode) and state.st_nlink == 1 and is_alone


def _is_at(path: Path, descriptor: int) -> bool:
    """Return whether *path* leads to the open file."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.lstat(path), os.fstat(descriptor))
    return False


def _wait_for_lock(descriptor: int, target: str) -> bool:
    """Lock a file; return whether another download held the lock before.

    :raises DestinationError: the other one wrote nothing for ten minutes
    """
    has_waited = False
    seen: object = None
    deadline = 0.0
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return has_waited
        except BlockingIOError:
            has_waited = True
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            # Without locks, a collision is still found: the file is compared with its name before it is moved.
            return has_waited
        state = os.fstat(descriptor)
        if (state.st_mtime_ns, state.st_size) != seen:
            seen, deadline = (state.st_mtime_ns, state.st_size), time.monotonic() + _SILENCE_SECONDS
        if time.monotonic() > deadline:
            raise DestinationError(
                f"Another download to {target!r} has made no progress for {_SILENCE_SECONDS} seconds: end its "
                "process, and run again."
            )
        time.sleep(_PAUSE_SECONDS)


def folder_error(folder: str, error: OSError) -> DestinationError:
    """Return the error for a folder in which a part can't be created or written."""
    if error.errno in _READ_ONLY:
        return ReadOnlyFolderError(f"{folder!r} can't be written to: {error.strerror}; correct dest, or use become.")
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NoRoomError(f"There is no room in {folder!r} for the image: make room there, or choose another dest.")
    return DestinationError(f"{folder!r} can't be written to: {error.strerror}; correct dest, or use become.")
