# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deletions in bulk, on a server that answers 200 and can be told to list errors in the body."""

from __future__ import annotations

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import unquote

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._errors import ForbiddenError
from ansible_collections.imagestore.swift.plugins.module_utils._model.image import Segment
from ansible_collections.imagestore.swift.plugins.module_utils._storage.segments import delete_segments
from ansible_collections.imagestore.swift.plugins.module_utils._swift.client import SwiftClient
from ansible_collections.imagestore.swift.plugins.module_utils._swift.session import SwiftSession

SEGMENTS = [Segment("glance", f"é {number:02d}", 1, "e") for number in range(30)]


class Handler(BaseHTTPRequestHandler):
    """A handler that answers as Swift's bulk middleware does: 200, whatever happens."""

    protocol_version = "HTTP/1.1"
    offered: ClassVar[dict[str, Any]] = {"bulk_delete": {"max_deletes_per_request": 10}}
    bulk_status = 200
    bulk_answer = b'{"Response Status": "200 OK", "Errors": []}'
    # The statuses of single deletions that are not 204.
    refused: ClassVar[dict[str, int]] = {}
    bulks: list[list[str]]
    singles: list[str]

    def do_GET(self) -> None:
        """Answer /info."""
        self.answer(200, json.dumps(self.offered).encode())

    def do_POST(self) -> None:
        """Delete in bulk."""
        body = self.rfile.read(int(self.headers["Content-Length"])).decode("ascii")
        self.bulks.append([unquote(line) for line in body.split("\n")])
        self.answer(self.bulk_status, self.bulk_answer)

    def do_DELETE(self) -> None:
        """Delete one."""
        name = unquote(self.path).rpartition("/")[2]
        self.singles.append(name)
        self.answer(self.refused.get(name, 204), b"")

    def answer(self, status: int, body: bytes) -> None:
        """Send an answer."""
        self.send_response(status)
        self.send_header("X-Trans-Id", "tx")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def swift(serve: Callable[..., ThreadingHTTPServer], session_for: Callable[..., SwiftSession]) -> Callable[..., Any]:
    """A function that starts such a server, and returns its handler and a client of it."""

    def start(**attributes: Any) -> tuple[Any, SwiftClient]:
        server = serve(Handler, bulks=[], singles=[], **attributes)
        return server.RequestHandlerClass, SwiftClient(
            session_for(f"http://127.0.0.1:{server.server_port}/v1/AUTH_x"), 0
        )

    return start


def test_bulk_deletes_respect_the_limit_of_the_cluster(swift: Callable[..., Any]) -> None:
    handler, client = swift()
    with client:
        delete_segments(client, SEGMENTS, 2)
    assert sorted(len(bulk) for bulk in handler.bulks) == [10, 10, 10]
    assert sorted(path for bulk in handler.bulks for path in bulk) == [f"glance/{one.name}" for one in SEGMENTS]
    assert handler.singles == []


@pytest.mark.parametrize(
    "attributes",
    [
        {"offered": {}},
        {"bulk_answer": b'{"Response Status": "400 Bad Request", "Errors": [["glance/%C3%A9%2003", "403 Forbidden"]]}'},
        {"bulk_answer": b'{"Response Status": "502 Bad Gateway"}'},
        # The name that was not found may have arrived changed.
        {"bulk_answer": b'{"Response Status": "200 OK", "Number Not Found": 1, "Errors": []}'},
        {"bulk_answer": b"[]"},
        {"bulk_answer": b"{}"},
        {"bulk_answer": b"   "},
        {"bulk_status": 400},
        {"bulk_status": 403},
        {"bulk_status": 401},
        {"bulk_status": 500},
    ],
    ids=repr,
)
def test_segments_left_by_a_bulk_delete_are_deleted_individually(
    swift: Callable[..., Any], attributes: dict[str, Any]
) -> None:
    handler, client = swift(refused={"é 04": 404}, **attributes)
    with client:
        delete_segments(client, SEGMENTS, 2)
    assert sorted(handler.singles) == [one.name for one in SEGMENTS]


def test_undeleted_segments_are_counted_and_named(swift: Callable[..., Any]) -> None:
    refused = {f"é {number:02d}": 403 for number in range(3, 10)}
    _handler, client = swift(bulk_answer=b'{"Response Status": "400 Bad Request"}', refused=refused)
    sentence = "7 of 30 segments are still there: glance/é 03, glance/é 04, glance/é 05, glance/é 06, glance/é 07, …."
    with client, pytest.raises(ForbiddenError, match=sentence):
        delete_segments(client, SEGMENTS, 2)
