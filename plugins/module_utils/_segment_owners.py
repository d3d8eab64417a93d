# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose segment an object is, whoever wrote it, by what a listing tells of it.

Pure: knows neither Ansible nor the network. A manifest proves more; this is for what no manifest names, and for
sparing the requests that it takes to look.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ._location import Location
from ._segment_names import image_of, is_segment_type, segment_type

# Where the swift CLI and rclone lay the segments of what is in a container.
SEGMENTS_SUFFIX = "_segments"
# Where rclone lays them when they go to the container itself.
RCLONE_PREFIX = ".file-segments/"

_SWIFT_CLI_TYPE = "application/swiftclient-segment"

# Of the swift CLI: <name>/slo/<mtime>/<size>/<segment size>/00000000, a DLO's without slo/; and of older releases of
# rclone: <name>/<mtime>/<size>/00000000
_SWIFT_CLI = re.compile(r"(?P<name>.+?)/(?:slo/)?[0-9]+\.[0-9]+/[0-9]+(?:/[0-9]*)?/[0-9]{8}", re.DOTALL)
# Of rclone: <name>/<date>-<time>-<random>/00000000
_RCLONE = re.compile(r"(?P<name>.+)/[0-9]{4}-[0-9]{2}-[0-9]{2}-[0-9]{6}-[0-9A-Za-z_-]+/[0-9]{8}", re.DOTALL)
# Of Glance, whose images are called by UUIDs and by nothing else.
_GLANCE = re.compile(r"(?P<name>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-[0-9]{5}")
_NUMBERED = re.compile(r"(?P<name>.+)(?:-[0-9]{5}|/[0-9]{6}|/[0-9]{8})", re.DOTALL)


@dataclass(frozen=True)
class Owner:
    """The image that a segment was written for.

    :param name: None where only its manifest would tell
    """

    container: str
    name: str | None


def owner_of(container: str, object_name: str, content_type: str) -> Owner | None:
    """Whose segment an object is; None for what may be an image, or anything else.

    :param container: of the object
    :param content_type: as the listing has it
    """
    own = image_of(container, object_name)
    if own:
        return Owner(*own)
    if is_segment_type(content_type):
        return _owner_by_type(container, object_name, content_type)
    glance = _GLANCE.fullmatch(object_name)
    if glance:
        return Owner(container, glance["name"])
    return _owner_of_others(container, object_name, content_type)


def _owner_by_type(container: str, object_name: str, content_type: str) -> Owner:
    """Of a segment that this collection wrote under a prefix of the user's, such as Glance's."""
    numbered = _NUMBERED.fullmatch(object_name)
    if numbered and segment_type(Location(container, numbered["name"], container)) == content_type:
        return Owner(container, numbered["name"])
    return Owner(container, None)


def _owner_of_others(container: str, object_name: str, content_type: str) -> Owner | None:
    """Of what the swift CLI and rclone lay into a container of segments, or into the image's own."""
    image_container = container.removesuffix(SEGMENTS_SUFFIX)
    lies_apart = image_container != container
    if content_type == _SWIFT_CLI_TYPE or lies_apart:
        found = _SWIFT_CLI.fullmatch(object_name)
        if found or content_type == _SWIFT_CLI_TYPE:
            return Owner(image_container, found and found["name"])
    if lies_apart or object_name.startswith(RCLONE_PREFIX):
        found = _RCLONE.fullmatch(object_name.removeprefix(RCLONE_PREFIX))
        return found and Owner(image_container, found["name"])
    return None


def may_be_segment(object_name: str) -> bool:
    """Whether an object is called as some client calls segments, which an image may be, too."""
    return bool(_NUMBERED.fullmatch(object_name))
