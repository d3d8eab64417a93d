# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How segments are named, and whose a name is.

Pure: knows neither Ansible nor the network. Two layouts are written:

* SLO: ``.segments/<image>/<sha256>-<size>``, named by what a segment holds, so that a segment that is
  there is never sent twice;
* DLO: ``.segments/<image>/<generation>/00000001``, a new generation for each upload, so that a
  replacement never touches what is being read.
"""

from __future__ import annotations

import re
import time
import uuid
from urllib.parse import quote, unquote

from ._location import RESERVED_PREFIX

_CONTENT_NAMED = re.compile(r"[0-9a-f]{64}-[1-9][0-9]*")
_GENERATION_NUMBERED = re.compile(r"[0-9]{16}-[0-9a-f]{8}/[0-9]{8}")
# What follows a DLO's prefix in the names of Glance (<id>-00001), the swift CLI (…/00000000),
# rclone (…/00000000, its prefix lacks the slash) and openstacksdk (<name>/000000).
_NUMBERED = re.compile(r"/?[0-9]{5,8}")


def segments_prefix(name: str) -> str:
    """The prefix that all segments of the image *name* written by this collection share."""
    return f"{RESERVED_PREFIX}{name}/"


def content_name(name: str, sha256: str, size: int) -> str:
    """The name of an SLO's segment.

    :param sha256: of the segment's bytes, in hex. Not MD5, so that nobody can craft two different
        segments that share a name.
    :param size: in bytes
    """
    return f"{segments_prefix(name)}{sha256}-{size}"


def new_generation(name: str) -> str:
    """A DLO's prefix that no other upload has: the time in microseconds, and a random part."""
    return f"{segments_prefix(name)}{time.time_ns() // 1000:016d}-{uuid.uuid4().hex[:8]}/"


def numbered_name(prefix: str, number: int, digits: int = 8) -> str:
    """The name of a DLO's segment; names sort as the numbers do.

    :param number: from 1
    """
    return f"{prefix}{number:0{digits}d}"


def longest_segment_name(name: str) -> int:
    """The length in bytes that the longest name of a segment of *name* can have."""
    return len(content_name(name, "0" * 64, 10**12).encode("utf-8"))


def is_own_segment(name: str, object_name: str) -> bool:
    """Whether *object_name* is a segment that this collection wrote for the image *name*.

    Matches all that follows the prefix, so that the segments of an image ``a/b`` are never taken
    for segments of an image ``a``.
    """
    prefix = segments_prefix(name)
    if not object_name.startswith(prefix):
        return False
    rest = object_name[len(prefix) :]
    return bool(_CONTENT_NAMED.fullmatch(rest) or _GENERATION_NUMBERED.fullmatch(rest))


def is_numbered_segment(prefix: str, object_name: str) -> bool:
    """Whether *object_name* is *prefix* and a number, as every known writer of DLOs names segments."""
    return object_name.startswith(prefix) and bool(_NUMBERED.fullmatch(object_name[len(prefix) :]))


def manifest_header(container: str, prefix: str) -> str:
    """The value of ``X-Object-Manifest``, percent-encoded as Swift's DLO middleware decodes it."""
    return f"{quote(container)}/{quote(prefix)}"


def parse_manifest_header(value: str) -> tuple[str, str]:
    """Container and prefix of an ``X-Object-Manifest`` header, decoded once as Swift does.

    Glance and openstacksdk write it without encoding; decoding leaves such a value as it is
    unless it holds a percent sign, and then Swift, too, reads the decoded one.
    """
    container, _slash, prefix = unquote(value).lstrip("/").partition("/")
    return container, prefix
