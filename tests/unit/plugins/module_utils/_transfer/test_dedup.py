# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Content that is stored once, whoever comes first."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._transfer.dedup import Content, DedupIndex

CONTENT = Content("0" * 64, 5)


def test_who_comes_later_copies_from_who_came_first() -> None:
    dedup = DedupIndex()
    sent: list[str] = []
    copied: list[tuple[str, str]] = []

    def store(name: str) -> bool:
        def send() -> None:
            time.sleep(0.02)
            sent.append(name)

        def copy(source: tuple[str, str]) -> bool:
            assert source[1] in sent
            copied.append(source)
            return True

        return dedup.store(CONTENT, ("c", name), send, copy)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(store, "abcd"))
    assert sorted(answers) == [False, False, False, True]
    assert copied == [("c", sent[0])] * 3


def test_it_is_sent_where_the_first_failed_or_is_not_there_any_more() -> None:
    dedup = DedupIndex()
    sent: list[str] = []

    def fail() -> None:
        raise OSError

    with pytest.raises(OSError):
        dedup.store(CONTENT, ("c", "a"), fail, lambda _source: True)
    assert dedup.store(CONTENT, ("c", "b"), lambda: sent.append("b"), lambda _source: True)
    other = DedupIndex()
    assert other.store(CONTENT, ("c", "a"), lambda: sent.append("a"), lambda _source: False)
    assert other.store(CONTENT, ("c", "c"), lambda: sent.append("c"), lambda _source: False)
    assert sent == ["b", "a", "c"]


def test_only_sizes_that_are_there_twice_may_be_the_same() -> None:
    dedup = DedupIndex([1, 2, 2])
    assert [dedup.may_have(size) for size in (1, 2, 3)] == [False, True, False]


def test_a_container_is_asked_for_until_it_is_there() -> None:
    dedup = DedupIndex()
    answers = [False, True]
    assert [dedup.has_container("c", lambda: answers.pop(0)) for _time in range(3)] == [False, True, True]
    assert not answers
