# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts about a cluster that do not change after its start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .accounts import V1_PREFIX, V3_PREFIX
from .layout import Layout
from .ports import LOOPBACK
from .settings import Settings


@dataclass(frozen=True)
class Cluster:
    """A cluster: its folder, its settings, its ports and its secrets."""

    layout: Layout
    settings: Settings
    ports: dict[str, int]
    secrets: dict[str, str]

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Cluster:
        """Return the cluster from the data of `to_json`."""
        return cls(
            layout=Layout(Path(data["folder"])),
            settings=Settings.from_json(data["settings"]),
            ports=data["ports"],
            secrets=data["secrets"],
        )

    def to_json(self) -> dict[str, Any]:
        """Return the cluster as plain data."""
        return {
            "folder": str(self.layout.root),
            "settings": self.settings.to_json(),
            "ports": self.ports,
            "secrets": self.secrets,
        }

    @property
    def scheme(self) -> str:
        """The scheme of Keystone's and Swift's URLs."""
        return "https" if self.settings.tls else "http"

    @property
    def identity_url(self) -> str:
        """Keystone's address for clients."""
        return self._public_url("keystone")

    @property
    def auth_url(self) -> str:
        """The address of Keystone's v3 API."""
        return f"{self.identity_url}/v3"

    @property
    def object_store_url(self) -> str:
        """The Swift proxy's address for clients."""
        return self._public_url("proxy")

    @property
    def v1_auth_url(self) -> str:
        """The address of Swift's own v1 authentication."""
        return f"{self.object_store_url}/auth/v1.0"

    @property
    def ca_file(self) -> Path | None:
        """The certificate authority that a client must trust."""
        return self.layout.tls / "ca.pem" if self.settings.tls else None

    @property
    def client_cert_file(self) -> Path | None:
        """The certificate that a client must show."""
        return self.layout.tls / "client.pem" if self.settings.tls_client_ca else None

    @property
    def client_key_file(self) -> Path | None:
        """The key of that certificate."""
        return self.layout.tls / "client.key" if self.settings.tls_client_ca else None

    def storage_url(self, account: str) -> str:
        """Return the address of one account, such as `AUTH_…`."""
        begin = "/swift" if self.settings.store == "rgw" else ""
        return f"{self.object_store_url}{begin}/v1/{account}"

    def v1_storage_url(self, account: str) -> str:
        """Return the address of the account of a v1 user."""
        prefix = V3_PREFIX if self.settings.store == "rgw" else V1_PREFIX
        return self.storage_url(prefix + account)

    def _public_url(self, server: str) -> str:
        port = self.ports[f"{server}-tls" if self.settings.tls else server]
        return f"{self.scheme}://{LOOPBACK}:{port}"
