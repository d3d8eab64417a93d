# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keystone's v2.0 API for a command, which finds its address in ``V2_URL``: ``keystone_v2.py FACTS COMMAND …``.

Keystone removed this API in Queens, so this server answers as the Identity API v2.0 reference documents it. It has a
list of versions, and ``POST /v2.0/tokens`` with ``auth.tenantName`` and ``auth.passwordCredentials``. The answer is
``access``, with a token and the ``serviceCatalog`` of that API. The real Keystone behind it checks the credentials and
issues the token, so that the real Swift takes it.

FACTS is the JSON file with the facts about the cluster.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests

SECONDS = 60


class KeystoneV2(BaseHTTPRequestHandler):
    """A handler that answers in the form of v2.0."""

    cluster: dict[str, Any]

    def do_GET(self) -> None:
        """Answer with the list of versions."""
        link = {"href": f"http://{self.headers['Host']}/v2.0/", "rel": "self"}
        version = {"id": "v2.0", "status": "stable", "updated": "2014-04-17T00:00:00Z", "links": [link]}
        if self.path.strip("/") == "v2.0":
            self._answer(200, {"version": version})
        else:
            self._answer(300, {"versions": {"values": [version]}})

    def do_POST(self) -> None:
        """Log in."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path != "/v2.0/tokens":
            self._answer(404, _error(404, "The resource could not be found.", "Not Found"))
            return
        credentials = body["auth"]["passwordCredentials"]
        answer = _log_in_at_v3(
            self.cluster["auth_url"], body["auth"]["tenantName"], credentials["username"], credentials["password"]
        )
        if answer.status_code == 201:
            self._answer(200, _access(answer.headers["X-Subject-Token"], answer.json()["token"]))
        else:
            message = "The request you have made requires authentication."
            self._answer(401, _error(401, message, "Unauthorized"))

    def _answer(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Vary", "X-Auth-Token")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing: the output belongs to the command."""


def _log_in_at_v3(auth_url: str, project: str, user: str, password: str) -> requests.Response:
    domain = {"id": "default"}
    identity = {"methods": ["password"], "password": {"user": {"name": user, "password": password, "domain": domain}}}
    scope = {"project": {"name": project, "domain": domain}}
    return requests.post(
        f"{auth_url}/auth/tokens", json={"auth": {"identity": identity, "scope": scope}}, timeout=SECONDS
    )


def _access(token: str, v3: dict[str, Any]) -> dict[str, Any]:
    """Return v3's facts about a token in the form of v2.0."""
    project, user = v3["project"], v3["user"]
    roles = [{"name": role["name"]} for role in v3["roles"]]
    return {
        "access": {
            "token": {
                "id": token,
                "issued_at": v3["issued_at"],
                "expires": v3["expires_at"],
                "tenant": {"id": project["id"], "name": project["name"], "description": "", "enabled": True},
            },
            "serviceCatalog": [_service(service) for service in v3["catalog"]],
            "user": {
                "id": user["id"],
                "name": user["name"],
                "username": user["name"],
                "roles": roles,
                "roles_links": [],
            },
            "metadata": {"is_admin": 0, "roles": [role["id"] for role in v3["roles"]]},
        }
    }


def _service(service: dict[str, Any]) -> dict[str, Any]:
    regions: dict[str, dict[str, str]] = {}
    for endpoint in service["endpoints"]:
        entry = regions.setdefault(endpoint["region"], {"region": endpoint["region"], "id": endpoint["id"]})
        entry[f"{endpoint['interface']}URL"] = endpoint["url"]
    return {
        "name": service["name"],
        "type": service["type"],
        "endpoints": list(regions.values()),
        "endpoints_links": [],
    }


def _error(code: int, message: str, title: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "title": title}}


def main() -> int:
    """Start the server and run the command; return its exit status."""
    KeystoneV2.cluster = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["cluster"]
    server = ThreadingHTTPServer(("127.0.0.1", 0), KeystoneV2)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/v2.0"
    return subprocess.run(sys.argv[2:], check=False, env={**os.environ, "V2_URL": address}).returncode


if __name__ == "__main__":
    sys.exit(main())
