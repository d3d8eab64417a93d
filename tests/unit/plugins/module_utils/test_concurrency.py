# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bounded parallel map, and the memo."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._concurrency import Memo, parallel_map
from ansible_collections.imagestore.swift.plugins.module_utils._errors import SourceError


@pytest.mark.parametrize("workers", [1, 2, 7, 200])
def test_results_are_in_the_order_of_the_items(workers: int) -> None:
    assert parallel_map(lambda number: number * 2, range(100), workers) == list(range(0, 200, 2))


@pytest.mark.parametrize("workers", [1, 2])
def test_the_first_error_stops_the_rest(workers: int) -> None:
    begun = []
    gate = threading.Event()

    def fail(number: int) -> None:
        begun.append(number)
        if number == 0:
            raise SourceError("zero")
        gate.wait(0.05)

    with pytest.raises(SourceError, match="zero"):
        parallel_map(fail, range(1000), workers)
    assert len(begun) < 1000


def test_a_failing_iterator_stops_the_rest() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise SourceError("no second one")

    with pytest.raises(SourceError, match="no second one"):
        parallel_map(str, items(), 3)


def test_items_are_taken_only_when_a_thread_is_free() -> None:
    taken: list[int] = []
    done: list[int] = []

    def items() -> Iterator[int]:
        for number in range(50):
            taken.append(number)
            assert len(taken) - len(done) <= 3
            yield number

    parallel_map(done.append, items(), 3)
    assert sorted(done) == list(range(50))


def test_a_single_worker_runs_in_the_calling_thread() -> None:
    assert parallel_map(lambda _item: threading.get_ident(), [0], 1) == [threading.get_ident()]


def test_a_memo_computes_each_key_once() -> None:
    memo, computed = Memo(), []

    def compute() -> int:
        computed.append(1)
        time.sleep(0.02)
        return len(computed)

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _number: memo.get("key", compute), range(20))) == {1}


def test_memo_keys_do_not_block_each_other() -> None:
    memo = Memo()
    assert memo.get("outer", lambda: memo.get("inner", lambda: 1) + 1) == 2


def test_a_failed_computation_is_repeated() -> None:
    memo = Memo()

    def fail() -> int:
        raise OSError

    with pytest.raises(OSError):
        memo.get("key", fail)
    assert memo.get("key", lambda: 2) == 2
