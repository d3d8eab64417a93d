# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job: write Swift's configuration and rings."""

from __future__ import annotations

from swift.common.constraints import DEFAULT_CONSTRAINTS
from swift.common.ring import RingBuilder

from .cluster import Cluster
from .errors import ClusterError
from .ini import write_ini
from .ports import LOOPBACK
from .servers import STORAGE_SERVERS
from .swift_config import cluster_sections, proxy_sections, storage_sections

DEVICE = "disk"
PARTITION_POWER = 2
COPIES = 1


def main(cluster: Cluster, _name: str) -> None:
    """Write all that Swift's servers read."""
    _require_known_constraints(cluster)
    cluster.layout.swift.mkdir()
    (cluster.layout.devices / DEVICE).mkdir(parents=True)
    for server in STORAGE_SERVERS:
        _write_ring(cluster, server)
        write_ini(cluster.layout.swift / f"{server}-server.conf", storage_sections(cluster, server))
    write_ini(cluster.layout.swift / "swift.conf", cluster_sections(cluster))
    write_ini(cluster.layout.swift / "proxy-server.conf", proxy_sections(cluster))


def _require_known_constraints(cluster: Cluster) -> None:
    """Refuse a misspelt constraint, which Swift would silently ignore."""
    for section, key, _value in cluster.settings.overrides:
        if section == "swift-constraints" and key not in DEFAULT_CONSTRAINTS:
            known = ", ".join(sorted(DEFAULT_CONSTRAINTS))
            raise ClusterError(f"--set: Swift has no constraint {key}; it has {known}")


def _write_ring(cluster: Cluster, server: str) -> None:
    port = cluster.ports[server]
    builder = RingBuilder(PARTITION_POWER, COPIES, min_part_hours=1)
    builder.add_dev(
        {
            "id": 0,
            "region": 1,
            "zone": 1,
            "weight": 1.0,
            "device": DEVICE,
            "meta": "",
            "ip": LOOPBACK,
            "port": port,
            "replication_ip": LOOPBACK,
            "replication_port": port,
        }
    )
    builder.rebalance()
    builder.get_ring().save(str(cluster.layout.swift / f"{server}.ring.gz"))
