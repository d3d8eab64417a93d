# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is in the store, by plain requests, and what nobody names of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from urllib.parse import unquote

from store import Store


def unnamed(store: Store, container: str, images: Collection[str]) -> list[str]:
    """Objects in all containers that begin so, which are neither images nor what a manifest names.

    :param images: names of images in the container
    :returns: as ``container/name``
    """
    names = store.names(*store.containers(container))
    named = {f"{container}/{image}" for image in images}
    for path in names:
        named.update(_named_by(store, path, names))
    return sorted(set(names) - named)


def _named_by(store: Store, path: str, names: Collection[str]) -> Iterator[str]:
    """What an object names, if it is a manifest."""
    headers = store.do("HEAD", *path.split("/", 1), params="multipart-manifest=get").headers
    if "X-Static-Large-Object" in headers:
        manifest = store.do("GET", *path.split("/", 1), params="multipart-manifest=get").json()
        for entry in manifest:
            yield entry["name"].lstrip("/")
    elif "X-Object-Manifest" in headers:
        prefix = unquote(headers["X-Object-Manifest"])
        yield from (name for name in names if name.startswith(prefix))
