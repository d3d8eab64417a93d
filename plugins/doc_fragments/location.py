# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where an image is: the options of ``_options.LOCATION``."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  name:
    description:
      - The image's name, which is its object's name in Swift.
      - It can hold slashes. It can't begin with C(.segments/), where segments are kept, nor have a part between slashes
        that is V(.) or V(..).
    type: str
    required: true
    aliases: [image_id]
  container:
    description: The container that holds the image.
    type: str
    default: glance
  segment_container:
    description:
      - The container that holds the image's segments.
      - The image's own container where it is not given, as with Glance, so that one ACL covers everything.
    type: str
"""
