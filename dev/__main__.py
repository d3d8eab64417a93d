# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The project's own commands, as make calls them: ``python dev demo``, ``python dev test``, ``python dev clean``."""

from __future__ import annotations

import sys

SUPPORTED = ((3, 11), (3, 13))


def main() -> int:
    """Run the named command; print one line if the Python or the command is wrong."""
    if not SUPPORTED[0] <= sys.version_info[:2] <= SUPPORTED[1]:
        print(f"This is Python {sys.version.split()[0]}: use 3.11, 3.12 or 3.13, as in: make test PYTHON=python3.12")
        return 1

    # These imports come after the check, because an older Python fails here with a traceback.
    import bench
    import console
    import covered
    import demo
    import docsite
    import environments
    import lint
    import testing

    commands = {
        "bench": bench.main,
        "clean": environments.remove,
        "coverage": covered.main,
        "demo": demo.main,
        "docs": docsite.main,
        "faults": testing.faults,
        "functional": testing.functional,
        "integration": testing.integration,
        "lint": lint.main,
        "rgw": testing.rgw,
        "test": testing.main,
    }
    if len(sys.argv) != 2 or sys.argv[1] not in commands:
        print(f"Say what to do, one of: {', '.join(commands)}")
        return 2
    return console.end_in_one_line(sys.argv[1], commands[sys.argv[1]])


if __name__ == "__main__":
    sys.exit(main())
