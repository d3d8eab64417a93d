# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The store that all clients are measured on, and the benchmark's own plain HTTP requests to it."""

from __future__ import annotations

import copy
import http.client
import json
import os
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

CONTAINER = "bench"
# The containers that clients make for segments.
_OTHERS = (f"{CONTAINER}_segments", f"{CONTAINER}+segments")
_CHUNK = 4 * 1024 * 1024


class Store:
    """The project of the cluster's first user, and a token for it.

    :param facts: the output of ``tests/cluster env``
    """

    def __init__(self, facts: dict[str, Any]) -> None:
        self.auth_url: str = facts["auth_url"]
        self.project: dict[str, str] = facts["projects"]["images"]
        self.storage_url: str = self.project["storage_url"]
        self.clouds_yaml: str = facts["clouds_yaml"]
        self.is_far = False
        self.token = self._log_in()

    @property
    def address(self) -> tuple[str, int]:
        """The host and port of Swift."""
        parts = urlsplit(self.storage_url)
        return str(parts.hostname), int(parts.port or 80)

    def over(self, port: int) -> Store:
        """Return the same store, reached through *port* of this host, with the same token."""
        far = copy.copy(self)
        far.is_far = True
        far.storage_url = urlsplit(self.storage_url)._replace(netloc=f"127.0.0.1:{port}").geturl()
        return far

    def url(self, *path: str) -> str:
        """Return the address of the account, of a container or of an object."""
        return "/".join([self.storage_url, *map(quote, path)])

    def empty(self) -> None:
        """Delete all containers of the benchmark, and make an empty one."""
        for container in (CONTAINER, *_OTHERS):
            for name in self.names(container):
                self._ask("DELETE", self.url(container, name))
            self._ask("DELETE", self.url(container))
        self._ask("PUT", self.url(CONTAINER))

    def names(self, container: str) -> list[str]:
        """Return all names in a container, read page by page."""
        found: list[str] = []
        while True:
            marker = quote(found[-1]) if found else ""
            status, body = self._ask("GET", f"{self.url(container)}?format=json&marker={marker}")
            page = json.loads(body) if status == 200 else []
            if not page:
                return found
            found += [entry["name"] for entry in page]

    def holds(self, name: str, path: Path) -> bool:
        """Return whether the object *name* equals the file, byte for byte."""
        request = urllib.request.Request(self.url(CONTAINER, name), headers={"X-Auth-Token": self.token})
        with path.open("rb") as file, urllib.request.urlopen(request, timeout=300) as response:
            while expected := file.read(_CHUNK):
                if response.read(len(expected)) != expected:
                    return False
            return not response.read(1)

    def _ask(self, method: str, url: str) -> tuple[int, bytes]:
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=300)
        try:
            path = f"{parts.path}?{parts.query}" if parts.query else parts.path
            connection.request(method, path, headers={"X-Auth-Token": self.token})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def _log_in(self) -> str:
        user = {"id": self.project["user_id"], "password": self.project["password"]}
        asked = {
            "auth": {
                "identity": {"methods": ["password"], "password": {"user": user}},
                "scope": {"project": {"id": self.project["project_id"]}},
            }
        }
        request = urllib.request.Request(
            f"{self.auth_url}/auth/tokens", json.dumps(asked).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            return str(response.headers["X-Subject-Token"])


def facts_of_cluster() -> dict[str, Any]:
    """Return the facts about the cluster around this process."""
    facts: dict[str, Any] = json.loads(Path(os.environ["IMAGESTORE_CLUSTER"]).read_text("utf-8"))
    return facts
