# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action that runs a module unchanged, and shows the progress of its transfer.

A module can't report anything before it ends. So it writes its progress to a file, which a thread here follows.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from ansible import constants
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.utils.display import Display
from ansible_collections.imagestore.swift.plugins.module_utils._progress import LARGEST, VARIABLE, last_state
from ansible_collections.imagestore.swift.plugins.plugin_utils._progress_lines import Lines, Sample

# The environment variable, on the host that runs Ansible, that turns progress off.
SWITCH = "ANSIBLE_SWIFT_PROGRESS"

# The time between two lines, and between two reads of the file.
_LINE_SECONDS = 5.0
_LOOK_SECONDS = 0.5


class WatchedAction(NormalAction):  # type: ignore[misc] # ansible-core has no types.
    """The action of a module that transfers images."""

    def run(self, tmp: str | None = None, task_vars: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Run the module, and return its result unchanged."""
        if not self._is_watched():
            return self._run_module(task_vars)
        host = str((task_vars or {}).get("inventory_hostname", ""))
        with _private_file() as path:
            follower = _Follower(path, Lines(host, _LINE_SECONDS))
            follower.start()
            is_done = False
            try:
                result = self._run_telling(path, task_vars)
                is_done = not result.get("failed")
            finally:
                follower.end(is_done)
        return result

    def _run_telling(self, path: str, task_vars: Mapping[str, Any] | None) -> dict[str, Any]:
        """Run the module with the file's name in its environment."""
        environment = self._task.environment
        self._task.environment = [*(environment or []), {VARIABLE: path}]
        try:
            return self._run_module(task_vars)
        finally:
            self._task.environment = environment

    def _run_module(self, task_vars: Mapping[str, Any] | None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(None, task_vars)
        return result

    def _is_watched(self) -> bool:
        """Return whether the module can be followed, and progress is not turned off."""
        switches = self._task.args.get("progress", True), os.environ.get(SWITCH, True)
        return (
            all(boolean(switch) for switch in switches)
            and self._connection.transport == "local"
            and not self._task.check_mode
            and not self._task.async_val
        )


@contextmanager
def _private_file() -> Iterator[str]:
    """Yield the path of an empty, private file, which is deleted afterwards."""
    descriptor, path = tempfile.mkstemp(prefix="imagestore-progress-", dir=constants.DEFAULT_LOCAL_TMP)
    os.close(descriptor)
    try:
        yield path
    finally:
        with suppress(FileNotFoundError):
            os.remove(path)


class _Follower(threading.Thread):
    """A thread that reads the file again and again."""

    def __init__(self, path: str, lines: Lines) -> None:
        super().__init__(name="progress", daemon=True)
        self._path = path
        self._lines = lines
        self._ended = threading.Event()
        self._is_done = False

    def run(self) -> None:
        """Show the progress, and a last line if the task has succeeded."""
        try:
            while not self._ended.wait(_LOOK_SECONDS):
                self._look()
            if self._is_done:
                self._look()
                _show(self._lines.last(time.monotonic()))
        except Exception as error:  # pylint: disable=broad-exception-caught
            # After any error, the task continues without progress lines.
            Display().vvv(f"progress is not shown: {error}")

    def end(self, is_done: bool) -> None:
        """Stop reading the file.

        :param is_done: whether the task has succeeded
        """
        self._is_done = is_done
        self._ended.set()
        self.join()

    def _look(self) -> None:
        with open(self._path, "rb") as file:
            state = last_state(file.read(2 * LARGEST))
        if state is not None:
            _show(self._lines.add(Sample(state, time.monotonic())))


def _show(line: str | None) -> None:
    """Write a line to standard error, so that a callback's output stays valid, for example JSON."""
    if line is not None:
        Display().display(line, stderr=True)
