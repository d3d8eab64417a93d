# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Races with other runs at the same image, which may begin and end while this one is running.

Swift has no locks. Checks just before and just after a change shorten the time in which two runs can collide.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus

from .._errors import AppearedError, ConflictError
from .._model.headers import etag_of
from .._model.image import Image, ManifestKind, Path, Segment
from .._model.names import parse_manifest_header
from .image_object import ImageObject
from .leftovers import find_leftovers, find_under_prefix
from .manifest import read_summary


def is_current(target: ImageObject, image: Image) -> bool | None:
    """Return whether *image* is the stored one; None if the name is free."""
    current = read_summary(target)
    if current is None:
        return None
    if image.symlink or current.symlink:
        return image.symlink == current.symlink
    if image.kind is ManifestKind.DLO:
        return _manifest_of(image) == _manifest_of(current)
    return current.etag == image.etag


def _manifest_of(image: Image) -> tuple[str | None, str | None]:
    return image.segment_container, image.segment_prefix


def are_headers_of(image: Image, headers: Mapping[str, str]) -> bool:
    """Return whether *headers*, names in lower case, are those of *image*."""
    if image.kind is ManifestKind.DLO:
        named = parse_manifest_header(headers.get("x-object-manifest", ""))
        return named == (image.segment_container, image.segment_prefix)
    return etag_of(headers) == image.etag


@contextmanager
def guarded_name(target: ImageObject, image: Image, replaced: Image | None) -> Iterator[Mapping[str, str]]:
    """Yield the conditions under which the block may PUT *image* under its name.

    Another upload may have ended meanwhile, or Swift may have shown no image because a disk was unreachable. Replacing
    such an image would leave its segments without a manifest.

    :param replaced: the current image when the upload began; None if there was none
    :raises AppearedError: another image has the name now
    """
    if replaced is not None:
        if is_current(target, replaced) is False:
            raise _appeared(target)
        yield {}
        return
    if target.client.capabilities.is_rgw and is_current(target, image) is not None:
        # Ceph RGW ignores the condition, so that another request must check it.
        raise _appeared(target)
    try:
        yield {"If-None-Match": "*"}
    except ConflictError as error:
        # The answer to an earlier try may have been lost, and then this image is the stored one.
        is_there = is_current(target, image)
        if is_there is None:
            raise
        if not is_there:
            raise _appeared(target) from error


def _appeared(target: ImageObject) -> AppearedError:
    return AppearedError(
        f"Another image was stored as {target.location.label} meanwhile: run again to replace it.",
        HTTPStatus.CONFLICT,
    )


def find_missing(
    target: ImageObject, image: Image, expected: Iterable[Segment]
) -> tuple[frozenset[Segment], list[Segment]]:
    """Find segments that another run deleted: it took them for orphans, or they belonged to the image it replaced.

    :param expected: those of *image*'s objects that have been stored
    :returns: the segments that are listed, of any image, and those of *expected* that are gone
    """
    if image.segment_prefix is not None:
        listed = find_under_prefix(target, image.segment_prefix)[0]
    else:
        listed = find_leftovers(target).segments
    there = frozenset(listed)
    unlisted = (segment for segment in expected if segment not in there)
    # A listing may lack a segment that has just been stored.
    return there, [segment for segment in unlisted if target.client.head_object(*segment.path) is None]


def is_another_upload_running(target: ImageObject, known: Collection[Path]) -> bool:
    """Return whether another upload has stored segments, which are not among the *known* ones."""
    return any(segment.path not in known for segment in find_leftovers(target).segments)
