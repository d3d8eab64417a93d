# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An upload with glance_store's own Swift driver: ``glance_add.py CONTAINER NAME FILE SEGMENT_MIB``.

The credentials come from the swift CLI's variables. The driver's unit of sizes is 1000 KiB. If it knows an image's
size, the segments must all be full, so it gets an unknown size.
"""

from __future__ import annotations

import os
import sys
import tempfile
from typing import Any

import glance_store
from oslo_config import cfg


def main() -> None:
    """Store the image."""
    container, name, path, segment = sys.argv[1:]
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as reference, open(path, "rb") as image:
        reference.write(
            f"[ref]\nuser = {os.environ['OS_PROJECT_NAME']}:{os.environ['OS_USERNAME']}\n"
            f"key = {os.environ['OS_PASSWORD']}\nauth_address = {os.environ['OS_AUTH_URL']}\nauth_version = 3\n"
            "user_domain_id = default\nproject_domain_id = default\n"
        )
        reference.flush()
        backend = configure(container, reference.name, int(segment))
        backend.add(name, image, 0)


def configure(container: str, reference: str, segment: int) -> Any:
    """Return the driver, with options that glance-api.conf would set."""
    conf = cfg.ConfigOpts()
    glance_store.register_opts(conf)
    conf([], default_config_files=[])
    settings = {
        "stores": ["swift"],
        "default_store": "swift",
        "swift_store_config_file": reference,
        "default_swift_reference": "ref",
        "swift_store_container": container,
        "swift_store_create_container_on_put": True,
        "swift_store_large_object_size": segment,
        "swift_store_large_object_chunk_size": segment,
    }
    for option, value in settings.items():
        conf.set_override(option, value, group="glance_store")
    glance_store.create_stores(conf)
    return glance_store.get_store_from_scheme("swift+config")


if __name__ == "__main__":
    main()
