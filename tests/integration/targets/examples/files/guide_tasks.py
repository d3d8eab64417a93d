# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A printer of the tasks that a guide shows in its ``yaml+jinja`` blocks: ``guide_tasks.py FILE``."""

from __future__ import annotations

import re
import sys
import textwrap
from pathlib import Path

BLOCK = re.compile(r"^\.\. code-block:: yaml\+jinja\n\n((?:    .*\n|\n)+)", re.MULTILINE)

if __name__ == "__main__":
    blocks = BLOCK.findall(Path(sys.argv[1]).read_text("utf-8"))
    if not blocks:
        sys.exit(f"there is no task in {sys.argv[1]}")
    print("---")
    for block in blocks:
        print(textwrap.dedent(block).rstrip())
