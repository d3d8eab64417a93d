# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The processes that only the supervisor starts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from .errors import ClusterError
from .processes import Process, environment, python
from .servers import Server
from .state import State

GRACE_SECONDS = 5.0


class Children:
    """Servers, which keep running, and jobs, which end."""

    def __init__(self, state: State, lock: int) -> None:
        self._state = state
        self._lock = lock
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._jobs: set[str] = set()

    def start_server(self, server: Server) -> None:
        """Start a server and note its process id."""
        process = self._spawn(server.module, server.name)
        self._state.servers[server.name] = Process.of(process.pid)
        self._state.save()

    def start_job(self, module: str) -> None:
        """Start a job, which runs once."""
        self._jobs.add(module)
        self._spawn(module, module)

    def is_done(self, job: str) -> bool:
        """Return whether a job has succeeded."""
        return self._running[job].poll() == 0

    def require_all_well(self) -> None:
        """Raise if a server has ended, or if a job has failed."""
        for name, process in self._running.items():
            code = process.poll()
            if code is None or (code == 0 and name in self._jobs):
                continue
            raise ClusterError(f"{name} ended with {code} while the cluster was starting", log=name)

    def take_ended(self) -> list[str]:
        """Return the names of the servers that have ended since the last call, and note them in the log."""
        ended = [name for name, process in self._running.items() if process.poll() is not None]
        codes = {name: self._running.pop(name).returncode for name in ended}
        servers = [name for name in ended if name not in self._jobs]
        for name in servers:
            print(f"{name} ended with {codes[name]}", file=sys.stderr)
        return servers

    def stop(self) -> None:
        """End all servers and jobs, and wait until they have ended."""
        self._signal_all(signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        for process in self._running.values():
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                break
        self._signal_all(signal.SIGKILL)
        for process in self._running.values():
            process.wait(GRACE_SECONDS)

    def _spawn(self, module: str, name: str) -> subprocess.Popen[bytes]:
        layout = self._state.cluster.layout
        with layout.log(name).open("ab") as log:
            process = subprocess.Popen(
                python("child", module, name, str(layout.root), str(os.getpid())),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=environment(),
                pass_fds=(self._lock,),
                # With a process group of its own, a server ends together with its forks, and gets no Ctrl-C.
                start_new_session=True,
            )
        self._running[name] = process
        return process

    def _signal_all(self, signum: int) -> None:
        for process in self._running.values():
            # Until this process is waited for, the kernel cannot give its id to another one.
            if process.returncode is None:
                os.killpg(process.pid, signum)
