# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Retries and errors of requests, against a server that answers what a real Swift can't be told to."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from secrets import token_hex

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils import _errors as errors
from ansible_collections.imagestore.swift.plugins.module_utils._model.capabilities import Capabilities
from ansible_collections.imagestore.swift.plugins.module_utils._swift.client import SwiftClient
from ansible_collections.imagestore.swift.plugins.module_utils._swift.session import SwiftSession
from keystoneauth1.noauth import NoAuth
from swiftclient.authv1 import PasswordPlugin

# In a script: end the connection without an answer.
HANG_UP = 0


@dataclass
class ScriptedSwift:
    """A server that answers each request with the next status of a script.

    :param token_life: the lifetime of a token in seconds
    :param seconds: the time that an answer takes
    """

    session_for: Callable[..., SwiftSession]
    port: int = 0
    script: list[int] = field(default_factory=list)
    requests: list[tuple[str, str, bytes]] = field(default_factory=list)
    retry_after: str | None = None
    headers: dict[str, str] = field(default_factory=lambda: {"X-Timestamp": "1"})
    token_life: int = 3600
    tokens: list[str | None] = field(default_factory=list)
    seconds: float = 0
    # The real time.sleep, even if a test replaces it for the client.
    wait: Callable[[float], None] = time.sleep
    lock: threading.Lock = field(default_factory=threading.Lock)
    under_way: int = 0
    most_under_way: int = 0

    @property
    def storage_url(self) -> str:
        """The address of its only account."""
        return f"http://127.0.0.1:{self.port}/v1/AUTH_x"

    def client(self, retries: int) -> SwiftClient:
        """Return a client of this server, with a ready token."""
        return SwiftClient(self.session_for(self.storage_url), retries)

    def renewing_client(self, retries: int) -> SwiftClient:
        """Return a client of this server, which logs in there."""
        plugin = PasswordPlugin(f"http://127.0.0.1:{self.port}/auth/v1.0", "user", "key-of-a-test")
        return SwiftClient(self.session_for(self.storage_url, "v1password", plugin), retries)

    def anonymous_client(self) -> SwiftClient:
        """Return a client of this server, without credentials."""
        return SwiftClient(self.session_for(self.storage_url, "none", NoAuth(endpoint=self.storage_url)), 0)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    swift: ScriptedSwift

    def _answer(self) -> None:
        swift = self.swift
        with swift.lock:
            swift.under_way += 1
            swift.most_under_way = max(swift.most_under_way, swift.under_way)
        swift.wait(swift.seconds)
        with swift.lock:
            swift.under_way -= 1
        self._answer_at_once()

    def _answer_at_once(self) -> None:
        if self.path == "/auth/v1.0":
            self._log_in()
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.swift.tokens.append(self.headers["X-Auth-Token"])
        self.swift.requests.append((self.command, self.path, body))
        status = self.swift.script.pop(0)
        if status == HANG_UP:
            self.close_connection = True
            return
        self.send_response(status)
        if self.swift.retry_after:
            self.send_header("Retry-After", self.swift.retry_after)
        self.send_header("Content-Length", "0")
        self.send_header("ETag", "0cc1")
        self.send_header("X-Object-Manifest", "c/100%2525-")
        for name, value in self.swift.headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _log_in(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.send_header("X-Storage-Url", self.swift.storage_url)
        self.send_header("X-Auth-Token", token_hex(8))
        self.send_header("X-Auth-Token-Expires", str(self.swift.token_life))
        self.end_headers()

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET = _answer


@pytest.fixture(name="swift")
def _swift(serve: Callable[..., ThreadingHTTPServer], session_for: Callable[..., SwiftSession]) -> ScriptedSwift:
    swift = ScriptedSwift(session_for)
    swift.port = serve(_Handler, swift=swift).server_port
    return swift


def test_a_retry_resends_the_whole_body(swift: ScriptedSwift) -> None:
    swift.script = [503, 201]
    with swift.client(retries=1) as client:
        assert client.put_object("c", "a", BytesIO(b"manifest"), 8, {}) == "0cc1"
        assert client.retried == 1
    assert [body for _method, _path, body in swift.requests] == [b"manifest", b"manifest"]


def test_a_rejected_token_is_renewed(swift: ScriptedSwift) -> None:
    swift.script = [201, 401, 201]
    with swift.renewing_client(retries=0) as client:
        for _time in range(2):
            assert client.put_object("c", "a", BytesIO(b"manifest"), 8, {}) == "0cc1"
    assert [body for _method, _path, body in swift.requests] == [b"manifest"] * 3
    assert swift.tokens[0] == swift.tokens[1] != swift.tokens[2]


def test_an_expiring_token_is_renewed_in_advance(swift: ScriptedSwift) -> None:
    swift.script, swift.token_life = [201, 201], 10
    with swift.renewing_client(retries=0) as client:
        for _time in range(2):
            client.put_object("c", "a", BytesIO(b"manifest"), 8, {})
    assert swift.tokens[0] != swift.tokens[1]


@pytest.mark.parametrize(
    ("open_client", "remedy"),
    [("client", "has expired and can't be renewed: get a new token"), ("renewing_client", "check user and key")],
)
def test_a_repeated_401_raises_a_login_error(swift: ScriptedSwift, open_client: str, remedy: str) -> None:
    swift.script = [401, 401, 201]
    client = getattr(swift, open_client)(retries=5)
    with client, pytest.raises(errors.LoginError, match=remedy):
        client.head_object("c", "a")


@pytest.mark.parametrize("status", [408, 429, 498, 499, 500, 503])
def test_temporary_errors_are_retried_after_the_servers_delay(
    swift: ScriptedSwift, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    swift.script, swift.retry_after = [status, status, 201], "17"
    with swift.client(retries=2) as client:
        assert client.put_object("c", "a", BytesIO(b"manifest"), 8, {}) == "0cc1"
        assert client.retried == 2
    assert pauses == [17, 17]
    assert [body for _method, _path, body in swift.requests] == [b"manifest"] * 3


@pytest.mark.parametrize("status", [400, 403, 404, 409, 412, 413, 422, 507])
def test_permanent_errors_are_not_retried(swift: ScriptedSwift, status: int) -> None:
    swift.script = [status, 201]
    with swift.client(retries=5) as client, pytest.raises(errors.ImageStoreError):
        client.put_object("c", "a", BytesIO(b"x"), 1, {})
    assert len(swift.requests) == 1 and client.retried == 0


def test_a_dropped_connection_is_retried(swift: ScriptedSwift, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    swift.script = [HANG_UP, HANG_UP, 201]
    with swift.client(retries=2) as client:
        assert client.put_object("c", "a", BytesIO(b"manifest"), 8, {}) == "0cc1"
        assert client.retried == 2
    swift.script = [HANG_UP, 201]
    with swift.client(retries=0) as client, pytest.raises(errors.UnreachableError, match="no answer"):
        client.put_object("c", "a", BytesIO(b"manifest"), 8, {})


def test_no_token_is_sent_without_credentials(swift: ScriptedSwift) -> None:
    swift.script = [200, 200]
    with swift.anonymous_client() as client:
        assert client.head_object("c", "a") and client.head_object("c", "a")
    assert swift.tokens == [None, None]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(swift: ScriptedSwift, status: int) -> None:
    swift.script, swift.headers = [status, 200], {"Location": f"{swift.storage_url}/elsewhere", "X-Timestamp": "1"}
    with swift.client(retries=5) as client, pytest.raises(errors.SwiftError, match="redirects to another address"):
        client.post_object("c", "a", {})
    assert [path for _method, path, _body in swift.requests] == ["/v1/AUTH_x/c/a"]


def test_a_server_that_is_not_swift_is_refused(swift: ScriptedSwift) -> None:
    swift.script, swift.headers = [200, 200], {}
    with swift.client(retries=5) as client:
        with pytest.raises(errors.UnreachableError, match="is not Swift"):
            client.head_object("c", "a")
        with pytest.raises(errors.UnreachableError, match="is not Swift"):
            list(client.list_objects("c"))
    assert len(swift.requests) == 2


def test_retries_are_bounded(swift: ScriptedSwift) -> None:
    swift.script = [503, 503, 201]
    with swift.client(retries=1) as client, pytest.raises(errors.SwiftError, match="answered 503"):
        client.put_object("c", "a", BytesIO(b"x"), 1, {})
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
def test_statuses_map_to_error_classes(swift: ScriptedSwift, status: int, error: type[Exception]) -> None:
    swift.script = [status]
    with swift.client(retries=0) as client, pytest.raises(error, match="Swift can't store c/a") as raised:
        client.put_object("c", "a", BytesIO(b"x"), 1, {})
    assert "\n" not in str(raised.value) and "token-of-a-test" not in str(raised.value)


def test_an_unreachable_server_is_reported(swift: ScriptedSwift) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        swift.port = nobody.getsockname()[1]
    client = swift.client(retries=0)
    with client, pytest.raises(errors.UnreachableError, match="no answer"):
        client.head_object("c", "a")


def test_headers_are_returned_unchanged(swift: ScriptedSwift) -> None:
    swift.script = [200, 404]
    with swift.client(retries=0) as client:
        headers = client.head_object("c", "a")
        assert headers is not None and headers["x-object-manifest"] == "c/100%2525-"
        assert client.head_object("c", "b") is None


def test_a_name_that_resolves_to_another_object_is_refused(swift: ScriptedSwift) -> None:
    with swift.client(retries=0) as client:
        for ask in (client.head_object, client.delete_object, client.get_manifest):
            with pytest.raises(errors.IntegrityError, match="only dots"):
                ask("c", "a/../b")
    assert swift.requests == []


@pytest.mark.parametrize("status", [404, 403, 401])
def test_an_inaccessible_info_means_default_capabilities(swift: ScriptedSwift, status: int) -> None:
    swift.script = [status]
    with swift.client(retries=0) as client:
        assert client.capabilities == Capabilities()


def test_only_an_existing_container_is_remembered(swift: ScriptedSwift) -> None:
    swift.script = [404, 204]
    with swift.client(retries=0) as client:
        assert [client.has_container("c") for _time in range(3)] == [False, True, True]


def test_a_deleted_container_is_not_remembered(swift: ScriptedSwift) -> None:
    swift.script = [204, 204, 404]
    with swift.client(retries=0) as client:
        assert client.has_container("c") and client.delete_container("c") and not client.has_container("c")


def test_a_failing_info_request_is_an_error(swift: ScriptedSwift) -> None:
    swift.script = [503]
    with swift.client(retries=0) as client, pytest.raises(errors.SwiftError, match="503"):
        assert client.capabilities


@pytest.mark.parametrize("most", [1, 3])
def test_concurrent_requests_are_bounded(swift: ScriptedSwift, most: int) -> None:
    swift.script, swift.seconds = [201] * 12, 0.05
    with SwiftClient(swift.session_for(swift.storage_url), 0, most) as client, ThreadPoolExecutor(8) as pool:
        others = [client.counting_anew() for _number in range(12)]
        list(pool.map(lambda one: one.put_object("c", "a", BytesIO(b"x"), 1, {}), others))
    assert swift.most_under_way == most


def test_each_image_counts_its_own_retries(swift: ScriptedSwift) -> None:
    swift.script = [503, 201, 201]
    with swift.client(retries=1) as client:
        first, second = client.counting_anew(), client.counting_anew()
        first.put_object("c", "a", BytesIO(b"x"), 1, {})
        second.put_object("c", "a", BytesIO(b"x"), 1, {})
        assert (first.retried, second.retried) == (1, 0)
