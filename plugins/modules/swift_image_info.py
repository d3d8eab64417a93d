#!/usr/bin/python
# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module that returns facts about images."""

from __future__ import annotations

DOCUMENTATION = r"""
module: swift_image_info
short_description: Look at images in a Swift object store
version_added: 0.1.0
author:
  - The imagestore.swift authors (!UNKNOWN)
description:
  - Tells about one image, several, or all images of a container in an OpenStack Swift object store.
  - Images that Glance, the swift CLI, rclone or openstacksdk wrote are seen as they are. A listing shows images and
    none of their segments, which are what a manifest in the container names, or what is called, or typed, as these
    clients and this collection call segments.
  - With O(prefix), manifests whose names do not begin with it are looked at only where something that does is called as
    segments are.
  - An image takes one request, and one or two more where others wrote its manifest.
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
      - Without O(name), O(names) and O(uri) all images are described, of O(container) or, with O(multi_tenant) or
        O(containers_seed), of all the containers that those make.
    type: str
    aliases: [image_id]
  names:
    description: The names of several images. An empty list asks about the container alone.
    type: list
    elements: str
  prefix:
    description: Only images whose names begin with this, where all images are described.
    type: str
  segment_container:
    description:
      - A container that this collection's segments may lie in beside the images' own and C(<container>_segments), which
        is where the swift CLI and rclone put theirs. Looked into for O(orphans).
    type: str
  segments:
    description: Whether each segment is listed.
    type: bool
    default: false
  acl:
    description: Whether it is told who may read and write.
    type: bool
    default: false
  verify:
    description:
      - How each image is checked.
      - With V(true), every segment that its manifest names is requested, and its size and ETag are compared. Nothing is
        downloaded. A dynamic large object is also searched for gaps in its segments' numbers, and for objects that are
        read with it because their names begin with its prefix.
      - With V(content), every byte of an image that passes is read as well, and compared with the segments' ETags, with
        the SHA-256 in their names, and with the recorded digests. That finds bytes that rotted, and forged names.
    type: str
    choices: ["false", "true", "content"]
    default: "false"
  fail_on_damage:
    description:
      - Whether the task fails if an image is damaged, which makes an audit of one task. The result is that of a task
        that succeeds.
      - An image whose manifest the store does not return is not called damaged.
    type: bool
    default: false
  concurrency:
    description: How many ranges, of all images, are read at the same time with O(verify=content).
    type: int
    default: 4
  orphans:
    description:
      - Whether segments are searched that no manifest names.
      - These are this collection's, wherever their names say whose they are, the swift CLI's, rclone's, and Glance's,
        whose images are called by UUIDs. openstacksdk's can't be told from images.
      - All manifests in the images' containers are read. Manifests in other containers are not, so look there before
        you delete a segment that a copied manifest may name.
      - Ceph RGW does not return the manifest of a static large object. Segments that may be such an object's are left
        out.
    type: bool
    default: false
  orphan_age:
    description:
      - How long ago, by Swift's clock, a segment has to be written to be called an orphan, in seconds, or as V(12h),
        V(7d) or V(2w).
      - What an upload has just written is named by no manifest until the upload ends. Give more than your longest
        upload takes.
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

- name: Check every image, and look for segments that nobody needs
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

- name: Show who may read one, and how full its container is
  imagestore.swift.swift_image_info:
    cloud: images
    name: debian-12
    acl: true
  register: debian
"""

RETURN = r"""
images:
  description:
    - The images, in the order of O(names), or sorted by name where all are described.
    - An image that was named and is not there has RV(images[].exists=false).
    - A container that does not exist has no images, and a warning says so. With O(names), or if all images of a
      container are verified or orphans are looked for, it is an error.
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
    complete:
      description:
        - Whether all of it is there as its manifest says, null if the store does not return the manifest.
        - V(false) as well for an object that no client writes so, and for a symlink that leads to nothing readable.
      returned: when it exists and is verified, or if there are problems
      type: bool
    problems:
      description: What is wrong with it, a sentence each, at most 20 and then how many more.
      returned: when it exists and is verified, or if there are problems
      type: list
      elements: str
      sample: ["Segment glance/debian-12-00003 (bytes 409600000 to 614399999) is missing."]
    acl:
      description:
        - Who may read and write its container, as the options of the module that sets it.
        - Null where Swift shows none to these credentials, which may not look at the account either, or where there is
          no such container. To a user who may only read the account, Swift shows none, as if there were none.
      returned: when O(acl=true)
      type: dict
      contains:
        public:
          description: Whether everybody may read and list, without exceptions.
          returned: always
          type: bool
        read_tenants:
          description: The projects whose users may read.
          returned: always
          type: list
          elements: str
        read_acl:
          description: The other elements of the ACL for reading, in Swift's grammar.
          returned: always
          type: list
          elements: str
        write_tenants:
          description: The projects whose users may write.
          returned: always
          type: list
          elements: str
        write_acl:
          description: The other elements of the ACL for writing.
          returned: always
          type: list
          elements: str
    symlink:
      description: What the image's name leads to if it is a symlink.
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
          description: The target's account, null for the link's own.
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
containers:
  description:
    - The containers of these images, sorted by name.
    - One that is not there, or that these credentials may not look at, is left out.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      returned: always
      type: str
    object_count:
      description: How many objects are in it, segments among them. Swift counts with a delay.
      returned: always
      type: int
    bytes_used:
      description: How many bytes they have.
      returned: always
      type: int
    storage_policy:
      description: The storage policy, null where the store names none.
      returned: always
      type: str
    quota_bytes:
      description: How many bytes it may hold, null for no such limit.
      returned: always
      type: int
    quota_count:
      description: How many objects it may hold, null for no such limit.
      returned: always
      type: int
    acl:
      description: As RV(images[].acl).
      returned: when O(acl=true)
      type: dict
orphans:
  description:
    - Segments that no manifest names, sorted by container and name.
    - Only those that were written for images that are asked about.
  returned: when O(orphans=true)
  type: list
  elements: dict
  contains:
    container:
      description: Its container.
      returned: always
      type: str
    name:
      description: Its name.
      returned: always
      type: str
    size:
      description: Its size in bytes.
      returned: always
      type: int
    last_modified:
      description: When it was written, in UTC.
      returned: always
      type: str
    age:
      description: How many seconds ago that was.
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
