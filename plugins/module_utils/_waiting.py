# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waits, within bounds, for what Swift does behind its answers."""

from __future__ import annotations

import time
from collections.abc import Callable

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
