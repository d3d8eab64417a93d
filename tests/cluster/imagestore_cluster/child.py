# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The entry point of each server and each job.

Run by the supervisor as `python -m imagestore_cluster.child MODULE NAME FOLDER PARENT`.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from .errors import ClusterError
from .layout import Layout
from .processes import die_with, let_forks_die_with_us
from .state import load_state


def main() -> int:
    """Run one of our modules for a cluster; return the exit code."""
    module, name, folder, parent = sys.argv[1:]
    die_with(int(parent))
    let_forks_die_with_us()
    state = load_state(Layout(Path(folder)))
    if state is None:
        print(f"there is no cluster in {folder}", file=sys.stderr)
        return 1
    try:
        importlib.import_module(f".{module}", __package__).main(state.cluster, name)
    except ClusterError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
