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
      - The image's name, which is its object's name in Swift.
      - It can hold slashes. It can't begin with C(.segments/), where segments are kept, nor have a part between slashes
        that is V(.) or V(..).
      - Needed without O(uri).
    type: str
    aliases: [image_id]
"""

    SEGMENTS = r"""
options:
  segment_container:
    description:
      - The container that holds the image's segments.
      - The image's own container where it is not given, as with Glance, so that one ACL covers everything.
    type: str
"""

    PLACEMENT = r"""
options:
  container:
    description:
      - The container that holds the images.
      - What the containers' names begin with, where O(multi_tenant) or O(containers_seed) make several.
    type: str
    default: glance
  multi_tenant:
    description:
      - Whether an image has a container of its own, called C(<container>_<name>), as in Glance's multi-tenant store.
      - It is for the image alone, and is deleted with it, unless something else is in it.
    type: bool
    default: false
  containers_seed:
    description:
      - How many characters of an image's name, in lower case and not counting dashes, choose its container, which is
        called C(<container>_<characters>), as with Glance's C(swift_store_multiple_containers_seed).
      - From V(0), one container for all images, to V(32).
    type: int
    default: 0
"""

    STORE = r"""
options:
  uri:
    description:
      - The image's location in Glance's grammar, in place of O(name). Every part is percent-encoded.
      - It names the container, so that O(container) and O(containers_seed) are not looked at.
      - C(swift+https://account%3Auser:key@auth.example.com/v3/container/image) holds credentials and the address of the
        authentication service. C(swift+http) stands for http, C(swift) for https. The version at the end of the
        address (C(/v1), C(/v1.0), C(/v2.0), C(/v3)) says how to log in, unless O(auth_type) does. With Keystone v3,
        user and project are in the default domain, unless O(auth) names others.
      - C(swift+https://swift.example.com/v1/AUTH_27f1/container/image), without credentials, begins with the storage
        URL. The credentials are those of O(cloud), O(auth) or the environment. Where there are none, the image has to
        be public. A token is shown to such an address only where the cloud names the same server.
      - C(swift+config://reference/container/image) uses the credentials that are called C(reference) in
        O(glance_config_file), or without that file in C(clouds.yaml).
    type: str
  glance_config_file:
    description:
      - Glance's C(swift_store_config_file), on the host that runs the task, with a section for each reference.
      - Only read for an O(uri) with C(swift+config).
    type: path
"""
