# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Takes objects away."""

from __future__ import annotations

from collections.abc import Iterable

from ._connection import Connection
from ._errors import SwiftError
from ._image import Segment
from ._parallel import for_each


def delete_segments(connection: Connection, segments: Iterable[Segment], concurrency: int) -> None:
    """Delete every segment; one that is gone already is fine.

    :param concurrency: how many requests at once
    :raises SwiftError: some could not be deleted; all others are gone then
    """
    objects = sorted({(segment.container, segment.name) for segment in segments})
    answers = for_each(lambda item: _delete(connection, *item), objects, concurrency)
    errors = [error for error in answers if error]
    if errors:
        error = errors[0]
        error.add(f"{len(errors)} of {len(objects)} segments are still there: run state absent to try again.")
        raise error


def _delete(connection: Connection, container: str, name: str) -> SwiftError | None:
    try:
        connection.delete_object(container, name)
    except SwiftError as error:
        return error
    return None
