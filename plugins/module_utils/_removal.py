# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Takes objects away."""

from __future__ import annotations

from collections.abc import Container, Iterable

from ._connection import Connection
from ._errors import ConflictError, ImageStoreError
from ._image import Segment
from ._parallel import for_each
from ._waiting import listing_agrees


def delete_segments(connection: Connection, segments: Iterable[Segment], concurrency: int) -> None:
    """Delete every segment; one that is gone already is fine.

    :param concurrency: how many requests at once
    :raises ImageStoreError: why the first of those that are still there is, how many, and where
    """
    objects = sorted({(segment.container, segment.name) for segment in segments})
    answers = for_each(lambda item: _delete(connection, *item), objects, concurrency)
    failed = [(name, error) for name, error in zip(objects, answers, strict=True) if error]
    if failed:
        (container, name), error = failed[0]
        error.add(f"{len(failed)} of {len(objects)} segments are still there, such as {container}/{name}.")
        raise error


def name_beside(connection: Connection, container: str, ours: Container[str]) -> str | None:
    """The first name in *container* that is none of *ours*, and so keeps it from being deleted."""
    return next((entry["name"] for entry in connection.list_objects(container) if entry["name"] not in ours), None)


def delete_emptied_container(connection: Connection, container: str) -> bool:
    """Delete a container that all objects have just been deleted from.

    :returns: False when there is still something in it
    """
    return listing_agrees(lambda: _delete_if_empty(connection, container))


def _delete_if_empty(connection: Connection, container: str) -> bool:
    try:
        connection.delete_container(container)
    except ConflictError:
        return False
    return True


def _delete(connection: Connection, container: str, name: str) -> ImageStoreError | None:
    try:
        connection.delete_object(container, name)
    except ImageStoreError as error:
        return error
    return None
