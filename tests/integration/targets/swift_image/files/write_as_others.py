# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images as other clients write them, and objects beside them: ``write_as_others.py CONTAINER IMAGE``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import openstack

SEGMENT = 2_000_000


def main() -> None:
    """Write the objects that ``tasks/others.yml`` uses."""
    container, image = sys.argv[1], Path(sys.argv[2]).read_bytes()
    store = openstack.connect(cloud="images").object_store

    def put(name: str, data: bytes = b"", query: str = "", **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        store.put(f"/{container}/{name}{query}", data=data, headers=named).raise_for_status()

    parts = [image[start : start + SEGMENT] for start in range(0, len(image), SEGMENT)]
    # DLOs as Glance writes them, each with an object under its prefix that Swift reads with the image.
    for name in ("mixed", "ubuntu"):
        for number, part in enumerate(parts, 1):
            put(f"{name}-{number:05d}", part)
        put(name, X_Object_Manifest=f"{container}/{name}-")
    put("mixed-notes", b"not a segment")
    put("ubuntu-20240612", b"an image of its own")
    # A link to an SLO.
    segments = []
    for number, part in enumerate(parts):
        put(f".segments/target/{number}", part)
        segments.append({"path": f"/{container}/.segments/target/{number}"})
    put("target", json.dumps(segments).encode(), "?multipart-manifest=put")
    put("link", X_Symlink_Target=f"{container}/target")
    # A DLO whose segments' container was deleted.
    put("stranded", X_Object_Manifest=f"{container}-gone/stranded-")


if __name__ == "__main__":
    main()
