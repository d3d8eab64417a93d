# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parent of all servers: it starts them in order, watches them, and leaves nothing behind.

Run as `python -m imagestore_cluster.supervisor FOLDER SETTINGS LOCK`, where LOCK is the inherited
file descriptor of the locked folder.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from .accounts import new_secrets
from .children import Children
from .client_files import write_client_files
from .cluster import Cluster
from .errors import ClusterError, StopRequested
from .folder import keep_logs_only, remove
from .layout import Layout
from .ports import reserve
from .probe import answers
from .processes import Process
from .servers import (
    KEYSTONE,
    MEMCACHE,
    MONITOR,
    OSD,
    RADOSGW,
    RGW_PROXY,
    Server,
    all_servers,
    swift_servers,
    tls_servers,
)
from .settings import Settings
from .starter_link import StarterLink
from .state import State

START_SECONDS = 120.0
POLL_SECONDS = 0.05
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Supervisor:
    """The supervisor of one cluster."""

    def __init__(self, state: State, lock: int, starter: StarterLink, reserved: dict[str, socket.socket]) -> None:
        self._state = state
        self._reserved = reserved
        self._cluster = state.cluster
        self._starter = starter
        self._children = Children(state, lock)
        self._deadline = time.monotonic() + START_SECONDS
        self._signals = _signal_pipe()

    def start(self) -> None:
        """Start everything; return when all servers answer."""
        self._state.save()
        self._starter.say(f"starting Keystone and {self._store_name} in {self._cluster.layout.root}")
        if self._cluster.settings.tls:
            self._do("certificates")
        if self._cluster.settings.store == "rgw":
            self._start_rgw()
        else:
            self._start_swift()
        self._until_answering([KEYSTONE])
        self._do("keystone_users")
        self._until_answering(all_servers(self._cluster.settings))
        write_client_files(self._cluster)
        self._state.ready = True
        self._state.save()
        self._starter.say(f"Keystone answers at {self._cluster.auth_url}")
        self._starter.say(f"{self._store_name} answers at {self._cluster.object_store_url}")
        self._starter.ready()

    @property
    def _store_name(self) -> str:
        return "Ceph RGW" if self._cluster.settings.store == "rgw" else "Swift"

    def _start_swift(self) -> None:
        self._children.start_job("swift_setup")
        self._start_servers([KEYSTONE, MEMCACHE, *tls_servers(self._cluster.settings)])
        self._finish("swift_setup")
        self._start_servers(swift_servers(self._cluster.settings))

    def _start_rgw(self) -> None:
        self._start_servers([KEYSTONE, *tls_servers(self._cluster.settings)])
        self._do("ceph_setup")
        self._start_servers([MONITOR])
        self._do("ceph_osd_setup")
        self._start_servers([OSD])
        self._do("ceph_users")
        self._start_servers([RADOSGW, RGW_PROXY])

    def watch(self) -> None:
        """Watch the servers until a stop is requested; restart ended ones if the settings say so."""
        while True:
            self._pause(None)
            ended = self._children.take_ended()
            if self._cluster.settings.restart:
                self._start_servers(server for server in all_servers(self._cluster.settings) if server.name in ended)

    def stop(self) -> None:
        """End all servers."""
        self._state.ready = False
        self._state.save()
        self._children.stop()

    def _start_servers(self, servers: Iterable[Server]) -> None:
        for server in servers:
            if server.binds_alone and server.port_name in self._reserved:
                self._reserved.pop(server.port_name).close()
            self._children.start_server(server)

    def _do(self, job: str) -> None:
        self._children.start_job(job)
        self._finish(job)

    def _finish(self, job: str) -> None:
        self._until(partial(self._children.is_done, job), job)

    def _until_answering(self, servers: Iterable[Server]) -> None:
        for server in servers:
            self._until(partial(answers, self._cluster, server), server.name)

    def _until(self, reached: Callable[[], bool], name: str) -> None:
        while not reached():
            self._children.require_all_well()
            if time.monotonic() > self._deadline:
                raise ClusterError(f"{name} was not ready after {START_SECONDS:.0f} seconds", log=name)
            self._pause(POLL_SECONDS)

    def _pause(self, seconds: float | None) -> None:
        """Wait for so many seconds at most; raise StopRequested as soon as the cluster has to stop."""
        signals, lifeline = self._signals.fileno(), self._starter.lifeline
        watched = [signals] if lifeline is None else [signals, lifeline]
        readable, _w, _x = select.select(watched, [], [], seconds)
        if signals in readable and any(number in STOP_SIGNALS for number in self._signals.recv(64)):
            raise StopRequested("somebody stopped the cluster while it was starting")
        if lifeline in readable and self._starter.is_cut():
            raise StopRequested("the starter is gone")


def _signal_pipe() -> socket.socket:
    """Return a socket that receives the number of each signal, because a handler could interrupt any code."""
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    for signum in (*STOP_SIGNALS, signal.SIGCHLD):
        signal.signal(signum, lambda _signum, _frame: None)
    signal.set_wakeup_fd(writer.detach(), warn_on_full_buffer=False)
    return reader


def _supervise(layout: Layout, settings: Settings, lock: int, starter: StarterLink) -> None:
    reserved = reserve({server.port_name for server in all_servers(settings) if server.port_name})
    ports = {name: bound.getsockname()[1] for name, bound in reserved.items()}
    cluster = Cluster(layout, settings, ports, new_secrets())
    supervisor = Supervisor(State(cluster, Process.of(os.getpid())), lock, starter, reserved)
    try:
        supervisor.start()
        supervisor.watch()
    finally:
        supervisor.stop()
        for bound in reserved.values():
            bound.close()


def main() -> int:
    """Run a cluster until it is stopped; return the exit code."""
    folder, settings, lock = sys.argv[1:]
    layout = Layout(Path(folder))
    starter = StarterLink()
    os.umask(0o077)
    try:
        _supervise(layout, Settings.from_json(json.loads(settings)), int(lock), starter)
    except StopRequested as reason:
        remove(layout)
        starter.failed(str(reason), None)
        return 0
    except (ClusterError, OSError) as error:
        keep_logs_only(layout)
        starter.failed(str(error), getattr(error, "log", None) or "supervisor")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
