# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Python programs, each in a process of its own that need not load Python's libraries anew."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path

_LOADED = (
    "ansible_collections.imagestore.swift.plugins.modules.swift_image",
    "ansible_collections.imagestore.swift.plugins.modules.swift_image_info",
    "ansible_collections.imagestore.swift.plugins.modules.swift_image_download",
    "keystoneauth1.loading",
    "keystoneclient.v3.client",
    "openstack.config",
    # Not its shell, which takes the arguments of the process that loads it.
    "swiftclient.service",
)
# Longer than any of them takes, so that one that hangs is an error.
_SECONDS = 300.0

_forkserver = multiprocessing.get_context("forkserver")
_forkserver.set_forkserver_preload(list(_LOADED))


class Process:
    """A program that is running.

    :param module: whose ``main`` it is
    :param folder: that it runs in
    :param prepare: called in its process before
    """

    def __init__(
        self,
        module: str,
        arguments: Sequence[str],
        folder: Path,
        environ: Mapping[str, str],
        prepare: Callable[[], None] | None = None,
    ) -> None:
        descriptor, name = tempfile.mkstemp(dir=folder, prefix="output-")
        os.close(descriptor)
        self._output = Path(name)
        self._process = _forkserver.Process(
            target=_run, args=(module, list(arguments), str(folder), dict(environ), name, prepare)
        )
        self._process.start()

    def wait(self) -> int:
        """Its exit status when it has ended; below zero for a signal."""
        self._process.join(_SECONDS)
        assert self._process.exitcode is not None, f"it still runs after {_SECONDS} s"
        return self._process.exitcode

    def kill(self) -> None:
        """End it as kill -9 does."""
        self._process.kill()

    def terminate(self) -> None:
        """Ask it to end."""
        self._process.terminate()

    def interrupt(self) -> None:
        """End it as Ctrl-C does."""
        os.kill(self._process.pid or 0, signal.SIGINT)

    def stop(self) -> None:
        """Let it wait."""
        os.kill(self._process.pid or 0, signal.SIGSTOP)

    def await_stop(self) -> None:
        """Wait until it waits."""
        stat, deadline = Path(f"/proc/{self._process.pid}/stat"), time.monotonic() + _SECONDS
        while stat.read_text("utf-8").rpartition(")")[2].split()[0] != "T":
            assert self.status is None and time.monotonic() < deadline, self.output
            time.sleep(0.01)

    def go_on(self) -> None:
        """Let it wait no longer."""
        os.kill(self._process.pid or 0, signal.SIGCONT)

    @property
    def status(self) -> int | None:
        """Its exit status, None as long as it runs; below zero for a signal."""
        return self._process.exitcode

    @property
    def memory(self) -> int:
        """The most memory that it has had, in bytes; 0 when it has ended."""
        try:
            lines = Path(f"/proc/{self._process.pid}/status").read_text("ascii").splitlines()
        except (FileNotFoundError, ProcessLookupError):
            return 0
        kib = next((line.split()[1] for line in lines if line.startswith("VmHWM:")), "0")
        return int(kib) * 1024

    @property
    def output(self) -> bytes:
        """What it wrote to its standard output and error."""
        return self._output.read_bytes()


def _run(
    module: str,
    arguments: list[str],
    folder: str,
    environ: Mapping[str, str],
    output: str,
    prepare: Callable[[], None] | None,
) -> None:
    """Be the process."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    with open(output, "wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.argv = [module, *arguments]
    if prepare:
        prepare()
    sys.exit(import_module(module).main())
