# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Recovery from a failed upload: segments that were sent are kept for the next run, or deleted."""

from __future__ import annotations

from collections.abc import Collection

from .._errors import ImageStoreError, SourceError
from .._model.image import Segment
from .._model.names import content_of
from .._source.reader import Source
from .._storage.image_object import ImageObject
from .._storage.leftovers import without
from .._storage.manifest import read_image
from .._storage.segments import delete_segments
from .plan import UploadPlan


def recover(
    target: ImageObject, plan: UploadPlan, error: ImageStoreError, stored: Collection[Segment], concurrency: int
) -> ImageStoreError:
    """Delete the segments that no later run can resume, and return the error to raise, which says what stays.

    If the source was changed meanwhile, the error for that replaces the original one.

    :param error: that ended the upload
    :param stored: the segments that it sent
    :param concurrency: requests in flight
    """
    changed = _source_error(plan.source, error)
    if changed:
        take_back(target, changed, stored, concurrency)
        return changed
    if stored and not plan.is_resumable:
        take_back(target, error, stored, concurrency)
    elif stored:
        error.add("The segments that were sent are kept for the next run; state: absent deletes them.")
    return error


def _source_error(source: Source, error: ImageStoreError) -> SourceError | None:
    if isinstance(error, SourceError):
        return error
    try:
        source.check_unchanged()
    except SourceError as changed:
        return changed
    return None


def take_back(target: ImageObject, error: ImageStoreError, stored: Collection[Segment], concurrency: int) -> None:
    """Delete the sent segments, except those to which another upload's manifest refers meanwhile."""
    try:
        current = read_image(target)
        if current is not None and current.hides_segments:
            # Its manifest may name what is called by its content.
            stored = [segment for segment in stored if content_of(target.location, *segment.path) is None]
        named = {segment.path for segment in (current.objects if current else ())}
        delete_segments(target.client, without(stored, named), concurrency)
    except ImageStoreError as second:
        error.add(f"The segments that were sent could not be deleted, either: {second}")
