# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Retries and errors of requests, against a server that answers what a real Swift can't be told to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from secrets import token_hex
from typing import Any

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils import _errors as errors
from ansible_collections.imagestore.swift.plugins.module_utils._access import Access
from ansible_collections.imagestore.swift.plugins.module_utils._connection import Connection
from keystoneauth1.noauth import NoAuth
from keystoneauth1.session import Session
from keystoneauth1.token_endpoint import Token
from swiftclient.authv1 import PasswordPlugin

# In a script: end the connection without an answer.
HANG_UP = 0


class ScriptedSwift(ThreadingHTTPServer):
    """Answers each request with the next status of a script."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script: list[int] = []
        self.requests: list[tuple[str, str, bytes]] = []
        self.retry_after: str | None = None
        self.headers = {"X-Timestamp": "1"}
        # In seconds, of a token.
        self.token_life = 3600
        self.tokens: list[str | None] = []

    @property
    def storage_url(self) -> str:
        """The address of its only account."""
        return f"http://127.0.0.1:{self.server_port}/v1/AUTH_x"

    def connection(self, retries: int) -> Connection:
        """A connection that asks this server, with a token that is ready."""
        return self._connection(retries, "admin_token", Token(self.storage_url, "token-of-nobody"))

    def renewing_connection(self, retries: int) -> Connection:
        """A connection that asks this server, and logs in there."""
        plugin = PasswordPlugin(f"http://127.0.0.1:{self.server_port}/auth/v1.0", "user", "key-of-nobody")
        return self._connection(retries, "v1password", plugin)

    def anonymous_connection(self) -> Connection:
        """A connection that asks this server without credentials."""
        return self._connection(0, "none", NoAuth(endpoint=self.storage_url))

    def _connection(self, retries: int, auth_type: str, plugin: Any) -> Connection:
        access = Access(
            session=Session(auth=plugin),
            auth_type=auth_type,
            service_type="object-store",
            interface="public",
            region_name=None,
            verify=True,
            certificate=(None, None),
            timeout=5.0,
            storage_url=None,
            override=self.storage_url,
            snet=False,
        )
        return Connection(access, retries)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ScriptedSwift

    def _answer(self) -> None:
        if self.path == "/auth/v1.0":
            self._log_in()
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.tokens.append(self.headers["X-Auth-Token"])
        self.server.requests.append((self.command, self.path, body))
        status = self.server.script.pop(0)
        if status == HANG_UP:
            self.close_connection = True
            return
        self.send_response(status)
        if self.server.retry_after:
            self.send_header("Retry-After", self.server.retry_after)
        self.send_header("Content-Length", "0")
        self.send_header("ETag", "0cc1")
        self.send_header("X-Object-Manifest", "c/100%2525-")
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _log_in(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.send_header("X-Storage-Url", self.server.storage_url)
        self.send_header("X-Auth-Token", token_hex(8))
        self.send_header("X-Auth-Token-Expires", str(self.server.token_life))
        self.end_headers()

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET = _answer

    def log_message(self, format: str, *args: object) -> None:
        """Keep the tests' output free of requests."""


@pytest.fixture(name="swift")
def _swift() -> Iterator[ScriptedSwift]:
    with ScriptedSwift() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_a_body_is_sent_again_whole(swift: ScriptedSwift) -> None:
    swift.script = [503, 201]
    with swift.connection(retries=1) as connection:
        assert connection.put_object("c", "a", BytesIO(b"manifest"), 8, {}) == "0cc1"
        assert connection.retried == 1
    assert [body for _method, _path, body in swift.requests] == [b"manifest", b"manifest"]


def test_a_token_that_is_refused_is_renewed(swift: ScriptedSwift) -> None:
    swift.script = [201, 401, 201]
    with swift.renewing_connection(retries=0) as connection:
        for _time in range(2):
            assert connection.put_object("c", "a", BytesIO(b"manifest"), 8, {}) == "0cc1"
    assert [body for _method, _path, body in swift.requests] == [b"manifest"] * 3
    assert swift.tokens[0] == swift.tokens[1] != swift.tokens[2]


def test_a_token_that_ends_soon_is_renewed_before_it_is_refused(swift: ScriptedSwift) -> None:
    swift.script, swift.token_life = [201, 201], 10
    with swift.renewing_connection(retries=0) as connection:
        for _time in range(2):
            connection.put_object("c", "a", BytesIO(b"manifest"), 8, {})
    assert swift.tokens[0] != swift.tokens[1]


@pytest.mark.parametrize(
    ("open_connection", "remedy"),
    [("connection", "has ended and can't be renewed: get a new one"), ("renewing_connection", "check user and key")],
)
def test_refusals_end(swift: ScriptedSwift, open_connection: str, remedy: str) -> None:
    swift.script = [401, 401, 201]
    connection = getattr(swift, open_connection)(retries=5)
    with connection, pytest.raises(errors.LoginError, match=remedy):
        connection.head_object("c", "a")


@pytest.mark.parametrize("status", [408, 429, 498, 499, 500, 503])
def test_what_may_pass_is_tried_again_when_the_server_says(
    swift: ScriptedSwift, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    swift.script, swift.retry_after = [status, status, 201], "17"
    with swift.connection(retries=2) as connection:
        assert connection.put_object("c", "a", BytesIO(b"manifest"), 8, {}) == "0cc1"
        assert connection.retried == 2
    assert pauses == [17, 17]
    assert [body for _method, _path, body in swift.requests] == [b"manifest"] * 3


@pytest.mark.parametrize("status", [400, 403, 404, 409, 412, 413, 422, 507])
def test_what_does_not_pass_is_not(swift: ScriptedSwift, status: int) -> None:
    swift.script = [status, 201]
    with swift.connection(retries=5) as connection, pytest.raises(errors.ImageStoreError):
        connection.put_object("c", "a", BytesIO(b"x"), 1, {})
    assert len(swift.requests) == 1 and connection.retried == 0


def test_a_connection_that_ends_is_tried_again(swift: ScriptedSwift, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    swift.script = [HANG_UP, HANG_UP, 201]
    with swift.connection(retries=2) as connection:
        assert connection.put_object("c", "a", BytesIO(b"manifest"), 8, {}) == "0cc1"
        assert connection.retried == 2
    swift.script = [HANG_UP, 201]
    with swift.connection(retries=0) as connection, pytest.raises(errors.UnreachableError, match="no answer"):
        connection.put_object("c", "a", BytesIO(b"manifest"), 8, {})


def test_without_credentials_there_is_no_token(swift: ScriptedSwift) -> None:
    swift.script = [200, 200]
    with swift.anonymous_connection() as connection:
        assert connection.head_object("c", "a") and connection.head_object("c", "a")
    assert swift.tokens == [None, None]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(swift: ScriptedSwift, status: int) -> None:
    swift.script, swift.headers = [status, 200], {"Location": f"{swift.storage_url}/elsewhere", "X-Timestamp": "1"}
    with swift.connection(retries=5) as connection, pytest.raises(errors.SwiftError, match="names another address"):
        connection.post_object("c", "a", {})
    assert [path for _method, path, _body in swift.requests] == ["/v1/AUTH_x/c/a"]


def test_what_is_no_swift(swift: ScriptedSwift) -> None:
    swift.script, swift.headers = [200, 200], {}
    with swift.connection(retries=5) as connection:
        with pytest.raises(errors.UnreachableError, match="is none of Swift's"):
            connection.head_object("c", "a")
        with pytest.raises(errors.UnreachableError, match="is none of Swift's"):
            list(connection.list_objects("c"))
    assert len(swift.requests) == 2


def test_retries_end(swift: ScriptedSwift) -> None:
    swift.script = [503, 503, 201]
    with swift.connection(retries=1) as connection, pytest.raises(errors.SwiftError, match="answered 503"):
        connection.put_object("c", "a", BytesIO(b"x"), 1, {})
    assert len(swift.requests) == 2


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, errors.SwiftError),
        (403, errors.ForbiddenError),
        (404, errors.NotFoundError),
        (409, errors.ConflictError),
        (412, errors.ConflictError),
        (413, errors.QuotaError),
        (422, errors.IntegrityError),
        (507, errors.QuotaError),
    ],
)
def test_each_answer_is_an_error_of_its_own(swift: ScriptedSwift, status: int, error: type[Exception]) -> None:
    swift.script = [status]
    with swift.connection(retries=0) as connection, pytest.raises(error, match="Swift can't store c/a") as raised:
        connection.put_object("c", "a", BytesIO(b"x"), 1, {})
    assert "\n" not in str(raised.value) and "token-of-nobody" not in str(raised.value)


def test_no_answer(swift: ScriptedSwift) -> None:
    connection = swift.connection(retries=0)
    swift.shutdown()
    swift.server_close()
    with connection, pytest.raises(errors.UnreachableError, match="no answer"):
        connection.head_object("c", "a")


def test_headers_come_as_they_were_sent(swift: ScriptedSwift) -> None:
    swift.script = [200, 404]
    with swift.connection(retries=0) as connection:
        headers = connection.head_object("c", "a")
        assert headers is not None and headers["x-object-manifest"] == "c/100%2525-"
        assert connection.head_object("c", "b") is None


def test_a_name_that_would_reach_another_object_is_not_asked_for(swift: ScriptedSwift) -> None:
    with swift.connection(retries=0) as connection:
        for ask in (connection.head_object, connection.delete_object, connection.get_manifest):
            with pytest.raises(errors.IntegrityError, match="only dots"):
                ask("c", "a/../b")
    assert swift.requests == []


@pytest.mark.parametrize(("status", "info"), [(404, {}), (403, {}), (401, {})])
def test_a_cluster_may_keep_its_info_to_itself(swift: ScriptedSwift, status: int, info: dict[str, object]) -> None:
    swift.script = [status]
    with swift.connection(retries=0) as connection:
        assert connection.capabilities == info


def test_a_cluster_that_fails_is_no_cluster_without_slo(swift: ScriptedSwift) -> None:
    swift.script = [503]
    with swift.connection(retries=0) as connection, pytest.raises(errors.SwiftError, match="503"):
        assert connection.capabilities
