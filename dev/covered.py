# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``make coverage``: the lines of ``plugins/`` that the unit and functional tests run, and those that they do not run.

The integration tests are left out: they run modules from archives, whose lines are not counted.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import collection
from console import run
from environments import environment
from runs import Run, close, count_as_one, test
from testing import cluster_command, environ, pytest

# The required coverage, in percent of lines.
LEAST = 90
# Modules run in forked processes that end abruptly, which would lose the counts without these patches.
SETTINGS = """[run]
parallel = True
data_file = {folder}/lines
source = {copy}/plugins
concurrency = thread, multiprocessing
patch =
    subprocess
    fork
    _exit
sigterm = True

[paths]
plugins =
    plugins
    {copy}/plugins
"""


def main() -> int:
    """Run both kinds of tests, and list the lines that they do not run."""
    with tempfile.TemporaryDirectory(prefix="imagestore-coverage-") as folder:
        work = Path(folder)
        copy = collection.copy_to(work)
        data = work / "data"
        data.mkdir()
        settings = data / "settings"
        settings.write_text(SETTINGS.format(folder=data, copy=copy), encoding="utf-8")
        ansible = environment("ansible")
        env = {**environ(ansible, copy), "COVERAGE_RCFILE": str(settings)}
        total = test(_both(work, copy, ansible, env))
        tool = ansible / "bin" / "coverage"
        run([tool, "combine", "--quiet"], copy, env)
        status = run([tool, "report", "--show-missing", "--skip-covered", f"--fail-under={LEAST}"], copy, env)
        total.add(count_as_one(copy, status))
    return close(total)


def _both(work: Path, copy: Path, ansible: Path, env: Mapping[str, str]) -> dict[str, Run]:
    coverage: list[str | Path] = [ansible / "bin" / "coverage", "run"]
    cluster = cluster_command(environment("cluster"), work / "cluster")
    return {
        "units": Run(copy, [*coverage, *pytest(copy, "unit")], env, count_as_one),
        "functional": Run(
            copy, [*cluster, *coverage, *pytest(copy, "functional"), "--numprocesses", "2"], env, count_as_one
        ),
    }
