# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small memcached, with the part of the protocol that Swift's client uses.

Swift keeps v1 tokens, facts about containers and the counters of its rate limits in it. All workers of the proxy share
it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from .cluster import Cluster
from .ports import bind

# An expiry above thirty days is a date, as in memcached.
LONGEST_SPAN = 30 * 24 * 3600


class Cache:
    """Values with an expiry; each method is one command and returns its answer."""

    def __init__(self) -> None:
        self._items: dict[bytes, tuple[bytes, bytes, float]] = {}

    def get(self, *keys: bytes) -> bytes:
        """Return the values of the keys that are known."""
        found = [(key, self._find(key)) for key in keys]
        lines = [
            b"VALUE %b %b %d\r\n%b\r\n" % (key, item[0], len(item[1]), item[1])
            for key, item in found
            if item is not None
        ]
        return b"".join(lines) + b"END\r\n"

    def set(self, key: bytes, flags: bytes, expiry: bytes, value: bytes) -> bytes:
        """Store a value."""
        self._items[key] = (flags, value, _end_of_life(int(expiry)))
        return b"STORED\r\n"

    def add(self, key: bytes, flags: bytes, expiry: bytes, value: bytes) -> bytes:
        """Store a value unless there is one."""
        if self._find(key) is not None:
            return b"NOT_STORED\r\n"
        return self.set(key, flags, expiry, value)

    def delete(self, key: bytes) -> bytes:
        """Forget a value."""
        known = self._find(key) is not None
        self._items.pop(key, None)
        return b"DELETED\r\n" if known else b"NOT_FOUND\r\n"

    def incr(self, key: bytes, delta: bytes) -> bytes:
        """Count up."""
        return self._count(key, int(delta))

    def decr(self, key: bytes, delta: bytes) -> bytes:
        """Count down, to zero at the least."""
        return self._count(key, -int(delta))

    def version(self) -> bytes:
        """Return a version, which shows that the server answers."""
        return b"VERSION imagestore\r\n"

    def _count(self, key: bytes, delta: int) -> bytes:
        item = self._find(key)
        if item is None:
            return b"NOT_FOUND\r\n"
        flags, value, end = item
        count = b"%d" % max(0, int(value) + delta)
        self._items[key] = (flags, count, end)
        return count + b"\r\n"

    def _find(self, key: bytes) -> tuple[bytes, bytes, float] | None:
        item = self._items.get(key)
        if item is not None and item[2] <= time.time():
            del self._items[key]
            return None
        return item


def _end_of_life(expiry: int) -> float:
    if expiry == 0:
        return float("inf")
    return float(expiry) if expiry > LONGEST_SPAN else time.time() + expiry


class Connections:
    """Connections to the cache, each served one command at a time."""

    def __init__(self, cache: Cache) -> None:
        self._storing = {b"set": cache.set, b"add": cache.add}
        self._other: dict[bytes, Callable[..., bytes]] = {
            b"get": cache.get,
            b"delete": cache.delete,
            b"incr": cache.incr,
            b"decr": cache.decr,
            b"version": cache.version,
        }

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one client until it disconnects."""
        try:
            while line := await reader.readline():
                writer.write(await self._answer(line.split(), reader))
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            # A worker of the proxy was stopped in the middle of a command.
            pass
        finally:
            writer.close()

    async def _answer(self, words: list[bytes], reader: asyncio.StreamReader) -> bytes:
        command, arguments = words[0], words[1:]
        if command in self._storing:
            key, flags, expiry, length = arguments
            value = await reader.readexactly(int(length) + len(b"\r\n"))
            return self._storing[command](key, flags, expiry, value[:-2])
        if command in self._other:
            return self._other[command](*arguments)
        return b"ERROR\r\n"


async def _serve(port: int) -> None:
    server = await asyncio.start_server(Connections(Cache()).serve, sock=bind(port))
    await server.serve_forever()


def main(cluster: Cluster, name: str) -> None:
    """Serve until the process is ended."""
    asyncio.run(_serve(cluster.ports[name]))
