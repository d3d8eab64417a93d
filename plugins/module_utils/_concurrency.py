# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Threads: a bounded parallel map, and a thread-safe memo."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any, Generic, TypeVar

# Requests in flight if the user has no option to choose the number.
WORKERS = 8

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def parallel_map(function: Callable[[Item], Answer], items: Iterable[Item], workers: int) -> list[Answer]:
    """Call *function* for every item on *workers* threads; return the answers in the items' order.

    An item is taken from *items* only if a thread is free for it, so an iterator of large items needs little memory.
    After the first exception no further item is taken. Running calls finish, and then the exception is raised.
    A single worker is the caller's own thread.
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
            # After an interrupt the remaining items are not processed.
            queue.close()


class _Queue(Generic[Item]):
    """Numbered items for any number of threads, until it is closed."""

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
        """Hand out no further item."""
        self._is_closed = True


class Memo:
    """Thread-safe memoization."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._answers: dict[str, Any] = {}

    def get(self, key: str, compute: Callable[[], Answer]) -> Answer:
        """Return the memoized result of *compute* for *key*; other threads wait for the first call."""
        with self._lock:
            lock = self._locks[key]
        with lock:
            if key not in self._answers:
                self._answers[key] = compute()
            answer: Answer = self._answers[key]
            return answer
