# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cost of a client's run: wall time, CPU time and peak memory of its process and of those that it waits for."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# In seconds; a client that takes longer has failed.
TIMEOUT = 900


class Failed(Exception):
    """A client did not do its work; the text is the end of its output."""


@dataclass(frozen=True)
class Cost:
    """The cost of one run, or the medians of several: wall and CPU time in seconds, memory in mebibytes."""

    wall: float
    cpu: float
    memory: float


def measure(command: Sequence[str], environ: Mapping[str, str]) -> Cost:
    """Run *command* once.

    :raises Failed: if its exit status is not 0, or if it takes too long
    """
    with tempfile.TemporaryFile() as output:
        begin = time.perf_counter()
        process = subprocess.Popen(command, env=dict(environ), stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        status, usage = _wait(process, begin)
        wall = time.perf_counter() - begin
        if status:
            output.seek(0)
            said = output.read().decode("utf-8", "replace").split()
            raise Failed(" ".join(said)[-300:] or f"status {status}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def _wait(process: subprocess.Popen[bytes], begin: float) -> tuple[int, resource.struct_rusage]:
    """Return the exit status and usage of a process; wait4 has no timeout, so it is polled."""
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode, usage
        if time.perf_counter() - begin > TIMEOUT:
            process.kill()
            _pid, _status, usage = os.wait4(process.pid, 0)
            process.returncode = -9
            return process.returncode, usage
        time.sleep(0.005)


def medians(costs: Sequence[Cost]) -> Cost:
    """Return the medians of the times, and the maximum of the memory."""
    return Cost(
        statistics.median(cost.wall for cost in costs),
        statistics.median(cost.cpu for cost in costs),
        max(cost.memory for cost in costs),
    )
