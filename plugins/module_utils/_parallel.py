# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same thing to many items, side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def for_each(function: Callable[[Item], Answer], items: Iterable[Item], workers: int) -> list[Answer]:
    """Call *function* for every item on *workers* threads; the answers come in the items' order.

    An item is taken when there is a thread for it, so that there are never more of them than threads. After the
    first exception nothing more is begun, what is under way ends, and it is raised.
    """
    futures: list[Future[Answer]] = []
    running: set[Future[Answer]] = set()
    with ThreadPoolExecutor(max_workers=workers) as pool:
        for item in items:
            future = pool.submit(function, item)
            futures.append(future)
            running.add(future)
            if len(running) == workers:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                if any(ended.exception() for ended in done):
                    break
    failed = [future for future in futures if future.exception()]
    return [future.result() for future in failed or futures]
