# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A command that runs with a cluster of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import partial
from types import FrameType

from .client_files import told_to_clients
from .errors import ClusterError
from .layout import Layout
from .processes import die_with
from .settings import Settings
from .starter import Say, launch
from .stopper import stop

GRACE_SECONDS = 10.0
INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
BY_SIGNAL = 128
NOT_FOUND = 127


class Interrupted(Exception):
    """A signal to stop before the command has ended."""

    def __init__(self, signum: int) -> None:
        super().__init__(f"interrupted by signal {signum}")
        self.signum = signum


def run(layout: Layout, settings: Settings, command: list[str], say: Say) -> int:
    """Start a cluster, run the command, stop the cluster; return the command's exit code."""
    for signum in INTERRUPTS:
        signal.signal(signum, _interrupt)
    running = None
    try:
        running = launch(layout, settings, say)
        if running is None:
            raise ClusterError(f"a cluster is already running in {layout.root}: choose another folder")
        return _run_command(layout, command)
    except Interrupted as interruption:
        return BY_SIGNAL + interruption.signum
    finally:
        for signum in INTERRUPTS:
            signal.signal(signum, signal.SIG_IGN)
        if running is not None:
            running.abandon()
            # If the supervisor was killed, the cluster's folder still exists.
            stop(layout)


def _interrupt(signum: int, _frame: FrameType | None) -> None:
    raise Interrupted(signum)


def _run_command(layout: Layout, command: list[str]) -> int:
    environ = {**os.environ, **told_to_clients(layout)}
    try:
        process = subprocess.Popen(command, env=environ, preexec_fn=partial(die_with, os.getpid()))
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        return NOT_FOUND
    try:
        code = process.wait()
    except Interrupted as interruption:
        code = _end(process, interruption.signum)
    return BY_SIGNAL - code if code < 0 else code


def _end(process: subprocess.Popen[bytes], signum: int) -> int:
    """End the command, by SIGKILL if need be; return its exit code."""
    steps: list[int | None] = [signal.SIGTERM, signal.SIGKILL]
    if signum == signal.SIGINT:
        # A terminal has sent Ctrl-C to the command as well: let it clean up first.
        steps.insert(0, None)
    for step in steps:
        if step is not None:
            process.send_signal(step)
        try:
            return process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            continue
    raise ClusterError(f"process {process.pid} does not end, not even when it is killed")
