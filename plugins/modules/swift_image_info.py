#!/usr/bin/python
# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Facts about images."""

from __future__ import annotations

DOCUMENTATION = r"""
module: swift_image_info
short_description: Look at images in a Swift object store
version_added: 0.1.0
author:
  - The imagestore.swift authors (!UNKNOWN)
description:
  - Tells about one image, several, or all images of a container in an OpenStack Swift object store.
  - Images that Glance, the swift CLI, rclone or openstacksdk wrote are seen as they are. What a manifest in the
    container names is a segment, and is not taken for an image.
extends_documentation_fragment:
  - imagestore.swift.attributes
  - imagestore.swift.attributes.info_module
  - imagestore.swift.connection
  - imagestore.swift.location.store
options:
  name:
    description:
      - The name of one image.
      - Without O(name), O(names) and O(uri) all images are described, of O(container) or, with O(multi_tenant) or
        O(containers_seed), of all the containers that those make.
    type: str
    aliases: [image_id]
  names:
    description: The names of several images.
    type: list
    elements: str
  prefix:
    description: Only images whose names begin with this, where all images are described.
    type: str
  segments:
    description: Whether each segment is listed.
    type: bool
    default: false
seealso:
  - module: imagestore.swift.swift_image
  - module: openstack.cloud.image_info
"""

EXAMPLES = r"""
- name: Look at one image
  imagestore.swift.swift_image_info:
    cloud: images
    name: debian-12
  register: debian

- name: Stop when it is not there
  ansible.builtin.assert:
    that: debian.images[0].exists

- name: Look at a public image, without credentials
  imagestore.swift.swift_image_info:
    uri: swift+https://swift.example.com/v1/AUTH_27f1/public/debian-12
    auth_type: none

- name: Look at all images whose names begin with debian-, and at their segments
  imagestore.swift.swift_image_info:
    cloud: images
    container: glance
    prefix: debian-
    segments: true
"""

RETURN = r"""
images:
  description:
    - The images, in the order of O(names), or sorted by name where all are described.
    - An image that was named and is not there has RV(images[].exists=false).
    - A container that is not there has no images.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      returned: always
      type: str
    container:
      description: Its container.
      returned: always
      type: str
    uri:
      description: Its location in Glance's grammar, with the storage URL and without credentials.
      returned: always
      type: str
      sample: swift+https://swift.example.com/v1/AUTH_27f1/glance/debian-12
    exists:
      description: Whether there is such an image.
      returned: always
      type: bool
    size:
      description: Its size in bytes.
      returned: when it exists
      type: int
    etag:
      description: Its ETag, a plain object's MD5, or for a large one the MD5 of its segments' ETags.
      returned: when it exists
      type: str
    checksums:
      description: Hex digests of the whole image by algorithm, as far as they are known.
      returned: when it exists
      type: dict
    manifest:
      description: Its kind, V(none) for a plain object, V(slo) or V(dlo).
      returned: when it exists
      type: str
    segments:
      description: How many segments it has.
      returned: when it exists
      type: int
    segment_list:
      description: Its segments, in order.
      returned: when it exists and O(segments=true)
      type: list
      elements: dict
      contains:
        container:
          description: The segment's container.
          returned: always
          type: str
        name:
          description: The segment's name.
          returned: always
          type: str
        size:
          description: The segment's size in bytes.
          returned: always
          type: int
        etag:
          description: The segment's ETag.
          returned: always
          type: str
    segment_container:
      description: The container of its segments, null for a plain object.
      returned: when it exists
      type: str
    segment_prefix:
      description: The prefix that its manifest names, null where it is no dynamic large object.
      returned: when it exists
      type: str
    content_type:
      description: Its media type.
      returned: when it exists
      type: str
    metadata:
      description: Its metadata, names in lower case.
      returned: when it exists
      type: dict
    last_modified:
      description: When it was last changed, in UTC.
      returned: when it exists
      type: str
      sample: "2026-11-22T17:49:35Z"
    delete_at:
      description: When Swift is to remove it, in seconds since the epoch, or null.
      returned: when it exists
      type: int
"""

from typing import Any

from ansible_collections.imagestore.swift.plugins.module_utils import _options
from ansible_collections.imagestore.swift.plugins.module_utils._change import describe
from ansible_collections.imagestore.swift.plugins.module_utils._image import Image
from ansible_collections.imagestore.swift.plugins.module_utils._listing import list_images, read_images
from ansible_collections.imagestore.swift.plugins.module_utils._location import Location, Placement
from ansible_collections.imagestore.swift.plugins.module_utils._runner import Result, Task, run

SPEC = _options.STORE + _options.ArgumentSpec(
    {
        "name": {"type": "str", "aliases": ["image_id"]},
        "names": {"type": "list", "elements": "str"},
        "prefix": {"type": "str"},
        "segments": {"type": "bool", "default": False},
    },
    mutually_exclusive=[("name", "names", "prefix", "uri")],
)


def main() -> None:
    """The module's entry point."""
    run(SPEC, job)


def job(task: Task) -> Result:
    """Find the images that the options name, and describe them."""
    placement = _options.read_placement(task.params)
    locations = named_locations(task.params, placement)
    with task.connect() as connection:
        if locations is None:
            found: Any = list_images(connection, placement, task.params["prefix"] or "")
        else:
            found = read_images(connection, locations)
        return {
            "images": [
                facts(location, image, connection.storage_url, task.params["segments"]) for location, image in found
            ]
        }


def named_locations(params: Any, placement: Placement) -> list[Location] | None:
    """The images that *params* name; None for all that there are."""
    if params["uri"] is not None:
        return [_options.read_uri(params)]
    names = params["names"] if params["name"] is None else [params["name"]]
    return None if names is None else [placement.locate(name) for name in names]


def facts(location: Location, image: Image | None, storage_url: str, with_segments: bool) -> dict[str, Any]:
    """One image of the result."""
    described = describe(location, image, storage_url)
    if image and with_segments:
        described["segment_list"] = [
            {"container": segment.container, "name": segment.name, "size": segment.size, "etag": segment.etag}
            for segment in image.pieces
        ]
    return described


if __name__ == "__main__":
    main()
