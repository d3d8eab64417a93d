# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Owners of segments: the image that an object is a segment of, by its container, name and type.

A name is only a claim, like everything in a store. It can serve as proof because only users who may write to the
object's container can have chosen it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from .image import Image, Segment
from .location import RESERVED_PREFIX, Location, can_be_requested
from .names import is_own_segment, is_segment_type, segment_type

_OF_SOME_IMAGE = re.compile(
    rf"{re.escape(RESERVED_PREFIX)}(?P<name>.+)/(?:(?P<container>[^/]+):)?"
    r"(?:[0-9a-f]{64}-[1-9][0-9]*|[0-9]{16}-[0-9a-f]{8}/[0-9]{8})",
    re.DOTALL,
)

# The swift CLI and rclone store a container's segments in a container with this suffix.
SEGMENTS_SUFFIX = "_segments"
# The prefix of rclone's segments in the container itself.
RCLONE_PREFIX = ".file-segments/"

_SWIFT_CLI_TYPE = "application/swiftclient-segment"

# Names of the swift CLI: <name>/slo/<mtime>/<size>/<segment size>/00000000, a DLO's without slo/; and of older releases
# of rclone: <name>/<mtime>/<size>/00000000
_SWIFT_CLI = re.compile(r"(?P<name>.+?)/(?:slo/)?[0-9]+\.[0-9]+/[0-9]+(?:/[0-9]*)?/[0-9]{8}", re.DOTALL)
# Names of rclone: <name>/<date>-<time>-<random>/00000000
_RCLONE = re.compile(r"(?P<name>.+)/[0-9]{4}-[0-9]{2}-[0-9]{2}-[0-9]{6}-[0-9A-Za-z_-]+/[0-9]{8}", re.DOTALL)
# Names of Glance, whose images always have UUIDs as names.
_GLANCE = re.compile(r"(?P<name>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-[0-9]{5}")
_NUMBERED = re.compile(r"(?P<name>.+)(?:-[0-9]{5}|/[0-9]{6}|/[0-9]{8})", re.DOTALL)


@dataclass(frozen=True)
class Owner:
    """The image that a segment was written for.

    :param name: None if only the image's manifest would show it
    """

    container: str
    name: str | None


def owner_of(container: str, object_name: str, content_type: str) -> Owner | None:
    """Return the owner of a segment; None for an object that may be an image, or anything else.

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
    """Return the owner of a segment that this collection wrote under a prefix of the user's, such as Glance's."""
    numbered = _NUMBERED.fullmatch(object_name)
    if numbered and segment_type(Location(container, numbered["name"], container)) == content_type:
        return Owner(container, numbered["name"])
    return Owner(container, None)


def _owner_of_others(container: str, object_name: str, content_type: str) -> Owner | None:
    """Return the owner of a segment that the swift CLI or rclone wrote; None for other objects."""
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


def numbered_base(object_name: str) -> str | None:
    """Return the image whose segment could have this name; None if no client names segments like this."""
    found = _NUMBERED.fullmatch(object_name)
    return found and found["name"]


def may_be_segment(object_name: str) -> bool:
    """Return whether an object has a name as some client gives to segments; an image may have such a name, too."""
    return bool(_NUMBERED.fullmatch(object_name))


def image_of(container: str, object_name: str) -> tuple[str, str] | None:
    """Return container and name of the image that this collection wrote a segment for; None for other objects.

    :param container: of the object
    """
    found = _OF_SOME_IMAGE.fullmatch(object_name)
    return None if found is None else (found["container"] or container, found["name"])


def is_swift_cli_upload(location: Location, image: Image, folder: str) -> bool:
    """Return whether the swift CLI keeps the segments of an SLO in *folder*, by the time that it notes with both.

    The size in the folder's name must be the image's, if that is known.
    """
    noted = image.kept_headers.get("x-object-meta-mtime")
    size = re.escape(str(image.size)) if image.size else "[0-9]+"
    pattern = f"{re.escape(location.name)}/slo/{re.escape(str(noted))}/{size}/[0-9]+"
    return noted is not None and re.fullmatch(pattern, folder) is not None


def is_of_another(location: Location, container: str, object_name: str) -> bool:
    """Return whether this collection wrote an object as a segment of another image.

    :param container: of the object, wherever the image at *location* has its segments now
    """
    here = replace(location, segment_container=container)
    return image_of(container, object_name) is not None and not is_own_segment(here, object_name)


def may_own(location: Location, segment: Segment) -> bool:
    """Return whether an object can belong to an image, by its container, name and type.

    In the image's own container, a manifest or journal in that container is enough, because its writer could have
    deleted the object. Otherwise the object's name or type must identify this image. Names that this collection gives
    count in every container. Other names count in the image's container, its ``_segments``, and the segment container
    that the task names.
    """
    container, name = segment.path
    if not can_be_requested(container, name) or segment.path == location.path:
        return False
    if container == location.container and segment.is_vouched:
        return True
    written_for = image_of(container, name)
    if written_for is not None:
        return written_for == location.path
    if container not in (location.container, location.container + SEGMENTS_SUFFIX, location.segment_container):
        return False
    if is_segment_type(segment.content_type):
        return segment.content_type == segment_type(location)
    return _named_for(name) == location.name


def _named_for(object_name: str) -> str | None:
    """Return the image whose segment has this name from another client, by the most specific pattern that matches."""
    matches = (pattern.fullmatch(object_name) for pattern in (_SWIFT_CLI, _RCLONE, _NUMBERED))
    return next((found["name"] for found in matches if found), None)
