# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A web server whose answers a test chooses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate

from ansible_collections.imagestore.swift.tests.support.web import QuietHandler, QuietServer, serving

CONTENT = bytes(range(256)) * 4000


@dataclass
class Site:
    """The content of the server, and its behaviour.

    :param breaks: the number of bytes of a body after which the connection breaks, for one request after the other
    :param statuses: statuses in place of 200, for one request after the other
    :param headers: more headers of the content, which replace the usual ones of the same name
    :param ranged: the same, for partial answers alone
    :param full_status: the status of an answer with the whole file
    :param etags: ETags for one answer after the other, as long as there is more than one left
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
        """The GET requests, without the HEAD requests for a file's state."""
        return [request for request in self.seen if request[0] == "GET"]


class _Handler(QuietHandler):
    """A handler that answers as its site says."""

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
        # A test may give the site other content as soon as it has the headers.
        content = site.content
        begin = self.begin()
        if begin and begin >= len(content):
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


@contextmanager
def serving_site(site: Site) -> Iterator[Site]:
    """Serve a site within the block, and set its URL."""
    with serving(QuietServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"site": site}))) as address:
        site.url = address
        yield site
