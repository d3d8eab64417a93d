# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real nginx with TLS, and a proxy in front of it that breaks connections."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ansible_collections.imagestore.swift.tests.support.certificates import write_certificate

_SECONDS = 60.0

_CONFIG = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
  log_format one escape=json '{{"request": "$request", "scheme": "$scheme", "authorization": "$http_authorization"}}';
  access_log {folder}/access.log one;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  types {{ text/html html; }}
  default_type application/octet-stream;
  server {{
    listen 127.0.0.1:{port};
    listen 127.0.0.1:{tls_port} ssl;
    ssl_certificate {folder}/server.pem;
    ssl_certificate_key {folder}/server.pem;
    root {root};
    location /packed/ {{ alias {root}/; gzip_static always; }}
    location /whole/ {{ alias {root}/; max_ranges 0; }}
    location /dated/ {{ alias {root}/; etag off; }}
    location /untold/ {{ alias {root}/; etag off; add_header Last-Modified ""; }}
    location /listed/ {{ alias {root}/; autoindex on; }}
    location /down/ {{ rewrite ^/down/(.*) http://127.0.0.1:{port}/$1 redirect; }}
    location /edge/ {{ alias {root}/; etag off; add_header ETag '"$request_id"'; }}
  }}
}}
"""


def find_nginx(folder: Path) -> str | None:
    """Return the path of this host's nginx, or of one unpacked from Debian's package; None if there is neither."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if found or not shutil.which("apt-get"):
        return found
    if subprocess.run(["apt-get", "-qq", "download", "nginx"], cwd=folder, check=False, capture_output=True).returncode:
        return None
    for package in folder.glob("nginx_*.deb"):
        subprocess.run(["dpkg", "-x", str(package), str(folder / "package")], check=True)
    return shutil.which("nginx", path=str(folder / "package" / "usr" / "sbin"))


class Nginx:
    """An nginx that serves the files of a folder.

    :param root: that folder
    :param ca: the path of the server's self-signed certificate
    """

    def __init__(self, port: int, tls_port: int, root: Path, ca: Path, log: Path) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.tls_url = f"https://127.0.0.1:{tls_port}"
        self.root = root
        self.ca = ca
        self._log = log

    def requests(self) -> list[str]:
        """Return the method and path of each request so far."""
        return [entry["request"].rpartition(" ")[0] for entry in self._entries()]

    def authorizations(self, scheme: str, path: str) -> set[str]:
        """Return the different Authorization headers of the requests for a path, empty if there was none.

        :param scheme: http or https
        """
        found = [entry for entry in self._entries() if entry["scheme"] == scheme and f" {path} " in entry["request"]]
        return {entry["authorization"] for entry in found}

    def _entries(self) -> list[dict[str, str]]:
        return [json.loads(line) for line in self._log.read_text("utf-8").splitlines()]


@contextmanager
def serving(program: str, folder: Path) -> Iterator[Nginx]:
    """Run an nginx that keeps all its files in a folder."""
    root = folder / "root"
    root.mkdir()
    write_certificate(folder / "server.pem")
    port, tls_port = _free_port(), _free_port()
    config = folder / "nginx.conf"
    config.write_text(_CONFIG.format(folder=folder, root=root, port=port, tls_port=tls_port), "ascii")
    # The workers would run as another user, who may not read a test's folder.
    user = ["-g", "user root;"] if Path("/proc/self").stat().st_uid == 0 else []
    process = subprocess.Popen([program, "-p", str(folder), "-c", str(config), "-e", str(folder / "error.log"), *user])
    try:
        _await_port(port, process)
        yield Nginx(port, tls_port, root, folder / "server.pem", folder / "access.log")
    finally:
        process.terminate()
        process.wait()


@contextmanager
def breaking(port: int, answers: list[int]) -> Iterator[str]:
    """Run a proxy in front of a server that cuts answers off.

    :param answers: after how many bytes each connection's answers are cut off; later connections are not cut off
    :returns: the proxy's address
    """
    left = list(answers)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    client, _address = listener.accept()
                    most = left.pop(0) if left else None
                    threading.Thread(target=_carry, args=(client, port, most), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        # Another thread waits in accept(), which this ends.
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def _carry(client: socket.socket, port: int, most: int | None) -> None:
    with client, socket.create_connection(("127.0.0.1", port)) as server:
        threading.Thread(target=_pump, args=(client, server, None), daemon=True).start()
        _pump(server, client, most)


def _pump(source: socket.socket, target: socket.socket, most: int | None) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            if most is not None:
                data, most = data[:most], most - len(data)
            target.sendall(data)
            if most is not None and most <= 0:
                break
        target.shutdown(socket.SHUT_RDWR)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _await_port(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _SECONDS
    while True:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        assert process.poll() is None and time.monotonic() < deadline, "nginx does not serve"
        time.sleep(0.05)
