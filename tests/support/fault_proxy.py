# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A proxy between a module and the real Swift and Keystone, which injects the faults of a script."""

from __future__ import annotations

import http.client
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote, urlsplit

from ansible_collections.imagestore.swift.tests.support.cloud import Cloud
from ansible_collections.imagestore.swift.tests.support.faults import Fault, Kind, Request, Script, Target
from ansible_collections.imagestore.swift.tests.support.web import QuietHandler, QuietServer

_SECONDS = 30.0
_CHUNK = 64 * 1024
_WRONG_ETAG = "0" * 32
_WITHOUT_BODY = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
# Headers about one connection, and not about the message (RFC 9110, 7.6.1).
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length"})
# /v1/account/container
_PARTS_OF_CONTAINER = 3


class _CutError(Exception):
    """Error after which the connection to the client is cut."""


class _Server(QuietServer):
    """A server that passes requests on."""

    def __init__(self, upstream: str, classify: Callable[[str, str], Target], script: Callable[[], Script]) -> None:
        self.upstream = upstream
        self.classify = classify
        self.script = script
        super().__init__(("127.0.0.1", 0), _Handler)


class FaultProxy:
    """A proxy with two addresses, one for Swift and one for Keystone.

    :param swift: Swift's address as ``http://host:port``
    :param keystone: Keystone's address as ``http://host:port``
    """

    def __init__(self, swift: str, keystone: str) -> None:
        self.script = Script()
        self._servers = [
            _Server(urlsplit(swift).netloc, _target_of, lambda: self.script),
            _Server(urlsplit(keystone).netloc, lambda _path, _query: Target.KEYSTONE, lambda: self.script),
        ]
        for server in self._servers:
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        self.swift, self.keystone = (f"http://127.0.0.1:{server.server_port}" for server in self._servers)

    def cloud(self, cloud: Cloud, timeout: float) -> dict[str, Any]:
        """Return the value of the modules' option ``cloud`` for access through this proxy.

        :param timeout: of a request, in seconds
        """
        project = cloud.project
        return {
            "auth": {
                "auth_url": f"{self.keystone}/v3",
                "username": project["user_name"],
                "password": project["password"],
                "project_name": project["project_name"],
                "user_domain_id": "default",
                "project_domain_id": "default",
            },
            "region_name": cloud.told["region"],
            "object_store_endpoint_override": self.swift + urlsplit(cloud.storage_url).path,
            "api_timeout": timeout,
        }

    def close(self) -> None:
        """Stop listening."""
        for server in self._servers:
            server.shutdown()
            server.server_close()

    @contextmanager
    def play(self, script: Script) -> Iterator[None]:
        """Inject the faults of a script within the block."""
        self.script = script
        try:
            yield
        finally:
            self.script = Script()


def _target_of(path: str, query: str) -> Target:
    if path.endswith("/info"):
        return Target.INFO
    # Ceph RGW's paths begin with /swift.
    parts = unquote("v1/" + path.partition("/v1/")[2]).strip("/").split("/", _PARTS_OF_CONTAINER)
    if len(parts) < _PARTS_OF_CONTAINER:
        return Target.ACCOUNT
    if len(parts) == _PARTS_OF_CONTAINER:
        return Target.LISTING
    # The names of segments of all clients whose images the campaign writes.
    is_segment = "_segments" in parts[2] or parts[3].startswith(".segments/") or parts[3][-5:].isdigit()
    return Target.SEGMENT if is_segment else Target.IMAGE


class _Handler(QuietHandler):
    """A handler that passes requests on."""

    protocol_version = "HTTP/1.1"
    server: _Server
    timeout = _SECONDS

    def setup(self) -> None:
        super().setup()
        self._upstream = http.client.HTTPConnection(self.server.upstream, timeout=_SECONDS)

    def finish(self) -> None:
        self._upstream.close()
        try:
            super().finish()
        except OSError:
            # The connection was cut.
            return

    def do_GET(self) -> None:
        """Answer one request."""
        url = urlsplit(self.path)
        request = Request(self.command, self.server.classify(url.path, url.query), url.query)
        fault = self.server.script().next(request)
        try:
            self._answer(fault)
        except (_CutError, OSError, http.client.HTTPException):
            # OSError and HTTPException: a server or a module was killed.
            self._cut()

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET

    def _answer(self, fault: Fault | None) -> None:
        kind = fault.kind if fault else None
        if fault and kind is Kind.STATUS and (self.command, fault.status) != ("DELETE", HTTPStatus.NOT_FOUND):
            self._drain()
            self._send_status(fault.status, fault.retry_after)
            return
        if fault and kind is Kind.STALL:
            time.sleep(fault.amount)
            raise _CutError
        self._send_request(fault)
        answer = self._upstream.getresponse()
        if fault and kind is Kind.DELAY:
            time.sleep(fault.amount)
        if fault and kind in (Kind.STORED_503, Kind.STATUS):
            # A DELETE that is answered with 404 still deletes: Swift keeps a tombstone for the unreachable disk.
            answer.read()
            self._send_status(fault.status or HTTPStatus.SERVICE_UNAVAILABLE, None)
            return
        self._pass_answer(answer, fault)

    def _send_request(self, fault: Fault | None) -> None:
        self._upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in ("connection", "keep-alive"):
                self._upstream.putheader(name, value)
        self._upstream.endheaders()
        if fault and fault.kind is Kind.CUT_REQUEST:
            self._pass_body(min(int(fault.amount), self._length), None)
            self._upstream.close()
            raise _CutError
        self._pass_body(self._length, fault)

    @property
    def _length(self) -> int:
        return int(self.headers.get("Content-Length") or 0)

    def _pass_body(self, length: int, fault: Fault | None) -> None:
        garble = fault is not None and fault.kind is Kind.GARBLE_REQUEST
        pace = fault.amount if fault and fault.kind is Kind.THROTTLE else None
        while length:
            data = self.rfile.read(min(_CHUNK, length))
            if not data:
                raise _CutError
            length -= len(data)
            self._upstream.send(_flip(data) if garble else data)
            garble = False
            if pace:
                time.sleep(len(data) / pace)

    def _drain(self) -> None:
        """Read the request's body, and discard it."""
        length = self._length
        while length:
            length -= len(self.rfile.read(min(_CHUNK, length))) or length

    def _send_status(self, status: int, retry_after: int | None) -> None:
        text = f"<html><h1>{status}</h1><p>The fault proxy says so.</p></html>".encode()
        self.send_response_only(status, "Faulty")
        self.send_header("X-Trans-Id", "tx-fault")
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(text)))
        if retry_after is not None:
            self.send_header("Retry-After", str(retry_after))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    def _pass_answer(self, answer: http.client.HTTPResponse, fault: Fault | None) -> None:
        has_body = self.command != "HEAD" and answer.status not in _WITHOUT_BODY
        # An answer is read as a whole only if the proxy changes it; others may be large images.
        changes = fault is not None and fault.kind in (Kind.SHORT, Kind.GARBLE_ANSWER, Kind.SHORT_LISTING)
        whole = _changed(answer.read(), fault) if fault and has_body and changes else None
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in _HOP_BY_HOP:
                wrong = fault is not None and fault.kind is Kind.WRONG_ETAG and name.lower() == "etag"
                self.send_header(name, _WRONG_ETAG if wrong else value)
        length = len(whole) if whole is not None else answer.getheader("Content-Length")
        if length is not None:
            self.send_header("Content-Length", str(length))
        elif has_body:
            self.send_header("Connection", "close")
            self.close_connection = True
        cut = int(fault.amount) if fault and fault.kind is Kind.CUT_ANSWER else None
        if cut == 0 or (cut is not None and not has_body):
            raise _CutError
        self.end_headers()
        if whole is not None:
            self.wfile.write(whole)
        elif has_body:
            self._pass_answer_body(answer, cut, fault.amount if fault and fault.kind is Kind.THROTTLE else None)
        else:
            # http.client sends no other request until the answer is read.
            answer.read()

    def _pass_answer_body(self, answer: http.client.HTTPResponse, cut: int | None, pace: float | None) -> None:
        while data := answer.read(_CHUNK if cut is None else min(_CHUNK, cut) or 1):
            if cut == 0:
                break
            self.wfile.write(data)
            cut = None if cut is None else cut - len(data)
            if pace:
                time.sleep(len(data) / pace)
        if answer.length:
            # The body is shorter than its Content-Length, because of the server or of this proxy.
            raise _CutError

    def _cut(self) -> None:
        """End the connection so that the client's next read or write fails."""
        self.close_connection = True
        try:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        except OSError:
            # The client closed the connection first.
            return


def _changed(body: bytes, fault: Fault) -> bytes:
    if fault.kind is Kind.SHORT_LISTING:
        try:
            entries = json.loads(body)
        except ValueError:
            return body
        return json.dumps(entries[: -int(fault.amount)]).encode() if isinstance(entries, list) else body
    if fault.kind is Kind.SHORT:
        return body[: len(body) // 2]
    return _flip(body)


def _flip(data: bytes) -> bytes:
    """Return *data* with all bits of its middle byte inverted."""
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 0xFF]) + data[middle + 1 :] if data else data
