# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of a cluster, which leaves nothing of it."""

from __future__ import annotations

import os
import signal
import time

from .errors import ClusterError
from .folder import POLL_SECONDS, remove, try_lock
from .layout import Layout
from .state import load_state

# The supervisor is asked to stop its servers. After the first time it is killed, and the kernel kills the servers with
# it. After the second time, stopping fails.
KILL_AFTER_SECONDS = 20.0
STOP_SECONDS = 30.0


def stop(layout: Layout) -> bool:
    """Stop the cluster in a folder and remove the folder; return whether there was anything."""
    begin = time.monotonic()
    sent = 0
    while layout.root.exists():
        lock = try_lock(layout)
        if lock is not None:
            return _remove(layout, lock) or sent > 0
        waited = time.monotonic() - begin
        if waited > STOP_SECONDS:
            raise ClusterError(f"the cluster in {layout.root} does not stop: look for its processes", "supervisor")
        wanted = signal.SIGKILL if waited > KILL_AFTER_SECONDS else signal.SIGTERM
        if wanted != sent and _signal_supervisor(layout, wanted):
            sent = wanted
        time.sleep(POLL_SECONDS)
    return sent > 0


def _signal_supervisor(layout: Layout, signum: int) -> bool:
    """Send a signal to the supervisor; return whether it was known already."""
    state = load_state(layout)
    if state is None:
        return False
    state.supervisor.send(signum)
    return True


def _remove(layout: Layout, lock: int) -> bool:
    ours = layout.marker.exists()
    try:
        remove(layout)
    finally:
        os.close(lock)
    return ours
