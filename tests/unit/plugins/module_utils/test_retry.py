# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Retries: for which requests, how often, and after what pauses."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils import _retry
from ansible_collections.imagestore.swift.plugins.module_utils._retry import (
    Backoff,
    is_temporary,
    pause_seconds,
    wait_for_listing,
)
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("statuses", "temporary"),
    [
        ([408, 429, 498, 499, 500, 502, 503, 504], True),
        ([400, 401, 403, 404, 409, 411, 412, 413, 416, 422, 501, 505, 507], False),
    ],
)
def test_temporary_and_permanent_statuses(statuses: list[int], temporary: bool) -> None:
    assert [is_temporary(status) for status in statuses] == [temporary] * len(statuses)


@given(st.integers(1, 10**4), st.one_of(st.none(), st.text(max_size=30), st.integers(0, 10**12).map(str)))
def test_pauses_are_bounded(tries: int, retry_after: str | None) -> None:
    assert 0 <= pause_seconds(tries, retry_after) <= 60


@pytest.mark.parametrize(("tries", "least", "most"), [(1, 0.5, 1), (2, 1, 2), (3, 2, 4), (7, 30, 60), (100, 30, 60)])
def test_pauses_grow_exponentially_with_jitter(tries: int, least: float, most: float) -> None:
    pauses = [pause_seconds(tries, None) for _time in range(50)]
    assert least <= min(pauses) < max(pauses) <= most


def test_retry_after_is_respected() -> None:
    assert pause_seconds(1, "7") == 7
    assert pause_seconds(5, "0") == 0
    soon = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=20), usegmt=True)
    assert 15 < pause_seconds(1, soon) <= 20
    assert pause_seconds(1, "Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert pause_seconds(1, "soon") <= 1
    assert pause_seconds(1, "Wed, 21 Oct 99999999999999999999 07:28:00 GMT") <= 1
    assert pause_seconds(1, "9" * 5000) == 60


def test_backoff_allows_the_given_number_of_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    counted: list[int] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    backoff = Backoff(2, lambda: counted.append(1))
    assert [backoff.wait("3"), backoff.wait("4"), backoff.wait("5")] == [True, True, False]
    assert pauses == [3, 4] and len(counted) == 2
    backoff.reset()
    assert backoff.wait("6") and pauses[-1] == 6


def test_no_pause_without_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", pytest.fail)
    assert not Backoff(0).wait()


def test_a_listing_is_polled_until_complete_or_timed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    answers = [False, False, True]
    assert wait_for_listing(lambda: answers.pop(0)) and answers == []
    monkeypatch.setattr(_retry, "_LISTING_SECONDS", -1.0)
    assert not wait_for_listing(lambda: False)
