# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a module as Python would, and writes down what it tells syslog: ``with_syslog.py LOG MODULE``.

Most machines that run tests have no syslog, and what it is told would be lost.
"""

from __future__ import annotations

import runpy
import sys
import syslog


def main() -> None:
    """Become the module."""
    log, module = sys.argv[1:]

    def note(_priority: int, message: str) -> None:
        with open(log, "a", encoding="utf-8") as file:
            file.write(f"{message}\n")

    # What stands in for a function of C's has no other place.
    vars(syslog)["syslog"] = note
    sys.argv = [module]
    runpy.run_path(module, run_name="__main__")


if __name__ == "__main__":
    main()
