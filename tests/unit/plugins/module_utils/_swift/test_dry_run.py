# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client of check mode, which sends no request that changes anything."""

from __future__ import annotations

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from inspect import getmembers, isfunction
from io import BytesIO
from typing import Any

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._swift.client import SwiftClient
from ansible_collections.imagestore.swift.plugins.module_utils._swift.dry_run import DryRunClient
from ansible_collections.imagestore.swift.plugins.module_utils._swift.session import SwiftSession

# Every method of the client that changes something, with arguments for it.
CHANGES: dict[str, tuple[Any, ...]] = {
    "put_container": ("c", {}),
    "post_container": ("c", {}),
    "delete_container": ("c",),
    "put_object": ("c", "o", BytesIO(b"x"), 1, {"ETag": "e"}),
    "copy_object": (("c", "o"), ("c", "p"), {}),
    "post_object": ("c", "o", {}),
    "delete_object": ("c", "o"),
    "delete_objects": ([("c", "o")],),
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    methods: list[str]

    def _answer(self) -> None:
        self.methods.append(self.command)
        self.send_response(200)
        self.send_header("X-Timestamp", "1")
        self.send_header("ETag", "e")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET = do_PUT = do_POST = do_DELETE = _answer


def _client(
    kind: type[SwiftClient], serve: Callable[..., ThreadingHTTPServer], session_for: Callable[..., SwiftSession]
) -> tuple[SwiftClient, list[str]]:
    methods: list[str] = []
    port = serve(_Handler, methods=methods).server_port
    return kind(session_for(f"http://127.0.0.1:{port}/v1/AUTH_x"), 0), methods


@pytest.mark.parametrize("change", CHANGES)
def test_a_dry_run_changes_nothing(
    change: str, serve: Callable[..., ThreadingHTTPServer], session_for: Callable[..., SwiftSession]
) -> None:
    client, methods = _client(DryRunClient, serve, session_for)
    with client:
        getattr(client, change)(*CHANGES[change])
    assert set(methods) <= {"HEAD", "GET"}


@pytest.mark.parametrize("change", CHANGES)
def test_the_real_client_sends_each_change(
    change: str, serve: Callable[..., ThreadingHTTPServer], session_for: Callable[..., SwiftSession]
) -> None:
    client, methods = _client(SwiftClient, serve, session_for)
    CHANGES["put_object"][2].seek(0)
    with client:
        getattr(client, change)(*CHANGES[change])
    assert set(methods) & {"PUT", "POST", "DELETE"}


def test_every_changing_method_is_covered() -> None:
    public = {name for name, _method in getmembers(SwiftClient, isfunction) if not name.startswith("_")}
    reads = {"close", "counting_anew", "get_list", "get_manifest", "now", "open_object", "remember"}
    assert {
        name for name in public if not name.startswith(("head_", "list_", "has_", "count_")) and name not in reads
    } == set(CHANGES)
