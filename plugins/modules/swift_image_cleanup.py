#!/usr/bin/python
# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module that deletes objects that no image refers to."""

from __future__ import annotations

DOCUMENTATION = r"""
module: swift_image_cleanup
short_description: Delete what no image in a Swift object store refers to
version_added: 0.1.0
author:
  - The imagestore.swift authors (!UNKNOWN)
description:
  - Deletes orphaned segments, what interrupted uploads left, and finished journals. Images are never deleted.
  - Segments are those of this collection, of the swift CLI and rclone, and of Glance, whose images are called by UUIDs.
    Their names say for which image they were written. openstacksdk's can't be told from images, and stay.
  - A segment stays if a manifest in any container of the account names it, or a symlink leads to it. If the credentials
    may not list all containers, only segments in their images' own containers are deleted, and a warning says so.
  - Segments stay if the images' container keeps versions, because an older manifest may name them. Older versions of
    manifests in other containers are not looked at.
extends_documentation_fragment:
  - imagestore.swift.attributes
  - imagestore.swift.connection
  - imagestore.swift.location.placement
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  names:
    description: Only segments of the images with these names are deleted, whether or not the images exist.
    type: list
    elements: str
  prefix:
    description: Only segments of images whose names begin with this are deleted.
    type: str
  segment_container:
    description:
      - A container that this collection's segments may lie in beside the images' own and C(<container>_segments).
    type: str
  min_age:
    description:
      - How old an object has to be, by Swift's clock, in seconds, or as V(12h), V(7d) or V(2w).
      - A running upload has no manifest yet. Give more than your longest upload takes. An upload that uses old segments
        again makes them young.
    type: str
    default: 1d
  concurrency:
    description: How many objects are deleted at the same time.
    type: int
    default: 4
notes:
  - All manifests of the account are read. That takes a request for each object that may be one.
  - Ceph RGW does not return the manifest of a static large object. What such an object may need stays, and a warning
    says so. If another client stored it, that is everything in the account.
seealso:
  - module: imagestore.swift.swift_image_info
  - module: imagestore.swift.swift_image
"""

EXAMPLES = r"""
- name: Show what no image refers to
  imagestore.swift.swift_image_cleanup:
    cloud: images
    container: glance
  check_mode: true
  diff: true

- name: Delete what interrupted uploads of nightly builds left a week ago or earlier
  imagestore.swift.swift_image_cleanup:
    cloud: images
    container: glance
    prefix: nightly-
    min_age: 7d
"""

RETURN = r"""
objects_deleted:
  description: How many objects were deleted, or would be in check mode.
  returned: success
  type: int
bytes_freed:
  description: How many bytes the segments among them had.
  returned: success
  type: int
"""

from ansible_collections.imagestore.swift.plugins.module_utils._ansible import options
from ansible_collections.imagestore.swift.plugins.module_utils._ansible.runner import Result, Task, run
from ansible_collections.imagestore.swift.plugins.module_utils._operations.cleanup import Cleanup
from ansible_collections.imagestore.swift.plugins.module_utils._storage.listing import image_containers
from ansible_collections.imagestore.swift.plugins.module_utils._storage.orphans import Scope

SPEC = options.PLACEMENT + options.ArgumentSpec(
    {
        "names": {"type": "list", "elements": "str"},
        "prefix": {"type": "str"},
        "segment_container": {"type": "str"},
        "min_age": {"type": "str", "default": "1d"},
        "concurrency": {"type": "int", "default": 4},
    },
    mutually_exclusive=[("names", "prefix")],
)


def main() -> None:
    """Run the module."""
    run(SPEC, job)


def job(task: Task) -> Result:
    """Delete what the options say; return the module's result."""
    params = task.params
    min_age = options.parse_duration("min_age", params["min_age"])
    placement = options.read_placement(params)
    named = options.read_named({**params, "name": None, "uri": None})
    segment_container = options.read_container(params, "segment_container")
    with task.connect() as client:
        containers = (
            image_containers(client, placement) if named is None else sorted({found.container for found in named})
        )
        images = None if named is None else {found.path for found in named}
        scope = Scope(containers, images, params["prefix"] or "", segment_container)
        cleanup = Cleanup(client, scope, min_age, task.context)
        plan = cleanup.plan()
        return (plan if task.context.check_mode else cleanup.apply(plan)).result()


if __name__ == "__main__":
    main()
