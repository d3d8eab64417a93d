#!/usr/bin/python
# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module that deletes objects that no image refers to."""

from __future__ import annotations

DOCUMENTATION = r"""
module: swift_image_cleanup
short_description: Delete orphaned segments in a Swift object store
version_added: 0.1.0
author:
  - The imagestore.swift authors (!UNKNOWN)
description:
  - Deletes orphaned segments, leftovers of interrupted uploads, and finished journals. Images are never deleted.
  - The module finds segments that this collection, the swift CLI, rclone or Glance wrote, because their names include
    the name of the image. It finds Glance's segments only for images whose names are UUIDs.
  - The module keeps the segments of openstacksdk, because it cannot distinguish them from images.
  - The module keeps a segment if a manifest in any container of the account refers to it, or if a symlink leads to it.
  - If the credentials may not list all containers, the module deletes only segments in their images' own containers. It
    warns about this.
  - If the images' container keeps versions, the module keeps all segments, because an older manifest may refer to them.
    It does not check older versions of manifests in other containers.
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
    description:
      - The names of images. Only the segments of these images are deleted.
      - The images do not need to exist.
    type: list
    elements: str
  prefix:
    description:
      - A prefix of image names. Only the segments of images with this prefix are deleted.
    type: str
  segment_container:
    description:
      - Another container to search for segments of this collection.
      - The module always searches the images' own containers and C(<container>_segments).
    type: str
  min_age:
    description:
      - The minimum age of objects to delete, by Swift's clock, in seconds, or as V(12h), V(7d) or V(2w).
      - Set this to more than the duration of your longest upload, because a running upload has no manifest yet. If an
        upload reuses old segments, their age begins anew.
    type: str
    default: 1d
  concurrency:
    description: How many objects to delete in parallel.
    type: int
    default: 4
notes:
  - The module reads all manifests of the account. This takes a request for each object that may be a manifest.
  - Ceph RGW does not return the manifest of a static large object. The module keeps all objects that such an image may
    need, and warns about them. If another client stored the image, these are all objects in the account.
seealso:
  - module: imagestore.swift.swift_image_info
  - module: imagestore.swift.swift_image
"""

EXAMPLES = r"""
- name: Show the orphaned segments
  imagestore.swift.swift_image_cleanup:
    cloud: images
    container: glance
  check_mode: true
  diff: true

- name: Delete leftovers of nightly builds that are at least a week old
  imagestore.swift.swift_image_cleanup:
    cloud: images
    container: glance
    prefix: nightly-
    min_age: 7d
"""

RETURN = r"""
objects_deleted:
  description: How many objects were deleted, or would be deleted in check mode.
  returned: success
  type: int
bytes_freed:
  description: The total size of the deleted segments in bytes.
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
