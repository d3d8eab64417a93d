# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When Swift removes an image by itself (``X-Delete-At``), and its segments after it.

Swift's expiry is of one object: a manifest goes and its segments stay, unless they are told, too. They go later
than their manifest, so that whoever began to read the image in time reads all of it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .._errors import OptionError
from .checksum import Checksum
from .image import Image

READING_SECONDS = 24 * 3600

# Swift writes a time with ten digits, and takes a later one for this (swift.common.utils.Timestamp).
_LAST = 9_999_999_999


@dataclass(frozen=True)
class Expiry:
    """A wish.

    :param delete_at: seconds since the epoch; 0 for never
    :param delete_after: seconds from when it is set; 0 for never
    """

    delete_at: int | None = None
    delete_after: int | None = None

    def times(self, before: Image | None) -> tuple[int | None, int | None]:
        """The image's ``delete_at`` and ``delete_after`` as they are to be.

        The same number of seconds again is not counted from now again, or no second run would change nothing.

        :param before: the image whose content stays; None for new content
        """
        if self.delete_after is None:
            return self.delete_at or None, None
        if before is not None and before.delete_after == self.delete_after:
            return before.delete_at, before.delete_after
        return (int(time.time()) + self.delete_after, self.delete_after) if self.delete_after else (None, None)


def check_expiry(delete_at: int | None, delete_after: int | None) -> Expiry | None:
    """What the user says of an expiry; None for nothing.

    :raises OptionError: a time that has passed
    """
    if delete_at is not None and delete_at != 0 and delete_at <= time.time():
        raise OptionError(f"delete_at is {delete_at}, which has passed: give a later time, or 0 for none.")
    if delete_after is not None and delete_after < 0:
        raise OptionError(f"delete_after is {delete_after}: give a number of seconds, or 0 for no expiry.")
    if max(delete_at or 0, int(time.time()) + (delete_after or 0)) > _LAST - READING_SECONDS:
        raise OptionError(f"delete_at and delete_after end at {_LAST} seconds since the epoch: give an earlier time.")
    return None if delete_at is None and delete_after is None else Expiry(delete_at, delete_after)


@dataclass(frozen=True)
class ImageSpec:
    """How an image is to be; None leaves a thing as it is.

    :param force: whether an image with other content is replaced
    :param checksum: what the source's digest has to be
    :param large_object_size: in bytes, as is *segment_size*
    :param segment_prefix: what a DLO's segments are to be called
    :param force_segments: whether segments of a replaced image go that other images are made of, too
    :param metadata: all of the user's metadata
    :param concurrency: segments in flight
    """

    force: bool
    checksum: Checksum | None
    manifest: str
    large_object_size: int
    segment_size: int
    segment_prefix: str | None
    force_segments: bool
    hash_algorithms: Sequence[str]
    create_container: bool
    storage_policy: str | None
    metadata: Mapping[str, str] | None
    content_type: str | None
    expiry: Expiry | None
    concurrency: int
