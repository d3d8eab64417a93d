# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is found out memo."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._concurrency import Memo


def test_threads_ask_once() -> None:
    memo, asked = Memo(), []

    def find_out() -> int:
        asked.append(1)
        time.sleep(0.02)
        return len(asked)

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _number: memo.get("how many", find_out), range(20))) == {1}


def test_one_question_does_not_wait_for_another() -> None:
    memo = Memo()
    assert memo.get("outer", lambda: memo.get("inner", lambda: 1) + 1) == 2


def test_what_fails_is_asked_again() -> None:
    memo = Memo()

    def fail() -> int:
        raise OSError

    with pytest.raises(OSError):
        memo.get("it", fail)
    assert memo.get("it", lambda: 2) == 2
