# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layout of a cluster's folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .errors import ClusterError

# Characters with another meaning inside an ini file or a database URL.
UNUSABLE = "%$?#;\n\r"


@dataclass(frozen=True)
class Layout:
    """The paths in one cluster's folder."""

    root: Path

    @property
    def marker(self) -> Path:
        """The file that marks the folder, with all its content, as ours to remove."""
        return self.root / ".imagestore-cluster"

    @property
    def state(self) -> Path:
        """The file with the state of the cluster: ports, process ids, secrets."""
        return self.root / "state.json"

    @property
    def client(self) -> Path:
        """The facts that a client needs, as JSON."""
        return self.root / "client.json"

    @property
    def clouds(self) -> Path:
        """The facts that a client needs, in OpenStack's own format."""
        return self.root / "clouds.yaml"

    @property
    def requests_log(self) -> Path:
        """The file with one JSON line for each request that reached the Swift proxy."""
        return self.root / "requests.log"

    @property
    def logs(self) -> Path:
        """The folder with one log file for each server."""
        return self.root / "logs"

    @property
    def swift(self) -> Path:
        """Swift's rings and configuration."""
        return self.root / "swift"

    @property
    def devices(self) -> Path:
        """The data that Swift stores."""
        return self.root / "devices"

    @property
    def keystone(self) -> Path:
        """Keystone's configuration, database and keys."""
        return self.root / "keystone"

    @property
    def ceph(self) -> Path:
        """Ceph's configuration, keys and data."""
        return self.root / "ceph"

    @property
    def identities(self) -> Path:
        """The ids that Keystone gave to our projects and users."""
        return self.keystone / "identities.json"

    @property
    def tls(self) -> Path:
        """Certificates and their keys."""
        return self.root / "tls"

    def log(self, name: str) -> Path:
        """Return the path of one server's log."""
        return self.logs / f"{name}.log"


def layout_of(folder: str) -> Layout:
    """Return the layout of a folder that the user named."""
    root = Path(folder).resolve()
    if any(character in UNUSABLE for character in str(root)):
        raise ClusterError(f"{root} cannot hold a cluster: choose a path without any of %$?#; in it")
    return Layout(root)
