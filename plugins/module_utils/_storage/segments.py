# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Takes objects away."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .._concurrency import parallel_map
from .._errors import ImageStoreError
from .._model import headers as _headers
from .._model.image import Path, Segment
from .._model.spec import READING_SECONDS
from .._swift.client import SwiftClient


def set_expiry(client: SwiftClient, segments: Iterable[Segment], delete_at: int | None, concurrency: int) -> bool:
    """Let segments go when their image has, or stay.

    :param delete_at: the image's
    :param concurrency: requests at once
    :returns: False when one of them is gone
    """
    wanted = None if delete_at is None else delete_at + READING_SECONDS

    def set_one(path: tuple[str, str]) -> bool:
        headers = client.head_object(*path)
        if headers is not None and _headers.delete_at_of(headers) != wanted:
            client.post_object(*path, _headers.expiry_headers(headers, wanted))
        return headers is not None

    return all(parallel_map(set_one, sorted({segment.path for segment in segments}), concurrency))


# So many names at the most in a sentence.
_NAMED = 5

# Below that there is nothing to gain, and the cluster need not be asked whether it offers it.
_FEWEST_IN_BULK = 20
# Several bulks at once are faster than a large one, in which Swift deletes two at a time (bulk middleware).
_MOST_IN_BULK = 250


def shorten(names: Sequence[str]) -> str:
    """The first of *names*, for a sentence."""
    return f"{', '.join(names[:_NAMED])}{', …' if len(names) > _NAMED else ''}"


def delete_segments(client: SwiftClient, segments: Iterable[Segment], concurrency: int) -> None:
    """Delete every segment; one that is gone already is fine.

    :param concurrency: how many requests at once
    :raises ImageStoreError: why the first of those that are still there is, how many, and which
    """
    paths = sorted({segment.path for segment in segments})
    failed = _delete_singly(client, _delete_in_bulk(client, paths, concurrency), concurrency)
    if failed:
        error = next(iter(failed.values()))
        names = [f"{container}/{name}" for container, name in failed]
        error.add(f"{len(failed)} of {len(paths)} segments are still there: {shorten(names)}.")
        raise error


def _delete_in_bulk(client: SwiftClient, paths: Sequence[Path], concurrency: int) -> Sequence[Path]:
    """Delete many with one request, where the cluster offers that.

    :returns: those that may still be there
    """
    if len(paths) < _FEWEST_IN_BULK or not client.most_in_bulk:
        return paths
    size = min(client.most_in_bulk, _MOST_IN_BULK)
    bulks = [paths[first : first + size] for first in range(0, len(paths), size)]
    are_gone = parallel_map(client.delete_objects, bulks, concurrency)
    return [path for bulk, is_gone in zip(bulks, are_gone) if not is_gone for path in bulk]


def _delete_singly(client: SwiftClient, paths: Sequence[Path], concurrency: int) -> dict[Path, ImageStoreError]:
    """Delete each with a request of its own.

    :returns: why some are still there
    """
    answers = parallel_map(lambda path: _delete(client, *path), paths, concurrency)
    return {path: error for path, error in zip(paths, answers) if error}


def _delete(client: SwiftClient, container: str, name: str) -> ImageStoreError | None:
    try:
        client.delete_object(container, name)
    except ImageStoreError as error:
        return error
    return None
