# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sources on a web server, against one on loopback that is told how to misbehave."""

from __future__ import annotations

import base64
import hashlib
import socket
import threading
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from http.client import HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._errors import (
    OptionError,
    SourceChangedError,
    SourceError,
)
from ansible_collections.imagestore.swift.plugins.module_utils._source.address import parse_address
from ansible_collections.imagestore.swift.plugins.module_utils._source.reader import Expected
from ansible_collections.imagestore.swift.plugins.module_utils._source.url import UrlSource
from ansible_collections.imagestore.swift.plugins.module_utils._source.web import RequestOptions

CONTENT = bytes(range(256)) * 4000
QUICK = RequestOptions(timeout=5, retries=2)


@dataclass
class Site:
    """What the server has, and how it behaves.

    :param breaks: after how many bytes of a body the connection breaks, for one request after the other
    :param statuses: what is answered instead, for one request after the other
    :param headers: sent with the content besides, in place of the usual ones if they have the same name
    :param ranged: the same, of a partial answer alone
    :param full_status: of an answer with the whole file
    :param etags: of the answers, one after the other; the last one goes on
    """

    url: str = ""
    content: bytes = CONTENT
    etag: str | None = '"1"'
    etags: list[str] = field(default_factory=list)
    tells_length: bool = True
    knows_ranges: bool = True
    knows_head: bool = True
    breaks: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    login: str | None = None
    redirects: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    ranged: dict[str, str] = field(default_factory=dict)
    full_status: int = 200
    chunked: bool = False
    seen: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    @property
    def gets(self) -> list[tuple[str, str, dict[str, str]]]:
        """What was asked for, but for the questions whether a file's state is told the same again."""
        return [request for request in self.seen if request[0] == "GET"]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"
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
        # A test may give the site another content as soon as the headers have come.
        content = site.content
        begin = self.begin()
        if begin >= len(content):
            self.send_response(416)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        headers = self.content_headers(begin)
        self.send_response_only(206 if begin else site.full_status)
        self.send_header("Date", headers.pop("Date", formatdate(usegmt=True)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.send_body(content, begin, "Transfer-Encoding" in headers and site.chunked)

    def begin(self) -> int:
        site = self.site
        if len(site.etags) > 1:
            site.etag = site.etags.pop(0)
        same = self.headers.get("If-Range") in (site.etag, site.headers.get("Last-Modified"))
        if not (site.knows_ranges and self.headers.get("Range") and same):
            return 0
        return int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))

    def content_headers(self, begin: int) -> dict[str, str]:
        site = self.site
        headers = {}
        if begin:
            headers["Content-Range"] = f"bytes {begin}-{len(site.content) - 1}/{len(site.content)}"
        if site.etag:
            headers["ETag"] = site.etag
        if site.chunked and not begin:
            headers["Transfer-Encoding"] = "chunked"
        elif site.tells_length:
            headers["Content-Length"] = str(len(site.content) - begin)
        return {**headers, **site.headers, **(site.ranged if begin else {})}

    def send_body(self, content: bytes, begin: int, is_chunked: bool) -> None:
        site = self.site
        is_whole = not site.breaks
        end = len(content) if is_whole else begin + site.breaks.pop(0)
        data = content[begin:end]
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data) if is_chunked else data)
        if is_chunked and is_whole:
            self.wfile.write(b"0\r\n\r\n")


@pytest.fixture(name="site")
def _site(no_pauses: None, serve: Callable[..., ThreadingHTTPServer]) -> Site:
    site = Site()
    site.url = f"http://127.0.0.1:{serve(Handler, site=site).server_port}"
    return site


ANYTHING = Expected()


def read(source: UrlSource, folder: Path, size: int | None = None, expected: Expected = ANYTHING) -> bytes:
    with source.stream(size, str(folder), expected) as stream:
        parts = list(stream.cut(300000))
        content = b"".join(b"".join(part.chunks()) for part in parts)
        for part in parts:
            part.release()
    return content


def test_a_body_comes_whole(site: Site, tmp_path: Path) -> None:
    source = UrlSource(f"{site.url}/a/b%20c.raw?x=1", QUICK)
    assert source.name == "b c.raw"
    assert read(source, tmp_path) == CONTENT
    assert site.gets[0][2]["Accept-Encoding"] == "identity"


def test_a_body_without_a_length_needs_proof(site: Site, tmp_path: Path) -> None:
    site.tells_length = False
    source = UrlSource(f"{site.url}/x", QUICK)
    with pytest.raises(SourceError, match=r"has no length.*set size or checksum"):
        read(source, tmp_path)
    assert read(source, tmp_path, len(CONTENT)) == CONTENT
    assert read(source, tmp_path, None, Expected(digest=("md5", "0" * 32))) == CONTENT


@pytest.mark.parametrize("status", [201, 202, 203, 204, 206])
def test_only_200_is_a_whole_file(site: Site, tmp_path: Path, status: int) -> None:
    site.full_status = status
    with pytest.raises(SourceError, match=f"answered {status} to a request for the whole file"):
        read(UrlSource(f"{site.url}/x", QUICK), tmp_path)


def test_a_broken_body_is_resumed(site: Site, tmp_path: Path) -> None:
    site.breaks = [100000, 0, 500000]
    assert read(UrlSource(f"{site.url}/x", QUICK), tmp_path) == CONTENT
    assert [request[2].get("Range") for request in site.gets] == [
        None,
        "bytes=100000-",
        "bytes=100000-",
        "bytes=600000-",
    ]


OLD = {"Last-Modified": "Thu, 26 Nov 2026 12:00:00 GMT", "Date": "Thu, 26 Nov 2026 12:01:00 GMT"}
FRESH = {**OLD, "Date": "Thu, 26 Nov 2026 12:00:59 GMT"}


@pytest.mark.parametrize(
    ("change", "ranges"),
    [
        # A server that knows no ranges, and tells by a strong validator that the file is the same.
        ({"knows_ranges": False}, [None, "bytes=100000-"]),
        # Nothing tells that, and so the beginning is compared.
        ({"etag": None}, [None, None]),
        ({"etag": 'W/"1"'}, [None, None]),
        ({"etag": None, "headers": FRESH}, [None, None]),
        # A date that is a strong validator.
        ({"etag": None, "headers": OLD}, [None, "bytes=100000-"]),
    ],
)
def test_a_broken_body_is_read_again_or_resumed(
    site: Site, tmp_path: Path, change: dict[str, object], ranges: list[str | None]
) -> None:
    site.breaks = [100000]
    for name, value in change.items():
        setattr(site, name, value)
    assert read(UrlSource(f"{site.url}/x", QUICK), tmp_path) == CONTENT
    assert [request[2].get("Range") for request in site.gets] == ranges


@pytest.mark.parametrize("etag", ['"1"', None])
def test_tries_without_progress_are_bounded(site: Site, tmp_path: Path, etag: str | None) -> None:
    site.etag, site.breaks = etag, [100000, 0, 0, 0, 0]
    with pytest.raises(SourceError, match=r"ended after \d+ of 1024000 bytes"):
        read(UrlSource(f"{site.url}/x", QUICK), tmp_path)
    assert len(site.gets) == 3


def test_a_byte_for_each_connection_is_no_progress(site: Site, tmp_path: Path) -> None:
    site.breaks = [1] * 1000
    with pytest.raises(SourceError, match="ended after 3 of 1024000 bytes"):
        read(UrlSource(f"{site.url}/x", QUICK), tmp_path)
    assert len(site.gets) == 3


def test_a_hundredth_for_each_connection_is_progress(site: Site, tmp_path: Path) -> None:
    site.breaks = [10240] * 90
    assert read(UrlSource(f"{site.url}/x", QUICK), tmp_path) == CONTENT
    assert len(site.gets) == 91


@pytest.mark.parametrize(
    "change",
    [
        {"etag": '"2"', "content": CONTENT[::-1]},
        {"etag": '"2"', "content": CONTENT[:-1]},
        {"content": CONTENT[:-1]},
        {"etag": '"2"', "knows_ranges": False},
        {"ranged": {"ETag": '"2"'}},
        {"ranged": {"Content-Encoding": "gzip"}},
    ],
)
def test_a_file_that_is_replaced_meanwhile_is_not_mixed(site: Site, tmp_path: Path, change: dict[str, object]) -> None:
    site.breaks = [100000]
    stream = UrlSource(f"{site.url}/x", QUICK).stream(None, str(tmp_path), ANYTHING)
    for name, value in change.items():
        setattr(site, name, value)
    with stream, pytest.raises(SourceError, match="was changed while it was read"):
        for part in stream.cut(300000):
            part.release()


def test_a_range_need_not_repeat_what_the_whole_told(site: Site, tmp_path: Path) -> None:
    """RFC 9110, 15.3.7."""
    site.breaks, site.headers = [100000], {"Last-Modified": OLD["Last-Modified"]}
    stream = UrlSource(f"{site.url}/x", QUICK).stream(None, str(tmp_path), ANYTHING)
    site.headers = {}
    with stream:
        assert b"".join(b"".join(part.chunks()) for part in stream.cut(300000)) == CONTENT


@pytest.mark.parametrize("cut", [100000, len(CONTENT)])
def test_chunks_that_break_off_are_resumed(site: Site, tmp_path: Path, cut: int) -> None:
    site.chunked, site.breaks = True, [cut]
    assert read(UrlSource(f"{site.url}/x", QUICK), tmp_path) == CONTENT
    assert [request[2].get("Range") for request in site.gets][:2] == [None, f"bytes={cut}-"]


def test_a_file_without_validators_that_is_replaced_meanwhile(site: Site, tmp_path: Path) -> None:
    site.breaks, site.etag = [100000], None
    stream = UrlSource(f"{site.url}/x", QUICK).stream(None, str(tmp_path), ANYTHING)
    site.content = CONTENT[:50000] + b"x" + CONTENT[50001:]
    with stream, pytest.raises(SourceChangedError, match="was changed while it was read"):
        for part in stream.cut(300000):
            part.release()


@pytest.mark.parametrize(
    "value",
    [
        "bytes 0-1023999/1024000",
        "bytes 100001-1023999/1024000",
        "bytes 100000-1023998/1024000",
        "bytes 100000-1023999/1024001",
        "bytes 1023999-100000/1024000",
        "items 100000-1023999/1024000",
        "bytes */1024000",
        "",
    ],
)
def test_a_range_that_was_not_asked_for(site: Site, tmp_path: Path, value: str) -> None:
    site.breaks, site.ranged = [100000], {"Content-Range": value}
    with pytest.raises(SourceError, match="was asked for from byte 100000 on"):
        read(UrlSource(f"{site.url}/x", QUICK), tmp_path)


def test_a_range_whose_length_is_another(site: Site, tmp_path: Path) -> None:
    site.breaks, site.ranged = [100000], {"Content-Length": "5"}
    with pytest.raises(SourceError, match="was asked for from byte 100000 on"):
        read(UrlSource(f"{site.url}/x", QUICK), tmp_path)


@pytest.mark.parametrize(
    ("headers", "sentence"),
    [
        ({"Content-Length": "5, 7"}, "no number"),
        ({"Content-Length": "-5"}, "no number"),
        ({"Content-Length": "five"}, "no number"),
        ({"Transfer-Encoding": "gzip, chunked"}, "Transfer-Encoding 'gzip, chunked'"),
        ({"Content-Encoding": "br"}, "Content-Encoding 'br'"),
        ({"Content-Encoding": "gzip, gzip"}, "Content-Encoding 'gzip, gzip'"),
    ],
)
def test_headers_that_can_not_be_followed(site: Site, tmp_path: Path, headers: dict[str, str], sentence: str) -> None:
    site.headers = headers
    with pytest.raises(SourceError, match=sentence):
        read(UrlSource(f"{site.url}/x", QUICK), tmp_path)


def deflated(window: int, data: bytes = CONTENT) -> bytes:
    packer = zlib.compressobj(wbits=window)
    return packer.compress(data) + packer.flush()


PACKED = [
    ("gzip", deflated(31)),
    ("x-gzip", deflated(31)),
    ("GZIP", deflated(31, CONTENT[:1000]) + deflated(31, CONTENT[1000:])),
    ("deflate", deflated(15)),
    ("deflate", deflated(-15)),
    ("identity", CONTENT),
]


@pytest.mark.parametrize(("encoding", "content"), PACKED)
@pytest.mark.parametrize("breaks", [[], [1], [2000]])
def test_what_is_packed_on_the_way_is_unpacked(
    site: Site, tmp_path: Path, encoding: str, content: bytes, breaks: list[int]
) -> None:
    site.content, site.headers, site.breaks = content, {"Content-Encoding": encoding}, list(breaks)
    source = UrlSource(f"{site.url}/x", QUICK)
    assert read(source, tmp_path) == CONTENT
    assert read(source, tmp_path, len(CONTENT)) == CONTENT
    with pytest.raises(SourceError, match="1023999"):
        read(source, tmp_path, len(CONTENT) - 1)


@pytest.mark.parametrize("name", ["x", "x.gz"])
def test_what_is_packed_stays_so_if_the_checksum_says_so(site: Site, tmp_path: Path, name: str) -> None:
    site.content, site.headers = deflated(31), {"Content-Encoding": "gzip"}
    source = UrlSource(f"{site.url}/{name}", QUICK)
    for data in (CONTENT, site.content):
        expected = Expected(digest=("sha256", hashlib.sha256(data).hexdigest()))
        assert read(source, tmp_path, None, expected) == data


@pytest.mark.parametrize(
    ("content", "sentence"), [(b"plain" * 100, "not packed"), (deflated(31)[:-9], "in the middle")]
)
def test_what_is_not_packed_as_it_is_said(site: Site, tmp_path: Path, content: bytes, sentence: str) -> None:
    site.content, site.headers = content, {"Content-Encoding": "gzip"}
    with pytest.raises(SourceError, match=sentence):
        read(UrlSource(f"{site.url}/x", QUICK), tmp_path)


def test_a_page_is_no_image(site: Site, tmp_path: Path) -> None:
    site.headers = {"Content-Type": "Text/HTML; charset=utf-8"}
    with pytest.raises(SourceError, match="is a page"):
        read(UrlSource(f"{site.url}/x.raw", QUICK), tmp_path, None, Expected(may_be_html=False))
    assert read(UrlSource(f"{site.url}/x.raw", QUICK), tmp_path) == CONTENT
    assert read(UrlSource(f"{site.url}/x.HTML", QUICK), tmp_path, None, Expected(may_be_html=False)) == CONTENT


def test_bytes_that_trickle(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]

    def tell() -> float:
        now[0] += 0.5
        return now[0]

    monkeypatch.setattr("time.monotonic", tell)
    monkeypatch.setattr(HTTPResponse, "read1", lambda _response, _size: b"x" * 500)
    with pytest.raises(SourceError, match="TimeoutError"):
        read(UrlSource(f"{site.url}/x", RequestOptions(timeout=5, retries=0)), tmp_path)


def test_headers_that_trickle(no_pauses: None) -> None:
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


def test_a_size_that_is_another(site: Site, tmp_path: Path) -> None:
    source = UrlSource(f"{site.url}/x", QUICK)
    with pytest.raises(SourceError, match="has 1024000 bytes and size says 5"):
        source.stream(5, str(tmp_path), ANYTHING)
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
        UrlSource(f"{site.url}/x", QUICK).stream(None, str(tmp_path), ANYTHING)


@pytest.mark.parametrize(
    ("status", "sentence"), [(401, "url_username"), (403, "url_username"), (404, "is not there"), (400, "answered 400")]
)
def test_a_refusal_names_no_secret(site: Site, tmp_path: Path, status: int, sentence: str) -> None:
    site.statuses = [status] * 2
    url = site.url.replace("//", "//user:hidden@")
    with pytest.raises(SourceError, match=sentence) as caught:
        UrlSource(f"{url}/x?signature=hidden", QUICK).stream(None, str(tmp_path), ANYTHING)
    assert "hidden" not in str(caught.value) and f"{site.url}/x" in str(caught.value)


@pytest.mark.parametrize("force", [True, False])
def test_a_login(site: Site, tmp_path: Path, force: bool) -> None:
    site.login = "Basic " + base64.b64encode(b"user:word").decode()
    options = RequestOptions("user", "word", force_basic_auth=force, timeout=5, retries=0)
    assert read(UrlSource(f"{site.url}/x", options), tmp_path) == CONTENT
    assert len(site.gets) == (1 if force else 2)


SECRETS = RequestOptions("user", "word", {"X-Key": "secret"}, force_basic_auth=True, timeout=5, retries=0)


def shown(request: tuple[str, str, dict[str, str]]) -> set[str]:
    """Return what of the secrets a request held."""
    return {"X-Key", "Authorization"} & {name.title() for name in request[2]}


def test_a_redirect_to_another_server_is_shown_no_secret(
    site: Site, tmp_path: Path, serve: Callable[..., ThreadingHTTPServer]
) -> None:
    other = Site()
    other.url = f"http://127.0.0.1:{serve(Handler, site=other).server_port}"
    site.redirects = {"/old": "/new", "/away": f"{other.url}/there", "/back": f"{other.url}/back"}
    other.redirects = {"/back": f"{site.url}/new"}
    assert read(UrlSource(f"{site.url}/old", SECRETS), tmp_path) == CONTENT
    assert [(path, shown(request)) for request in site.gets for path in [request[1]]] == [
        ("/old", {"X-Key", "Authorization"}),
        ("/new", {"X-Key", "Authorization"}),
    ]
    assert read(UrlSource(f"{site.url}/away", SECRETS), tmp_path) == CONTENT
    assert read(UrlSource(f"{site.url}/back", SECRETS), tmp_path) == CONTENT
    assert [shown(request) for request in other.gets] == [set(), set()]


def test_the_login_in_an_address_is_for_its_server(
    site: Site, tmp_path: Path, serve: Callable[..., ThreadingHTTPServer]
) -> None:
    other = Site()
    other.url = f"http://127.0.0.1:{serve(Handler, site=other).server_port}"
    basic = "Basic " + base64.b64encode(b"joe:other").decode()
    other.login = basic
    # As for a checksum file, whose origin is that of the image.
    options = replace(SECRETS, origin=parse_address(site.url, "url").origin)
    url = other.url.replace("//", "//joe:other@")
    assert UrlSource(f"{url}/SUMS", options, "checksum").read_whole(10**7) == CONTENT
    assert [request[2].get("Authorization") for request in other.gets] == [basic]
    assert all("X-Key" not in request[2] for request in other.seen)


def test_an_address_in_utf_8(site: Site, tmp_path: Path) -> None:
    site.redirects = {"/old": "/bild-ä-ß.img".encode().decode("latin-1")}
    assert read(UrlSource(f"{site.url}/old", QUICK), tmp_path) == CONTENT
    assert site.gets[-1][1] == "/bild-%C3%A4-%C3%9F.img"


def test_packed_bytes_that_hold_nothing(site: Site, tmp_path: Path) -> None:
    site.content, site.headers = deflated(31, b"") * 400_000, {"Content-Encoding": "gzip"}
    source = UrlSource(f"{site.url}/x", QUICK)
    with pytest.raises(SourceError, match="holds nothing for long"):
        source.read_whole(1000)


@pytest.mark.parametrize("target", ["ftp://127.0.0.1:1/x", "file:///etc/passwd", "", "http://h:x/", "data:,x"])
def test_a_redirect_to_what_is_not_http(site: Site, tmp_path: Path, target: str) -> None:
    site.redirects = {"/old": target}
    with pytest.raises(SourceError, match="redirects to what is neither HTTP nor HTTPS"):
        read(UrlSource(f"{site.url}/old", SECRETS), tmp_path)
    assert len(site.gets) == 1


def test_ten_redirects_are_followed(site: Site, tmp_path: Path) -> None:
    site.redirects = {f"/{number}": f"{number + 1}" for number in range(10)}
    assert read(UrlSource(f"{site.url}/0", QUICK), tmp_path) == CONTENT
    site.redirects["/10"] = "/11"
    with pytest.raises(SourceError, match="more than 10 times"):
        read(UrlSource(f"{site.url}/0", QUICK), tmp_path)
    site.redirects = {"/0": "/0"}
    with pytest.raises(SourceError, match="more than 10 times"):
        read(UrlSource(f"{site.url}/0", QUICK), tmp_path)


def test_no_credentials_but_the_tasks_own(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_networks_in_no_proxy(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with pytest.raises(SourceError, match="no answer"):
        read(UrlSource(f"{site.url}/x", RequestOptions(retries=0)), tmp_path)
    monkeypatch.setenv("no_proxy", "10.0.0.0/8,127.0.0.0/8")
    assert read(UrlSource(f"{site.url}/x", RequestOptions(retries=0)), tmp_path) == CONTENT


@pytest.mark.parametrize(
    ("address", "asked"),
    [
        ("/a b.raw", "/a%20b.raw"),
        ("/é.raw", "/%C3%A9.raw"),
        ("/a%20b%zz.raw", "/a%20b%zz.raw"),
        ("/x?name=ü b&c=%2F", "/x?name=%C3%BC%20b&c=%2F"),
        ('/<x>"', "/%3Cx%3E%22"),
        ("/x#part", "/x"),
        ("/a/../b/./x", "/b/x"),
        ("/a\\x", "/a/x"),
    ],
)
def test_addresses_are_encoded_as_browsers_do(site: Site, tmp_path: Path, address: str, asked: str) -> None:
    assert read(UrlSource(f" {site.url}{address} ", QUICK), tmp_path) == CONTENT
    assert site.gets[0][1] == asked


def test_the_name_of_a_host_is_encoded() -> None:
    assert parse_address("https://bücher.example:444/ü", "url").url == "https://xn--bcher-kva.example:444/%C3%BC"
    assert parse_address("https://faß.de/", "url").url == "https://xn--fa-hia.de/"
    with pytest.raises(OptionError):
        parse_address("https://\u2603\u200d.\u2603\u0300\u00ad-/", "url")


def test_a_small_file_is_read_whole(site: Site) -> None:
    site.content = b"abc  x\n"
    source = UrlSource(f"{site.url}/SUMS", QUICK, "checksum")
    assert source.read_whole(100) == b"abc  x\n"
    site.breaks = [3]
    assert source.read_whole(100) == b"abc  x\n"
    with pytest.raises(SourceError, match="larger than the 3 bytes"):
        source.read_whole(3)
    site.content, site.headers = deflated(31, bytes(10**6)), {"Content-Encoding": "gzip"}
    with pytest.raises(SourceError, match="larger than the 10000 bytes"):
        source.read_whole(10000)


def test_a_signature_says_nothing_of_the_file(site: Site) -> None:
    marks = {UrlSource(f"{site.url}/x?signature={number}", QUICK).fingerprint() for number in range(3)}
    assert len(marks) == 1
    site.etag, site.headers = None, OLD
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
        "x",
        "http://",
        "",
        "http:///x",
        "http://[::1/x",
        "http://joe:sec/ret@host/x",
        "http://host:port/x",
        "http://host/a\nb",
    ],
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(OptionError, match="url is no address of a file"):
        UrlSource(url, QUICK)


def test_a_path_is_no_address() -> None:
    with pytest.raises(OptionError, match="write the path alone, in src"):
        UrlSource("file:///srv/x.raw", QUICK)


def test_a_login_goes_before_that_in_the_address(site: Site, tmp_path: Path) -> None:
    site.login = "Basic " + base64.b64encode(b"user:word").decode()
    url = site.url.replace("//", "//other:word@")
    assert read(UrlSource(f"{url}/x", RequestOptions("user", "word", timeout=5, retries=0)), tmp_path) == CONTENT


def test_nobody_answers(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no answer"):
        UrlSource("http://127.0.0.1:9/x", RequestOptions(retries=0)).stream(None, str(tmp_path), ANYTHING)
