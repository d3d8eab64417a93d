# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A snapshot of a container, which shows for most images of a catalogue whether they are new.

A listing is not proof. An image that it shows is still requested: the object may have expired, or may be a manifest
with bytes of its own.
"""

from __future__ import annotations

from collections.abc import Collection

from .._model.headers import number_of
from .._model.location import RESERVED_PREFIX, Location
from .._storage.containers import list_entries
from .._swift.client import SwiftClient

# Entries in a page of Swift's, unless its operators chose otherwise (swift-constraints, container_listing_limit).
_PAGE = 10_000


class ContainerSnapshot:
    """The names in a container when it was listed.

    :param folders: the names, up to the first slash, of images that have segments or journals
    :param is_whole: whether an image that is not in it did not exist
    """

    def __init__(self, names: Collection[str] = (), folders: Collection[str] = (), is_whole: bool = False) -> None:
        self._names = names
        self._folders = folders
        self._is_whole = is_whole

    def lacks(self, location: Location) -> bool:
        """Return whether there was no such image, and no leftovers of it."""
        has_leftovers = location.name.partition("/")[0] in self._folders
        return self._is_whole and location.name not in self._names and not has_leftovers


def read_snapshot(
    client: SwiftClient, container: str, segment_container: str, names: Collection[str]
) -> ContainerSnapshot:
    """List a container; return an empty snapshot if a request for each image is cheaper than the listing.

    :param names: of the images to look for
    """
    headers = client.head_container(container)
    if headers and (number_of(headers, "x-container-object-count") or 0) > _PAGE * max(len(names), 1):
        return ContainerSnapshot()
    listed = {entry["name"] for entry in list_entries(client, container, "") if entry["name"] in names}
    # Journals are in the images' container, and segments in their own, if there is one.
    folders = {
        folder[len(RESERVED_PREFIX) : -1]
        for place in sorted({container, segment_container})
        for folder in client.list_folders(place, RESERVED_PREFIX)
    }
    return ContainerSnapshot(listed, folders, is_whole=True)
