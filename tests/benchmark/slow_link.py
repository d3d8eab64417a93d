# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A slow link: a proxy that limits the bytes a second of each connection, and delays them."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time

_CHUNK = 256 * 1024
# Seconds: longer than any sleep is late, and too short for a noticeable burst.
_LATE = 0.02


class SlowLink:
    """A proxy on a port of its own, which passes bytes on once it is opened.

    :param host: the host that it passes bytes on to
    :param port: the port of that host
    :param rate: bytes a second of one connection, in each direction
    :param delay: the delay of a round trip, in seconds
    """

    def __init__(self, host: str, port: int, rate: float, delay: float) -> None:
        self._target = host, port
        self._rate = rate
        self._delay = delay / 2
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self.port = 0

    def open(self) -> SlowLink:
        """Start the proxy, which ends with the process."""
        self._thread.daemon = True
        self._thread.start()
        server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._connect, "127.0.0.1", 0, limit=_CHUNK), self._loop
        ).result()
        self.port = server.sockets[0].getsockname()[1]
        return self

    async def _connect(self, client_in: asyncio.StreamReader, client_out: asyncio.StreamWriter) -> None:
        server_in, server_out = await asyncio.open_connection(*self._target)
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            await asyncio.gather(self._pass_on(client_in, server_out), self._pass_on(server_in, client_out))
        server_out.close()
        client_out.close()

    async def _pass_on(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        """Pass on one direction: bytes leave at the rate, and arrive after the delay."""
        on_the_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        arriving = asyncio.ensure_future(_arrive(on_the_way, target))
        free = time.monotonic()
        while data := await source.read(_CHUNK):
            # If a sleep takes too long, the next ones are shorter; otherwise the rate would be too low.
            free = max(free, time.monotonic() - _LATE) + len(data) / self._rate
            await asyncio.sleep(free - time.monotonic())
            on_the_way.put_nowait((time.monotonic() + self._delay, data))
        on_the_way.put_nowait((0, b""))
        await arriving


async def _arrive(on_the_way: asyncio.Queue[tuple[float, bytes]], target: asyncio.StreamWriter) -> None:
    while True:
        due, data = await on_the_way.get()
        if not data:
            with contextlib.suppress(OSError):
                target.write_eof()
            return
        await asyncio.sleep(due - time.monotonic())
        target.write(data)
        await target.drain()
