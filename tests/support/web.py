# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Web servers on loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_POLL_SECONDS = 0.01


class QuietServer(ThreadingHTTPServer):
    """A server that prints nothing: the client itself notices a broken connection."""

    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing about a client that has disconnected."""


class QuietHandler(BaseHTTPRequestHandler):
    """A handler that prints nothing about its requests."""

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


class _Files(QuietHandler, SimpleHTTPRequestHandler):
    """A handler for the files of a folder."""


@contextmanager
def serving(server: ThreadingHTTPServer) -> Iterator[str]:
    """Run a server on loopback within the block; yield its address as ``http://host:port``."""
    thread = threading.Thread(target=server.serve_forever, args=(_POLL_SECONDS,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def serving_files(folder: Path) -> Iterator[str]:
    """Serve the files of a folder within the block; yield the address."""
    with serving(QuietServer(("127.0.0.1", 0), partial(_Files, directory=str(folder)))) as address:
        yield address
