# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How to get in: the options of ``_options.CONNECTION``."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
requirements:
  - python >= 3.11
  - openstacksdk >= 2.0.0
  - python-swiftclient >= 4.2.0
notes:
  - C(clouds.yaml) and the C(OS_*) environment variables are read on the host that runs the task, the way the
    modules of the C(openstack.cloud) collection read them.
options:
  cloud:
    description:
      - The name of a cloud in C(clouds.yaml), or a dict with what would stand there.
      - Not needed where O(auth) is given or the C(OS_*) environment variables are set.
    type: raw
  auth:
    description:
      - What the authentication plugin O(auth_type) asks for, such as C(auth_url), C(username), C(password),
        C(project_name), C(user_domain_name) and C(project_domain_name) for C(password), or C(auth_url), C(username)
        and C(password) for C(v1password).
    type: dict
  auth_type:
    description:
      - A keystoneauth plugin, such as V(password) (Keystone, what is used when nothing else is said) or
        V(v1password) (tempauth, swauth, Ceph RGW).
    type: str
  region_name:
    description: The region whose Swift is meant.
    type: str
  interface:
    description:
      - Which of the service catalogue's endpoints is used.
      - Where O(cloud) is a dict, it goes into that.
    type: str
    choices: [public, internal, admin]
    default: public
    aliases: [endpoint_type]
  validate_certs:
    description:
      - Whether the servers' TLS certificates are checked. They are, unless the cloud's configuration says otherwise.
    type: bool
    aliases: [verify]
  ca_cert:
    description: A file with the certificates of the authorities that are trusted.
    type: path
    aliases: [cacert]
  client_cert:
    description: A file with the certificate that the client shows.
    type: path
    aliases: [cert]
  client_key:
    description: A file with the key of O(client_cert).
    type: path
    aliases: [key]
  api_timeout:
    description: For how many seconds a request may be without an answer. 60 where the cloud's configuration names none.
    type: int
  service_type:
    description: The type of Swift's entry in the service catalogue.
    type: str
    default: object-store
  retries:
    description: How often a request to Swift that failed is tried again, with growing pauses.
    type: int
    default: 5
"""
