# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes that cannot outlive the one that started them."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from functools import partial
from pathlib import Path
from typing import NamedTuple

PR_SET_PDEATHSIG = 1

# A proxy or an OS_* variable of the caller's shell would change what the servers talk to.
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH")


class Process(NamedTuple):
    """A process that cannot be mistaken for a later one with the same id."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> Process:
        """Return the running process with this id."""
        return cls(pid, _stat(pid)[19])

    def is_alive(self) -> bool:
        """Return whether it still runs."""
        try:
            stat = _stat(self.pid)
        except (FileNotFoundError, ProcessLookupError):
            return False
        return stat[19] == self.started and stat[0] not in ("Z", "X")

    def send(self, signum: int) -> None:
        """Send a signal, unless it has ended."""
        if self.is_alive():
            os.kill(self.pid, signum)


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat after the name, which may hold blanks and brackets."""
    text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    return text.rpartition(")")[2].split()


def die_with(parent: int) -> None:
    """Ask the kernel to kill this process when its parent ends, for whatever reason."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), "prctl")
    # The parent may have ended before the kernel was asked.
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def let_forks_die_with_us() -> None:
    """Make this process's forks die with it: they do not inherit the request to the kernel."""
    os.register_at_fork(after_in_child=partial(die_with, os.getpid()))


def python(module: str, *arguments: str) -> list[str]:
    """Return the command line of one of our modules."""
    return [sys.executable, "-P", "-m", f"{__package__}.{module}", *arguments]


def environment() -> dict[str, str]:
    """Return the environment of the supervisor and the servers."""
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    our_folder = str(Path(__file__).resolve().parent.parent)
    return {**kept, "PYTHONPATH": our_folder, "PYTHONUNBUFFERED": "1"}
