# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real OpenStack Swift and Keystone on loopback, for tests and for a demo."""

from __future__ import annotations

import sys

from imagestore_cluster.cli import main

if __name__ == "__main__":
    sys.exit(main())
