# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The start of a cluster: it starts the supervisor, and reads its reports until all servers are up."""

from __future__ import annotations

import json
import os
import select
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import IO

from .errors import ClusterError
from .folder import claim, prepare
from .layout import Layout
from .processes import environment, python
from .settings import Settings
from .starter_link import KEEP

# Longer than the supervisor itself waits.
READY_SECONDS = 150.0
ABANDON_SECONDS = 30.0

Say = Callable[[str], None]


class Running:
    """A cluster that runs, and that stops when this process ends unless it is let go."""

    def __init__(self, supervisor: subprocess.Popen[bytes], lifeline: IO[bytes]) -> None:
        self._supervisor = supervisor
        self._lifeline = lifeline

    def let_go(self) -> None:
        """Leave the cluster running when this process ends."""
        self._lifeline.write(KEEP)
        self._lifeline.close()

    def abandon(self) -> None:
        """Stop the cluster, and wait until it has stopped."""
        self._lifeline.close()
        try:
            self._supervisor.wait(ABANDON_SECONDS)
        except subprocess.TimeoutExpired:
            # The kernel kills the servers along with it.
            self._supervisor.kill()


def launch(layout: Layout, settings: Settings, say: Say) -> Running | None:
    """Start a cluster and wait until it is up; return None if one is running in that folder."""
    lock = claim(layout)
    if lock is None:
        return None
    try:
        prepare(layout)
        running, reports = _start_supervisor(layout, settings, lock)
    finally:
        os.close(lock)
    try:
        _await_ready(reports, say)
    except BaseException:
        # Nothing may stay behind, whatever ends the wait, be it Ctrl-C.
        running.abandon()
        raise
    return running


def _start_supervisor(layout: Layout, settings: Settings, lock: int) -> tuple[Running, int]:
    with layout.log("supervisor").open("ab") as log:
        supervisor = subprocess.Popen(
            python("supervisor", str(layout.root), json.dumps(settings.to_json()), str(lock)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd="/",
            env=environment(),
            pass_fds=(lock,),
            start_new_session=True,
            bufsize=0,
        )
    assert supervisor.stdin is not None and supervisor.stdout is not None
    return Running(supervisor, supervisor.stdin), supervisor.stdout.fileno()


def _await_ready(reports: int, say: Say) -> None:
    for line in _lines(reports, time.monotonic() + READY_SECONDS):
        report = json.loads(line)
        if "say" in report:
            say(report["say"])
        elif "failed" in report:
            raise ClusterError(report["failed"], report["log"])
        else:
            return
    raise ClusterError("the supervisor ended before the cluster was up", "supervisor")


def _lines(source: int, deadline: float) -> Iterator[bytes]:
    """Yield the received lines until the end; raise an error if that takes too long."""
    pending = b""
    while True:
        remaining = max(0.0, deadline - time.monotonic())
        readable, _w, _x = select.select([source], [], [], remaining)
        if not readable:
            raise ClusterError("the supervisor does not say anything", "supervisor")
        received = os.read(source, 4096)
        if not received:
            return
        *complete, pending = (pending + received).split(b"\n")
        yield from complete
