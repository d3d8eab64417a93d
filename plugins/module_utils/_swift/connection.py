# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections to Swift, which send in large blocks, and have a time limit for the headers of an answer."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any

_BLOCK_BYTES = 1024 * 1024
_PAUSE_SECONDS = 0.5


class Watchdog:
    """A thread that ends operations that take too long; all connections share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watched: dict[object, tuple[float, Callable[[], None]]] = {}
        self._thread: threading.Thread | None = None
        self._never = threading.Event()

    @contextmanager
    def limit(self, seconds: float, end: Callable[[], None]) -> Iterator[None]:
        """Call *end* if the block takes longer than *seconds*."""
        key = object()
        with self._lock:
            self._watched[key] = time.monotonic() + seconds, end
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._watched.pop(key, None)

    def _watch(self) -> None:
        while not self._never.wait(_PAUSE_SECONDS):
            with self._lock:
                now = time.monotonic()
                overdue = [key for key, (deadline, _end) in self._watched.items() if now > deadline]
                ends = [self._watched.pop(key)[1] for key in overdue]
            for end in ends:
                end()


_WATCHDOG = Watchdog()


class _OwnConnection:
    """The additions to a connection of urllib3.

    Bodies are read in blocks of 1 MiB, and not of 16 KiB, the default. Sending 256 MiB took 69 ms of CPU with these
    blocks, 155 ms with the default, and 124 ms with the kernel's sendfile. A dense upload as a whole took 1 % longer
    than with sendfile, which is within noise. Connections through a proxy are urllib3's own.

    A socket's timeout counts from one byte to the next. Without a limit, a server that sends a byte of a header now and
    then would never time out.
    """

    header_seconds: float
    sock: Any

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{**options, "blocksize": _BLOCK_BYTES})

    def getresponse(self, *args: Any, **options: Any) -> Any:
        """Read the status and the headers of an answer; the body of the request has been sent."""
        self._has_hung_up = False
        with _WATCHDOG.limit(self.header_seconds, self._hang_up):
            # mypy can't know the method: pool_classes combines this mixin with urllib3's connection, which has it.
            response = super().getresponse(*args, **options)  # type: ignore[misc]
        if self._has_hung_up:
            # Python takes truncated headers for complete ones.
            raise TimeoutError("the headers of the answer are too slow")
        return response

    def _hang_up(self) -> None:
        self._has_hung_up = True
        with suppress(OSError, AttributeError):
            self.sock.shutdown(socket.SHUT_RDWR)


@lru_cache(maxsize=8)
def pool_classes(timeout: float) -> dict[str, type[Any]]:
    """Return urllib3's classes of connection pools, by scheme, with such connections.

    :param timeout: seconds without a byte; the headers of an answer may take twice as long
    """
    from urllib3.connection import HTTPConnection, HTTPSConnection
    from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

    pools: dict[str, type[Any]] = {}
    for scheme, connection, pool in (
        ("http", HTTPConnection, HTTPConnectionPool),
        ("https", HTTPSConnection, HTTPSConnectionPool),
    ):
        own = type("OwnConnection", (_OwnConnection, connection), {"header_seconds": 2 * timeout})
        pools[scheme] = type("OwnPool", (pool,), {"ConnectionCls": own})
    return pools
