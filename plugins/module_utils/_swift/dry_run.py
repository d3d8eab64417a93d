# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A client for check mode: it reads from Swift, and sends no request that changes anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._model.headers import etag_of
from .._model.image import Path
from .client import Body, SwiftClient


class DryRunClient(SwiftClient):
    """A client that answers a change as Swift would if it succeeded."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # The ETags of the objects that a real run would have stored, which may be copied afterwards.
        self._stored: dict[Path, str] = {}

    def put_container(self, container: str, headers: Mapping[str, str]) -> None:
        """Create no container."""

    def post_container(self, container: str, headers: Mapping[str, str]) -> None:
        """Change no container."""

    def delete_container(self, container: str) -> bool:
        """Delete no container."""
        return True

    def put_object(
        self,
        container: str,
        name: str,
        body: Body,
        size: int,
        headers: Mapping[str, str],
        query: str | None = None,
    ) -> str:
        """Store nothing, and return the ETag that the object was to have."""
        etag = headers.get("ETag", "")
        self._stored[container, name] = etag
        return etag

    def copy_object(self, source: Path, target: Path, headers: Mapping[str, str]) -> str:
        """Copy nothing, and return the ETag of *source*; empty if it is gone."""
        return self._stored.get(source) or etag_of(self.head_object(*source) or {})

    def post_object(self, container: str, name: str, headers: Mapping[str, str]) -> None:
        """Change no metadata."""

    def delete_object(self, container: str, name: str) -> bool:
        """Delete no object."""
        return True

    def delete_objects(self, paths: Sequence[Path]) -> bool:
        """Delete no objects."""
        return True
