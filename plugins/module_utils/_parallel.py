# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same thing to many items, side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def for_each(function: Callable[[Item], Answer], items: Iterable[Item], workers: int) -> list[Answer]:
    """Call *function* for every item on *workers* threads; the answers come in the items' order.

    After the first exception nothing more is begun, what is under way ends, and it is raised.
    """
    with ThreadPoolExecutor(max_workers=workers) as pool:
        futures = [pool.submit(function, item) for item in items]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
        finally:
            # After Ctrl-C, too, nothing more is begun.
            pool.shutdown(wait=False, cancel_futures=True)
    # A future is cancelled only after another one failed: that one is asked first, and raises.
    return [future.result() for future in sorted(futures, key=lambda future: future.cancelled())]
