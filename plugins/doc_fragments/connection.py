# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options for locating Swift and logging in: those of ``options.CONNECTION``."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
requirements:
  - python >= 3.11
  - openstacksdk >= 2.0.0
  - python-swiftclient >= 4.4.0
notes:
  - C(clouds.yaml) and the C(OS_*) environment variables are read on the host that runs the task, the way the
    modules of the C(openstack.cloud) collection read them.
  - Where neither O(cloud) nor O(auth) is given, the swift CLI's C(ST_AUTH), C(ST_USER) and C(ST_KEY) are used where all
    three are set, before the C(OS_*) variables. C(ST_AUTH_VERSION) says what they are for, v1 where it is not set
    (C(OS_AUTH_VERSION) and C(OS_IDENTITY_API_VERSION) are looked at as well, as the swift CLI does).
  - Where O(auth) lacks something, openstacksdk takes it from the C(OS_*) variables, a password as well.
  - A token is renewed while a task runs, except one that was given as such.
  - No redirect to another server is followed, which would be shown the credentials.
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
      - A keystoneauth plugin.
      - V(password) (what is used when nothing else is said), V(v3password), V(v3applicationcredential), V(token),
        V(v3token) and V(v2password) log in at Keystone.
      - V(v1password) logs in at tempauth, swauth or Ceph RGW.
      - V(admin_token) uses a storage URL and a token that are ready, C(endpoint) (where C(uri) does not have it) and
        C(token) in O(auth).
      - V(none) uses no credentials, for a public image. The storage URL is that in C(uri), or C(endpoint) in O(auth).
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
  snet:
    description:
      - Whether Swift is reached over its service network, at its address with C(snet-) before the host.
    type: bool
    default: false
  retries:
    description:
      - How often a login, or a request to Swift, is tried again that got no answer, or one that may be another later
        (408, 429, 498, 499, 5xx but not 501, 505 and 507). The pauses grow, or are as long as Swift asks for, up to a
        minute.
    type: int
    default: 5
"""
