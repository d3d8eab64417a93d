# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A check that a server answers."""

from __future__ import annotations

import http.client
import socket
import ssl

from .cluster import Cluster
from .ports import LOOPBACK
from .servers import MEMCACHE, Server

PROBE_SECONDS = 5.0


def answers(cluster: Cluster, server: Server) -> bool:
    """Return whether a server answers as it should."""
    if server.port_name is None:
        # This server has no port to check. The servers that depend on it do not answer before it works.
        return True
    port = cluster.ports[server.port_name]
    try:
        if server == MEMCACHE:
            return _speaks_memcache(port)
        if server.path is None:
            return _listens(port)
        return _status(cluster, server, port) == http.client.OK
    except (OSError, http.client.HTTPException):
        return False


def _status(cluster: Cluster, server: Server, port: int) -> int:
    connection = _connection(cluster, server, port)
    try:
        connection.request("GET", server.path or "/", headers={"Connection": "close"})
        return connection.getresponse().status
    finally:
        connection.close()


def _connection(cluster: Cluster, server: Server, port: int) -> http.client.HTTPConnection:
    if not server.tls:
        return http.client.HTTPConnection(LOOPBACK, port, timeout=PROBE_SECONDS)
    context = _client_context(cluster)
    return http.client.HTTPSConnection(LOOPBACK, port, timeout=PROBE_SECONDS, context=context)


def _listens(port: int) -> bool:
    with socket.create_connection((LOOPBACK, port), timeout=PROBE_SECONDS):
        return True


def _speaks_memcache(port: int) -> bool:
    with socket.create_connection((LOOPBACK, port), timeout=PROBE_SECONDS) as connection:
        connection.sendall(b"version\r\n")
        return connection.recv(64).startswith(b"VERSION")


def _client_context(cluster: Cluster) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=cluster.ca_file)
    if cluster.client_cert_file is not None:
        context.load_cert_chain(cluster.client_cert_file, cluster.client_key_file)
    return context
