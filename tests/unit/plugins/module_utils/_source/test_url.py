# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sources on a web server, against one on loopback that is told how to misbehave."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._errors import OptionError, SourceError
from ansible_collections.imagestore.swift.plugins.module_utils._source.url import RequestOptions, UrlSource

CONTENT = bytes(range(256)) * 4000
QUICK = RequestOptions(timeout=5, retries=2)


@dataclass
class Site:
    """What the server has, and how it behaves.

    :param breaks: after how many bytes of a body the connection breaks, for one request after the other
    :param statuses: what is answered instead, for one request after the other
    """

    url: str = ""
    content: bytes = CONTENT
    etag: str | None = '"1"'
    tells_length: bool = True
    knows_ranges: bool = True
    knows_head: bool = True
    breaks: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    login: str | None = None
    redirects: dict[str, str] = field(default_factory=dict)
    seen: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)


class Handler(BaseHTTPRequestHandler):
    site: Site

    def do_HEAD(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        self.answer()

    def answer(self) -> None:
        site = self.site
        site.seen.append((self.command, self.path, dict(self.headers.items())))
        status = self.status()
        if status != 200:
            self.send_response(status)
            self.send_header("Location", site.redirects.get(self.path, ""))
            self.send_header("WWW-Authenticate", 'Basic realm="x"')
            self.send_header("Retry-After", "0")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_content()

    def status(self) -> int:
        if self.path in self.site.redirects:
            return 302
        if self.command == "HEAD" and not self.site.knows_head:
            return 405
        if self.site.login and self.headers.get("Authorization") != self.site.login:
            return 401
        return self.site.statuses.pop(0) if self.site.statuses else 200

    def send_content(self) -> None:
        site = self.site
        begin = 0
        if site.knows_ranges and self.headers.get("Range") and self.headers.get("If-Range") == site.etag:
            begin = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(site.content) - 1}/{len(site.content)}")
        if site.etag:
            self.send_header("ETag", site.etag)
        if site.tells_length:
            self.send_header("Content-Length", str(len(site.content) - begin))
        self.end_headers()
        if self.command == "GET":
            end = begin + site.breaks.pop(0) if site.breaks else len(site.content)
            self.wfile.write(site.content[begin:end])


@pytest.fixture(name="site")
def _site(no_pauses: None, serve: Callable[..., ThreadingHTTPServer]) -> Site:
    site = Site()
    site.url = f"http://127.0.0.1:{serve(Handler, site=site).server_port}"
    return site


def read(source: UrlSource, folder: Path, size: int | None = None) -> bytes:
    with source.stream(size, str(folder)) as stream:
        parts = list(stream.cut(300000))
        content = b"".join(b"".join(part.chunks()) for part in parts)
        for part in parts:
            part.release()
    return content


@pytest.mark.parametrize("tells_length", [True, False])
def test_a_body_comes_whole(site: Site, tmp_path: Path, tells_length: bool) -> None:
    site.tells_length = tells_length
    source = UrlSource(f"{site.url}/a/b%20c.raw?x=1", QUICK)
    assert source.name == "b c.raw"
    assert read(source, tmp_path) == CONTENT
    assert site.seen[0][2]["Accept-Encoding"] == "identity"


def test_a_broken_body_is_resumed(site: Site, tmp_path: Path) -> None:
    site.breaks = [100000, 0, 500000]
    assert read(UrlSource(f"{site.url}/x", QUICK), tmp_path) == CONTENT
    assert [request[2].get("Range") for request in site.seen] == [
        None,
        "bytes=100000-",
        "bytes=100000-",
        "bytes=600000-",
    ]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"knows_ranges": False}, "ended after 100000 of 1024000 bytes"),
        ({"etag": None}, "ended after 100000 of 1024000 bytes"),
        ({"etag": 'W/"1"'}, "ended after 100000 of 1024000 bytes"),
        ({"breaks": [100000, 0, 0]}, "ended after 100000 of 1024000 bytes"),
    ],
)
def test_a_body_that_can_not_be_resumed(site: Site, tmp_path: Path, change: dict[str, object], sentence: str) -> None:
    site.breaks = [100000]
    for name, value in change.items():
        setattr(site, name, value)
    with pytest.raises(SourceError, match=sentence):
        read(UrlSource(f"{site.url}/x", QUICK), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_replaced_meanwhile_is_not_mixed(site: Site, tmp_path: Path) -> None:
    site.breaks = [100000]
    stream = UrlSource(f"{site.url}/x", QUICK).stream(None, str(tmp_path))
    site.etag, site.content = '"2"', CONTENT[::-1]
    with stream, pytest.raises(SourceError, match="ended after"):
        for part in stream.cut(300000):
            part.release()


def test_a_size_that_is_another(site: Site, tmp_path: Path) -> None:
    source = UrlSource(f"{site.url}/x", QUICK)
    with pytest.raises(SourceError, match="has 1024000 bytes and size says 5"):
        source.stream(5, str(tmp_path))
    site.tells_length = False
    with pytest.raises(SourceError, match="ended after 1024000 of 1024001"):
        read(source, tmp_path, 1024001)


def test_a_fingerprint_is_of_one_state_of_one_address(site: Site) -> None:
    source = UrlSource(f"{site.url}/x", QUICK)
    fingerprint = source.fingerprint()
    assert fingerprint and fingerprint == source.fingerprint() == UrlSource(f"{site.url}/x#part", QUICK).fingerprint()
    assert fingerprint != UrlSource(f"{site.url}/y", QUICK).fingerprint()
    site.etag = '"2"'
    assert fingerprint != source.fingerprint()
    site.etag = None
    assert source.fingerprint() is None
    assert {request[0] for request in site.seen} == {"HEAD"}
    site.knows_head, site.etag = False, '"1"'
    assert source.fingerprint() is None


def test_temporary_trouble_is_waited_for(site: Site, tmp_path: Path) -> None:
    site.statuses = [503, 429]
    assert read(UrlSource(f"{site.url}/x", QUICK), tmp_path) == CONTENT
    site.statuses = [503] * 3
    with pytest.raises(SourceError, match="answered 503; run again later"):
        UrlSource(f"{site.url}/x", QUICK).stream(None, str(tmp_path))


@pytest.mark.parametrize(
    ("status", "sentence"), [(401, "url_username"), (403, "url_username"), (404, "is not there"), (400, "answered 400")]
)
def test_a_refusal_names_no_secret(site: Site, tmp_path: Path, status: int, sentence: str) -> None:
    site.statuses = [status] * 2
    url = site.url.replace("//", "//user:hidden@")
    with pytest.raises(SourceError, match=sentence) as caught:
        UrlSource(f"{url}/x?signature=hidden", QUICK).stream(None, str(tmp_path))
    assert "hidden" not in str(caught.value) and f"{site.url}/x" in str(caught.value)


@pytest.mark.parametrize("force", [True, False])
def test_a_login(site: Site, tmp_path: Path, force: bool) -> None:
    site.login = "Basic " + base64.b64encode(b"user:word").decode()
    options = RequestOptions("user", "word", force_basic_auth=force, timeout=5, retries=0)
    assert read(UrlSource(f"{site.url}/x", options), tmp_path) == CONTENT
    assert len(site.seen) == (1 if force else 2)


def test_a_redirect_is_shown_no_secret(site: Site, tmp_path: Path) -> None:
    site.redirects = {"/old": "/new", "/ftp": "ftp://127.0.0.1:1/x", "/file": "file:///etc/passwd"}
    options = RequestOptions("user", "word", {"X-Key": "secret"}, force_basic_auth=True, timeout=5, retries=0)
    assert read(UrlSource(f"{site.url}/old", options), tmp_path) == CONTENT
    (_get, _old, first), (_get, path, second) = site.seen
    assert "X-Key" in {name.title() for name in first} and "Authorization" in first and path == "/new"
    assert not {"X-Key", "Authorization"} & {name.title() for name in second}
    for path in ("/ftp", "/file"):
        with pytest.raises(SourceError):
            UrlSource(f"{site.url}{path}", options).stream(None, str(tmp_path))


def test_a_checksum_file(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.content = b"abc  x\n"
    assert UrlSource(f"{site.url}/SUMS", QUICK, "checksum").text() == "abc  x\n"
    site.breaks = [3]
    assert UrlSource(f"{site.url}/SUMS", QUICK, "checksum").text() == "abc  x\n"
    site.breaks, site.etag = [3], None
    with pytest.raises(SourceError, match="ended after 3 of 7"):
        UrlSource(f"{site.url}/SUMS", QUICK, "checksum").text()
    monkeypatch.setattr(f"{UrlSource.__module__}._MAX_TEXT_BYTES", 3)
    with pytest.raises(SourceError, match="no checksum file"):
        UrlSource(f"{site.url}/SUMS", QUICK, "checksum").text()


def test_a_signature_says_nothing_of_the_file(site: Site) -> None:
    marks = {UrlSource(f"{site.url}/x?signature={number}", QUICK).fingerprint() for number in range(3)}
    assert len(marks) == 1
    site.etag = 'W/"1"'
    assert (
        UrlSource(f"{site.url}/x?file=1", QUICK).fingerprint() != UrlSource(f"{site.url}/x?file=2", QUICK).fingerprint()
    )


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (RequestOptions(ca_cert="/none"), "url_ca_cert '/none' is no file"),
        (RequestOptions(client_cert="/none"), "url_client_cert '/none' is no file"),
        (RequestOptions(ca_cert=__file__), "name PEM files"),
        (RequestOptions(headers={"X-Key": "a\nb"}), "no header can have"),
        (RequestOptions(headers={"X Key": "a"}), "no header can have"),
        (RequestOptions(headers={"X-Key": "é"}), "no header can have"),
    ],
)
def test_what_no_request_can_be_made_with(options: RequestOptions, sentence: str) -> None:
    with pytest.raises(OptionError, match=sentence):
        UrlSource("https://127.0.0.1:9/x", options)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://x/y",
        "file:///x",
        "x",
        "http://",
        "",
        "http:///x",
        "http://[::1/x",
        "http://joe:sec/ret@host/x",
        "http://host:port/x",
        "http://host/a b",
        "http://host/a\nb",
    ],
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(OptionError, match="url is no address of a file"):
        UrlSource(url, QUICK)


def test_a_login_goes_before_that_in_the_address(site: Site, tmp_path: Path) -> None:
    site.login = "Basic " + base64.b64encode(b"user:word").decode()
    url = site.url.replace("//", "//other:word@")
    assert read(UrlSource(f"{url}/x", RequestOptions("user", "word", timeout=5, retries=0)), tmp_path) == CONTENT


def test_nobody_answers(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no answer"):
        UrlSource("http://127.0.0.1:9/x", RequestOptions(retries=0)).stream(None, str(tmp_path))
