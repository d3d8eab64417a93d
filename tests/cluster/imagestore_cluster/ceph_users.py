# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job: make the gateway's own users for v1 authentication, the same as tempauth has in a Swift."""

from __future__ import annotations

import time

from .accounts import V1_USERS
from .ceph import SECONDS, Ceph
from .cluster import Cluster
from .errors import ClusterError

POLL_SECONDS = 0.2


def main(cluster: Cluster, _name: str) -> None:
    """Wait until the OSD is up, and make all users."""
    ceph = Ceph(cluster)
    _await_osd(ceph)
    for account in sorted({user.account for user in V1_USERS}):
        _administer(ceph, "user", "create", f"--uid={account}", f"--display-name={account}")
    for user in V1_USERS:
        access = ["--access=full"] if user.groups else []
        _administer(
            ceph,
            *("subuser", "create", f"--uid={user.account}", f"--subuser={user.name}", "--key-type=swift"),
            *(f"--secret={cluster.secrets[user.name]}", *access),
        )


def _administer(ceph: Ceph, *arguments: str) -> None:
    ceph.run("radosgw-admin", "-n", "client.rgw", *arguments)


def _await_osd(ceph: Ceph) -> None:
    deadline = time.monotonic() + SECONDS
    while "1 up" not in ceph.run("ceph", "osd", "stat"):
        if time.monotonic() > deadline:
            raise ClusterError(f"the OSD was not up after {SECONDS} seconds", log="ceph-osd")
        time.sleep(POLL_SECONDS)
