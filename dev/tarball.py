# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks of the installed collection and its tarball: ``python dev/tarball.py TARBALL COLLECTIONS``.

Galaxy's importer exits with status 0 even if it complains. The builder of execution environments does so even if it
finds nothing to install. Therefore the output of both is searched.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

COMPLAINT = re.compile(r"^(WARNING|ERROR|CRITICAL)|Traceback", re.MULTILINE)


def main() -> int:
    """Run both checks and print their output; return the exit status."""
    tarball, collections = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    imported = _run([sys.executable, "-m", "galaxy_importer.main", str(tarball)], tarball.parent)
    introspected = _run(["ansible-builder", "introspect", str(collections)], tarball.parent)
    requirements = (collections / "ansible_collections/imagestore/swift/requirements.txt").read_text("utf-8")
    wanted = [line for line in requirements.splitlines() if not line.startswith("#")]
    lacking = [line for line in wanted if line not in introspected]
    if lacking:
        print(f"ERROR ansible-builder does not see {', '.join(lacking)}")
    return 1 if lacking or COMPLAINT.search(imported) else 0


def _run(command: Sequence[str], folder: Path) -> str:
    """Run *command*, print its output and return it."""
    done = subprocess.run(
        command, cwd=folder, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600
    )
    print(done.stdout, end="")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
