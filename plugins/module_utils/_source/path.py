# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The source that ``src`` names: a file or block device, or a FIFO or other device whose bytes come once."""

from __future__ import annotations

import os
import select
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from .._errors import SourceError
from .file import OpenFile, open_to_read
from .reader import Expected, Source
from .stream import Stream

# How long a writer may write nothing: long enough for a slow program, but not forever.
_SILENCE_SECONDS = 600


def open_path(path: str, size: int | None, folder: Callable[[], str]) -> Source:
    """Open an image's source.

    :param path: on the host that runs the task
    :param size: the expected size in bytes; None for any size
    :param folder: returns the folder that keeps a stream's bytes until they are sent
    :raises SourceError: the source does not exist, can't hold an image, may not be read, or has another size
    """
    descriptor = open_to_read(path)
    label = f"src {path!r}"
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode) or stat.S_ISBLK(mode):
        return _check_size(OpenFile(descriptor, label), size)
    if stat.S_ISFIFO(mode) or stat.S_ISCHR(mode):
        read = partial(_read_when_there, descriptor, label)
        return Stream(read, label, size, folder()).closes(partial(os.close, descriptor))
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise SourceError(f"{label} is a folder: name an image file in it, or use swift_images to store many images.")
    raise SourceError(f"{label} is neither a file nor a device nor a FIFO: name an image file.")


def _check_size(file: OpenFile, size: int | None) -> OpenFile:
    if size is not None and file.size != size:
        file.close()
        raise SourceError(
            f"{file.label} has {file.size} bytes, but size is {size}: correct size, or get the file again."
        )
    return file


def _read_when_there(descriptor: int, label: str, size: int) -> bytes:
    """Return bytes as soon as some have arrived; none if all writers have closed the file.

    A read also returns nothing before a writer has opened a FIFO. Only poll() waits for one.
    """
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    if not waiting.poll(_SILENCE_SECONDS * 1000):
        raise SourceError(
            f"{label} has sent no data for {_SILENCE_SECONDS} seconds: start the program that writes to it."
        )
    try:
        return os.read(descriptor, size)
    except OSError as error:
        raise SourceError(f"{label} can't be read: {error.strerror}.") from error


@dataclass(frozen=True)
class PathSourceSpec:
    """The source that ``src`` names.

    :param path: on the host that runs the task
    :param size: the expected size in bytes; None for any size
    :param folder: returns the folder that keeps a stream's bytes until they are sent
    """

    path: str
    size: int | None
    folder: Callable[[], str]

    def fingerprint(self) -> str | None:
        return None

    def known_size(self) -> int | None:
        with suppress(OSError, ValueError):
            status = os.stat(self.path)
            return status.st_size if stat.S_ISREG(status.st_mode) else None
        return None

    def is_repeatable(self) -> bool:
        mode = os.stat(self.path).st_mode
        return stat.S_ISREG(mode) or stat.S_ISBLK(mode)

    def open(self, expected: Expected) -> Source:
        return open_path(self.path, self.size, self.folder)
