# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ansible-test integration in a copy of the collection, with the cluster that runs around it.

Run as ``python dev/integration.py COPY CLUSTER_PYTHON [TARGET …]`` inside ``tests/cluster run``.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import NoReturn

import yaml


def main() -> NoReturn:
    """Write the cluster's facts for the targets, and replace this process by ansible-test, so that signals reach it."""
    target, cluster_python = Path(sys.argv[1]), sys.argv[2]
    cluster = json.loads(Path(os.environ["IMAGESTORE_CLUSTER"]).read_text("utf-8"))
    configuration = target / "tests" / "integration" / "integration_config.yml"
    configuration.touch(mode=0o600)
    told = {
        "cluster": cluster,
        # For a target that needs a cluster of another kind.
        "cluster_command": [cluster_python, str(target / "tests" / "cluster")],
        "collection_root": str(target),
        "collections_path": str(target.parents[2]),
    }
    configuration.write_text(yaml.safe_dump(told), encoding="utf-8")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    command = ["ansible-test", "integration", "--color", "no", "--python", version, "--continue-on-error"]
    command += sys.argv[3:]
    os.chdir(target)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
