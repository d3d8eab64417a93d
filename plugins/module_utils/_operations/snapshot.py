# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one listing of a container tells of the images of a catalogue, so that most of them need not be asked about."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

from .._model.headers import listing_time
from .._model.image import Image, ManifestKind
from .._model.location import RESERVED_PREFIX, Location
from .._model.spec import ImageSpec
from .._progress import Progress
from .._source.digest import digest
from .._source.file import OpenFile
from .._source.reader import SourceSpec
from .._storage.listing import list_entries
from .._swift.client import SwiftClient

# Entries in a page of Swift's, unless its operators chose otherwise (swift-constraints, container_listing_limit).
_PAGE = 10_000


class ContainerSnapshot:
    """Plain images, as far as the listing says all that there is to say of them.

    :param folders: what the names begin with, up to the first slash, of images that there are segments or notes of
    :param is_whole: whether what is not in it is not there
    """

    def __init__(
        self, entries: Iterable[Mapping[str, Any]] = (), folders: Collection[str] = (), is_whole: bool = False
    ) -> None:
        self._entries = {entry["name"]: entry for entry in entries}
        self._folders = folders
        self._is_whole = is_whole

    def find(self, location: Location) -> Image | None:
        """An image that has no segments, and none of which a run that was cut off left any."""
        entry = self._entries.get(location.name)
        if entry is None or not entry["bytes"] or entry.get("slo_etag"):
            return None
        if self._has_folder_of(location):
            return None
        modified = math.ceil(listing_time(entry["last_modified"]))
        return Image(
            kind=ManifestKind.NONE,
            size=entry["bytes"],
            etag=entry["hash"],
            segment_count=0,
            checksums={"md5": entry["hash"]},
            content_type=entry["content_type"],
            last_modified=datetime.fromtimestamp(modified, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        )

    def lacks(self, location: Location) -> bool:
        """Whether there was no such image, and nothing that an upload of it left, when the listing was made."""
        return self._is_whole and location.name not in self._entries and not self._has_folder_of(location)

    def _has_folder_of(self, location: Location) -> bool:
        return location.name.partition("/")[0] in self._folders


def read_snapshot(
    client: SwiftClient, container: str, segment_container: str, names: Collection[str]
) -> ContainerSnapshot:
    """List a container, unless there is so much else in it that asking about each image takes less.

    :param names: of the images that are looked for
    """
    headers = client.head_container(container)
    if headers and int(headers.get("x-container-object-count", 0)) > _PAGE * max(len(names), 1):
        return ContainerSnapshot()
    entries = [entry for entry in list_entries(client, container, "") if entry["name"] in names]
    # Segments are in the one, and notes of what is to be deleted in the other.
    folders = {
        folder[len(RESERVED_PREFIX) : -1]
        for place in sorted({container, segment_container})
        for folder in client.list_folders(place, RESERVED_PREFIX)
    }
    return ContainerSnapshot(entries, folders, is_whole=True)


def is_settled(image: Image, source_spec: SourceSpec, spec: ImageSpec, label: str, progress: Progress) -> bool:
    """Whether an image, of which the listing tells, is as it is wished; False where more has to be asked to know.

    :param label: of the image
    :param progress: counts what is compared
    :raises SourceError: the source can't be read
    """
    if spec.metadata is not None or spec.expiry is not None:
        return False
    if spec.content_type not in (None, image.content_type):
        return False
    if not spec.force:
        return True
    if spec.checksum:
        return (spec.checksum.algorithm, spec.checksum.hex) == ("md5", image.etag)
    if source_spec.known_size() != image.size:
        return False
    with source_spec.open() as (source, _mark):
        if not isinstance(source, OpenFile):
            raise TypeError("what has a size before it is opened is a file")
        progress.begin("comparing", label, source.size)
        return digest(source.whole(), ["md5"], progress=progress)["md5"] == image.etag
