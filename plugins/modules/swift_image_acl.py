#!/usr/bin/python
# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module that manages the ACLs of images' containers."""

from __future__ import annotations

DOCUMENTATION = r"""
module: swift_image_acl
short_description: Say who may read and write images in a Swift object store
version_added: 0.1.0
author:
  - The imagestore.swift authors (!UNKNOWN)
description:
  - Lets the access control lists (ACLs) of a container be as the options say. They hold for everything in it, so that
    an image that others must not read needs another container; with O(multi_tenant) each image has one.
  - The options mean what they do in Glance's Swift driver.
  - Reading is one side and writing the other. A side that no option speaks of is left alone, and an empty list clears
    it.
extends_documentation_fragment:
  - imagestore.swift.attributes
  - imagestore.swift.connection
  - imagestore.swift.location.placement
  - imagestore.swift.location.store
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  name:
    description:
      - The image, where its name chooses the container. In a container of several images, all of them are meant,
        whichever is named.
    type: str
    aliases: [image_id]
  state:
    description:
      - With V(present) there are these grants.
      - With V(absent) these are taken away, and all others stay.
    type: str
    choices: [present, absent]
    default: present
  purge:
    description:
      - Whether there are only these grants on a side that is spoken of, as Glance sets them.
      - With V(false) they are added to those that are there.
    type: bool
    default: true
  public:
    description:
      - Whether everybody may read and list, without credentials.
      - With V(false) this is no grant; with O(purge) it is one less.
    type: bool
  read_tenants:
    description: IDs of the projects (tenants) whose users may read.
    type: list
    elements: str
    aliases: [read_projects]
  read_acl:
    description:
      - Other elements for reading, in Swift's grammar, one in each string. V(tenant:user), V(*:user), V(*:*) for
        everybody who is logged in, a role's name, V(.rlistings), and V(.r:.example.com) or V(.r:-bad.example.com),
        which are about the Referer header, and of which the last one that matches counts.
    type: list
    elements: str
  write_tenants:
    description: IDs of the projects (tenants) whose users may write.
    type: list
    elements: str
    aliases: [write_projects]
  admin_tenants:
    description: IDs of the projects (tenants) whose users may write besides, Glance's C(swift_store_admin_tenants).
    type: list
    elements: str
    aliases: [admin_projects]
  write_acl:
    description: Other elements for writing, in Swift's grammar, one in each string.
    type: list
    elements: str
  segments:
    description:
      - Whether other containers, in which images have segments, are made readable for the same readers. Without that
        nobody can read an image whose segments the swift CLI or rclone laid into C(<container>_segments).
      - They are listable for everybody only where a dynamic large object needs it, which Swift reads by listing them.
      - It takes a request for each image of the container to find them. V(false) spares that where all segments are in
        the container itself, as Glance and this collection lay them.
      - What is said of readers holds for all that is in such a container. Do not let containers share one whose images
        have other readers.
      - A manifest is a claim of whoever wrote it. Access is only extended to a container in which an object's name
        proves that it is a segment of an image. The module warns of every other container that a manifest names.
    type: bool
    default: true
  segment_containers:
    description:
      - Containers that hold segments of the images, although no name of an object proves it.
    type: list
    elements: str
    default: []
seealso:
  - module: imagestore.swift.swift_image
  - module: imagestore.swift.swift_image_info
    description: With C(acl=true) it tells the options that would make the access that there is.
  - module: openstack.cloud.object_container
  - name: Swift's access control lists
    description: What an ACL's elements mean, in Keystone's and in tempauth's accounts.
    link: https://docs.openstack.org/swift/latest/overview_acl.html
"""

EXAMPLES = r"""
- name: Let everybody read the images of a container
  imagestore.swift.swift_image_acl:
    cloud: images
    container: glance
    public: true

- name: Let two projects read, and nobody else
  imagestore.swift.swift_image_acl:
    cloud: images
    container: private
    read_tenants:
      - 27f1b0a3c9d24c5f8a5d3d0c2f6e9b11
      - 9c0d5f1f2a116b1e5a3663b14f2c9a0e

- name: Let one project more read
  imagestore.swift.swift_image_acl:
    cloud: images
    container: private
    read_tenants: [5a3663b14f2c9a0e9c0d5f1f2a116b1e]
    purge: false

- name: Let a project write no more
  imagestore.swift.swift_image_acl:
    cloud: images
    container: private
    write_tenants: [9c0d5f1f2a116b1e5a3663b14f2c9a0e]
    state: absent

- name: Let nobody read but the container's own project
  imagestore.swift.swift_image_acl:
    cloud: images
    container: private
    public: false
"""

RETURN = r"""
acl:
  description: The access to the container after the task, as options that make it.
  returned: success
  type: dict
  contains:
    container:
      description: The container.
      returned: always
      type: str
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
      description: The other elements for reading.
      returned: always
      type: list
      elements: str
    write_tenants:
      description: The projects whose users may write, those of O(admin_tenants) among them.
      returned: always
      type: list
      elements: str
    write_acl:
      description: The other elements for writing.
      returned: always
      type: list
      elements: str
segment_acls:
  description: The same for the other containers that images have segments in, sorted by name.
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.imagestore.swift.plugins.module_utils._ansible import options
from ansible_collections.imagestore.swift.plugins.module_utils._ansible.runner import Result, Task, run
from ansible_collections.imagestore.swift.plugins.module_utils._model.acl import read_grants
from ansible_collections.imagestore.swift.plugins.module_utils._operations.access import ContainerAccess, diff_of

SPEC = options.STORE + options.ArgumentSpec(
    {
        "name": {"type": "str", "aliases": ["image_id"]},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "purge": {"type": "bool", "default": True},
        "public": {"type": "bool"},
        "read_tenants": {"type": "list", "elements": "str", "aliases": ["read_projects"]},
        "read_acl": {"type": "list", "elements": "str"},
        "write_tenants": {"type": "list", "elements": "str", "aliases": ["write_projects"]},
        "admin_tenants": {"type": "list", "elements": "str", "aliases": ["admin_projects"]},
        "write_acl": {"type": "list", "elements": "str"},
        "segments": {"type": "bool", "default": True},
        "segment_containers": {"type": "list", "elements": "str", "default": []},
    },
    mutually_exclusive=[("name", "uri")],
)


def main() -> None:
    """Run the module."""
    run(SPEC, job)


def job(task: Task) -> Result:
    """Change the ACLs as the options say; return the module's result."""
    grants = read_grants(task.params)
    placement, location = options.read_container_or_image(task.params)
    segment_containers = options.read_containers(task.params, "segment_containers")
    with task.connect() as client:
        access = ContainerAccess(client, placement, location)
        plan = access.plan(grants, task.params["segments"], segment_containers)
        for warning in plan.warnings():
            task.context.warn(warning)
        changes = plan.changes if task.context.check_mode else access.apply(plan).changes
    return {
        "changed": any(change.changed for change in changes),
        "diff": diff_of(changes),
        "acl": changes[0].acl(),
        "segment_acls": [change.acl() for change in changes[1:]],
    }


if __name__ == "__main__":
    main()
