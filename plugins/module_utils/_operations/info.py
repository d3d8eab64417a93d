# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Descriptions of images, their containers, and orphans.

``ImageInfo.scan`` sends the requests; ``InfoScan.result`` makes the module's result from the answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from .._concurrency import parallel_map
from .._context import RunContext
from .._errors import DamagedImagesError, ForbiddenError, LoginError, NotFoundError, printable
from .._model.image import Image
from .._model.location import Location, Placement
from .._storage.containers import describe_containers
from .._storage.listing import Lister, image_containers
from .._storage.orphans import OrphanCandidates, Scope, describe_orphans, find_candidates
from .._storage.segments import shorten
from .._storage.verify import Findings, find_problems
from .._swift.client import SwiftClient
from .._transfer.compare import ContentCheck
from .._transfer.ranges import RangeReader, ReadAhead
from .change import describe

Facts = dict[str, Any]

_MOST_PROBLEMS = 20

# The maximum number of ranges in memory, for all images that are checked byte by byte, even if concurrency is higher.
_RANGES_AHEAD = 10


@dataclass(frozen=True)
class Selection:
    """The images to describe.

    :param locations: of the images that are named, which need not exist; None for all in the placement's containers
        whose names begin with *prefix*
    :param segment_container: another container to search for orphans
    :param has_list: whether the images are named by a list, which may be empty
    """

    placement: Placement
    locations: Sequence[Location] | None
    prefix: str
    segment_container: str | None
    has_list: bool = False

    @property
    def is_spread(self) -> bool:
        """True if the images' names choose among containers."""
        return self.locations is None and self.placement.spreads

    def containers(self, client: SwiftClient) -> Sequence[str]:
        """Return the containers of the images."""
        if not self.locations:
            return image_containers(client, self.placement)
        return sorted({location.container for location in self.locations})


@dataclass(frozen=True)
class Questions:
    """The details to find, which take more than one request for each image.

    :param segments: whether each image's segments are listed
    :param acl: whether the containers' ACLs are included
    :param verify: ``false``, ``true`` to check each image's segments without reading them, or ``content`` to read every
        byte
    :param retries: how often each range of an image is resumed at the same byte
    :param orphan_age: the minimum age of an orphan in seconds; None if orphans are not searched for
    """

    segments: bool
    acl: bool
    verify: str
    orphan_age: int | None
    retries: int = 0

    @property
    def verifies(self) -> bool:
        """True if the task verifies images."""
        return self.verify != "false"

    @property
    def are_deep(self) -> bool:
        """True if manifests must be read."""
        return self.segments or self.verifies or self.orphan_age is not None


@dataclass(frozen=True)
class ImageSummary:
    """A summary of one image.

    :param facts: about the image, for the module's result
    :param to_verify: the image with its segments, if it is to be verified
    """

    location: Location
    facts: Facts
    to_verify: Image | None


@dataclass(frozen=True)
class InfoScan:
    """The facts that a scan found.

    :param problems: of each image that was verified, in their order; None if it can't be verified
    :param containers: by name
    :param orphans: None if they were not searched for
    """

    images: Sequence[ImageSummary]
    problems: Sequence[Sequence[str] | None]
    containers: Mapping[str, Mapping[str, Any]]
    orphans: Sequence[Facts] | None

    def result(self, with_acl: bool) -> Facts:
        """Return the result of swift_image_info.

        :param with_acl: whether each image has its container's ACL
        """
        problems = iter(self.problems)
        images = [
            _with_problems(summary.facts, next(problems)) if summary.to_verify else summary.facts
            for summary in self.images
        ]
        if with_acl:
            images = [{**image, "acl": self.containers.get(image["container"], {}).get("acl")} for image in images]
        result: Facts = {"images": images, "containers": list(self.containers.values())}
        if self.orphans is not None:
            result["orphans"] = list(self.orphans)
        return result


def _with_problems(facts: Facts, problems: Sequence[str] | None) -> Facts:
    complete = None if problems is None else not problems
    told = [printable(problem) for problem in (problems or ())[:_MOST_PROBLEMS]]
    left_out = len(problems or ()) - len(told)
    if left_out:
        told.append(f"{left_out} more problems are left out.")
    return {**facts, "complete": complete, "problems": told}


class ImageInfo:
    """A scan of a store, which changes nothing."""

    def __init__(self, client: SwiftClient, selection: Selection, questions: Questions, context: RunContext) -> None:
        self._client = client
        self._selection = selection
        self._questions = questions
        self._context = context

    def scan(self) -> InfoScan:
        """Send the requests that the questions need; return the facts."""
        containers = self._selection.containers(self._client)
        scope = self._scope(containers)
        age = self._questions.orphan_age
        # Segments are listed before manifests are read, so that no manifest is missed that is written meanwhile.
        candidates = None if age is None else find_candidates(self._client, scope, age)
        images = self._images(candidates)
        verified = [summary.to_verify for summary in images if summary.to_verify]
        findings = find_problems(self._client, verified)
        if self._questions.verify == "content":
            located = [summary.location for summary in images if summary.to_verify]
            findings = self._read_all(list(zip(located, verified, findings)))
        # If there are several containers, some may be unrelated ones with similar names.
        used = {image.facts["container"] for image in images} if self._selection.is_spread else containers
        described = describe_containers(self._client, used, self._questions.acl)
        self._check_containers([name for name in containers if name not in described])
        return InfoScan(
            images,
            [None if found is None else found.problems for found in findings],
            described,
            None if candidates is None else self._orphans(candidates, scope),
        )

    def _read_all(self, images: Sequence[tuple[Location, Image, Findings | None]]) -> list[Findings | None]:
        """Read every byte of the images, in parallel; return the problems of each.

        :param images: each with the problems that are known without reading it; None if it can't be verified that way
        """
        most = min(self._context.concurrency, _RANGES_AHEAD)
        reader = RangeReader(self._client, self._questions.retries)
        self._context.progress.begin_many(len(images))
        with ThreadPoolExecutor(max_workers=most) as pool:
            ahead = ReadAhead(reader, pool, most)
            return parallel_map(lambda one: self._read(ahead, *one), images, most)

    def _read(self, ahead: ReadAhead, location: Location, image: Image, known: Findings | None) -> Findings | None:
        """Read one image; return its problems, None if it has none and can't be verified in another way."""
        if not image.is_readable:
            return known
        with self._context.progress.of_one() as progress:
            found = tuple(ContentCheck(ahead, location, image, progress).problems(known or Findings()))
        if not found:
            return known
        return Findings((*(known or Findings()).problems, *found))

    def _check_containers(self, names: Sequence[str]) -> None:
        """Report containers that do not exist, because a misspelled name must not look like a healthy store.

        :param names: of containers that were not described
        :raises NotFoundError: a container is missing, and the task lists images or checks the whole container
        """
        missing = [name for name in names if self._is_missing(name)]
        if not missing:
            return
        sentence = f"There is no container {missing[0]!r} in this account: set container to one that exists."
        selection, questions = self._selection, self._questions
        is_audit = questions.verifies or questions.orphan_age is not None
        if selection.has_list or (selection.locations is None and is_audit):
            raise NotFoundError(sentence, HTTPStatus.NOT_FOUND)
        self._context.warn(sentence)

    def _is_missing(self, name: str) -> bool:
        try:
            return self._client.head_container(name) is None
        except (ForbiddenError, LoginError):
            # The right to read an image does not include a HEAD of its container.
            return False

    def _scope(self, containers: Sequence[str]) -> Scope:
        selection = self._selection
        images = selection.locations
        paths = None if images is None else {(location.container, location.name) for location in images}
        return Scope(containers, paths, selection.prefix, selection.segment_container)

    def _images(self, candidates: OrphanCandidates | None) -> list[ImageSummary]:
        def summarize(location: Location, image: Image | None) -> ImageSummary:
            if candidates:
                candidates.drop_named_by(location, image)
            return self._summarize(location, image)

        selection = self._selection
        lister = Lister(self._client, summarize, self._questions.are_deep)
        if selection.locations is None:
            return lister.read_all(selection.placement, selection.prefix)
        return lister.read(selection.locations)

    def _summarize(self, location: Location, image: Image | None) -> ImageSummary:
        facts = describe(location, image, self._client.storage_url)
        if image and image.problems:
            facts = _with_problems(facts, image.problems)
        if image and self._questions.segments:
            facts["segment_list"] = [
                {"container": segment.container, "name": segment.name, "size": segment.size, "etag": segment.etag}
                for segment in image.pieces
            ]
        return ImageSummary(location, facts, image if self._questions.verifies else None)

    def _orphans(self, candidates: OrphanCandidates, scope: Scope) -> list[Facts]:
        if candidates.entries and not scope.is_whole:
            # Images outside of the selection may refer to some of the candidates.
            everything = Lister(self._client, candidates.drop_named_by, is_deep=True)
            everything.walk(sorted(scope.containers))
        return describe_orphans(self._client, candidates)


def check_damage(result: Mapping[str, Any]) -> None:
    """Raise an error if an image is damaged.

    :param result: of swift_image_info
    :raises DamagedImagesError: an image is damaged; the error has the result
    """
    damaged = [image for image in result["images"] if image.get("complete") is False]
    if not damaged:
        return
    first = damaged[0]
    error = DamagedImagesError(
        f"{len(damaged)} of {len(result['images'])} images are damaged: "
        f"{shorten([image['name'] for image in damaged])}. The first problem of {first['name']!r} is: "
        f"{first['problems'][0]}"
    )
    error.result = result
    raise error
