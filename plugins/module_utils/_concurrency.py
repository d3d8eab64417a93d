# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same thing to many items, side by side."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any, Generic, TypeVar

# Requests at once where the user does not say how many.
WORKERS = 8

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def parallel_map(function: Callable[[Item], Answer], items: Iterable[Item], workers: int) -> list[Answer]:
    """Call *function* for every item on *workers* threads; the answers come in the items' order.

    An item is taken when there is a thread for it, so that there are never more of them than threads. After the
    first exception nothing more is begun, what is under way ends, and it is raised. One worker is the caller's thread.
    """
    queue = _Queue(items)
    answers: dict[int, Answer] = {}

    def work() -> None:
        try:
            for number, item in queue:
                answers[number] = function(item)
        finally:
            queue.close()

    if workers == 1:
        work()
    else:
        _run(work, workers, queue)
    return [answers[number] for number in range(len(answers))]


def _run(work: Callable[[], None], workers: int, queue: _Queue[Item]) -> None:
    with ThreadPoolExecutor(max_workers=workers) as pool:
        try:
            for ended in as_completed([pool.submit(work) for _number in range(workers)]):
                ended.result()
        finally:
            # Whoever is interrupted here does not wait for all that there is to be done.
            queue.close()


class _Queue(Generic[Item]):
    """Numbered items, handed out to any number of threads until it is closed."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._items = enumerate(items)
        self._lock = threading.Lock()
        self._is_closed = False

    def __iter__(self) -> _Queue[Item]:
        return self

    def __next__(self) -> tuple[int, Item]:
        with self._lock:
            if self._is_closed:
                raise StopIteration
            return next(self._items)

    def close(self) -> None:
        """Hand out nothing more."""
        self._is_closed = True


class Memo:
    """Answers that are kept, for any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._answers: dict[str, Any] = {}

    def get(self, question: str, find_out: Callable[[], Answer]) -> Answer:
        """What *find_out* returned when it was first called for *question*; who asks meanwhile waits for it."""
        with self._lock:
            lock = self._locks[question]
        with lock:
            if question not in self._answers:
                self._answers[question] = find_out()
            answer: Answer = self._answers[question]
            return answer
