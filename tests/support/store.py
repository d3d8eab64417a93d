# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The store, accessed with plain requests, independently of the collection."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests

_SECONDS = 60.0
_MANIFEST = "multipart-manifest=get"
_CHANGING = frozenset({"PUT", "POST", "DELETE", "COPY"})


@dataclass
class Requests:
    """The requests that Swift received within a block."""

    seen: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def changing(self) -> list[Mapping[str, Any]]:
        """The requests that can change something."""
        return [request for request in self.seen if request["method"] in _CHANGING]

    @property
    def fetching(self) -> list[Mapping[str, Any]]:
        """The requests for an object's bytes, without those for a manifest or a listing."""
        return [
            request
            for request in self.seen
            if request["method"] == "GET" and _is_of_object(request["path"]) and request["query"] != _MANIFEST
        ]


def _is_of_object(path: str) -> bool:
    """Return True if *path* is ``/v1/account/container/object``; on Ceph RGW it begins with ``/swift``."""
    return path.partition("/v1/")[2].count("/") > 1


@dataclass(frozen=True)
class Store:
    """One account of the store.

    :param log: the file of all requests to the cluster, each a line of JSON
    """

    storage_url: str
    token: str
    log: Path

    def url(self, container: str, name: str = "") -> str:
        """Return the URL of a container or an object."""
        return f"{self.storage_url}/{quote(container)}" + (f"/{quote(name)}" if name else "")

    def request(self, method: str, container: str, name: str = "", **options: Any) -> requests.Response:
        """Send a request, and return the answer, even if it is an error."""
        headers = {"X-Auth-Token": self.token, **options.pop("headers", {})}
        return requests.request(method, self.url(container, name), headers=headers, timeout=_SECONDS, **options)

    def do(self, method: str, container: str, name: str = "", **options: Any) -> requests.Response:
        """Send a request that has to succeed."""
        response = self.request(method, container, name, **options)
        response.raise_for_status()
        return response

    def read(self, container: str, name: str) -> bytes | None:
        """Return an object's bytes; None if it does not exist."""
        response = self.request("GET", container, name)
        if response.status_code == requests.codes.not_found:
            return None
        response.raise_for_status()
        return response.content

    def names(self, *containers: str) -> list[str]:
        """Return the paths of all objects in containers, as ``container/name``."""
        return [f"{container}/{entry['name']}" for container in containers for entry in self._list(container)]

    def containers(self, prefix: str) -> list[str]:
        """Return the account's containers that begin with *prefix*."""
        response = self.do("GET", "", params={"format": "json", "prefix": prefix})
        return [entry["name"] for entry in response.json()]

    def create(self, container: str) -> None:
        """Create a container."""
        if self.request("PUT", container).status_code == requests.codes.conflict:
            # On Ceph RGW, two requests in a new account may both be the first.
            self.do("PUT", container)
        else:
            self.do("HEAD", container)

    def remove(self, prefix: str) -> None:
        """Delete all containers that begin with *prefix*, with all their objects."""
        for container in self.containers(prefix):
            for entry in self._list(container):
                self.request("DELETE", container, entry["name"])
            self.request("DELETE", container)

    @contextmanager
    def watch(self, container: str) -> Iterator[Requests]:
        """Collect the requests within the block for containers that begin with *container*."""
        begin = len(self.log.read_text("utf-8").splitlines())
        watched = Requests()
        yield watched
        lines = self.log.read_text("utf-8").splitlines()[begin:]
        watched.seen += [request for line in lines if f"/{container}" in (request := json.loads(line))["path"]]

    def await_requests(self, begin: int, container: str, method: str, count: int) -> None:
        """Wait until the log has *count* requests for the container's objects.

        :param begin: how many bytes of the log are skipped
        """
        wanted = f'{{"method": "{method}"'.encode()
        deadline = time.monotonic() + _SECONDS
        while True:
            with self.log.open("rb") as file:
                file.seek(begin)
                lines = file.read().splitlines()
            if sum(line.startswith(wanted) and f"/{container}/".encode() in line for line in lines) >= count:
                return
            assert time.monotonic() < deadline, f"there were not {count} {method} in {_SECONDS} s"
            time.sleep(0.002)

    def _list(self, container: str) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        while True:
            marker = found[-1]["name"] if found else ""
            response = self.request("GET", container, params={"format": "json", "marker": marker})
            if response.status_code == requests.codes.not_found:
                return found
            response.raise_for_status()
            page = response.json()
            if not page:
                return found
            found += page
