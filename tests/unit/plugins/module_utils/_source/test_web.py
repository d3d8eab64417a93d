# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tests of requests: logins, redirects, proxies, waiting."""

from __future__ import annotations

import base64
import socket
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._errors import OptionError, SourceError
from ansible_collections.imagestore.swift.plugins.module_utils._source.address import parse_address
from ansible_collections.imagestore.swift.plugins.module_utils._source.url import UrlSource
from ansible_collections.imagestore.swift.plugins.module_utils._source.web import RequestOptions
from ansible_collections.imagestore.swift.tests.support.web_site import CONTENT, Site
from ansible_collections.imagestore.swift.tests.unit.plugins.module_utils._source.url_reader import (
    ANYTHING,
    QUICK,
    read,
)


def test_slow_headers_time_out(no_pauses: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended = threading.Event()

        def trickle() -> None:
            connection, _address = server.accept()
            with connection, suppress(OSError):
                connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
                while not ended.wait(0.05):
                    connection.sendall(b"x")

        thread = threading.Thread(target=trickle)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/x"
        with pytest.raises(SourceError, match="TimeoutError"):
            UrlSource(url, RequestOptions(timeout=0.3, retries=0)).stream(None, "", ANYTHING)
        ended.set()
        thread.join()


def test_temporary_errors_are_retried(site: Site, tmp_path: Path) -> None:
    site.statuses = [503, 429]
    assert read(UrlSource(f"{site.url}/x", QUICK), tmp_path) == CONTENT
    site.statuses = [503] * 3
    with pytest.raises(SourceError, match="answered 503; run again later"):
        UrlSource(f"{site.url}/x", QUICK).stream(None, str(tmp_path), ANYTHING)


@pytest.mark.parametrize(
    ("status", "sentence"),
    [(401, "url_username"), (403, "url_username"), (404, "does not exist"), (400, "answered 400")],
)
def test_an_error_message_contains_no_secret(site: Site, tmp_path: Path, status: int, sentence: str) -> None:
    site.statuses = [status] * 2
    url = site.url.replace("//", "//user:hidden@")
    with pytest.raises(SourceError, match=sentence) as caught:
        UrlSource(f"{url}/x?signature=hidden", QUICK).stream(None, str(tmp_path), ANYTHING)
    assert "hidden" not in str(caught.value) and f"{site.url}/x" in str(caught.value)


@pytest.mark.parametrize("force", [True, False])
def test_basic_authentication(site: Site, tmp_path: Path, force: bool) -> None:
    site.login = "Basic " + base64.b64encode(b"user:word").decode()
    options = RequestOptions("user", "word", force_basic_auth=force, timeout=5, retries=0)
    assert read(UrlSource(f"{site.url}/x", options), tmp_path) == CONTENT
    assert len(site.gets) == (1 if force else 2)


SECRETS = RequestOptions("user", "word", {"X-Key": "secret"}, force_basic_auth=True, timeout=5, retries=0)


def shown(request: tuple[str, str, dict[str, str]]) -> set[str]:
    """Return the names of the headers with secrets that a request had."""
    return {"X-Key", "Authorization"} & {name.title() for name in request[2]}


def test_a_redirect_to_another_server_carries_no_secret(site: Site, other_site: Site, tmp_path: Path) -> None:
    site.redirects = {"/old": "/new", "/away": f"{other_site.url}/there", "/back": f"{other_site.url}/back"}
    other_site.redirects = {"/back": f"{site.url}/new"}
    assert read(UrlSource(f"{site.url}/old", SECRETS), tmp_path) == CONTENT
    assert [(path, shown(request)) for request in site.gets for path in [request[1]]] == [
        ("/old", {"X-Key", "Authorization"}),
        ("/new", {"X-Key", "Authorization"}),
    ]
    assert read(UrlSource(f"{site.url}/away", SECRETS), tmp_path) == CONTENT
    assert read(UrlSource(f"{site.url}/back", SECRETS), tmp_path) == CONTENT
    assert [shown(request) for request in other_site.gets] == [set(), set()]


def test_credentials_in_a_url_are_sent_only_to_its_server(site: Site, other_site: Site, tmp_path: Path) -> None:
    basic = "Basic " + base64.b64encode(b"joe:other").decode()
    other_site.login = basic
    # As for a checksum file: the options have the origin of the image.
    options = replace(SECRETS, origin=parse_address(site.url, "url").origin)
    url = other_site.url.replace("//", "//joe:other@")
    assert UrlSource(f"{url}/SUMS", options, "checksum").read_whole(10**7) == CONTENT
    assert [request[2].get("Authorization") for request in other_site.gets] == [basic]
    assert all("X-Key" not in request[2] for request in other_site.seen)


@pytest.mark.parametrize("target", ["ftp://127.0.0.1:1/x", "file:///etc/passwd", "", "http://h:x/", "data:,x"])
def test_a_redirect_to_another_scheme_is_refused(site: Site, tmp_path: Path, target: str) -> None:
    site.redirects = {"/old": target}
    with pytest.raises(SourceError, match="redirects to an address that is neither HTTP nor HTTPS"):
        read(UrlSource(f"{site.url}/old", SECRETS), tmp_path)
    assert len(site.gets) == 1


def test_at_most_ten_redirects_are_followed(site: Site, tmp_path: Path) -> None:
    site.redirects = {f"/{number}": f"{number + 1}" for number in range(10)}
    assert read(UrlSource(f"{site.url}/0", QUICK), tmp_path) == CONTENT
    site.redirects["/10"] = "/11"
    with pytest.raises(SourceError, match="more than 10 times"):
        read(UrlSource(f"{site.url}/0", QUICK), tmp_path)
    site.redirects = {"/0": "/0"}
    with pytest.raises(SourceError, match="more than 10 times"):
        read(UrlSource(f"{site.url}/0", QUICK), tmp_path)


def test_netrc_credentials_are_ignored(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / ".netrc"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    netrc.write_text("machine 127.0.0.1 login other password other\n")
    options = RequestOptions(headers={"Authorization": "Bearer token"}, timeout=5, retries=0)
    assert read(UrlSource(f"{site.url}/x", options), tmp_path) == CONTENT
    assert read(UrlSource(f"{site.url}/x", QUICK), tmp_path) == CONTENT
    assert [request[2].get("Authorization") for request in site.gets] == ["Bearer token", None]
    netrc.write_text("machine ? what is this {")
    assert read(UrlSource(f"{site.url}/x", QUICK), tmp_path) == CONTENT


def test_no_proxy_accepts_networks(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with pytest.raises(SourceError, match="no answer"):
        read(UrlSource(f"{site.url}/x", RequestOptions(retries=0)), tmp_path)
    monkeypatch.setenv("no_proxy", "10.0.0.0/8,127.0.0.0/8")
    assert read(UrlSource(f"{site.url}/x", RequestOptions(retries=0)), tmp_path) == CONTENT


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (RequestOptions(ca_cert="/none"), "url_ca_cert '/none' is not a file"),
        (RequestOptions(client_cert="/none"), "url_client_cert '/none' is not a file"),
        (RequestOptions(ca_cert=__file__), "use PEM files"),
        (RequestOptions(headers={"X-Key": "a\nb"}), "not valid in a header"),
        (RequestOptions(headers={"X Key": "a"}), "not valid in a header"),
        (RequestOptions(headers={"X-Key": "é"}), "not valid in a header"),
    ],
)
def test_invalid_request_options(options: RequestOptions, sentence: str) -> None:
    with pytest.raises(OptionError, match=sentence):
        UrlSource("https://127.0.0.1:9/x", options)


def test_explicit_credentials_override_those_in_the_url(site: Site, tmp_path: Path) -> None:
    site.login = "Basic " + base64.b64encode(b"user:word").decode()
    url = site.url.replace("//", "//other:word@")
    assert read(UrlSource(f"{url}/x", RequestOptions("user", "word", timeout=5, retries=0)), tmp_path) == CONTENT


def test_an_unreachable_server_is_reported(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no answer"):
        UrlSource("http://127.0.0.1:9/x", RequestOptions(retries=0)).stream(None, str(tmp_path), ANYTHING)
