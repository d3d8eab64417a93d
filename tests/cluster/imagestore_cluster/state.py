# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that records the processes of a cluster."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field

from .cluster import Cluster
from .layout import Layout
from .processes import Process


@dataclass
class State:
    """A cluster and its processes."""

    cluster: Cluster
    supervisor: Process
    ready: bool = False
    servers: dict[str, Process] = field(default_factory=dict)

    def save(self) -> None:
        """Write the file atomically: a reader sees either the old or the new one."""
        data = {
            "supervisor": self.supervisor,
            "ready": self.ready,
            "servers": self.servers,
            "cluster": self.cluster.to_json(),
        }
        write_secret(self.cluster.layout, self.cluster.layout.state.name, json.dumps(data, indent=1))


def load_state(layout: Layout) -> State | None:
    """Return the recorded state of the cluster in a folder; None if there is none."""
    try:
        data = json.loads(layout.state.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    return State(
        cluster=Cluster.from_json(data["cluster"]),
        supervisor=Process(*data["supervisor"]),
        ready=data["ready"],
        servers={name: Process(*process) for name, process in data["servers"].items()},
    )


def write_secret(layout: Layout, name: str, text: str) -> None:
    """Write a file that only its owner can read, atomically."""
    draft = layout.root / f".{name}.draft"
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        out.write(text)
    draft.replace(layout.root / name)
