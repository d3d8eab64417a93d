# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A substitute for get-pip.py if ansible-test can't download it: pip from ensurepip, then the requested packages."""

from __future__ import annotations

import subprocess
import sys

# Options of get-pip.py that pip itself does not know.
NOT_FOR_PIP = ("--no-setuptools", "--no-wheel")


def main() -> int:
    """Install what the command line names, as get-pip.py would."""
    # In a process of its own, because ensurepip turns off pip's configuration in its environment.
    subprocess.check_call([sys.executable, "-m", "ensurepip"])
    arguments = [argument for argument in sys.argv[1:] if argument not in NOT_FOR_PIP]
    return subprocess.call([sys.executable, "-m", "pip", "install", *arguments])


if __name__ == "__main__":
    sys.exit(main())
