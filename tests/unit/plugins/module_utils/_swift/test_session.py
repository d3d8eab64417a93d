# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The errors of wrong configurations and misbehaving servers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._ansible.options import CONNECTION, STORE
from ansible_collections.imagestore.swift.plugins.module_utils._errors import ImageStoreError, LoginError
from ansible_collections.imagestore.swift.plugins.module_utils._swift.session import (
    SwiftSession,
    find_storage_url,
    open_session,
)

DEFAULTS = {name: option.get("default") for name, option in (CONNECTION + STORE).options.items()}
V3 = {"auth_url": "http://127.0.0.1:9/v3", "user_id": "u", "password": "zq7", "project_id": "p"}
V1 = {"auth_url": "http://127.0.0.1:9/auth/v1.0", "username": "a:u", "password": "zq7"}


def access_with(**options: Any) -> SwiftSession:
    """Return the session of a task with *options*."""
    return open_session({**DEFAULTS, **options}, lambda secrets: None)


@pytest.fixture(autouse=True)
def _no_clouds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests without this machine's configuration, and without what openstacksdk remembers of the test before."""
    monkeypatch.setattr("openstack.config.loader.CONFIG_FILES", [])
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    for name in ("OS_CLOUD", "OS_AUTH_URL", "OS_PASSWORD"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    "options",
    [
        {"cloud": {"auth": "text"}},
        {"cloud": {"auth": ["a"]}},
        {"cloud": {"auth": V3, "api_timeout": [1]}},
        {"cloud": {"auth": V3, "api_timeout": "nan"}},
        {"cloud": {"auth": V3, "auth_type": "v3token"}},
        {"auth": {**V3, "auth_url": None}},
        {"auth": {**V3, "auth_url": 5}},
        {"auth": {**V3, "auth_url": "127.0.0.1/v3"}},
        {"auth": {**V3, "auth_url": "http://127.0.0.1:9/{x}"}},
        {"auth": {**V3, "pasword": "zq7"}, "auth_type": "no-such-plugin"},
        {"auth": {**V1, "pasword": "zq7"}, "auth_type": "v1password"},
        {"auth": {**V1, "password": ["zq7"]}, "auth_type": "v1password"},
        {"auth": {**V1, "password": "zq7\n"}, "auth_type": "v1password"},
        {"auth": {**V1, "username": " a:u"}, "auth_type": "v1password"},
        {"auth": {**V3, "token": "zq7\x00"}, "auth_type": "token"},
        {"auth": {"token": "zq7"}, "auth_type": "admin_token"},
        {"auth": {"endpoint": "http://127.0.0.1:9"}, "auth_type": "admin_token"},
        {"auth": V3, "region_name": "{"},
        {"auth": V3, "api_timeout": 10**12},
        {"auth": V3, "ca_cert": "/no-such-file"},
    ],
)
def test_unusable_options_are_reported_in_a_single_line(options: dict[str, Any]) -> None:
    with pytest.raises(ImageStoreError) as caught:
        access_with(**options)
    assert "\n" not in str(caught.value) and "zq7" not in str(caught.value)


@pytest.mark.parametrize("auth_url", ["http://[::1", "http://a..b/v3", f"http://{'a' * 64}/v3", "ftp://h/v3"])
@pytest.mark.parametrize("auth_type", ["password", "v3password", "v1password"])
def test_an_invalid_auth_url_is_reported_in_a_single_line(auth_url: str, auth_type: str) -> None:
    user = {"username": "u"} if auth_type == "v1password" else {"user_id": "u"}
    auth = {"auth_url": auth_url, "password": "zq7", **user}
    with pytest.raises(ImageStoreError) as caught:
        find_storage_url(access_with(auth_type=auth_type, auth=auth))
    assert "\n" not in str(caught.value) and "zq7" not in str(caught.value)


@pytest.mark.parametrize(
    "content", ["clouds:", "clouds: text", "clouds: [a]", "clouds: {a: }", "clouds: {a: {auth: x}}"]
)
def test_an_invalid_clouds_yaml_is_reported_in_a_single_line(content: str, tmp_path: Path) -> None:
    (tmp_path / "clouds.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(ImageStoreError) as caught:
        access_with(cloud="a")
    assert "\n" not in str(caught.value)


class Redirecting(ThreadingHTTPServer):
    """A server that redirects all requests to another address, and counts them."""

    daemon_threads = True

    def __init__(self, location: str | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.location = location
        self.asked = 0

    @property
    def address(self) -> str:
        """The address of the server."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Redirecting

    def _answer(self) -> None:
        self.server.asked += 1
        self.send_response(307 if self.server.location else 404)
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = _answer

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing, to keep requests out of the tests' output."""


@pytest.fixture(name="stranger")
def _stranger() -> Iterator[Redirecting]:
    with Redirecting(None) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.mark.parametrize(("auth_type", "auth"), [("v1password", V1), ("v3password", V3)])
def test_credentials_are_not_sent_to_a_redirect_target(
    auth_type: str, auth: dict[str, str], stranger: Redirecting
) -> None:
    with Redirecting(f"{stranger.address}/v3") as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        session = access_with(auth_type=auth_type, auth={**auth, "auth_url": f"{server.address}/v3"})
        with pytest.raises(LoginError, match="redirects to another server"):
            find_storage_url(session)
        server.shutdown()
    assert server.asked and not stranger.asked


@pytest.mark.parametrize(
    ("uri", "is_shown"),
    [
        ("swift+http://swift.example.com/v1/AUTH_x/c/o", True),
        ("swift+http://swift.example.com:80/v1/AUTH_y/c/o", True),
        ("swift+https://swift.example.com/v1/AUTH_x/c/o", False),
        ("swift+http://swift.example.com:8080/v1/AUTH_x/c/o", False),
        ("swift+http://example.com/v1/AUTH_x/c/o", False),
    ],
)
def test_a_ready_token_is_used_only_for_its_own_server(uri: str, is_shown: bool) -> None:
    auth = {"endpoint": "http://swift.example.com/v1/AUTH_x", "token": "zq7"}
    session = access_with(cloud={"auth_type": "admin_token", "auth": auth}, uri=uri)
    if is_shown:
        assert find_storage_url(session).startswith("http://swift.example.com")
    else:
        with pytest.raises(LoginError, match="token is not sent to this server"):
            find_storage_url(session)
