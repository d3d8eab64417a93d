# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parts of a file as they are sent to Swift."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._source.file import OpenFile, Part, PartReader
from ansible_collections.imagestore.swift.plugins.module_utils._source.path import open_path
from ansible_collections.imagestore.swift.plugins.module_utils._swift.client import SwiftClient
from ansible_collections.imagestore.swift.plugins.module_utils._swift.session import SwiftSession

MIB = 1024 * 1024
CONTENT = bytes(range(256)) * (5 * MIB // 256) + b"end"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    bodies: list[bytes]
    statuses: list[int]

    def do_PUT(self) -> None:
        assert "Transfer-Encoding" not in self.headers
        self.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(self.statuses.pop(0))
        self.send_header("X-Timestamp", "1")
        self.send_header("ETag", "e")
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Iterator[OpenFile]:
    (tmp_path / "image").write_bytes(CONTENT)
    source = open_path(str(tmp_path / "image"), None, lambda: str(tmp_path))
    assert isinstance(source, OpenFile)
    with source:
        yield source


def test_a_part_is_sent_in_large_blocks_and_resent_completely(
    no_pauses: None, file: OpenFile, serve: Callable[..., ThreadingHTTPServer], session_for: Callable[..., SwiftSession]
) -> None:
    bodies: list[bytes] = []
    port = serve(_Handler, bodies=bodies, statuses=[503, 201]).server_port
    steps: list[int] = []
    reader = PartReader(Part(file, 1, file.size - 1), steps.append)
    with SwiftClient(session_for(f"http://127.0.0.1:{port}/v1/AUTH_x"), 1) as client:
        client.put_object("c", "o", reader, reader.size, {})
    assert bodies == [CONTENT[1:]] * 2
    read = [step for step in steps if step > 0]
    assert set(read) == {MIB, 2} and read.count(MIB) == 10
    assert sum(steps) == reader.size
