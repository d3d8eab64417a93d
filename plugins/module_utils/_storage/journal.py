# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Journals: objects that note which segments to delete, if only a manifest names them that is deleted first.

An interrupted run leaves its journal, and the next run deletes what it notes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from .._errors import IntegrityError
from .._model.headers import etag_of, listing_time, written_at
from .._model.image import Path, Segment
from .._model.names import new_journal
from .._swift.client import SwiftClient
from .image_object import ImageObject

_CONTENT_TYPE = "application/x-imagestore-journal+json"


@dataclass(frozen=True)
class Journal:
    """One journal.

    :param segments: that are to be deleted
    :param written: when, in seconds since the epoch by Swift's clock
    """

    container: str
    name: str
    segments: tuple[Segment, ...]
    written: float

    @property
    def paths(self) -> set[Path]:
        """The paths of its segments."""
        return {segment.path for segment in self.segments}

    def means(self, segment: Segment, headers: Mapping[str, str] | None) -> bool:
        """Return whether an object is still the one to be deleted, and not a newer one of the same name.

        :param segment: as the journal notes it
        :param headers: of the object that has its name now; None if there is none
        """
        if headers is None or etag_of(headers) != segment.etag:
            return False
        return written_at(headers) <= self.written


def write_journal(target: ImageObject, segments: Iterable[Segment]) -> Journal:
    """Note which segments are to be deleted once the image's manifest is deleted or replaced."""
    location = target.location
    noted = tuple(segments)
    entries = [
        {"container": segment.container, "name": segment.name, "bytes": segment.size, "hash": segment.etag}
        for segment in noted
    ]
    body = json.dumps(entries).encode("utf-8")
    name = new_journal(location)
    headers = {"Content-Type": _CONTENT_TYPE, "ETag": hashlib.md5(body, usedforsecurity=False).hexdigest()}
    target.client.put_object(location.container, name, BytesIO(body), len(body), headers)
    # This run knows what it noted, and compares nothing.
    return Journal(location.container, name, noted, written=0.0)


def read_journal(client: SwiftClient, container: str, entry: Mapping[str, Any]) -> Journal:
    """Read a journal that an earlier run left.

    :param entry: of the listing
    :raises IntegrityError: it is not a journal that this collection wrote
    """
    name = entry["name"]
    try:
        segments = tuple(
            Segment.of_listing(noted["container"], noted) for noted in client.get_manifest(container, name)
        )
    except (KeyError, TypeError) as error:
        raise IntegrityError(
            f"{container}/{name} is no journal that this collection wrote: look at it, and delete it."
        ) from error
    return Journal(container, name, segments, listing_time(entry["last_modified"]))


def remove_journals(client: SwiftClient, journals: Iterable[Journal]) -> None:
    """Delete journals whose segments have been deleted."""
    for journal in journals:
        client.delete_object(journal.container, journal.name)
