# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``make demo``: a real Swift and Keystone, an image store seeded from a playbook, and the result shown."""

from __future__ import annotations

import tempfile
from pathlib import Path

import collection
from console import run, run_or_fail, say
from environments import ROOT, clean_environ, environment
from testing import cluster_command


def main() -> int:
    """Make images, install the collection, and run the demo with a cluster that is stopped afterwards."""
    ansible, cluster = environment("ansible"), environment("cluster")
    with tempfile.TemporaryDirectory(prefix="imagestore-demo-") as folder:
        work = Path(folder)
        env = clean_environ(ansible)
        say("Making disk images from real files")
        run_or_fail([ansible / "bin" / "python", ROOT / "dev" / "images.py", work / "images"], "see above", env=env)
        say("Building the collection, and installing it as a user would")
        env["ANSIBLE_COLLECTIONS_PATH"] = str(collection.install_to(work / "galaxy", env))
        say("Starting OpenStack Swift and Keystone on loopback")
        # The cluster and act.py print their own failures.
        return run(
            [
                *cluster_command(cluster, work / "cluster"),
                ansible / "bin" / "python",
                ROOT / "dev" / "act.py",
                work / "images",
            ],
            cwd=work,
            env=env,
        )
