# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A runner for the collection's modules: each runs in a process of its own, as with Ansible."""

from __future__ import annotations

import json
import os
import signal
import tempfile
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from ansible_collections.imagestore.swift.tests.support.processes import Process

_PLUGINS = "ansible_collections.imagestore.swift.plugins"
# The exit status of a killed process, as a shell reports it.
_KILLED = 137


class Result(dict[str, Any]):
    """The result of a module."""

    @property
    def changed(self) -> bool:
        """True if the module reports a change."""
        return bool(self["changed"])

    @property
    def warned(self) -> str:
        """All warnings of the module, as one text."""
        return " ".join(str(warning) for warning in self.get("warnings", ()))


class ModuleFailedError(AssertionError):
    """Error for a module that failed and had to succeed."""


@dataclass(frozen=True)
class Modules:
    """The modules, with options that all runs share.

    :param folder: for the files of the runs
    :param defaults: the shared options
    """

    folder: Path
    defaults: Mapping[str, Any]

    def __call__(self, module: str, /, **options: Any) -> Result:
        """Run a module that has to succeed."""
        result = self.try_to(module, **options)
        if result.get("failed"):
            raise ModuleFailedError(result["msg"])
        return result

    def predict(self, module: str, /, **options: Any) -> Result:
        """Run a module in check mode, in which it has to succeed."""
        return self(module, _ansible_check_mode=True, **options)

    def try_to(self, module: str, prepare: Callable[[], None] | None = None, /, **options: Any) -> Result:
        """Run a module that may fail.

        :param prepare: called in the module's process before the module
        """
        process = self.start(module, prepare, **options)
        status = process.wait()
        assert status in (0, 1), f"it ended with {status}: {process.output!r}"
        return result_of(process)

    def kill_before(self, request: int, module: str, /, **options: Any) -> bool:
        """Run a module, and kill it before the n-th of its requests that change something.

        :param request: the number of that request, counted from 1
        :returns: whether the module reached that request
        """
        process = self.start(module, partial(_die_before, request), **options)
        status = process.wait()
        assert status in (0, _KILLED), f"it ended with {status}: {process.output!r}"
        return status == _KILLED

    def start(self, module: str, prepare: Callable[[], None] | None = None, /, **options: Any) -> Process:
        """Start a module.

        :param prepare: called in the module's process before the module
        """
        descriptor, name = tempfile.mkstemp(dir=self.folder, prefix="options-")
        with open(descriptor, "w", encoding="utf-8") as file:
            json.dump({"ANSIBLE_MODULE_ARGS": {**self.defaults, **options}}, file)
        return Process(f"{_PLUGINS}.modules.{module}", [name], self.folder, dict(os.environ), prepare)


def result_of(process: Process) -> Result:
    """Return the result of a module that has ended."""
    return Result(json.loads(process.output.splitlines()[-1]))


def hurry() -> None:
    """Shorten a module's waits between retries and for listings, so that thousands of runs fit into an hour."""
    from ansible_collections.imagestore.swift.plugins.module_utils import _retry

    patch.object(_retry, "_FIRST_PAUSE_SECONDS", 0.05).start()
    patch.object(_retry, "_LISTING_SECONDS", 2.0).start()


def stop_after(last: int) -> None:
    """Make this process pause when the n-th of its requests that change something is answered.

    :param last: the number of that request, counted from 1
    """
    stop_at((), (last,))


def stop_at(before: Collection[int], after: Collection[int]) -> None:
    """Make this process pause at some of its requests that change something.

    :param before: numbers of the requests before which it pauses, counted from 1
    :param after: numbers of the requests after which it pauses
    """

    def stop_in(numbers: Collection[int], number: int) -> None:
        if number in numbers:
            os.kill(os.getpid(), signal.SIGSTOP)

    _count_requests(partial(stop_in, before), partial(stop_in, after))


def call_before_changes(action: Callable[[], None]) -> None:
    """Make this process call *action* before each of its requests that change something."""
    _count_requests(lambda _number: action(), lambda _number: None)


def _die_before(fatal: int) -> None:
    """Make this process exit at once, as with kill -9, before the n-th of its requests that change something.

    :param fatal: the number of that request, counted from 1
    """
    _count_requests(lambda number: os._exit(_KILLED) if number == fatal else None, lambda _number: None)


def _count_requests(before: Callable[[int], None], after: Callable[[int], None]) -> None:
    """Call *before* and *after* with the number, from 1, of each request that changes something."""
    from requests import PreparedRequest
    from requests.adapters import HTTPAdapter

    send, sent = HTTPAdapter.send, 0

    def counted(adapter: HTTPAdapter, request: PreparedRequest, *arguments: Any, **options: Any) -> Any:
        nonlocal sent
        if request.method not in ("PUT", "POST", "DELETE") or "/auth/tokens" in str(request.url):
            return send(adapter, request, *arguments, **options)
        sent += 1
        number = sent
        before(number)
        answer = send(adapter, request, *arguments, **options)
        after(number)
        return answer

    patch.object(HTTPAdapter, "send", counted).start()
