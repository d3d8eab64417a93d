# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Operations on many segments at once: their deletion, and their expiry after the manifest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .._concurrency import parallel_map
from .._errors import ImageStoreError
from .._model.headers import delete_at_of, expiry_headers
from .._model.image import Path, Segment
from .._model.spec import READING_SECONDS
from .._swift.client import SwiftClient

# The maximum number of names in a sentence, and the maximum length of each.
_NAMED = 5
_LONGEST = 200

# For fewer segments, a bulk request gains nothing, and the cluster's capabilities need not be requested.
_FEWEST_IN_BULK = 20
# Several bulk requests at once are faster than a large one, in which Swift deletes two at a time (bulk middleware).
_MOST_IN_BULK = 250


def shorten(names: Sequence[str]) -> str:
    """Return the first of *names* for a sentence, each cut if it is long."""
    cut = [name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…" for name in names[:_NAMED]]
    return f"{', '.join(cut)}{', …' if len(names) > _NAMED else ''}"


def set_expiry(client: SwiftClient, segments: Iterable[Segment], delete_at: int | None, concurrency: int) -> bool:
    """Let segments expire after their image, or not at all.

    :param delete_at: the image's, in seconds since the epoch
    :param concurrency: requests in flight
    :returns: False if one of them is gone
    """
    wanted = None if delete_at is None else delete_at + READING_SECONDS

    def set_one(path: Path) -> bool:
        headers = client.head_object(*path)
        if headers is not None and delete_at_of(headers) != wanted:
            client.post_object(*path, expiry_headers(headers, wanted))
        return headers is not None

    return all(parallel_map(set_one, sorted({segment.path for segment in segments}), concurrency))


def delete_segments(client: SwiftClient, segments: Iterable[Segment], concurrency: int) -> None:
    """Delete every segment; those that are gone already are ignored.

    :param concurrency: requests in flight
    :raises ImageStoreError: the first failure, with the number and the names of the segments that are still there
    """
    paths = sorted({segment.path for segment in segments})
    failed = _delete_singly(client, _delete_in_bulk(client, paths, concurrency), concurrency)
    if failed:
        error = next(iter(failed.values()))
        names = [f"{container}/{name}" for container, name in failed]
        error.add(f"{len(failed)} of {len(paths)} segments are still there: {shorten(names)}.")
        raise error


def _delete_in_bulk(client: SwiftClient, paths: Sequence[Path], concurrency: int) -> Sequence[Path]:
    """Delete many objects with one request if the cluster has the bulk middleware.

    :returns: those that may still be there
    """
    if len(paths) < _FEWEST_IN_BULK:
        return paths
    most = client.capabilities.max_deletes_per_request
    if most < 1:
        return paths
    size = min(most, _MOST_IN_BULK)
    bulks = [paths[first : first + size] for first in range(0, len(paths), size)]
    are_gone = parallel_map(client.delete_objects, bulks, concurrency)
    return [path for bulk, is_gone in zip(bulks, are_gone) if not is_gone for path in bulk]


def _delete_singly(client: SwiftClient, paths: Sequence[Path], concurrency: int) -> dict[Path, ImageStoreError]:
    """Delete each object with a request of its own; return the errors of those that could not be deleted."""
    errors = parallel_map(lambda path: _delete(client, path), paths, concurrency)
    return {path: error for path, error in zip(paths, errors) if error}


def _delete(client: SwiftClient, path: Path) -> ImageStoreError | None:
    try:
        client.delete_object(*path)
    except ImageStoreError as error:
        return error
    return None
