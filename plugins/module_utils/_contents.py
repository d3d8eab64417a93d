# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a container holds beside this collection's segments, in a few bytes for each object.

Pure: knows neither Ansible nor the network.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ._location import RESERVED_PREFIX
from ._segment_names import numbered_segments
from ._segment_owners import may_be_segment, owner_of

# Sorts behind all names that begin with what it follows.
LAST = "\U0010ffff"

_MANIFEST = 1
_SEGMENT = 2


class Contents:
    """The names in a container that begin with *prefix*.

    :param entries: of the listing, in its order, without those in the range where this collection keeps segments
    """

    def __init__(self, container: str, prefix: str, entries: Iterable[Mapping[str, Any]]) -> None:
        self._container = container
        self._prefix = prefix
        self._names: list[str] = []
        self._sizes = array("Q")
        self._marks = bytearray()
        for entry in entries:
            self._names.append(entry["name"])
            self._sizes.append(entry["bytes"])
            self._marks.append(_mark(container, entry))

    def possible_manifests(self) -> Iterator[str]:
        """What may be a manifest, by what the listing says: a DLO's has no bytes, an SLO's an ETag of its own."""
        return (name for name, mark in zip(self._names, self._marks, strict=True) if mark == _MANIFEST)

    def images(self) -> Iterator[str]:
        """What is no segment, as far as is known."""
        return (name for name, mark in zip(self._names, self._marks, strict=True) if not mark & _SEGMENT)

    def has_doubtful(self) -> bool:
        """Whether there are names, not known as segments, that are such as segments have."""
        return any(map(may_be_segment, self.images()))

    def is_segment(self, name: str) -> bool:
        """Whether something names *name* as a segment."""
        index = self._find(name)
        return index is not None and bool(self._marks[index] & _SEGMENT)

    def mark_segment(self, name: str) -> None:
        """Remember that something names *name* as a segment."""
        index = self._find(name)
        if index is not None:
            self._marks[index] |= _SEGMENT

    def mark_dynamic(self, prefix: str, manifest: str) -> tuple[int, int]:
        """Remember which names are the segments of a DLO.

        :param prefix: in its manifest; see :meth:`holds_all_under`
        :returns: how many segments there are, and how many bytes Swift reads for the image
        """
        first, end = bisect_left(self._names, prefix), bisect_left(self._names, prefix + LAST)
        # openstacksdk's prefix is the manifest's own name.
        read = [index for index in range(first, end) if self._names[index] != manifest]
        segments = numbered_segments(prefix, (self._names[index] for index in read))
        for index in read:
            if self._names[index] in segments:
                self._marks[index] |= _SEGMENT
        return len(segments), sum(self._sizes[index] for index in read)

    def holds_all_under(self, container: str, prefix: str) -> bool:
        """Whether all that begins with *prefix* is here."""
        is_apart = not prefix.startswith(RESERVED_PREFIX) and not RESERVED_PREFIX.startswith(prefix)
        return container == self._container and prefix.startswith(self._prefix) and is_apart

    def _find(self, name: str) -> int | None:
        index = bisect_left(self._names, name)
        return index if index < len(self._names) and self._names[index] == name else None


def _mark(container: str, entry: Mapping[str, Any]) -> int:
    if owner_of(container, entry["name"], entry.get("content_type", "")):
        return _SEGMENT
    return _MANIFEST if not entry["bytes"] or entry.get("slo_etag") else 0
