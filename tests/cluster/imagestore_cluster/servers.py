# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The servers of a cluster."""

from __future__ import annotations

from dataclasses import dataclass

from .settings import Settings

STORAGE_SERVERS = ("account", "container", "object")


@dataclass(frozen=True)
class Server:
    """One process that serves."""

    name: str
    module: str
    # The name of its port, which the proxy's workers share; None if the server chooses its ports itself.
    port_name: str | None
    # A path that is answered with 200; None if the server does not speak HTTP.
    path: str | None
    tls: bool = False
    # True if the server can't share its port with the socket that reserves it, which is closed before the start.
    binds_alone: bool = False


def all_servers(settings: Settings) -> list[Server]:
    """Return every server of a cluster with these settings."""
    stores = RGW_SERVERS if settings.store == "rgw" else [*swift_servers(settings), MEMCACHE]
    return [*stores, KEYSTONE, *tls_servers(settings)]


def swift_servers(settings: Settings) -> list[Server]:
    """Return Swift's own servers."""
    workers = ["proxy", *(f"proxy-{number}" for number in range(2, settings.workers + 1))]
    storage = [Server(name, "swift_server", name, "/healthcheck") for name in STORAGE_SERVERS]
    return storage + [Server(name, "swift_server", "proxy", "/healthcheck") for name in workers]


def tls_servers(settings: Settings) -> list[Server]:
    """Return the servers that take TLS connections for Keystone and the proxy; none without TLS."""
    if not settings.tls:
        return []
    path = RGW_PROXY.path if settings.store == "rgw" else "/healthcheck"
    return [
        Server("keystone-tls", "tls_server", "keystone-tls", KEYSTONE.path, tls=True),
        Server("proxy-tls", "tls_server", "proxy-tls", path, tls=True),
    ]


KEYSTONE = Server("keystone", "keystone_server", "keystone", "/v3")
MEMCACHE = Server("memcache", "memcache_server", "memcache", None)
MONITOR = Server("ceph-mon", "ceph_server", "ceph-mon", None, binds_alone=True)
OSD = Server("ceph-osd", "ceph_server", None, None)
RADOSGW = Server("radosgw", "ceph_server", "radosgw", "/swift/healthcheck", binds_alone=True)
RGW_PROXY = Server("proxy", "rgw_proxy", "proxy", "/swift/healthcheck")
RGW_SERVERS = [MONITOR, OSD, RADOSGW, RGW_PROXY]
