# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The store that all clients are measured on, as they reach it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from ansible_collections.imagestore.swift.tests.support.cloud import Cloud
from ansible_collections.imagestore.swift.tests.support.store import Store

# Clients name their containers for segments after this one.
CONTAINER = "bench"
_CHUNK = 4 * 1024 * 1024


@dataclass(frozen=True)
class Target:
    """The store, reached directly or over a slow link.

    :param is_far: whether *store* is reached over a slow link
    """

    cloud: Cloud
    store: Store
    is_far: bool = False

    @property
    def address(self) -> tuple[str, int]:
        """The host and port of Swift."""
        parts = urlsplit(self.store.storage_url)
        return str(parts.hostname), int(parts.port or 80)

    def over(self, port: int) -> Target:
        """Return the same store, reached through *port* of this host, with the same token."""
        address = urlsplit(self.store.storage_url)._replace(netloc=f"127.0.0.1:{port}")
        return replace(self, store=replace(self.store, storage_url=address.geturl()), is_far=True)

    def empty(self) -> None:
        """Delete all containers of the benchmark, and make an empty one."""
        self.store.remove(CONTAINER)
        self.store.create(CONTAINER)

    def count(self) -> int:
        """Return the number of objects in the container."""
        return len(self.store.names(CONTAINER))

    def has(self, name: str) -> bool:
        """Return True if there is an object of that name."""
        return f"{CONTAINER}/{name}" in self.store.names(CONTAINER)

    def holds(self, name: str, path: Path) -> bool:
        """Return True if the object *name* equals the file, byte for byte."""
        with path.open("rb") as file, self.store.do("GET", CONTAINER, name, stream=True) as response:
            while expected := file.read(_CHUNK):
                if response.raw.read(len(expected)) != expected:
                    return False
            return not response.raw.read(1)
