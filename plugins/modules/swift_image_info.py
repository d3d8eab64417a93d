#!/usr/bin/python
# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module that returns facts about images."""

from __future__ import annotations

DOCUMENTATION = r"""
module: swift_image_info
short_description: Get information about images in a Swift object store
version_added: 0.1.0
author:
  - The imagestore.swift authors (!UNKNOWN)
description:
  - Returns information about one image, several images, or all images of a container in an OpenStack Swift object
    store.
  - The module supports images that Glance, the swift CLI, rclone or openstacksdk wrote.
  - A listing shows images without their segments. An object is a segment if a manifest in the container refers to it.
    An object with the name or media type that these clients or this collection give to segments is also a segment.
  - With O(prefix), the module reads manifests with other names only if an object with the prefix has a name like a
    segment.
  - An image takes one request. If another client wrote its manifest, it takes one or two more.
extends_documentation_fragment:
  - imagestore.swift.attributes
  - imagestore.swift.attributes.info_module
  - imagestore.swift.connection
  - imagestore.swift.location.placement
  - imagestore.swift.location.store
  - imagestore.swift.progress
options:
  name:
    description:
      - The name of one image.
      - Without O(name), O(names) and O(uri), the module describes all images in O(container). With O(multi_tenant) or
        O(containers_seed), it describes all images in all containers that these options create.
    type: str
    aliases: [image_id]
  names:
    description:
      - The names of several images.
      - With an empty list, the module describes only the container.
    type: list
    elements: str
  prefix:
    description: If the module describes all images, it describes only images whose names begin with this prefix.
    type: str
  segment_container:
    description:
      - Another container to search for segments of this collection, for O(orphans).
      - The module always searches the images' own containers and C(<container>_segments), where the swift CLI and
        rclone store their segments.
    type: str
  segments:
    description: Whether to list the segments of each image.
    type: bool
    default: false
  acl:
    description: Whether to return who may read and write.
    type: bool
    default: false
  verify:
    description:
      - How to check each image.
      - With V(true), the module requests every segment that the manifest refers to, and compares its size and ETag. It
        does not download anything.
      - For a dynamic large object, the module also searches for gaps in the numbers of the segments. It also searches
        for other objects that Swift reads with the image because their names begin with its prefix.
      - With V(content), the module also reads every byte of an image that passes these checks. It compares the bytes
        with the segments' ETags, with the SHA-256 in their names, and with the recorded digests. This finds corrupted
        bytes and forged names.
    type: str
    choices: ["false", "true", "content"]
    default: "false"
  fail_on_damage:
    description:
      - Whether the task fails if an image is damaged, so that a single task is an audit.
      - The task returns the same values as a task that succeeds.
      - An image is not reported as damaged if the store does not return its manifest.
    type: bool
    default: false
  concurrency:
    description: How many ranges of all images to read in parallel with O(verify=content).
    type: int
    default: 4
  orphans:
    description:
      - Whether to look for segments that no manifest refers to.
      - The module finds segments of this collection whose names include the name of an image, and segments of the swift
        CLI and rclone. It finds Glance's segments only for images whose names are UUIDs. It cannot distinguish the
        segments of openstacksdk from images.
      - The module reads all manifests in the images' containers, but none in other containers. Before you delete a
        segment that a copied manifest may refer to, check the other containers.
      - Ceph RGW does not return the manifest of a static large object. The module does not report segments that may
        belong to such an object.
    type: bool
    default: false
  orphan_age:
    description:
      - The minimum age of an orphan, by Swift's clock, in seconds, or as V(12h), V(7d) or V(2w).
      - Set this to more than the duration of your longest upload, because no manifest refers to the segments of a
        running upload.
    type: str
    default: 1d
seealso:
  - module: imagestore.swift.swift_image
  - module: openstack.cloud.image_info
  - module: openstack.cloud.object_containers_info
  - name: Swift's large objects
    description: How static and dynamic large objects work.
    link: https://docs.openstack.org/swift/latest/overview_large_objects.html
"""

EXAMPLES = r"""
- name: Get information about an image
  imagestore.swift.swift_image_info:
    cloud: images
    name: debian-12
  register: debian

- name: Fail if the image does not exist
  ansible.builtin.assert:
    that: debian.images[0].exists

- name: Get information about a public image without credentials
  imagestore.swift.swift_image_info:
    uri: swift+https://swift.example.com/v1/AUTH_27f1/public/debian-12
    auth_type: none

- name: List all images whose names begin with debian-, and their segments
  imagestore.swift.swift_image_info:
    cloud: images
    container: glance
    prefix: debian-
    segments: true

- name: Verify every image, and look for orphaned segments
  imagestore.swift.swift_image_info:
    cloud: images
    verify: true
    orphans: true
  register: store

- name: Read every byte of every image, and fail if one is damaged
  imagestore.swift.swift_image_info:
    cloud: images
    container: glance
    verify: content
    fail_on_damage: true

- name: Show who may read an image, and the size of its container
  imagestore.swift.swift_image_info:
    cloud: images
    name: debian-12
    acl: true
  register: debian
"""

RETURN = r"""
images:
  description:
    - The images, in the order of O(names). If the module describes all images, they are sorted by name.
    - An image that was named and does not exist has RV(images[].exists=false).
    - If a container does not exist, the list has no images of it, and the module warns about it. This is an error with
      O(names), or if the module verifies all images of a container or looks for orphans.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The image's name.
      returned: always
      type: str
    container:
      description: The image's container.
      returned: always
      type: str
    uri:
      description: The image's location in Glance's format, with the storage URL and without credentials.
      returned: always
      type: str
      sample: swift+https://swift.example.com/v1/AUTH_27f1/glance/debian-12
    exists:
      description: Whether the image exists.
      returned: always
      type: bool
    size:
      description: The image's size in bytes.
      returned: when it exists
      type: int
    etag:
      description: The image's ETag, which is a plain object's MD5, or the MD5 of a large object's segment ETags.
      returned: when it exists
      type: str
    checksums:
      description: Hex digests of the whole image by algorithm, if they are known.
      returned: when it exists
      type: dict
    manifest:
      description: The type of the image's manifest, V(slo) or V(dlo), or V(none) for a plain object.
      returned: when it exists
      type: str
    segments:
      description: How many segments the image has.
      returned: when it exists
      type: int
    segment_list:
      description: The image's segments, in order.
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
    complete:
      description:
        - Whether all of the image exists and matches its manifest.
        - V(null) if the store does not return the manifest.
        - Also V(false) for an object in a state that no client writes, and for a symlink whose target cannot be read.
      returned: when it exists and is verified, or if there are problems
      type: bool
    problems:
      description:
        - The problems of the image, with one sentence for each.
        - The list has at most 20 problems. If there are more, a last sentence has their number.
      returned: when it exists and is verified, or if there are problems
      type: list
      elements: str
      sample: ["Segment glance/debian-12-00003 (bytes 409600000 to 614399999) is missing."]
    acl:
      description:
        - Who may read and write the image's container, as options of M(imagestore.swift.swift_image_acl).
        - V(null) if the container does not exist, or if Swift shows no ACL and the credentials may not access the
          account either.
        - If the credentials may only read the account, Swift hides the ACL, and the result is the same as for an empty
          ACL.
      returned: when O(acl=true)
      type: dict
      contains:
        public:
          description: Whether everybody may read and list the container, without exceptions.
          returned: always
          type: bool
        read_tenants:
          description: IDs of the projects whose users may read.
          returned: always
          type: list
          elements: str
        read_acl:
          description: Other ACL elements for reading, in Swift's format.
          returned: always
          type: list
          elements: str
        write_tenants:
          description: IDs of the projects whose users may write.
          returned: always
          type: list
          elements: str
        write_acl:
          description: Other ACL elements for writing, in Swift's format.
          returned: always
          type: list
          elements: str
    symlink:
      description: The target of the image's name, if the name is a symlink.
      returned: when the name is a symlink
      type: dict
      contains:
        container:
          description: The target's container.
          returned: always
          type: str
        name:
          description: The target's name.
          returned: always
          type: str
        account:
          description: The target's account, or V(null) for the account of the symlink.
          returned: always
          type: str
    segment_container:
      description: The container of the image's segments, or V(null) for a plain object.
      returned: when it exists
      type: str
    segment_prefix:
      description: The prefix in the image's manifest, or V(null) unless the image is a dynamic large object.
      returned: when it exists
      type: str
    content_type:
      description: The image's media type.
      returned: when it exists
      type: str
    metadata:
      description: The image's metadata, with names in lower case.
      returned: when it exists
      type: dict
    last_modified:
      description: When the image was last changed, in UTC.
      returned: when it exists
      type: str
      sample: "2026-11-22T17:49:35Z"
    delete_at:
      description: When Swift removes the image, in seconds since the epoch, or V(null) for never.
      returned: when it exists
      type: int
containers:
  description:
    - The containers of these images, sorted by name.
    - Containers that do not exist, or that the credentials may not access, are left out.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The container's name.
      returned: always
      type: str
    object_count:
      description: How many objects are in the container, including segments. Swift updates this number with a delay.
      returned: always
      type: int
    bytes_used:
      description: The total size of these objects in bytes.
      returned: always
      type: int
    storage_policy:
      description: The container's storage policy, or V(null) if the store does not return it.
      returned: always
      type: str
    quota_bytes:
      description: The maximum total size of the objects in bytes, or V(null) if there is no limit.
      returned: always
      type: int
    quota_count:
      description: The maximum number of objects, or V(null) if there is no limit.
      returned: always
      type: int
    acl:
      description: Who may read and write the container, as in RV(images[].acl).
      returned: when O(acl=true)
      type: dict
orphans:
  description:
    - Segments that no manifest refers to, sorted by container and name.
    - The list has only segments of the images that the task selects.
  returned: when O(orphans=true)
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
    last_modified:
      description: When the segment was written, in UTC.
      returned: always
      type: str
    age:
      description: The age of the segment in seconds.
      returned: always
      type: int
"""

from ansible_collections.imagestore.swift.plugins.module_utils._ansible import options
from ansible_collections.imagestore.swift.plugins.module_utils._ansible.runner import Result, Task, run
from ansible_collections.imagestore.swift.plugins.module_utils._errors import OptionError
from ansible_collections.imagestore.swift.plugins.module_utils._operations.info import (
    ImageInfo,
    Questions,
    Selection,
    check_damage,
)

SPEC = (
    options.STORE
    + options.TRANSFER
    + options.ArgumentSpec(
        {
            "name": {"type": "str", "aliases": ["image_id"]},
            "names": {"type": "list", "elements": "str"},
            "prefix": {"type": "str"},
            "segment_container": {"type": "str"},
            "segments": {"type": "bool", "default": False},
            "acl": {"type": "bool", "default": False},
            "verify": {"type": "str", "choices": ["false", "true", "content"], "default": "false"},
            "fail_on_damage": {"type": "bool", "default": False},
            "concurrency": {"type": "int", "default": 4},
            "orphans": {"type": "bool", "default": False},
            "orphan_age": {"type": "str", "default": "1d"},
        },
        mutually_exclusive=[("name", "names", "prefix", "uri")],
    )
)


def main() -> None:
    """Run the module."""
    run(SPEC, job)


def job(task: Task) -> Result:
    """Describe the images that the options name; return the module's result."""
    params = task.params
    age = options.parse_duration("orphan_age", params["orphan_age"])
    if params["fail_on_damage"] and params["verify"] == "false":
        raise OptionError("fail_on_damage needs a check of the images: set verify to true or content.")
    questions = Questions(
        params["segments"],
        params["acl"],
        params["verify"],
        age if params["orphans"] else None,
        options.check_at_least("retries", params["retries"], 0),
    )
    selection = Selection(
        options.read_placement(params),
        options.read_named(params),
        params["prefix"] or "",
        options.read_container(params, "segment_container"),
        has_list=params["names"] is not None,
    )
    with task.connect() as client:
        result = ImageInfo(client, selection, questions, task.context).scan().result(questions.acl)
    if params["fail_on_damage"]:
        check_damage(result)
    return result


if __name__ == "__main__":
    main()
