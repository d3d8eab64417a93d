# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What there is to say of images, of their containers, and of segments that belong to none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .._model.image import Image, Segment
from .._model.location import Location, Placement
from .._storage.containers import read_containers
from .._storage.listing import image_containers, list_images, read_images
from .._storage.orphans import Orphans, Scope
from .._storage.verify import problems_of
from .._swift.client import SwiftClient
from .change import describe

Facts = dict[str, Any]


@dataclass(frozen=True)
class Selection:
    """The images that are asked about.

    :param locations: of those that are named, which may be none; None for all in the placement's containers that begin
        with *prefix*
    :param segment_container: where segments that belong to none are looked for besides
    """

    placement: Placement
    locations: Sequence[Location] | None
    prefix: str
    segment_container: str | None

    @property
    def is_spread(self) -> bool:
        """Whether their names choose among containers."""
        return self.locations is None and self.placement.spreads

    def containers(self, client: SwiftClient) -> Sequence[str]:
        """Where they are."""
        if not self.locations:
            return image_containers(client, self.placement)
        return sorted({location.container for location in self.locations})


@dataclass(frozen=True)
class Questions:
    """What is asked beside what one request tells of an image.

    :param orphan_age: how many seconds old a segment has to be that no manifest names; None for not asking
    """

    segments: bool
    acl: bool
    verify: bool
    orphan_age: int | None

    @property
    def are_deep(self) -> bool:
        """Whether manifests have to be read."""
        return self.segments or self.verify or self.orphan_age is not None


class Survey:
    """One look at a store; nothing is changed."""

    def __init__(self, client: SwiftClient, selection: Selection, questions: Questions) -> None:
        self._client = client
        self._selection = selection
        self._questions = questions
        self._to_verify: list[tuple[Facts, Image]] = []
        self._containers = selection.containers(client)
        age = questions.orphan_age
        self._orphans = None if age is None else Orphans(client, self._scope(), age)

    def run(self) -> Facts:
        """The answers, as swift_image_info returns them."""
        images = self._images()
        self._verify()
        # Where there are several, others may be called like them.
        used = {image["container"] for image in images} if self._selection.is_spread else self._containers
        containers = read_containers(self._client, used, self._questions.acl)
        if self._questions.acl:
            for image in images:
                image["acl"] = containers.get(image["container"], {}).get("acl")
        result: Facts = {"images": images, "containers": list(containers.values())}
        if self._orphans:
            result["orphans"] = self._orphans.result()
        return result

    def _scope(self) -> Scope:
        selection = self._selection
        images = selection.locations
        paths = None if images is None else {(location.container, location.name) for location in images}
        return Scope(self._containers, paths, selection.prefix, selection.segment_container)

    def _images(self) -> list[Facts]:
        selection, is_deep = self._selection, self._questions.are_deep
        if selection.locations is None:
            return list_images(self._client, selection.placement, selection.prefix, self._look, is_deep)
        return read_images(self._client, selection.locations, self._look, is_deep)

    def _look(self, location: Location, image: Image | None) -> Facts:
        """All that is asked about one image."""
        if self._orphans:
            self._orphans.count_out(image)
        facts = describe(location, image, self._client.storage_url)
        if image and self._questions.segments:
            facts["segment_list"] = [_describe_segment(segment) for segment in image.pieces]
        if image and self._questions.verify:
            self._to_verify.append((facts, image))
        return facts

    def _verify(self) -> None:
        """Ask for the segments of all images, so many at once whether one image has them or many."""
        found = problems_of(self._client, [image for _facts, image in self._to_verify])
        for (facts, _image), problems in zip(self._to_verify, found):
            facts["complete"] = None if problems is None else not problems
            facts["problems"] = problems or []


def _describe_segment(segment: Segment) -> Facts:
    return {"container": segment.container, "name": segment.name, "size": segment.size, "etag": segment.etag}
