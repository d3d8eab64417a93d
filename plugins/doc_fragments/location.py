# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options for locating images: those of ``options.PLACEMENT``, ``options.STORE`` and ``options.LOCATION``."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  name:
    description:
      - The image's name, which is the name of its object in Swift.
      - The name can have slashes. It cannot begin with C(.segments/), where segments are stored, and no part between
        slashes can be V(.) or V(..).
      - Required unless O(uri) is set.
    type: str
    aliases: [image_id]
"""

    SEGMENTS = r"""
options:
  segment_container:
    description:
      - The container of the image's segments.
      - By default, this is the image's own container, as with Glance, so that one ACL applies to the whole image.
    type: str
"""

    PLACEMENT = r"""
options:
  container:
    description:
      - The container of the images.
      - If O(multi_tenant) or O(containers_seed) spread the images over several containers, this is the prefix of the
        containers' names.
    type: str
    default: glance
  multi_tenant:
    description:
      - Whether each image has its own container, with the name C(<container>_<name>), as in Glance's multi-tenant
        store.
      - The container is only for this image. It is deleted with the image, unless it contains something else.
    type: bool
    default: false
  containers_seed:
    description:
      - How many characters of an image's name select its container, as with Glance's
        C(swift_store_multiple_containers_seed).
      - The container's name is C(<container>_<characters>). The characters are in lower case, and dashes do not count.
      - The range is V(0), for a single container, to V(32).
    type: int
    default: 0
"""

    STORE = r"""
options:
  uri:
    description:
      - The image's location in the format of Glance's locations, instead of O(name). Every part is percent-encoded.
      - The location includes the container, so that O(container) and O(containers_seed) have no effect.
      - C(swift+https://account%3Auser:key@auth.example.com/v3/container/image) has credentials and the address of the
        authentication service. The scheme C(swift+http) means HTTP, and C(swift) means HTTPS.
      - The version at the end of the authentication address (C(/v1), C(/v1.0), C(/v2.0), C(/v3)) selects how to log in,
        unless O(auth_type) is set. With Keystone v3, the user and the project are in the default domain, unless O(auth)
        sets other domains.
      - C(swift+https://swift.example.com/v1/AUTH_27f1/container/image) has no credentials and begins with the storage
        URL. The module uses the credentials from O(cloud), O(auth) or the environment. Without credentials, the image
        must be public. The module sends a token to this address only if the cloud has the same server.
      - C(swift+config://reference/container/image) uses the credentials called C(reference) in O(glance_config_file).
        Without that file, it uses the cloud of that name in C(clouds.yaml).
    type: str
  glance_config_file:
    description:
      - The path of Glance's C(swift_store_config_file) on the host that runs the task, with a section for each
        reference.
      - The module reads it only for an O(uri) with C(swift+config).
    type: path
"""
