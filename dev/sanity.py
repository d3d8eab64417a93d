# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ansible-test's own checks of code and documentation, with one ansible-core or another."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import collection
from console import say
from environments import ROOT
from runs import Run, count_cases

# ansible-test's message if it can't download pip's bootstrap script, with the path where it looks for one.
BOOTSTRAP = re.compile(r"can be manually downloaded and saved to: (?P<path>\S.*)")


def sanity(work: Path, python: str, env: Mapping[str, str], name: str = "sanity") -> Run:
    """Return a run of the checks, with the ansible-test on the PATH of *env*.

    :param work: a folder for a copy of the collection, in a subfolder called *name*
    :param python: the release of Python, such as ``3.13``
    """
    copy = collection.copy_to(work / name)
    _prepare_bootstrap(copy, python, env)
    return Run(copy, ["ansible-test", "sanity", "--color", "no", "--python", python, "--junit"], env, count_cases)


def _prepare_bootstrap(target: Path, python: str, env: Mapping[str, str]) -> None:
    """Put the project's own bootstrap script of pip in place if ansible-test can't download one."""
    command = ["ansible-test", "sanity", "--color", "no", "--python", python, "--prime-venvs", "--test", "yamllint"]
    output = _output_of(command, target, env)
    missing = BOOTSTRAP.search(output)
    if missing:
        say("ansible-test can't download get-pip.py: its stand-in takes pip from ensurepip")
        shutil.copy(ROOT / "dev" / "get_pip.py", missing["path"])


def _output_of(command: Sequence[str], cwd: Path, env: Mapping[str, str]) -> str:
    done = subprocess.run(
        command, cwd=cwd, env=env, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    return done.stdout
