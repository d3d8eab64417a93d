# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers of the store, which are ended and start again."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import requests
from ansible_collections.imagestore.swift.tests.support.store import Store

_SECONDS = 60.0
_PAUSE_SECONDS = 0.1


class Servers:
    """The servers of the campaign's cluster.

    :param command: the command that runs ``tests/cluster`` with its own Python
    :param folder: of the cluster
    """

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self._command = command
        self._folder = folder

    def end(self, name: str, signal: str) -> None:
        """End a server with KILL or TERM; the cluster starts it again."""
        subprocess.run([*self._command, "kill", "--dir", str(self._folder), "--signal", signal, name], check=True)

    def await_all(self, store: Store, container: str = "", name: str = "") -> None:
        """Wait until an existing object can be read, or the account."""
        deadline = time.monotonic() + _SECONDS
        while not _answers(store, container, name):
            assert time.monotonic() < deadline, f"Swift did not come again in {_SECONDS} s"
            time.sleep(_PAUSE_SECONDS)


def _answers(store: Store, container: str, name: str) -> bool:
    try:
        return store.request("GET", container, name).ok
    except requests.RequestException:
        return False
