# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers on loopback, for answers that a real Swift or web server can't be told to give."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils import _retry
from ansible_collections.imagestore.swift.plugins.module_utils._swift.session import SwiftSession
from ansible_collections.imagestore.swift.tests.support.web import QuietHandler, QuietServer, serving
from hypothesis import settings
from keystoneauth1.session import Session
from keystoneauth1.token_endpoint import Token

# A test on a busy machine must not fail because it is slow.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


@pytest.fixture(name="serve")
def _serve() -> Iterator[Callable[..., ThreadingHTTPServer]]:
    """A function that starts a server with a handler class and more attributes of it; all servers end with the test."""
    with ExitStack() as stack:

        def serve(handler: type[BaseHTTPRequestHandler], **attributes: Any) -> ThreadingHTTPServer:
            server = QuietServer(("127.0.0.1", 0), type("Handler", (QuietHandler, handler), attributes))
            stack.enter_context(serving(server))
            return server

        yield serve


@pytest.fixture(name="session_for")
def _session_for() -> Callable[..., SwiftSession]:
    """A function that makes a session for an account's storage URL, with a ready token or a plugin that gets one."""

    def session_for(storage_url: str, auth_type: str = "admin_token", plugin: Any = None) -> SwiftSession:
        return SwiftSession(
            auth_session=Session(auth=plugin or Token(storage_url, "token-of-a-test")),
            auth_type=auth_type,
            service_type="object-store",
            interface="public",
            region_name=None,
            verify=True,
            certificate=(None, None),
            timeout=5.0,
            storage_url=None,
            override=storage_url,
            snet=False,
        )

    return session_for


@pytest.fixture(name="no_pauses")
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries without a pause."""
    monkeypatch.setattr(_retry, "pause_seconds", lambda tries, asked: 0.0)
