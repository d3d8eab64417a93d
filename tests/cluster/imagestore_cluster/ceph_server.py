# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One of Ceph's daemons, which takes the place of this process."""

from __future__ import annotations

from .ceph import Ceph
from .cluster import Cluster

ARGUMENTS = {
    "ceph-mon": ("-i", "a"),
    "ceph-osd": ("-i", "0"),
    "radosgw": ("-n", "client.rgw"),
}


def main(cluster: Cluster, name: str) -> None:
    """Serve until the process is ended."""
    Ceph(cluster).become(name, "-f", *ARGUMENTS[name])
