# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reconciliation of a catalogue: many images in parallel, with one login and one listing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Optional

from .._concurrency import parallel_map
from .._context import RunContext
from .._errors import ImageStoreError
from .._model.checksum import Checksum
from .._model.image import Image, Path
from .._model.location import Location, Placement
from .._model.spec import ImageSpec
from .._source.reader import SourceSpec
from .._storage.image_object import ImageObject
from .._storage.listing import list_locations
from .._storage.segments import shorten
from .._swift.client import SwiftClient
from .._transfer.dedup import DedupIndex
from .._transfer.plan import Transfer
from .absent import AbsentImage
from .catalogue_report import Action, Outcome, Report
from .change import Change
from .present import PresentImage
from .prune import KeptImages, PruneScope, read_kept, reason_to_keep
from .snapshot import ContainerSnapshot, read_snapshot

# Large images in parallel: while one waits for Swift, the other's bytes are digested. Each may use all connections.
_LARGE_AT_ONCE = 2


@dataclass(frozen=True)
class Entry:
    """An image of a catalogue.

    :param source_spec: the image's source; None for an image that must be absent
    :param spec: its desired state, except for the checksum
    :param read_checksum: returns the expected digest of the source, which may take a request to a web server
    """

    location: Location
    source_spec: SourceSpec | None
    spec: ImageSpec
    read_checksum: Callable[[], Checksum | None]

    @property
    def size(self) -> int | None:
        """The size of the image's file in bytes; None if it is unknown before the source is read."""
        return self.source_spec.known_size() if self.source_spec else None

    @property
    def is_small(self) -> bool:
        """True if the image is sent with one request, or with none."""
        size = self.size
        return self.source_spec is None or (size is not None and size <= self.spec.large_object_size)


@dataclass(frozen=True)
class Deletion:
    """An image that a catalogue deletes.

    :param force_segments: whether to delete segments to which other manifests refer, too
    :param segment_prefix: another prefix that segments of an interrupted upload may have
    :param is_pruned: whether the catalogue lacks the image; False if an entry of it says absent
    """

    location: Location
    force_segments: bool
    segment_prefix: str | None = None
    is_pruned: bool = False


@dataclass(frozen=True)
class Rules:
    """The options of a catalogue as a whole.

    :param segment_container: None for the images' own containers
    :param prunes: whether to delete images that are not in the catalogue
    :param prune_scope: the images that may be pruned
    :param allows_empty: whether an empty catalogue may prune all images
    :param fails_fast: whether to begin no further image when one has failed
    :param force_segments: whether to delete segments of a pruned image to which other manifests refer, too
    """

    placement: Placement
    segment_container: str | None
    prunes: bool
    allows_empty: bool
    fails_fast: bool
    force_segments: bool
    prune_scope: PruneScope = field(default_factory=PruneScope)


# The work for one image; returns the change, and the bytes sent.
Work = Callable[[ImageObject, RunContext], tuple[Change, Optional[Transfer]]]


class Catalogue:
    """A run over a catalogue.

    :param client: limits the requests in flight of the whole task
    """

    def __init__(self, client: SwiftClient, entries: Sequence[Entry], rules: Rules, context: RunContext) -> None:
        self._client = client
        self._entries = entries
        self._rules = rules
        self._context = context
        self._dedup = DedupIndex(size for entry in entries if entry.is_small and (size := entry.size))
        self._snapshot = ContainerSnapshot()
        self._has_failed = threading.Event()
        # The reasons to keep images that are not in the catalogue, by name.
        self._not_pruned: dict[str, str] = {}

    def run(self) -> Report:
        """Reconcile all images, and then prune; the report shows which images failed.

        :raises ImageStoreError: the login fails, or the container can't be listed
        """
        placement = self._rules.placement
        if self._entries and not placement.spreads:
            self._snapshot = self._read_snapshot(placement.container)
        outcomes = self._store_all()
        absent = [entry for entry in self._entries if entry.source_spec is None]
        kept = KeptImages()
        if absent or self._rules.prunes:
            kept = read_kept(self._client, _images_of(outcomes.values()), self._present_paths())
        deletions = [Deletion(entry.location, entry.spec.force_segments, entry.spec.segment_prefix) for entry in absent]
        outcomes.update(self._delete_all(deletions, kept))
        pruned = self._prune(kept) if self._rules.prunes else []
        return Report(placement, [outcomes[entry.location] for entry in self._entries], pruned, self._not_pruned)

    def _present_paths(self) -> list[Path]:
        return [entry.location.path for entry in self._entries if entry.source_spec is not None]

    def _read_snapshot(self, container: str) -> ContainerSnapshot:
        names = {entry.location.name for entry in self._entries}
        return read_snapshot(self._client, container, self._rules.segment_container or container, names)

    def _store_all(self) -> dict[Location, Outcome]:
        """Store the images that must be present."""
        entries = [entry for entry in self._entries if entry.source_spec is not None]
        self._context.progress.begin_many(len(entries))
        small = [entry for entry in entries if entry.is_small]
        large = [entry for entry in entries if not entry.is_small]
        # Small images do not wait for large ones.
        lanes = [(small, self._context.concurrency), (large, _LARGE_AT_ONCE)]
        done = parallel_map(lambda lane: parallel_map(self._store, *lane), lanes, len(lanes))
        return {outcome.location: outcome for lane in done for outcome in lane}

    def _store(self, entry: Entry) -> Outcome:
        return self._attempt(entry.location, partial(self._reconcile, entry))

    def _reconcile(self, entry: Entry, target: ImageObject, context: RunContext) -> tuple[Change, Transfer | None]:
        if entry.source_spec is None:
            raise TypeError("an absent image has no source")
        spec = replace(entry.spec, checksum=entry.read_checksum())
        image = PresentImage(target, context, self._dedup)
        return image.reconcile(entry.source_spec, spec, is_new=self._snapshot.lacks(target.location))

    def _delete_all(self, deletions: Sequence[Deletion], kept: KeptImages) -> dict[Location, Outcome]:
        """Delete images in parallel, except those that share segments with each other.

        Of these, one is deleted after the other. The deletion of the last one includes the shared segments, in check
        mode, too.
        """
        self._context.progress.begin_many(len(deletions))
        paths = {deletion.location.path for deletion in deletions}
        first = parallel_map(lambda one: self._delete(one, kept, paths), deletions, self._context.concurrency)
        outcomes = {outcome.location: outcome for outcome in first if outcome}
        postponed = [deletion for deletion in deletions if deletion.location not in outcomes]
        for deletion in sorted(postponed, key=lambda one: one.location.label):
            outcome = self._delete(deletion, kept, ())
            if outcome:
                outcomes[deletion.location] = outcome
        return outcomes

    def _delete(self, deletion: Deletion, kept: KeptImages, side_by_side: Collection[Path]) -> Outcome | None:
        """Delete an image; return None, and do nothing, if it shares segments with one of the others.

        :param side_by_side: containers and names of the images that are deleted in parallel
        """
        shares = False

        def work(target: ImageObject, context: RunContext) -> tuple[Change, Transfer | None]:
            nonlocal shares
            image = AbsentImage(target, context, deletion.force_segments, deletion.segment_prefix, kept.needs)
            plan = image.plan()
            others = {(target.location.container, other) for other in plan.ownership.named_by_others.values()}
            shares = not others.isdisjoint(side_by_side)
            stays = deletion.is_pruned and plan.ownership.needed_by_kept()
            if stays and not shares:
                self._not_pruned[target.location.name] = "an image that the catalogue keeps uses its segments"
            if stays or shares:
                return Change(target.location, plan.image, plan.image), None
            return image.carry_out(plan), None

        outcome = self._attempt(deletion.location, work)
        return None if shares else outcome

    def _attempt(self, location: Location, work: Work) -> Outcome:
        """Do the work for one image with the shared login; return the outcome."""
        if self._rules.fails_fast and self._has_failed.is_set():
            return Outcome(location)
        begin = time.monotonic()
        client = self._client.counting_anew()
        try:
            with self._context.progress.of_one() as progress:
                context = replace(self._context, progress=progress)
                change, transfer = work(ImageObject(client, location), context)
        except ImageStoreError as error:
            self._has_failed.set()
            return Outcome(location, error=error)
        return Outcome(location, change, transfer, client.retried, time.monotonic() - begin)

    def _prune(self, kept: KeptImages) -> list[Outcome]:
        """Delete the images that are not in the catalogue."""
        if self._has_failed.is_set():
            self._context.warn(
                "Nothing was pruned, because an image failed and older images may still be needed: fix the error, "
                "and run again."
            )
            return []
        if not self._entries and not self._rules.allows_empty:
            self._context.warn(
                "Nothing was pruned, because images is empty: set allow_empty to true if this is intended."
            )
            return []
        deletions = [
            Deletion(location, self._rules.force_segments, is_pruned=True) for location in self._unwanted(kept)
        ]
        found = self._delete_all(deletions, kept)
        if self._not_pruned:
            reasons = shorten([f"{name!r} ({reason})" for name, reason in sorted(self._not_pruned.items())])
            self._context.warn(f"{len(self._not_pruned)} images were not pruned: {reasons}.")
        outcomes = [found[deletion.location] for deletion in deletions]
        # An image that was deleted meanwhile is not reported.
        return [replace(one, is_pruned=True) for one in outcomes if one.action is not Action.UNCHANGED]

    def _unwanted(self, kept: KeptImages) -> list[Location]:
        """Find the images that the catalogue lacks, except those that kept images need, or may need."""
        locations = list_locations(self._client, self._rules.placement)
        listed = {location.path for location in locations}
        in_catalogue = {entry.location.path for entry in self._entries}
        scope = self._rules.prune_scope
        unwanted = [found for found in locations if found.path not in in_catalogue and scope.has(found.name)]
        reasons = parallel_map(
            lambda location: reason_to_keep(self._client, kept, listed, scope, location),
            unwanted,
            self._context.concurrency,
        )
        self._not_pruned.update(
            {location.name: reason for location, reason in zip(unwanted, reasons) if reason is not None}
        )
        return [
            replace(location, segment_container=self._rules.segment_container or location.container)
            for location, reason in zip(unwanted, reasons)
            if reason is None
        ]


def _images_of(outcomes: Iterable[Outcome]) -> Iterator[tuple[Location, Image]]:
    """Yield the images that the catalogue stored or kept, after the run and before it."""
    for outcome in outcomes:
        if outcome.change and outcome.change.after:
            images = [outcome.change.after, *([outcome.change.before] if outcome.change.before else [])]
            yield from ((outcome.location, image) for image in images)
