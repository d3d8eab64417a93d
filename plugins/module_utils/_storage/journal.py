# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Journals: objects that note the segments to delete, if only a manifest refers to them, which is deleted first.

An interrupted run leaves its journal, and the next run deletes the segments that it notes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from .._errors import IntegrityError, NotFoundError
from .._model.headers import etag_of, listing_time, written_at
from .._model.image import Path, Segment
from .._model.location import can_be_requested
from .._model.names import new_journal
from .._swift.client import SwiftClient
from .image_object import ImageObject

_CONTENT_TYPE = "application/x-imagestore-journal+json"
# The entries of one journal: even with the longest names, in JSON's ASCII, it is within the bound on an answer.
_ENTRIES = 1000


@dataclass(frozen=True)
class Journal:
    """A journal.

    :param segments: the segments to delete
    :param written: the time of writing, in seconds since the epoch by Swift's clock
    """

    container: str
    name: str
    segments: tuple[Segment, ...]
    written: float

    @property
    def paths(self) -> set[Path]:
        """The paths of the segments."""
        return {segment.path for segment in self.segments}

    def means(self, segment: Segment, headers: Mapping[str, str] | None) -> bool:
        """Return whether an object is still the one to be deleted, and not a newer one of the same name.

        :param segment: as the journal notes it
        :param headers: of the object that has its name now; None if there is none
        """
        if headers is None or etag_of(headers) != segment.etag:
            return False
        written = written_at(headers)
        return written is not None and written <= self.written


def write_journals(target: ImageObject, segments: Iterable[Segment]) -> list[Journal]:
    """Note the segments to delete once the image's manifest is deleted or replaced.

    Many segments take several journals, because a run could not read one that is too large.
    """
    noted = tuple(segments)
    return [_write_journal(target, noted[first : first + _ENTRIES]) for first in range(0, len(noted), _ENTRIES)]


def _write_journal(target: ImageObject, segments: tuple[Segment, ...]) -> Journal:
    location = target.location
    entries = [
        {"container": segment.container, "name": segment.name, "bytes": segment.size, "hash": segment.etag}
        for segment in segments
    ]
    body = json.dumps(entries).encode("utf-8")
    name = new_journal(location)
    headers = {"Content-Type": _CONTENT_TYPE, "ETag": hashlib.md5(body, usedforsecurity=False).hexdigest()}
    target.client.put_object(location.container, name, BytesIO(body), len(body), headers)
    # This run knows the objects that it noted, and does not compare times.
    return Journal(location.container, name, segments, written=0.0)


def read_journal(client: SwiftClient, container: str, entry: Mapping[str, Any]) -> Journal:
    """Read a journal that an earlier run left; an object that is not a valid journal notes no segments.

    :param entry: the journal's entry in a listing
    """
    name = entry["name"]
    try:
        noted = client.get_list(container, name) or []
    except (IntegrityError, NotFoundError):
        noted = []
    segments = tuple(segment for segment in map(_segment_of, noted) if segment)
    return Journal(container, name, segments, listing_time(entry["last_modified"]))


def _segment_of(noted: Mapping[str, Any]) -> Segment | None:
    """Return the segment that an entry of a journal notes; None if the entry is not one that this collection writes."""
    container, name, size, etag = (noted.get(key) for key in ("container", "name", "bytes", "hash"))
    are_texts = isinstance(container, str) and isinstance(name, str) and isinstance(etag, str)
    if not (are_texts and isinstance(size, int) and can_be_requested(str(container), str(name))):
        return None
    return Segment(str(container), str(name), size, str(etag))


def remove_journals(client: SwiftClient, journals: Iterable[Journal]) -> None:
    """Delete journals whose segments have been deleted."""
    for journal in journals:
        client.delete_object(journal.container, journal.name)
