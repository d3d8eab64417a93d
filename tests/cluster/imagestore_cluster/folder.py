# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ownership of a cluster's folder, and the lock on it.

The lock is on the folder itself, so there is no lock file to leave behind. Every process of a cluster inherits the
lock. The kernel releases it when the last process has ended, for whatever reason.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time

from .errors import ClusterError
from .layout import Layout
from .state import load_state

CLAIM_SECONDS = 180.0
POLL_SECONDS = 0.05


def claim(layout: Layout) -> int | None:
    """Return the folder, created and locked; None if a cluster is running in it.

    If another process is starting or stopping a cluster in it, wait for the outcome.
    """
    deadline = time.monotonic() + CLAIM_SECONDS
    while time.monotonic() < deadline:
        _create(layout)
        lock = try_lock(layout)
        if lock is not None:
            return lock
        if is_running(layout):
            return None
        time.sleep(POLL_SECONDS)
    raise ClusterError(f"{layout.root} is still in use by another start or stop; try `stop` first")


def try_lock(layout: Layout) -> int | None:
    """Return the folder, locked; None if it is in use or was removed meanwhile."""
    try:
        folder = os.open(layout.root, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return None
    if _lock(folder) and _is_still_there(folder, layout):
        return folder
    os.close(folder)
    return None


def _lock(folder: int) -> bool:
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_still_there(folder: int, layout: Layout) -> bool:
    """Return whether the path is still the folder that was opened; a stop may have removed that."""
    try:
        return os.path.samestat(os.fstat(folder), os.stat(layout.root))
    except FileNotFoundError:
        return False


def is_running(layout: Layout) -> bool:
    """Return whether a cluster in this folder is ready and its supervisor is alive."""
    state = load_state(layout)
    return state is not None and state.ready and state.supervisor.is_alive()


def prepare(layout: Layout) -> None:
    """Prepare a locked folder for a new cluster; remove what an earlier one left."""
    if not layout.marker.exists() and any(layout.root.iterdir()):
        raise ClusterError(f"{layout.root} is neither empty nor a cluster of ours: choose another folder")
    layout.marker.touch(mode=0o600)
    _clear(layout, keep=(layout.marker.name,))
    _require_xattrs(layout)
    layout.logs.mkdir(mode=0o700)


def remove(layout: Layout) -> None:
    """Remove the folder if it is ours."""
    if layout.marker.exists():
        shutil.rmtree(layout.root)


def keep_logs_only(layout: Layout) -> None:
    """Remove all but the logs, which show why a start failed."""
    _clear(layout, keep=(layout.marker.name, layout.logs.name))


def _create(layout: Layout) -> None:
    try:
        layout.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise ClusterError(f"{layout.root} is not a folder: choose another one") from error


def _clear(layout: Layout, keep: tuple[str, ...]) -> None:
    for entry in layout.root.iterdir():
        if entry.name in keep:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _require_xattrs(layout: Layout) -> None:
    """Raise an error without extended attributes, in which Swift keeps the metadata of an object."""
    try:
        os.setxattr(layout.marker, "user.imagestore", b"1")
    except OSError as error:
        remove(layout)
        raise ClusterError(
            f"the file system of {layout.root} keeps no user extended attributes ({error.strerror}):"
            " choose a folder on ext4, xfs or btrfs"
        ) from error
