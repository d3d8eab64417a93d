# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The desired state of an image, from the options, with checks and without I/O."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .._errors import OptionError
from .checksum import Checksum
from .image import Image

# Segments expire this much later than their manifest, so that a reader who began in time can read the whole image.
READING_SECONDS = 24 * 3600

# The clocks of this host and of Swift may differ by this much.
_CLOCKS_SECONDS = 24 * 3600

# Swift writes a time with ten digits, and limits a later one to this (swift.common.utils.Timestamp).
_LAST = 9_999_999_999


@dataclass(frozen=True)
class Expiry:
    """The time at which Swift removes an image by itself (``X-Delete-At``).

    :param delete_at: seconds since the epoch; 0 for never
    :param delete_after: seconds from when it is set; 0 for never
    """

    delete_at: int | None = None
    delete_after: int | None = None

    def times(self, current: Image | None, now: float) -> tuple[int | None, int | None]:
        """Return the desired ``delete_at`` and ``delete_after`` of the image.

        The same number of seconds is not counted from now again, because then every run would change the image.

        :param current: the image whose content stays; None for new content
        :param now: seconds since the epoch by Swift's clock, which decides when an image expires
        """
        if self.delete_after is None:
            return self.delete_at or None, None
        if current is not None and current.delete_after == self.delete_after:
            return current.delete_at, current.delete_after
        return (int(now) + self.delete_after, self.delete_after) if self.delete_after else (None, None)

    def check(self, now: float) -> None:
        """Refuse a time that Swift would refuse after all of the image was sent.

        :param now: seconds since the epoch by Swift's clock
        :raises OptionError: the time has passed
        """
        if self.delete_at and self.delete_at <= now:
            raise OptionError(f"delete_at is {self.delete_at}, which has passed: set a later time, or 0 for no expiry.")


def check_expiry(delete_at: int | None, delete_after: int | None) -> Expiry | None:
    """Return the expiry that the options ask for; None if they ask for none.

    Swift's clock decides whether a time has passed. It may differ from this host's by less than a day.

    :raises OptionError: delete_after is negative, or the time is too late, or has passed by every possible clock
    """
    if delete_after is not None and delete_after < 0:
        raise OptionError(f"delete_after is {delete_after}: give a number of seconds, or 0 for no expiry.")
    if max(delete_at or 0, int(time.time()) + (delete_after or 0)) > _LAST - READING_SECONDS:
        raise OptionError(
            f"An expiry can be at most {_LAST} seconds since the epoch: set an earlier delete_at or delete_after."
        )
    if delete_at is None and delete_after is None:
        return None
    expiry = Expiry(delete_at, delete_after)
    expiry.check(time.time() - _CLOCKS_SECONDS)
    return expiry


@dataclass(frozen=True)
class ImageSpec:
    """The desired state of an image; None keeps the current value.

    :param force: whether an image with other content is replaced
    :param verify: whether to check the segments even if a record shows that the image is unchanged
    :param checksum: the expected digest of the source
    :param manifest: ``auto``, ``slo`` or ``dlo``
    :param large_object_size: in bytes, as is *segment_size*; a larger image is cut
    :param segment_prefix: the beginning of the names of a DLO's segments
    :param force_segments: whether to delete segments to which other manifests refer, too
    :param hash_algorithms: of the whole-image digests that are recorded
    :param create_container: whether a missing container is created, with *storage_policy*
    :param metadata: all of the user's metadata
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
    verify: bool = False

    @property
    def recorded_algorithms(self) -> frozenset[str]:
        """The algorithms of the digests that are recorded with a new image."""
        return frozenset([*self.hash_algorithms, *([self.checksum.algorithm] if self.checksum else ())])
