#!/usr/bin/python
# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module that manages the ACLs of images' containers."""

from __future__ import annotations

DOCUMENTATION = r"""
module: swift_image_acl
short_description: Manage who may read and write images in a Swift object store
version_added: 0.1.0
author:
  - The imagestore.swift authors (!UNKNOWN)
description:
  - Manages the access control lists (ACLs) of a container. An ACL applies to everything in the container.
  - To restrict the access to a single image, store it in a different container. With O(multi_tenant), each image has
    its own container.
  - The options have the same meaning as in Glance's Swift driver.
  - The grants for reading and the grants for writing are independent. If no option for one of them is set, the module
    does not change it. An empty list removes all its grants.
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
      - The name of an image, if the images' names select the container.
      - If the container has several images, the ACLs apply to all of them, even if one is named.
    type: str
    aliases: [image_id]
  state:
    description:
      - The desired state of the grants.
      - With V(present), the container has these grants.
      - With V(absent), the module removes these grants and keeps all others.
    type: str
    choices: [present, absent]
    default: present
  purge:
    description:
      - Whether to remove all other grants for reading, or for writing, if an option for it is set. Glance does the
        same.
      - With V(false), the module adds the grants to the existing ones.
    type: bool
    default: true
  public:
    description:
      - Whether everybody may read and list the container without credentials.
      - V(false) adds no grant. With O(purge), it removes an existing public grant.
    type: bool
  read_tenants:
    description: IDs of the projects (tenants) whose users may read.
    type: list
    elements: str
    aliases: [read_projects]
  read_acl:
    description:
      - Other ACL elements for reading, in Swift's format, with one element in each string.
      - An element is V(tenant:user), V(*:user), V(*:*) for all users who are logged in, the name of a role,
        V(.rlistings), or a rule for the Referer header.
      - Rules for the Referer header are for example V(.r:.example.com) and V(.r:-bad.example.com). The last rule that
        matches applies.
    type: list
    elements: str
  write_tenants:
    description: IDs of the projects (tenants) whose users may write.
    type: list
    elements: str
    aliases: [write_projects]
  admin_tenants:
    description:
      - IDs of additional projects (tenants) whose users may write, as in Glance's C(swift_store_admin_tenants).
    type: list
    elements: str
    aliases: [admin_projects]
  write_acl:
    description: Other ACL elements for writing, in Swift's format, with one element in each string.
    type: list
    elements: str
  segments:
    description:
      - Whether to grant the same readers access to other containers that have segments of the images.
      - Without this access, nobody else can read an image whose segments the swift CLI or rclone stored in
        C(<container>_segments).
      - Everybody may list such a container only if a dynamic large object needs it, because Swift lists the segments to
        read the object.
      - The module sends a request for each image of the container to find these containers. V(false) avoids these
        requests. Use it if all segments are in the container itself, where Glance and this collection store them.
      - The grants for readers apply to everything in such a container. Do not share it between containers whose images
        have different readers.
      - A user who can write a manifest can refer to any container in it. Therefore the module grants access to a
        container only if an object's name proves that it is a segment of an image. It warns about all other containers
        that a manifest refers to.
    type: bool
    default: true
  segment_containers:
    description:
      - Containers that have segments of the images, although no object's name proves it.
    type: list
    elements: str
    default: []
seealso:
  - module: imagestore.swift.swift_image
  - module: imagestore.swift.swift_image_info
    description: With C(acl=true), it returns the current access as options of this module.
  - module: openstack.cloud.object_container
  - name: Swift's access control lists
    description: The meaning of ACL elements for Keystone and for tempauth accounts.
    link: https://docs.openstack.org/swift/latest/overview_acl.html
"""

EXAMPLES = r"""
- name: Allow everybody to read the images of a container
  imagestore.swift.swift_image_acl:
    cloud: images
    container: glance
    public: true

- name: Allow only two projects to read
  imagestore.swift.swift_image_acl:
    cloud: images
    container: private
    read_tenants:
      - 27f1b0a3c9d24c5f8a5d3d0c2f6e9b11
      - 9c0d5f1f2a116b1e5a3663b14f2c9a0e

- name: Allow another project to read
  imagestore.swift.swift_image_acl:
    cloud: images
    container: private
    read_tenants: [5a3663b14f2c9a0e9c0d5f1f2a116b1e]
    purge: false

- name: Remove a project's right to write
  imagestore.swift.swift_image_acl:
    cloud: images
    container: private
    write_tenants: [9c0d5f1f2a116b1e5a3663b14f2c9a0e]
    state: absent

- name: Allow only the container's own project to read
  imagestore.swift.swift_image_acl:
    cloud: images
    container: private
    public: false
"""

RETURN = r"""
acl:
  description: The access to the container after the task, as options of this module.
  returned: success
  type: dict
  contains:
    container:
      description: The container's name.
      returned: always
      type: str
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
      description: Other ACL elements for reading.
      returned: always
      type: list
      elements: str
    write_tenants:
      description: IDs of the projects whose users may write, including those of O(admin_tenants).
      returned: always
      type: list
      elements: str
    write_acl:
      description: Other ACL elements for writing.
      returned: always
      type: list
      elements: str
segment_acls:
  description: The access to the other containers with segments of the images, as in RV(acl), sorted by name.
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
