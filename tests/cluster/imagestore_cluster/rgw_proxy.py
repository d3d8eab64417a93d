# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy for clients of a Ceph RGW: it passes all bytes on to the gateway unchanged, and notes each request.

The proxy parses requests, to find where each begins. It passes the gateway's answers on without parsing them.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress

from .cluster import Cluster
from .ports import LOOPBACK, bind
from .request_log import UNNOTED, note

CHUNK = 256 * 1024
LONGEST_HEAD = 256 * 1024
# The errors that end a connection, from either side.
BROKEN = (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)


class Gateway:
    """The gateway, to whose port connections are passed on.

    :param log: the open file of the noted requests
    """

    def __init__(self, port: int, log: int) -> None:
        self._port = port
        self._log = log

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one connection on until either side has ended it."""
        try:
            behind_reader, behind_writer = await asyncio.open_connection(LOOPBACK, self._port, limit=CHUNK)
        except OSError:
            # The gateway is not up yet or has ended: the client sees the connection end.
            writer.close()
            return
        asking = asyncio.create_task(self._pass_requests(reader, behind_writer))
        try:
            with suppress(*BROKEN):
                while chunk := await behind_reader.read(CHUNK):
                    writer.write(chunk)
                    await writer.drain()
        finally:
            asking.cancel()
            writer.close()
            behind_writer.close()

    async def _pass_requests(self, reader: asyncio.StreamReader, behind: asyncio.StreamWriter) -> None:
        with suppress(*BROKEN):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                headers = _headers(head)
                self._note(head, headers)
                behind.write(head)
                if "chunked" in headers.get("transfer-encoding", ""):
                    await _pass_chunks(reader, behind)
                else:
                    await _pass_bytes(reader, behind, int(headers.get("content-length", "0")))
                await behind.drain()
        # The client sends no more requests, so that it does not need the gateway's remaining answers.
        behind.close()

    def _note(self, head: bytes, headers: dict[str, str]) -> None:
        method, target, _version = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
        path, _mark, query = target.partition("?")
        if path != UNNOTED:
            length = headers.get("content-length")
            note(self._log, method, path, query, length, headers.get("user-agent", ""))


def _headers(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").split("\r\n")[1:]
    pairs = (line.partition(":") for line in lines if line)
    return {name.lower(): value.strip() for name, _colon, value in pairs}


async def _pass_bytes(reader: asyncio.StreamReader, behind: asyncio.StreamWriter, size: int) -> None:
    while size > 0:
        chunk = await reader.read(min(CHUNK, size))
        if not chunk:
            raise asyncio.IncompleteReadError(b"", size)
        size -= len(chunk)
        behind.write(chunk)
        await behind.drain()


async def _pass_chunks(reader: asyncio.StreamReader, behind: asyncio.StreamWriter) -> None:
    size = -1
    while size:
        line = await reader.readuntil(b"\r\n")
        size = int(line.partition(b";")[0], 16)
        behind.write(line)
        # The two bytes more are the line end after a chunk, or after the trailer, which our clients leave empty.
        await _pass_bytes(reader, behind, size + 2)


async def _serve(cluster: Cluster, name: str) -> None:
    log = os.open(cluster.layout.requests_log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    gateway = Gateway(cluster.ports["radosgw"], log)
    server = await asyncio.start_server(gateway.serve, sock=bind(cluster.ports[name]), limit=LONGEST_HEAD)
    await server.serve_forever()


def main(cluster: Cluster, name: str) -> None:
    """Serve until the process is ended."""
    asyncio.run(_serve(cluster, name))
