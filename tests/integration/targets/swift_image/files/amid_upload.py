# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs an upload, and does something when it has sent some segments: ``amid_upload.py LOG COUNT ACTION COMMAND …``.

LOG is where the cluster notes the requests that it answers, COUNT the number of segments. ACTION is ``kill``, with all
that the command started, or ``append:FILE``, which writes to the image's file. METHOD=GET is for a download.
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
    """Run it; 0 when it was killed, and else what it ended with."""
    log, count, action = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    begin = log.stat().st_size
    process = subprocess.Popen(sys.argv[4:])
    if not wait_for_segments(process, log, begin, count):
        kill_with_children(process.pid)
        process.wait()
        print(f"it had not sent {count} segments", file=sys.stderr)
        return 1
    if action == "kill":
        kill_with_children(process.pid)
        process.wait()
        return 0
    with open(action.removeprefix("append:"), "ab") as image:
        image.write(b"more")
    return process.wait()


def wait_for_segments(process: subprocess.Popen[bytes], log: Path, begin: int, count: int) -> bool:
    """Wait until *count* segments were sent; False when the process ended before, or time is up."""
    deadline = time.monotonic() + SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if segments_since(log, begin) >= count:
            return True
        time.sleep(0.002)
    return False


def kill_with_children(pid: int) -> None:
    """Kill a process and all that it started; Ansible gives its modules sessions of their own."""
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


def segments_since(log: Path, begin: int) -> int:
    """How many segments were sent since the log had *begin* bytes."""
    with log.open("rb") as file:
        file.seek(begin)
        lines = [line for line in file if line.endswith(b"\n")]
    requests = [json.loads(line) for line in lines]
    method = os.environ.get("METHOD", "PUT")
    return sum(request["method"] == method and is_object(request["path"]) for request in requests)


def is_object(path: str) -> bool:
    """Whether a request's path, ``/v1/account/container/object``, is an object's."""
    return path.count("/") > 3


if __name__ == "__main__":
    sys.exit(main())
