# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a request is worth another try, and how long to wait before that.

Pure: knows neither Ansible nor the network.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from http import HTTPStatus

_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 60.0
# So many times is the pause doubled before it is longer than the longest.
_DOUBLINGS = 6

# Swift's own, beside those of RFC 9110 and RFC 6585: 498 for its rate limit, 499 for a client that was too slow.
_TEMPORARY = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS, 498, 499})
# Waiting makes no room, and teaches no server a method.
_FINAL = frozenset({HTTPStatus.INSUFFICIENT_STORAGE, HTTPStatus.NOT_IMPLEMENTED, HTTPStatus.HTTP_VERSION_NOT_SUPPORTED})


def is_temporary(status: int) -> bool:
    """Whether the same request may be answered otherwise later."""
    return status in _TEMPORARY or (status >= HTTPStatus.INTERNAL_SERVER_ERROR and status not in _FINAL)


def pause_seconds(tries: int, retry_after: str | None) -> float:
    """How long to wait before another try.

    It doubles with each, and half of it is left to chance, so that segments that failed together do not come again
    together. What the server asks for goes before that, up to a bound.

    :param tries: how many there were
    :param retry_after: the header of that name (RFC 9110, 10.2.3), if there was one
    """
    asked = _asked_seconds(retry_after)
    if asked is not None:
        return min(asked, _LONGEST_PAUSE_SECONDS)
    longest = min(_FIRST_PAUSE_SECONDS * 2 ** min(tries - 1, _DOUBLINGS), _LONGEST_PAUSE_SECONDS)
    return random.uniform(longest / 2, longest)


def _asked_seconds(retry_after: str | None) -> float | None:
    """A number of seconds, or a date; None for what is neither."""
    if not retry_after:
        return None
    if retry_after.isascii() and retry_after.strip().isdigit():
        return float(retry_after)
    try:
        date = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=timezone.utc)
    return max(0.0, (date - datetime.now(timezone.utc)).total_seconds())


# Swift updates listings behind the answer to a PUT or a DELETE where a container server is slow or away.
_LISTING_SECONDS = 30.0
_PAUSE_SECONDS = 0.5


def listing_agrees(is_so: Callable[[], bool]) -> bool:
    """Wait until a container's listing shows what was done.

    :param is_so: asks whether it does
    :returns: False when it still does not after the time that this takes at most
    """
    deadline = time.monotonic() + _LISTING_SECONDS
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE_SECONDS)
    return True
