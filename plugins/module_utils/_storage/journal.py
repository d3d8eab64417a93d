# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Journals: objects that note what is to go with an image, where its manifest alone tells that and goes first.

A run that is cut off leaves its journal, and the next one does what it says.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from .._errors import IntegrityError
from .._model import headers as _headers
from .._model.image import Path, Segment
from .._model.location import Location
from .._model.names import new_journal
from .._swift.client import SwiftClient

_CONTENT_TYPE = "application/x-imagestore-journal+json"


@dataclass(frozen=True)
class Journal:
    """One journal, as it was found.

    :param segments: what was to go
    :param written: in seconds since the epoch, by Swift's clock
    """

    container: str
    name: str
    segments: tuple[Segment, ...]
    written: float

    @property
    def paths(self) -> set[Path]:
        """Of what was to go."""
        return {segment.path for segment in self.segments}

    def speaks_of(self, segment: Segment, headers: Mapping[str, str] | None) -> bool:
        """Whether an object is still the one that was to go, and none that was written in its place.

        :param segment: as the journal has it
        :param headers: of the object that has its name now; None for none
        """
        if headers is None or _headers.etag_of(headers) != segment.etag:
            return False
        return _headers.written_at(headers) <= self.written


def write_journal(client: SwiftClient, location: Location, segments: Iterable[Segment]) -> Journal:
    """Note what is to go when the manifest of the image at *location* has gone or was replaced."""
    noted = tuple(segments)
    entries = [
        {"container": segment.container, "name": segment.name, "bytes": segment.size, "hash": segment.etag}
        for segment in noted
    ]
    body = json.dumps(entries).encode("utf-8")
    name = new_journal(location)
    headers = {"Content-Type": _CONTENT_TYPE, "ETag": hashlib.md5(body, usedforsecurity=False).hexdigest()}
    client.put_object(location.container, name, BytesIO(body), len(body), headers)
    # Of this run's own all is known, and nothing compared.
    return Journal(location.container, name, noted, written=0.0)


def read_journal(client: SwiftClient, container: str, entry: Mapping[str, Any]) -> Journal:
    """A journal that an earlier run left.

    :param entry: the listing's
    :raises IntegrityError: it is none that this collection wrote
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
    return Journal(container, name, segments, _headers.listing_time(entry["last_modified"]))


def remove_journals(client: SwiftClient, journals: Iterable[Journal]) -> None:
    """Take journals away when all that they say has been done."""
    for journal in journals:
        client.delete_object(journal.container, journal.name)
