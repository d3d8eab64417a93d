# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Python programs in processes of their own, which are forked with their libraries already loaded."""

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
    # Not swiftclient.shell, which takes the arguments of the process that loads it.
    "swiftclient.service",
)
# Longer than any program takes, so that a program that hangs is an error.
_SECONDS = 300.0

_forkserver = multiprocessing.get_context("forkserver")
_forkserver.set_forkserver_preload(list(_LOADED))


class Process:
    """A program that is running.

    :param module: the module whose ``main`` is run
    :param folder: the working directory
    :param prepare: called in the process before ``main``
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
        """Wait for the process to end, and return its exit status; it is negative for a signal."""
        self._process.join(_SECONDS)
        assert self._process.exitcode is not None, f"it still runs after {_SECONDS} s"
        return self._process.exitcode

    def kill(self) -> None:
        """Kill the process, as kill -9 does."""
        self._process.kill()

    def terminate(self) -> None:
        """Ask the process to end (SIGTERM)."""
        self._process.terminate()

    def interrupt(self) -> None:
        """Interrupt the process, as Ctrl-C does."""
        os.kill(self._process.pid or 0, signal.SIGINT)

    def stop(self) -> None:
        """Pause the process (SIGSTOP)."""
        os.kill(self._process.pid or 0, signal.SIGSTOP)

    def await_stop(self) -> None:
        """Wait until the process is paused."""
        stat, deadline = Path(f"/proc/{self._process.pid}/stat"), time.monotonic() + _SECONDS
        while stat.read_text("utf-8").rpartition(")")[2].split()[0] != "T":
            assert self.status is None and time.monotonic() < deadline, self.output
            time.sleep(0.01)

    def go_on(self) -> None:
        """Continue the paused process (SIGCONT)."""
        os.kill(self._process.pid or 0, signal.SIGCONT)

    @property
    def status(self) -> int | None:
        """The exit status: None while the process runs, negative for a signal."""
        return self._process.exitcode

    @property
    def memory(self) -> int:
        """The peak memory of the process in bytes; 0 when it has ended."""
        try:
            lines = Path(f"/proc/{self._process.pid}/status").read_text("ascii").splitlines()
        except (FileNotFoundError, ProcessLookupError):
            return 0
        kib = next((line.split()[1] for line in lines if line.startswith("VmHWM:")), "0")
        return int(kib) * 1024

    @property
    def output(self) -> bytes:
        """The standard output and standard error of the process."""
        return self._output.read_bytes()


def _run(
    module: str,
    arguments: list[str],
    folder: str,
    environ: Mapping[str, str],
    output: str,
    prepare: Callable[[], None] | None,
) -> None:
    """Run the program in its new process."""
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
