# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the collection's modules as Ansible does, each in a process of its own."""

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

from processes import Process

_PLUGINS = "ansible_collections.imagestore.swift.plugins"
# What a process that was killed ends with, as a shell tells it.
_KILLED = 137


class Result(dict[str, Any]):
    """What a module answered."""

    @property
    def changed(self) -> bool:
        """Whether it says that it changed something."""
        return bool(self["changed"])

    @property
    def warned(self) -> str:
        """All its warnings."""
        return " ".join(str(warning) for warning in self.get("warnings", ()))


class ModuleFailedError(AssertionError):
    """A module that was to succeed did not."""


@dataclass(frozen=True)
class Modules:
    """The modules, with options that all runs share.

    :param folder: for what they write
    :param defaults: options
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
        """Run a module that has to succeed in check mode."""
        return self(module, _ansible_check_mode=True, **options)

    def try_to(self, module: str, prepare: Callable[[], None] | None = None, /, **options: Any) -> Result:
        """Run a module that may fail.

        :param prepare: called in its process before
        """
        process = self.start(module, prepare, **options)
        status = process.wait()
        assert status in (0, 1), f"it ended with {status}: {process.output!r}"
        return result_of(process)

    def kill_before(self, request: int, module: str, /, **options: Any) -> bool:
        """Run a module and kill it before so manieth of its requests that change something (from 1).

        :returns: whether it came so far
        """
        process = self.start(module, partial(_die_before, request), **options)
        status = process.wait()
        assert status in (0, _KILLED), f"it ended with {status}: {process.output!r}"
        return status == _KILLED

    def start(self, module: str, prepare: Callable[[], None] | None = None, /, **options: Any) -> Process:
        """Begin to run a module.

        :param prepare: called in its process before
        """
        descriptor, name = tempfile.mkstemp(dir=self.folder, prefix="options-")
        with open(descriptor, "w", encoding="utf-8") as file:
            json.dump({"ANSIBLE_MODULE_ARGS": {**self.defaults, **options}}, file)
        return Process(f"{_PLUGINS}.modules.{module}", [name], self.folder, dict(os.environ), prepare)


def result_of(process: Process) -> Result:
    """What a module answered that has ended."""
    return Result(json.loads(process.output.splitlines()[-1]))


def hurry() -> None:
    """Let a module wait less between tries, and for listings, so that thousands of runs fit into an hour."""
    from ansible_collections.imagestore.swift.plugins.module_utils import _retry

    patch.object(_retry, "_FIRST_PAUSE_SECONDS", 0.05).start()
    patch.object(_retry, "_LISTING_SECONDS", 2.0).start()


def stop_after(last: int) -> None:
    """Have this process stop itself when so manieth of its requests that change something (from 1) was answered."""
    stop_at((), (last,))


def stop_at(before: Collection[int], after: Collection[int]) -> None:
    """Have this process stop itself before and after so manieth of its requests that change something (from 1)."""

    def stop_in(numbers: Collection[int], number: int) -> None:
        if number in numbers:
            os.kill(os.getpid(), signal.SIGSTOP)

    _count_requests(partial(stop_in, before), partial(stop_in, after))


def _die_before(fatal: int) -> None:
    """End this process as kill -9 does when it is about to send such a request."""
    _count_requests(lambda number: os._exit(_KILLED) if number == fatal else None, lambda _number: None)


def _count_requests(before: Callable[[int], None], after: Callable[[int], None]) -> None:
    """Have both called with the number, from 1, of each request that changes something."""
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
