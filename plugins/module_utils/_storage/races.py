# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Other uploads of the same image, which may begin and end while one is under way.

Swift locks nothing. What is looked at just before and just after makes the time short in which two can meet.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from http import HTTPStatus

from .._errors import AppearedError, ConflictError
from .._model import headers as _headers
from .._model.image import Image, ManifestKind, Segment
from .._model.location import Location
from .._model.names import parse_manifest_header
from .._swift.client import SwiftClient
from .leftovers import find_leftovers, find_under


def are_of(image: Image, headers: Mapping[str, str]) -> bool:
    """Whether *headers*, names in lower case, are those of *image*."""
    if image.kind is ManifestKind.DLO:
        named = parse_manifest_header(headers.get("x-object-manifest", ""))
        return named == (image.segment_container, image.segment_prefix)
    return _headers.etag_of(headers) == image.etag


def put_in_place(
    client: SwiftClient,
    location: Location,
    image: Image,
    before: Image | None,
    put: Callable[[Mapping[str, str]], None],
) -> None:
    """Store what the image's name is to mean, unless another image has come to stand there.

    Another upload may have ended, or Swift may have shown none while a disk was away. Whoever writes over such an
    image makes its segments nobody's.

    :param before: what stood there when the upload began
    :param put: takes headers
    :raises AppearedError: there is another one
    """
    if before is not None:
        if stands(client, location, before) is False:
            raise _appeared(location)
        put({})
        return
    try:
        put({"If-None-Match": "*"})
    except ConflictError as error:
        # It is this one where the answer to an earlier try was lost.
        is_there = stands(client, location, image)
        if is_there is None:
            raise
        if not is_there:
            raise _appeared(location) from error


def stands(client: SwiftClient, location: Location, image: Image) -> bool | None:
    """Whether it is *image* that stands; None where none does."""
    headers = client.head_object(location.container, location.name)
    if headers is None:
        headers = client.head_object(location.container, location.name, manifest=True)
    return None if headers is None else are_of(image, headers)


def _appeared(location: Location) -> AppearedError:
    return AppearedError(
        f"Another image has come to stand as {location.label} meanwhile: run again to replace it.",
        HTTPStatus.CONFLICT,
    )


def find_gone(
    client: SwiftClient, location: Location, image: Image, wanted: Iterable[Segment]
) -> tuple[set[Segment], list[Segment]]:
    """What another upload took for abandoned, or deleted with the image that it replaced.

    :param wanted: of *image*'s objects, those that have been stored
    :returns: the segments that are there, of whatever image, and those of *wanted* that are not
    """
    there = set(_listed(client, location, image))
    unlisted = (segment for segment in wanted if segment not in there)
    # What has just been stored may be listed later.
    return there, [segment for segment in unlisted if client.head_object(*segment.path) is None]


def _listed(client: SwiftClient, location: Location, image: Image) -> Iterable[Segment]:
    if image.segment_prefix is not None:
        return find_under(client, location, image.segment_prefix)[0]
    return find_leftovers(client, location).segments


def is_another_under_way(client: SwiftClient, location: Location, known: Collection[tuple[str, str]]) -> bool:
    """Whether segments have appeared that are none of the *known* ones."""
    return any(segment.path not in known for segment in find_leftovers(client, location).segments)
