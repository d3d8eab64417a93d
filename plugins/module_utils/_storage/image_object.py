# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One image's object in Swift: the manifest of a large image, or all of a plain one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .._model.image import Path
from .._model.location import Location
from .._swift.account import Headers
from .._swift.client import Body, SwiftClient


@dataclass(frozen=True)
class ImageObject:
    """The object that has an image's name, and the client that reaches it."""

    client: SwiftClient
    location: Location

    @property
    def path(self) -> Path:
        """The object's container and name."""
        return self.location.path

    def head(self) -> Headers | None:
        """Return the image's headers, names in lower case; None if there is no image."""
        return self.client.head_object(*self.path)

    def head_itself(self) -> Headers | None:
        """Return the headers of the object itself, even of a manifest or symlink; None if the name is free.

        For a symlink without a target, and a DLO whose segments' container is gone, Swift answers :meth:`head` with
        404. Ceph RGW does so for an SLO that lacks a segment.
        """
        own = self.client.head_object(*self.path, manifest=True, symlink=True)
        version = (own or {}).get("x-object-version-id")
        if version is None:
            return own
        # Swift shows an object in a container with X-Versions-Enabled as a link to its current version.
        return self.client.head_object(*self.path, manifest=True, symlink=True, version=version)

    def put(self, body: Body, size: int, headers: Mapping[str, str], query: str | None = None) -> str:
        """Store the object; return its ETag without quotes.

        :param size: of *body*, in bytes
        """
        return self.client.put_object(*self.path, body, size, headers, query)

    def post(self, headers: Mapping[str, str]) -> None:
        """Replace the object's metadata; Swift drops what *headers* lack."""
        self.client.post_object(*self.path, headers)

    def delete(self) -> bool:
        """Delete the object alone, a manifest without its segments; return False if it was already gone."""
        return self.client.delete_object(*self.path)
