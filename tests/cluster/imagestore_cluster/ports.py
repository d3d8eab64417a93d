# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports that no other program can take."""

from __future__ import annotations

import socket
from collections.abc import Iterable

LOOPBACK = "127.0.0.1"


def reserve(names: Iterable[str]) -> dict[str, socket.socket]:
    """Return a bound socket for each name; while it is open, the port is kept for our servers.

    The kernel never gives a bound port to a socket that asks for any free one. Our servers can still bind it, because
    they and we set SO_REUSEPORT. These sockets do not listen, so no connection arrives at them.
    """
    return {name: bind(0) for name in names}


def bind(port: int) -> socket.socket:
    """Return a socket on a reserved port (or, for 0, on a free one)."""
    # asyncio turns off Nagle's algorithm only if the socket names its protocol.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind((LOOPBACK, port))
    return bound
