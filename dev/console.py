# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The console output: each step as it begins, and one line if something fails."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from types import FrameType


class Failure(Exception):
    """The failure of a step; the text names the step and what to do."""


def say(text: str) -> None:
    """Print a step as it begins, above the output of its commands."""
    print(f"==> {text}", flush=True)


def end_in_one_line(command: str, work: Callable[[], int]) -> int:
    """Run *work* for *command*; if an error stops it, print the error as the last line.

    :returns: the exit status
    """
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return work()
    except Failure as failure:
        print(f"make {command} failed: {failure}", file=sys.stderr, flush=True)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        print(f"make {command} failed: {error}: mend that and run it again.", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print(f"make {command} was stopped: run it again, it goes on from a clean state.", file=sys.stderr, flush=True)
    return 1


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    """Let SIGTERM clean up as Ctrl-C does."""
    raise KeyboardInterrupt


def run(command: Sequence[str | Path], cwd: Path | None = None, env: Mapping[str, str] | None = None) -> int:
    """Run *command* with its output on the screen, and return its exit status."""
    with subprocess.Popen([str(part) for part in command], cwd=cwd, env=env) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            # A terminal sends Ctrl-C to the command as well; kill does not.
            process.terminate()
            raise


def run_side_by_side(
    commands: Mapping[str, Sequence[str | Path]],
    environs: Mapping[str, Mapping[str, str]],
    folders: Mapping[str, Path],
    at_once: int,
) -> dict[str, int]:
    """Run commands in parallel; print each line of their output after the command's name.

    :param environs: the environment of each command, by name
    :param folders: the folder that each command runs in, by name
    :param at_once: how many commands run at the same time, at most; they start in their order
    :returns: their exit statuses, by name
    """
    running: dict[str, subprocess.Popen[str]] = {}
    is_stopped = Event()

    def run_one(name: str) -> int:
        if is_stopped.is_set():
            return 1
        begin = time.monotonic()
        running[name] = subprocess.Popen(
            [str(part) for part in commands[name]],
            env=environs[name],
            cwd=folders[name],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        _show(name, running[name])
        status = running[name].wait()
        say(f"{name} ended after {time.monotonic() - begin:.0f} s")
        return status

    with ThreadPoolExecutor(at_once) as pool:
        try:
            return dict(zip(commands, pool.map(run_one, commands)))
        except KeyboardInterrupt:
            is_stopped.set()
            for process in running.values():
                process.terminate()
            raise


def _show(name: str, process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        print(f"{name} | {line}", end="", flush=True)


def run_or_fail(
    command: Sequence[str | Path], advice: str, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> None:
    """Run *command*; raise Failure if it fails.

    :param advice: what to do if it fails
    """
    status = run(command, cwd, env)
    if status:
        shown = shlex.join(str(part) for part in command[:4])
        raise Failure(f"{shown} … ended with status {status}: {advice}")


def run_to_log(command: Sequence[str | Path], log: Path, advice: str, env: Mapping[str, str] | None = None) -> None:
    """Run *command* with its output in *log*; raise Failure if it fails.

    :param advice: what to do if it fails
    """
    with log.open("w", encoding="utf-8") as output:
        done = subprocess.run(
            [str(part) for part in command], env=env, check=False, stdout=output, stderr=subprocess.STDOUT
        )
    if done.returncode:
        last = log.read_text("utf-8", "replace").strip().splitlines()[-1:]
        raise Failure(f"{advice} (its last line: {''.join(last)!r}; all of it: {log})")
