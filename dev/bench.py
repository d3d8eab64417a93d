# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``make bench``: a comparison of this project with other clients, on a Swift of its own."""

from __future__ import annotations

import os
import shlex
import tempfile
from pathlib import Path

import collection
from console import run, say
from environments import BUILD, environment
from testing import cluster_command, environ


def main() -> int:
    """Run the benchmark; the variable BENCH holds options of ``tests/benchmark``."""
    ansible, cluster, peers = environment("ansible"), environment("cluster"), environment("bench")
    with tempfile.TemporaryDirectory(prefix="imagestore-bench-") as folder:
        work = Path(folder)
        target = collection.copy_to(work / "collections")
        say("Measuring, which takes the better part of an hour: keep the machine quiet")
        return run(
            [
                *cluster_command(cluster, work / "cluster"),
                ansible / "bin" / "python",
                "-m",
                "ansible_collections.imagestore.swift.tests.benchmark",
                "--peers",
                peers / "bin" / "python",
                "--root",
                target.parents[2],
                "--json",
                BUILD / "bench.json",
                *shlex.split(os.environ.get("BENCH", "")),
            ],
            env=environ(ansible, target),
        )
