# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An HTTP proxy for a command, which finds the proxy in ``http_proxy``: ``proxy.py LOG COMMAND …``.

The proxy notes the method and host of each request in LOG. It asks HOST for ``snet-HOST``, as if the cluster had a
service network.
"""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

SECONDS = 60
# These headers belong to one connection (RFC 9110, 7.6.1), or are set anew.
HOP_BY_HOP = frozenset({"connection", "keep-alive", "proxy-connection", "transfer-encoding", "content-length", "host"})


class Proxy(BaseHTTPRequestHandler):
    """A handler that passes requests on."""

    protocol_version = "HTTP/1.1"
    log_path: Path

    def pass_on(self) -> None:
        """Send the request to the server in its address, and the answer back to the client."""
        url = urlsplit(self.path)
        with self.log_path.open("a", encoding="utf-8") as log:
            log.write(f"{self.command} {url.netloc}\n")
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        server = http.client.HTTPConnection(url.netloc.removeprefix("snet-"), timeout=SECONDS)
        server.request(self.command, url.path + (f"?{url.query}" if url.query else ""), body, headers)
        answer = server.getresponse()
        content = answer.read()
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", answer.getheader("Content-Length") or str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        server.close()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = pass_on

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing: the output belongs to the command."""


def main() -> int:
    """Start the proxy and run the command; return its exit status."""
    Proxy.log_path = Path(sys.argv[1])
    Proxy.log_path.write_text("", encoding="utf-8")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    return subprocess.run(
        sys.argv[2:], check=False, env={**os.environ, "http_proxy": address, "no_proxy": "", "NO_PROXY": ""}
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
