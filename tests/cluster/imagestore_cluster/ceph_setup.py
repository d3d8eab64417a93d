# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job: make the files that Ceph's monitor needs to start: keys, and a map of the monitors."""

from __future__ import annotations

from .ceph import Ceph
from .ceph_config import ceph_sections
from .cluster import Cluster
from .ini import write_ini
from .ports import LOOPBACK

CAPABILITIES = {
    "mon.": ("mon", "allow *"),
    "client.admin": ("mon", "allow *", "osd", "allow *", "mgr", "allow *"),
    "client.rgw": ("mon", "allow rw", "osd", "allow rwx"),
    "osd.0": ("mon", "allow profile osd", "osd", "allow *", "mgr", "allow profile osd"),
}

# From release 20.2 on, a monitor needs options to accept the keys that older releases make and read.
CIPHERS = ("--auth-allowed-ciphers", "aes", "--auth-service-cipher", "aes", "--auth-preferred-cipher", "aes")


def main(cluster: Cluster, _name: str) -> None:
    """Write all files that the monitor reads."""
    folder = cluster.layout.ceph
    for part in ("mon", "osd"):
        (folder / part).mkdir(parents=True)
    sections = ceph_sections(cluster)
    write_ini(folder / "ceph.conf", sections)
    ceph = Ceph(cluster)
    keyring, monmap = folder / "keyring", folder / "monmap"
    ceph.run("ceph-authtool", str(keyring), "--create-keyring")
    for name, told in CAPABILITIES.items():
        pairs = zip(told[::2], told[1::2])
        caps = [word for service, capability in pairs for word in ("--cap", service, capability)]
        ceph.run("ceph-authtool", str(keyring), "--gen-key", "-n", name, *caps)
    address = f"[v2:{LOOPBACK}:{cluster.ports['ceph-mon']}]"
    fsid = str(sections["global"]["fsid"])
    ciphers = CIPHERS if "--auth-allowed-ciphers" in ceph.run("monmaptool", "--help") else ()
    ceph.run("monmaptool", "--create", "--fsid", fsid, "--addv", "a", address, *ciphers, str(monmap))
    ceph.run("ceph-mon", "--mkfs", "-i", "a", "--monmap", str(monmap), "--keyring", str(keyring))
