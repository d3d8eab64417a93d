# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run of a module whose messages to syslog are written to a file: ``with_syslog.py LOG MODULE``.

Most machines that run tests have no syslog, which would lose the messages.
"""

from __future__ import annotations

import runpy
import sys
import syslog


def main() -> None:
    """Replace ``syslog.syslog``, and run the module in this process."""
    log, module = sys.argv[1:]

    def note(_priority: int, message: str) -> None:
        with open(log, "a", encoding="utf-8") as file:
            file.write(f"{message}\n")

    # Ansible looks up this C function in the module syslog at each call, so it is replaced there.
    vars(syslog)["syslog"] = note
    sys.argv = [module]
    runpy.run_path(module, run_name="__main__")


if __name__ == "__main__":
    main()
