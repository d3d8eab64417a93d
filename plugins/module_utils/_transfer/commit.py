# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What remains to be done when a new image's manifest stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from .._errors import ImageStoreError
from .._model import headers as _headers
from .._model.image import Image, Segment
from .._model.location import Location
from .._storage.journal import Journal, remove_journals
from .._storage.manifest import read_image
from .._storage.races import are_of
from .._storage.segments import delete_segments, set_expiry
from .._swift.client import SwiftClient

Warn = Callable[[str], None]


@dataclass(frozen=True)
class Rest:
    """What is of no use when the new image stands.

    :param journals: what notes it, and goes when it has gone
    """

    segments: Sequence[Segment]
    journals: Sequence[Journal]


def complete(client: SwiftClient, location: Location, image: Image, rest: Rest, concurrency: int, warn: Warn) -> Image:
    """Let the segments go when the image does, and delete what it replaced.

    :param concurrency: requests at once
    :param warn: is told when another upload's image stands
    :returns: the image, with the time that Swift gave it
    """
    if image.delete_at is not None:
        set_expiry(client, image.objects, image.delete_at, concurrency)
    headers = client.head_object(location.container, location.name) or {}
    if not are_of(image, headers):
        warn(
            "Another upload of this image ended after this one, and its image stands now."
            if headers
            else "The image is gone: somebody deleted it as soon as it was stored, or Swift does not show it."
        )
        _yield_to_what_stands(client, location, image, rest, concurrency)
        return replace(image, is_pending=False)
    if image.is_pending:
        _delete(client, rest.segments, concurrency)
        remove_journals(client, rest.journals)
        image = replace(image, is_pending=False)
        client.post_object(location.container, location.name, _headers.content_headers(image))
        headers = client.head_object(location.container, location.name) or {}
    return replace(image, last_modified=_headers.last_modified_of(headers))


def _yield_to_what_stands(client: SwiftClient, location: Location, image: Image, rest: Rest, concurrency: int) -> None:
    """Delete what is of no use to the other image; where Swift shows none, it may be *image* all the same."""
    stands = read_image(client, location) or image
    named = {segment.path for segment in stands.objects}
    useless = {one.path: one for one in (*image.objects, *rest.segments) if one.path not in named}
    delete_segments(client, useless.values(), concurrency)
    remove_journals(client, rest.journals)


def _delete(client: SwiftClient, segments: Iterable[Segment], concurrency: int) -> None:
    try:
        delete_segments(client, segments, concurrency)
    except ImageStoreError as error:
        error.add("They are the replaced image's; the new one is in its place and whole. Run again to delete them.")
        raise
