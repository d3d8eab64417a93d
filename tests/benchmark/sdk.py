# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An upload or a deletion with openstacksdk: ``sdk.py upload|delete CONTAINER NAME [FILE SEGMENT_SIZE]``."""

from __future__ import annotations

import sys

import openstack


def main() -> None:
    """Store or delete the object."""
    action, container, name, *rest = sys.argv[1:]
    cloud = openstack.connect(cloud="images")
    if action == "delete":
        cloud.delete_object(container, name)
    else:
        cloud.create_object(container, name, filename=rest[0], segment_size=int(rest[1]), use_slo=True)


if __name__ == "__main__":
    main()
