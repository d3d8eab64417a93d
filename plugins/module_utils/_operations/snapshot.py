# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One listing of a container, which tells enough of most images of a catalogue that they need no request."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from .._model.headers import iso_time, listing_time
from .._model.image import Image, ManifestKind
from .._model.location import RESERVED_PREFIX, Location
from .._storage.listing import list_entries
from .._swift.client import SwiftClient

# Entries in a page of Swift's, unless its operators chose otherwise (swift-constraints, container_listing_limit).
_PAGE = 10_000


class ContainerSnapshot:
    """The plain images of a container when it was listed.

    :param folders: the names, up to the first slash, of images that have segments or journals
    :param is_whole: whether an image that is not in it did not exist
    """

    def __init__(
        self, entries: Iterable[Mapping[str, Any]] = (), folders: Collection[str] = (), is_whole: bool = False
    ) -> None:
        self._entries = {entry["name"]: entry for entry in entries}
        self._folders = folders
        self._is_whole = is_whole

    def find(self, location: Location) -> Image | None:
        """Return a plain image that no interrupted run left anything of; None if the listing does not show one."""
        entry = self._entries.get(location.name)
        if entry is None or not entry["bytes"] or entry.get("slo_etag"):
            return None
        if self._has_folder_of(location):
            return None
        return Image(
            kind=ManifestKind.NONE,
            size=entry["bytes"],
            etag=entry["hash"],
            segment_count=0,
            checksums={"md5": entry["hash"]},
            content_type=entry["content_type"],
            # HTTP's times have whole seconds, and Swift rounds up.
            last_modified=iso_time(math.ceil(listing_time(entry["last_modified"]))),
        )

    def lacks(self, location: Location) -> bool:
        """Return whether there was no such image, and nothing that an interrupted upload of it left."""
        return self._is_whole and location.name not in self._entries and not self._has_folder_of(location)

    def _has_folder_of(self, location: Location) -> bool:
        return location.name.partition("/")[0] in self._folders


def read_snapshot(
    client: SwiftClient, container: str, segment_container: str, names: Collection[str]
) -> ContainerSnapshot:
    """List a container; return an empty snapshot if a request for each image takes less than so long a listing.

    :param names: of the images that are looked for
    """
    headers = client.head_container(container)
    if headers and int(headers.get("x-container-object-count", 0)) > _PAGE * max(len(names), 1):
        return ContainerSnapshot()
    entries = [entry for entry in list_entries(client, container, "") if entry["name"] in names]
    # Segments are in the one, and journals in the other.
    folders = {
        folder[len(RESERVED_PREFIX) : -1]
        for place in sorted({container, segment_container})
        for folder in client.list_folders(place, RESERVED_PREFIX)
    }
    return ContainerSnapshot(entries, folders, is_whole=True)
