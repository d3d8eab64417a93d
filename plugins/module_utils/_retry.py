# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Retries of requests, and time limits for listings and for slow answers."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from http import HTTPStatus

_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 60.0
# After this number of doublings the pause exceeds the longest one.
_DOUBLINGS = 6

# Any network on which the transfer of an image makes sense is faster.
_LEAST_BYTES_PER_SECOND = 1024

# If a container server is slow or unreachable, Swift updates listings only after it has answered a PUT or DELETE.
_LISTING_SECONDS = 30.0
_LISTING_PAUSE_SECONDS = 0.5

# RFC 9110 and RFC 6585 define the first two. Swift adds 498 for its rate limit, and 499 for a client that was too slow.
_TEMPORARY = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS, 498, 499})
# Waiting does not free a disk, and does not add a method or an HTTP version to a server.
_FINAL = frozenset({HTTPStatus.INSUFFICIENT_STORAGE, HTTPStatus.NOT_IMPLEMENTED, HTTPStatus.HTTP_VERSION_NOT_SUPPORTED})


def is_temporary(status: int) -> bool:
    """Return whether the same request may succeed later."""
    return status in _TEMPORARY or (status >= HTTPStatus.INTERNAL_SERVER_ERROR and status not in _FINAL)


class Backoff:
    """The retries of one request, with a longer pause before each.

    :param retries: how many there may be
    :param on_retry: called before each retry
    """

    def __init__(self, retries: int, on_retry: Callable[[], None] | None = None) -> None:
        self._retries = retries
        self._on_retry = on_retry
        self._used = 0

    def wait(self, retry_after: str | None = None) -> bool:
        """Wait until the request may be sent again.

        :param retry_after: the answer's header of that name (RFC 9110, 10.2.3), if it had one
        :returns: False, without waiting, if no retry is left
        """
        if self._used >= self._retries:
            return False
        self._used += 1
        if self._on_retry is not None:
            self._on_retry()
        time.sleep(pause_seconds(self._used, retry_after))
        return True

    def reset(self) -> None:
        """Allow all retries again, because the last try made progress."""
        self._used = 0


def pause_seconds(tries: int, retry_after: str | None) -> float:
    """Return how many seconds to wait before another try.

    The pause doubles with each try. Half of it is random, so that segments that failed together are not all sent again
    at the same moment. If the server sent ``Retry-After``, that time is used instead, up to the longest pause.

    :param tries: how many tries failed
    :param retry_after: the header of that name (RFC 9110, 10.2.3), if there was one
    """
    asked = _asked_seconds(retry_after)
    if asked is not None:
        return min(asked, _LONGEST_PAUSE_SECONDS)
    longest = min(_FIRST_PAUSE_SECONDS * 2 ** min(tries - 1, _DOUBLINGS), _LONGEST_PAUSE_SECONDS)
    return random.uniform(longest / 2, longest)


def _asked_seconds(retry_after: str | None) -> float | None:
    """Return the seconds of a ``Retry-After`` (a number or a date); None if it is neither."""
    if not retry_after:
        return None
    if retry_after.isascii() and retry_after.strip().isdigit():
        return float(retry_after)
    try:
        date = parsedate_to_datetime(retry_after)
    except (TypeError, ValueError, OverflowError):
        # Python before 3.10 raises TypeError for an invalid date.
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=timezone.utc)
    return max(0.0, (date - datetime.now(timezone.utc)).total_seconds())


class Pace:
    """A check of the transfer rate of one answer; only the time that its reader waits counts.

    :param seconds: how long the answer may be slower than 1 KiB a second
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._waited = 0.0
        self._received = 0

    def add(self, size: int, waited: float) -> None:
        """Count received bytes.

        :param waited: seconds that it took to read them
        :raises TimeoutError: the answer is too slow
        """
        self._received += size
        self._waited += waited
        if self._waited <= self._seconds:
            return
        if self._received < self._seconds * _LEAST_BYTES_PER_SECOND:
            raise TimeoutError("the answer is too slow")
        # Each period counts by itself: a fast period does not make up for a slow one.
        self._waited, self._received = 0.0, 0


def seconds_ahead(headers: Mapping[str, str]) -> float:
    """Return by how many seconds a server's clock is ahead of this host's; 0 if its answer has no ``Date``."""
    try:
        return parsedate_to_datetime(headers.get("Date", "")).timestamp() - time.time()
    except (TypeError, ValueError, OverflowError):
        return 0.0


def wait_for_listing(is_updated: Callable[[], bool]) -> bool:
    """Wait until a container's listing shows an earlier change.

    :param is_updated: lists the container, and returns whether the change shows
    :returns: False if the change does not show after 30 seconds
    """
    deadline = time.monotonic() + _LISTING_SECONDS
    while not is_updated():
        if time.monotonic() > deadline:
            return False
        time.sleep(_LISTING_PAUSE_SECONDS)
    return True
