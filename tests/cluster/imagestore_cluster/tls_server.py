# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that takes TLS off connections and passes them on to Keystone or to the Swift proxy."""

from __future__ import annotations

import asyncio
import ssl

from .certificates import server_context
from .cluster import Cluster
from .ports import LOOPBACK, bind

CHUNK = 256 * 1024
HANDSHAKE_SECONDS = 30.0


class Terminator:
    """A port to which connections are passed on without TLS."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one connection on until either side has ended it."""
        try:
            behind_reader, behind_writer = await asyncio.open_connection(LOOPBACK, self._port, limit=CHUNK)
        except ConnectionError:
            # The server behind is not up yet or has ended: the client sees the connection end.
            writer.close()
            return
        ways = [
            asyncio.create_task(_copy(reader, behind_writer)),
            asyncio.create_task(_copy(behind_reader, writer)),
        ]
        # TLS cannot be closed in one direction only: the end of one direction ends both.
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        writer.close()
        behind_writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(CHUNK):
            writer.write(chunk)
            await writer.drain()
    except (ConnectionError, ssl.SSLError):
        # Either side may break a connection off at any time; both are closed then.
        return


async def _serve(cluster: Cluster, name: str) -> None:
    terminator = Terminator(cluster.ports[name.removesuffix("-tls")])
    server = await asyncio.start_server(
        terminator.serve,
        sock=bind(cluster.ports[name]),
        ssl=server_context(cluster),
        ssl_handshake_timeout=HANDSHAKE_SECONDS,
        limit=CHUNK,
    )
    await server.serve_forever()


def main(cluster: Cluster, name: str) -> None:
    """Serve until the process is ended."""
    asyncio.run(_serve(cluster, name))
