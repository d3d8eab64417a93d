# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Progress lines for people, made from the states of a transfer."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.imagestore.swift.plugins.module_utils._progress import State

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")

# An image's name may have a thousand characters.
_LONGEST_NAME = 100


@dataclass(frozen=True)
class Sample:
    """A state, and the time at which it was seen, in seconds of a monotonic clock."""

    state: State
    time: float


class Lines:
    """The lines of one task.

    :param host: the host that the task is for
    :param seconds: the time before the first line, and between two lines
    """

    def __init__(self, host: str, seconds: float) -> None:
        self._host = host
        self._seconds = seconds
        self._due: float | None = None
        # The samples: the first one of the current action, the one of the last line, and the latest one.
        self._begin: Sample | None = None
        self._shown: Sample | None = None
        self._now: Sample | None = None
        self._since: float | None = None
        self._is_any = False

    def add(self, sample: Sample) -> str | None:
        """Add a sample; return the line that is due, or None."""
        if self._due is None:
            self._since, self._due = sample.time, sample.time + self._seconds
        if self._begin is None or not _is_same(self._begin.state, sample.state):
            self._begin = self._shown = sample
        self._now = sample
        if sample.time < self._due:
            return None
        self._due = sample.time + self._seconds
        self._is_any = True
        since, self._shown = self._shown or self._begin, sample
        return self._line(since, sample, is_last=False)

    def last(self, time: float) -> str | None:
        """Return the last line; None if there was no line before it.

        :param time: the end of the task
        """
        if not self._is_any or self._begin is None or self._now is None:
            return None
        if self._now.state.images and self._since is not None:
            state = self._now.state
            return f"[{self._host}] {_images(state)}, {duration_text(time - self._since)} in all"
        return self._line(self._begin, Sample(self._now.state, time), is_last=True)

    def _line(self, since: Sample, now: Sample, is_last: bool) -> str:
        state = now.state
        seconds = now.time - since.time
        sent = state.done - state.reused - (since.state.done - since.state.reused)
        rate = max(sent, 0) / seconds if seconds > 0 else 0.0
        parts = [*([_images(state)] if state.images else []), state.doing, *_amount(state), f"{size_text(rate)}/s"]
        if is_last:
            parts.append(f"{duration_text(seconds)} in all")
        elif state.size is not None and rate:
            parts.append(f"{duration_text(max(state.size - state.done, 0) / rate)} left")
        if state.segments_reused:
            parts.append(f"{state.segments_reused} segment{'s' if state.segments_reused > 1 else ''} reused")
        return f"[{self._host}] {_readable(state.image)}: {', '.join(parts)}"


def _is_same(one: State, other: State) -> bool:
    """Return whether both states are of one action on one image, so that their difference is its progress."""
    return (one.doing, one.image) == (other.doing, other.image)


def _images(state: State) -> str:
    """Return a text that says how many images are done."""
    return f"{state.images_done} of {state.images} images"


def _amount(state: State) -> list[str]:
    """Return the percentage, and the bytes done and in total, as far as these are known."""
    if state.size is None:
        return [size_text(state.done)]
    done = min(state.done, state.size)
    percent = 100 * done // state.size if state.size else 100
    return [f"{percent} %", f"{size_text(done)} of {size_text(state.size)}"]


def size_text(size: float) -> str:
    """Return a number of bytes for people, as in ``2.8 GiB``."""
    for unit in _UNITS[:-1]:
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1024
    return f"{size:.3g} {_UNITS[-1]}"


def duration_text(seconds: float) -> str:
    """Return a duration for people, as in ``3 min 20 s``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _readable(name: str) -> str:
    """Return a name without control characters, cut to fit into a line."""
    shown = "".join(character if character.isprintable() else "?" for character in name)
    return shown if len(shown) <= _LONGEST_NAME else f"{shown[: _LONGEST_NAME - 1]}…"
