# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Progress of a transfer, written to a file that the task's action plugin follows.

A problem with this file never fails the task.
"""

from __future__ import annotations

import json
import os
import stat
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace

# The environment variable that names the file; the action plugin sets it for the module.
VARIABLE = "IMAGESTORE_SWIFT_PROGRESS_FILE"

# The file is emptied above this size in bytes, because only its last line counts.
LARGEST = 64 * 1024

_SECONDS = 0.5


@dataclass(frozen=True)
class State:
    """The progress of a transfer.

    :param doing: the current action, as in ``uploading``
    :param image: the image's container and name
    :param size: how many bytes there are to process; None if that is unknown
    :param done: how many of these bytes are done
    :param reused: how many of the bytes done were already there
    :param segments_reused: how many segments were already there
    :param images_done: how many images of several are done
    :param images: how many images there are; 0 for a single one
    """

    doing: str
    image: str
    size: int | None
    done: int = 0
    reused: int = 0
    segments_reused: int = 0
    images_done: int = 0
    images: int = 0

    def to_line(self) -> bytes:
        """Return the state as a line of the file."""
        return json.dumps(asdict(self)).encode() + b"\n"


def last_state(content: bytes) -> State | None:
    """Return the state in the last whole line of the file; None if no line has one."""
    lines = content.split(b"\n")[:-1]
    if not lines:
        return None
    try:
        fields = json.loads(lines[-1])
        size = fields["size"]
        return State(
            str(fields["doing"]),
            str(fields["image"]),
            None if size is None else int(size),
            int(fields["done"]),
            int(fields["reused"]),
            int(fields["segments_reused"]),
            int(fields["images_done"]),
            int(fields["images"]),
        )
    except (ValueError, KeyError, TypeError):
        return None


class Progress:
    """A thread-safe counter of the work that is done."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state: State | None = None
        # For several images: those in progress, how many are done, and how many there are.
        self._under_way: list[Progress] = []
        self._done = 0
        self._images = 0

    @property
    def state(self) -> State | None:
        """The progress; for several images, that of the first one in progress. None before the beginning."""
        with self._lock:
            states = (one.state for one in self._under_way)
            self._state = next((state for state in states if state), self._state)
            if self._images and self._state:
                return replace(self._state, images_done=self._done, images=self._images)
            return self._state

    def begin_many(self, images: int) -> None:
        """Begin to count the work for several images."""
        with self._lock:
            self._done, self._images = 0, images

    @contextmanager
    def of_one(self) -> Iterator[Progress]:
        """Yield the counter of one of several images; the image counts as done after the block."""
        one = Progress()
        with self._lock:
            self._under_way.append(one)
        try:
            yield one
        finally:
            with self._lock:
                self._under_way.remove(one)
                self._done += 1
                self._state = self._state or one.state

    def begin(self, doing: str, image: str, size: int | None) -> None:
        """Begin an action on an image.

        :param doing: as in ``uploading``
        :param size: in bytes; None if it is unknown
        """
        with self._lock:
            self._state = State(doing, image, size)

    def add(self, size: int) -> None:
        """Count *size* bytes as done; a negative number counts bytes that must be done again."""
        with self._lock:
            if self._state is not None:
                self._state = replace(self._state, done=self._state.done + size)

    def reuse(self, size: int, segments: int = 1) -> None:
        """Count bytes and segments that were already there."""
        with self._lock:
            if self._state is not None:
                self._state = replace(
                    self._state,
                    done=self._state.done + size,
                    reused=self._state.reused + size,
                    segments_reused=self._state.segments_reused + segments,
                )


@contextmanager
def telling(environment: Mapping[str, str]) -> Iterator[Progress]:
    """Yield a counter, and write its state regularly to the file that *environment* names, if there is one.

    :param environment: the environment variables
    """
    progress = Progress()
    descriptor = _open(environment.get(VARIABLE))
    if descriptor is None:
        yield progress
        return
    stop = threading.Event()
    teller = threading.Thread(target=_tell, args=(progress, descriptor, stop), daemon=True)
    teller.start()
    try:
        yield progress
    finally:
        stop.set()
        teller.join()
        os.close(descriptor)


def _open(path: str | None) -> int | None:
    """Open the progress file; return None if it does not exist, or is a link or anything but a regular file."""
    if not path:
        return None
    with suppress(OSError):
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return descriptor
        os.close(descriptor)
    return None


def _tell(progress: Progress, descriptor: int, stop: threading.Event) -> None:
    told = None
    with suppress(OSError):
        while True:
            is_last = stop.wait(_SECONDS)
            state = progress.state
            if state is not None and state != told:
                if os.fstat(descriptor).st_size > LARGEST:
                    os.ftruncate(descriptor, 0)
                os.write(descriptor, state.to_line())
                told = state
            if is_last:
                return
