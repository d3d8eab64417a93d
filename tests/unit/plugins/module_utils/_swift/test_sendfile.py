# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parts of files on their way out, over sockets of this host."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from ansible_collections.imagestore.swift.plugins.module_utils._errors import SourceError
from ansible_collections.imagestore.swift.plugins.module_utils._source.file import OpenFile, Part, PartReader
from ansible_collections.imagestore.swift.plugins.module_utils._source.path import open_path
from ansible_collections.imagestore.swift.plugins.module_utils._swift import sendfile as _sending
from ansible_collections.imagestore.swift.plugins.module_utils._swift.sendfile import (
    Sending,
    part_adapter,
    part_body,
    send_file,
)

CONTENT = bytes(range(256)) * 20000


def uncounted(_size: int) -> None:
    """Nobody follows what is sent."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    bodies: list[bytes]

    def do_PUT(self) -> None:
        assert "Transfer-Encoding" not in self.headers
        self.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(201)
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture(name="server")
def _server(serve: Callable[..., ThreadingHTTPServer]) -> ThreadingHTTPServer:
    return serve(_Handler, bodies=[])


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Iterator[OpenFile]:
    (tmp_path / "image").write_bytes(CONTENT)
    source = open_path(str(tmp_path / "image"), None, lambda: str(tmp_path))
    assert isinstance(source, OpenFile)
    with source:
        yield source


def put(server: Any, *readers: PartReader) -> list[bytes]:
    """Send parts over one connection; what arrived."""
    with requests.Session() as session:
        session.mount("http://", part_adapter())
        for reader in readers:
            answer = session.put(f"http://127.0.0.1:{server.server_port}/x", data=part_body(reader), timeout=5)
            assert answer.status_code == 201
    return list(server.RequestHandlerClass.bodies)


def test_the_kernel_sends_a_part(server: Any, file: OpenFile, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = []

    def note(*arguments: int, sendfile: Any = os.sendfile) -> int:
        sent.append(sendfile(*arguments))
        return int(sent[-1])

    monkeypatch.setattr(os, "sendfile", note)
    whole, part = Part(file, 0, file.size), Part(file, 1000, 3000001)
    assert put(server, PartReader(whole, uncounted), PartReader(part, uncounted)) == [CONTENT, CONTENT[1000:3001001]]
    assert sum(sent) == file.size + part.size


def test_a_part_is_read_where_the_kernel_can_not(server: Any, file: OpenFile, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: int) -> int:
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(os, "sendfile", refuse)
    assert put(server, PartReader(Part(file, 5, 2000000), uncounted)) == [CONTENT[5:2000005]]


def test_only_a_plain_socket_is_given_to_the_kernel(file: OpenFile, monkeypatch: pytest.MonkeyPatch) -> None:
    class TlsInTls:
        """As urllib3's SSLTransport: no SSLSocket, and with a descriptor all the same."""

        def __init__(self) -> None:
            self.sent = b""

        def fileno(self) -> int:
            return 0

        def sendall(self, data: bytes) -> None:
            self.sent += data

    monkeypatch.setattr(_sending, "send_file", pytest.fail)
    connection: Any = Sending("127.0.0.1")
    connection.sock = TlsInTls()
    connection.send(PartReader(Part(file, 0, 1000), uncounted))
    assert connection.sock.sent == CONTENT[:1000]


def test_a_file_that_becomes_shorter(server: Any, file: OpenFile) -> None:
    os.truncate(f"/proc/self/fd/{file.descriptor}", 100)
    with pytest.raises(SourceError, match="became shorter"):
        put(server, PartReader(Part(file, 0, 1000), uncounted))


def test_who_reads_nothing_is_waited_for_so_long(file: OpenFile) -> None:
    reading, writing = socket.socketpair()
    with reading, writing:
        writing.settimeout(0.01)
        with pytest.raises(TimeoutError):
            send_file(writing, PartReader(Part(file, 0, file.size), uncounted))
