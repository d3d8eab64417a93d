# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A web server whose paths choose its behaviour: ``web_server.py FOLDER`` serves the files of FOLDER.

``/files/NAME`` has an ETag, a length and ranges, as usual. ``/unsized/NAME`` has no length, and ``/silent/NAME`` only
a length. ``/short/NAME`` sends a thousand bytes less than its length. ``/broken/NAME`` breaks off once, half way, and
has ranges. ``/moved/NAME`` redirects. ``/private/NAME`` requires the user ``reader`` with the password ``word``, and
``/keyed/NAME`` the header ``X-Key: word``.

FOLDER/web.json has the server's address, FOLDER/web.log the requests. The server ends by itself after a while.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import threading
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

# The target stops the server. If the target is killed, the server ends by itself, later than any machine needs.
SECONDS = 4 * 60 * 60
LOGIN = "Basic " + base64.b64encode(b"reader:word").decode("ascii")


class Handler(BaseHTTPRequestHandler):
    """A handler of requests."""

    folder: Path
    broken: set[str]

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        with (self.folder / "web.log").open("a", encoding="utf-8") as log:
            log.write(f"{self.command} {self.path} {self.headers.get('Range', '-')}\n")
        manner, _slash, name = self.path.lstrip("/").partition("/")
        path = self.folder / name
        if not path.is_file():
            self._refuse(404)
        elif manner == "moved":
            self._refuse(302, Location=f"/files/{name}")
        elif manner == "private" and self.headers.get("Authorization") != LOGIN:
            self._refuse(401, **{"WWW-Authenticate": 'Basic realm="images"'})
        elif manner == "keyed" and self.headers.get("X-Key") != "word":
            self._refuse(403)
        else:
            self._send(manner, path)

    def _refuse(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self, manner: str, path: Path) -> None:
        content = path.read_bytes()
        begin = self._begin(manner)
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        if manner not in ("unsized", "silent"):
            self.send_header("ETag", f'"{path.stat().st_mtime_ns:x}-{len(content):x}"')
            self.send_header("Last-Modified", formatdate(path.stat().st_mtime, usegmt=True))
        if manner != "unsized":
            self.send_header("Content-Length", str(len(content) - begin + (1000 if manner == "short" else 0)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content[begin : self._end(manner, path, len(content))])

    def _begin(self, manner: str) -> int:
        asked = self.headers.get("Range", "")
        return int(asked.removeprefix("bytes=").removesuffix("-")) if asked and manner != "short" else 0

    def _end(self, manner: str, path: Path, size: int) -> int:
        """Return the end of the bytes to send; a broken file breaks off once."""
        if manner != "broken" or path.name in self.broken:
            return size
        self.broken.add(path.name)
        return size // 2


def main() -> None:
    """Serve FOLDER, and write the server's address to FOLDER/web.json."""
    folder = Path(sys.argv[1])
    handler = type("FolderHandler", (Handler,), {"folder": folder, "broken": set()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    told = {"url": f"http://127.0.0.1:{server.server_port}", "pid": os.getpid()}
    (folder / "web.part").write_text(json.dumps(told), encoding="utf-8")
    (folder / "web.part").rename(folder / "web.json")
    timer = threading.Timer(SECONDS, server.shutdown)
    timer.daemon = True
    timer.start()
    server.serve_forever()


if __name__ == "__main__":
    main()
