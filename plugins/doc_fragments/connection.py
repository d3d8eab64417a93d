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
  - The module reads C(clouds.yaml) and the C(OS_*) environment variables on the host that runs the task. The modules of
    the C(openstack.cloud) collection read them in the same way.
  - If neither O(cloud) nor O(auth) is set, the module uses the swift CLI's variables C(ST_AUTH), C(ST_USER) and
    C(ST_KEY), provided that all three are set. They take precedence over the C(OS_*) variables.
  - C(ST_AUTH_VERSION) selects the authentication version for these variables. If it is not set, the module uses
    C(OS_AUTH_VERSION), then C(OS_IDENTITY_API_VERSION), then v1, as the swift CLI does.
  - If O(auth) is incomplete, openstacksdk takes the missing values, including a password, from the C(OS_*) variables.
  - The module renews its token while a task runs, unless the token itself was given as the credentials.
  - The module does not follow redirects to other servers, because they would receive the credentials.
options:
  cloud:
    description:
      - The name of a cloud in C(clouds.yaml), or a dict with the settings that such a cloud would have.
      - Not required if O(auth) or the C(OS_*) environment variables are set.
    type: raw
  auth:
    description:
      - The parameters of the authentication plugin O(auth_type).
      - For C(password), these are for example C(auth_url), C(username), C(password), C(project_name),
        C(user_domain_name) and C(project_domain_name).
      - For C(v1password), these are C(auth_url), C(username) and C(password).
    type: dict
  auth_type:
    description:
      - The name of a keystoneauth plugin.
      - V(password) (the default), V(v3password), V(v3applicationcredential), V(token), V(v3token) and V(v2password)
        log in to Keystone.
      - V(v1password) logs in to tempauth, swauth or Ceph RGW.
      - V(admin_token) uses an existing storage URL and token. Set C(token) in O(auth), and C(endpoint) unless C(uri)
        includes the storage URL.
      - V(none) uses no credentials, for a public image. Set the storage URL in C(uri), or as C(endpoint) in O(auth).
    type: str
  region_name:
    description: The region of the Swift service.
    type: str
  interface:
    description:
      - The interface of the endpoint to select from the service catalogue.
      - If O(cloud) is a dict, set the interface in that dict.
    type: str
    choices: [public, internal, admin]
    default: public
    aliases: [endpoint_type]
  validate_certs:
    description:
      - Whether to validate the TLS certificates of the servers.
      - By default, certificates are validated unless the cloud's configuration disables it.
    type: bool
  ca_cert:
    description: The path of a file with the certificates of trusted certificate authorities.
    type: path
    aliases: [cacert]
  client_cert:
    description: The path of a client certificate.
    type: path
    aliases: [cert]
  client_key:
    description: The path of the private key of O(client_cert).
    type: path
    aliases: [key]
  api_timeout:
    description:
      - How many seconds to wait for an answer to a request.
      - By default, this is the value in the cloud's configuration, or 60 if it has none.
    type: int
  service_type:
    description: The type of Swift's entry in the service catalogue.
    type: str
    default: object-store
  snet:
    description:
      - Whether to reach Swift over its service network.
      - The service network's address is Swift's address with C(snet-) before the host name.
    type: bool
    default: false
  retries:
    description:
      - How often to retry a failed login or request to Swift.
      - A retry follows if there was no answer, or if the status is temporary. Temporary statuses are 408, 429, 498, 499
        and 5xx, except for 501, 505 and 507.
      - The pauses between retries grow up to one minute. If Swift asks for a pause, the module waits that long, up to
        one minute.
    type: int
    default: 5
"""
