# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A download that is killed after it has requested some parts: ``amid_download.py LOG COUNT COMMAND …``.

LOG is the cluster's log of requests, COUNT the number of parts. All processes that the command started are killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

SECONDS = 60


def main() -> int:
    """Run the command and kill it; return 0 if it was killed during its download."""
    log, count = Path(sys.argv[1]), int(sys.argv[2])
    begin = log.stat().st_size
    process = subprocess.Popen(sys.argv[3:])
    came_so_far = wait_for_parts(process, log, begin, count)
    kill_with_children(process.pid)
    process.wait()
    if not came_so_far:
        print(f"it had not asked for {count} parts", file=sys.stderr)
    return 0 if came_so_far else 1


def wait_for_parts(process: subprocess.Popen[bytes], log: Path, begin: int, count: int) -> bool:
    """Wait until *count* parts were requested; return False if the process ends before, or time is up."""
    deadline = time.monotonic() + SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if parts_since(log, begin) >= count:
            return True
        time.sleep(0.002)
    return False


def kill_with_children(pid: int) -> None:
    """Kill a process and all that it started; Ansible runs its modules in sessions of their own."""
    children = [int(child) for thread in Path(f"/proc/{pid}/task").glob("*/children") for child in _words(thread)]
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    for child in children:
        kill_with_children(child)


def _words(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii").split()
    except OSError:
        # The process has just ended.
        return []


def parts_since(log: Path, begin: int) -> int:
    """Return the number of parts that were requested since the log had *begin* bytes."""
    with log.open("rb") as file:
        file.seek(begin)
        lines = [line for line in file if line.endswith(b"\n")]
    requests = [json.loads(line) for line in lines]
    return sum(request["method"] == "GET" and is_object(request["path"]) for request in requests)


def is_object(path: str) -> bool:
    """Return whether a request's path is that of an object, ``/v1/account/container/object``."""
    return path.count("/") > 3


if __name__ == "__main__":
    sys.exit(main())
