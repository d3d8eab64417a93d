# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job: register the OSD with the monitor, and make its disk, which is a file."""

from __future__ import annotations

import uuid

from .ceph import SECONDS, Ceph
from .cluster import Cluster


def main(cluster: Cluster, _name: str) -> None:
    """Register the OSD and make its disk; the monitor has to run."""
    ceph = Ceph(cluster)
    identifier = str(uuid.uuid4())
    ceph.run("ceph", "--connect-timeout", str(SECONDS), "osd", "new", identifier, "0")
    ceph.run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", identifier)
