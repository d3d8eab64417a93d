# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Takes objects away."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence

from ._connection import Connection
from ._errors import ConflictError, ImageStoreError
from ._image import Path, Segment
from ._parallel import for_each
from ._waiting import listing_agrees

# So many names at the most in a sentence.
_NAMED = 5

# Below that there is nothing to gain, and the cluster need not be asked whether it offers it.
_FEWEST_IN_BULK = 20
# Several bulks at once are faster than a large one, in which Swift deletes two at a time (bulk middleware).
_MOST_IN_BULK = 250


def shorten(names: Sequence[str]) -> str:
    """The first of *names*, for a sentence."""
    return f"{', '.join(names[:_NAMED])}{', …' if len(names) > _NAMED else ''}"


def delete_segments(connection: Connection, segments: Iterable[Segment], concurrency: int) -> None:
    """Delete every segment; one that is gone already is fine.

    :param concurrency: how many requests at once
    :raises ImageStoreError: why the first of those that are still there is, how many, and which
    """
    paths = sorted({segment.path for segment in segments})
    failed = _delete_singly(connection, _delete_in_bulk(connection, paths, concurrency), concurrency)
    if failed:
        error = next(iter(failed.values()))
        names = [f"{container}/{name}" for container, name in failed]
        error.add(f"{len(failed)} of {len(paths)} segments are still there: {shorten(names)}.")
        raise error


def _delete_in_bulk(connection: Connection, paths: Sequence[Path], concurrency: int) -> Sequence[Path]:
    """Delete many with one request, where the cluster offers that.

    :returns: those that may still be there
    """
    if len(paths) < _FEWEST_IN_BULK or not connection.most_in_bulk:
        return paths
    size = min(connection.most_in_bulk, _MOST_IN_BULK)
    bulks = [paths[first : first + size] for first in range(0, len(paths), size)]
    are_gone = for_each(connection.delete_objects, bulks, concurrency)
    return [path for bulk, is_gone in zip(bulks, are_gone, strict=True) if not is_gone for path in bulk]


def _delete_singly(connection: Connection, paths: Sequence[Path], concurrency: int) -> dict[Path, ImageStoreError]:
    """Delete each with a request of its own.

    :returns: why some are still there
    """
    answers = for_each(lambda path: _delete(connection, *path), paths, concurrency)
    return {path: error for path, error in zip(paths, answers, strict=True) if error}


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
