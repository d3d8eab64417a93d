# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plain requests that no client of images would send: ``put.py CONTAINER [METHOD NAME [BODY]]``.

A number as BODY means a body of that many bytes. The method MOVE moves an SLO's manifest to the name in BODY. Without
a request, the script writes images as other clients do, and objects that look like their segments.
"""

from __future__ import annotations

import json
import sys

import openstack

UUID = "6b1e5a36-63b1-4f2c-9a0e-0c0d5f1f2a11"
CUT_OFF = "6b1e5a36-63b1-4f2c-9a0e-0c0d5f1f2a22"


class Container:
    """One container of the cloud "images"."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._store = openstack.connect(cloud="images").object_store

    def send(self, method: str, name: str, data: bytes = b"", headers: dict[str, str] | None = None) -> bytes:
        """Send one request for an object; return the answer's body."""
        path = f"/{self._name}/{name}"
        answer = self._store.request(path, method, data=data, headers=headers or {})
        answer.raise_for_status()
        return answer.content

    def put_dynamic(self, name: str, prefix: str, numbers: range) -> None:
        """Store a DLO as Glance writes it."""
        for number in numbers:
            self.send("PUT", f"{prefix}{number:05d}", f"{name} {number}".encode())
        self.send("PUT", name, headers={"X-Object-Manifest": f"{self._name}/{prefix}"})

    def put_static(self, name: str, segments: list[str]) -> None:
        """Store an SLO whose segments have any names."""
        for segment in segments:
            self.send("PUT", segment, segment.encode())
        paths = [{"path": f"/{self._name}/{segment}"} for segment in segments]
        self.send("PUT", f"{name}?multipart-manifest=put", json.dumps(paths).encode())

    def move_static(self, name: str, target: str) -> None:
        """Rename an SLO; its segments keep their names."""
        manifest = self.send("GET", f"{name}?multipart-manifest=get&format=raw")
        self.send("PUT", f"{target}?multipart-manifest=put", manifest)
        self.send("DELETE", name)


def main() -> None:
    """Send the request of the arguments; write the images if there is none."""
    container = Container(sys.argv[1])
    if len(sys.argv) > 2:
        method, name, body = [*sys.argv[2:], ""][:3]
        if method == "MOVE":
            container.move_static(name, body)
        else:
            container.send(method, name, b"x" * int(body) if body.isdecimal() else body.encode())
        return
    container.put_dynamic(UUID, f"{UUID}-", range(1, 4))
    for number in (1, 2):
        container.send("PUT", f"{CUT_OFF}-{number:05d}", b"never got a manifest")
    container.put_dynamic("debian", "debian-", range(1, 3))
    container.send("PUT", "debian-12", b"an image of its own")
    container.send("PUT", "debian-20240", b"an image that is called as a segment is")
    container.put_dynamic("renamed", "moved-", range(1, 3))
    container.put_static("sdk", [f"sdk/{number:06d}" for number in range(2)])
    container.put_static("odd", ["odd one", "even one"])


if __name__ == "__main__":
    main()
