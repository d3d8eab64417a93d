# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reconcile a catalogue: many images, side by side, with one login and one listing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Optional

from .._concurrency import parallel_map
from .._context import RunContext
from .._errors import ImageStoreError
from .._model.checksum import Checksum
from .._model.location import Location, Placement
from .._model.spec import ImageSpec
from .._source.reader import SourceSpec
from .._storage.image_object import ImageObject
from .._storage.listing import list_locations
from .._swift.client import SwiftClient
from .._transfer.dedup import DedupIndex
from .._transfer.plan import Transfer
from .absent import AbsentImage
from .catalogue_report import Action, Outcome, Report
from .change import Change
from .present import PresentImage, is_unchanged_in_listing
from .snapshot import ContainerSnapshot, read_snapshot

# Of images that are cut: while one waits for Swift, the other's bytes are digested. Each has all connections.
_LARGE_AT_ONCE = 2


@dataclass(frozen=True)
class Entry:
    """One image of a catalogue.

    :param source_spec: the image's source; None for an image that has to be absent
    :param spec: its desired state, but for the checksum
    :param read_checksum: returns the digest that the source has to have, which a web server may be asked for
    """

    location: Location
    source_spec: SourceSpec | None
    spec: ImageSpec
    read_checksum: Callable[[], Checksum | None]

    @property
    def size(self) -> int | None:
        """The size of the image's file in bytes; None if only reading tells it."""
        return self.source_spec.known_size() if self.source_spec else None

    @property
    def is_small(self) -> bool:
        """Whether the image is sent with one request, or with none."""
        size = self.size
        return self.source_spec is None or (size is not None and size <= self.spec.large_object_size)


@dataclass(frozen=True)
class Rules:
    """What holds for a catalogue as a whole.

    :param segment_container: None for the images' own containers
    :param prunes: whether images are deleted that are not in the catalogue
    :param allows_empty: whether all images are deleted if the catalogue is empty
    :param fails_fast: whether no image is begun any more when one has failed
    :param force_segments: whether segments of a pruned image are deleted, too, that other manifests name
    """

    placement: Placement
    segment_container: str | None
    prunes: bool
    allows_empty: bool
    fails_fast: bool
    force_segments: bool


# What is done for one image: the change, what was sent, and whether the listing told enough.
Work = Callable[[ImageObject, RunContext], tuple[Change, Optional[Transfer], bool]]


class Catalogue:
    """One run over a catalogue.

    :param client: which allows no more requests in flight than the task may have
    """

    def __init__(self, client: SwiftClient, entries: Sequence[Entry], rules: Rules, context: RunContext) -> None:
        self._client = client
        self._entries = entries
        self._rules = rules
        self._context = context
        self._dedup = DedupIndex(size for entry in entries if entry.is_small and (size := entry.size))
        self._snapshot = ContainerSnapshot()
        self._has_failed = threading.Event()

    def run(self) -> Report:
        """Reconcile all images, and then prune; the report tells which images failed.

        :raises ImageStoreError: the login fails, or the container can't be listed
        """
        placement = self._rules.placement
        if self._entries and not placement.spreads:
            self._snapshot = self._read_snapshot(placement.container)
        outcomes = self._reconcile_all()
        pruned = self._prune() if self._rules.prunes else []
        return Report(placement, outcomes, pruned)

    def _read_snapshot(self, container: str) -> ContainerSnapshot:
        names = {entry.location.name for entry in self._entries}
        return read_snapshot(self._client, container, self._rules.segment_container or container, names)

    def _reconcile_all(self) -> list[Outcome]:
        numbered = list(enumerate(self._entries))
        self._context.progress.begin_many(len(numbered))
        small = [(number, entry) for number, entry in numbered if entry.is_small]
        large = [(number, entry) for number, entry in numbered if not entry.is_small]
        # A large image does not hold up small ones.
        lanes = [(small, self._context.concurrency), (large, _LARGE_AT_ONCE)]
        done = parallel_map(lambda lane: parallel_map(self._reconcile, *lane), lanes, len(lanes))
        outcomes = dict(outcome for lane in done for outcome in lane)
        return [outcomes[number] for number, _entry in numbered]

    def _reconcile(self, numbered: tuple[int, Entry]) -> tuple[int, Outcome]:
        number, entry = numbered
        if entry.source_spec is None:
            work: Work = partial(self._delete, entry.spec.force_segments, entry.spec.segment_prefix)
        else:
            work = partial(self._store, entry.source_spec, entry)
        return number, self._attempt(entry.location, work)

    def _attempt(self, location: Location, work: Work) -> Outcome:
        """Do the work for one image, with the login that all share; return what came of it."""
        if self._rules.fails_fast and self._has_failed.is_set():
            return Outcome(location)
        begin = time.monotonic()
        client = self._client.counting_anew()
        try:
            with self._context.progress.of_one() as progress:
                context = replace(self._context, progress=progress)
                change, transfer, is_listed = work(ImageObject(client, location), context)
        except ImageStoreError as error:
            self._has_failed.set()
            return Outcome(location, error=error)
        return Outcome(location, change, transfer, is_listed, client.retried, time.monotonic() - begin)

    def _store(
        self, source_spec: SourceSpec, entry: Entry, target: ImageObject, context: RunContext
    ) -> tuple[Change, Transfer | None, bool]:
        spec = replace(entry.spec, checksum=entry.read_checksum())
        listed = self._snapshot.find(target.location)
        if listed and is_unchanged_in_listing(listed, target.location, source_spec, spec, context.progress):
            return Change(target.location, listed, listed), Transfer(), True
        image = PresentImage(target, context, self._dedup)
        return (*image.reconcile(source_spec, spec, is_new=self._snapshot.lacks(target.location)), False)

    def _prune(self) -> list[Outcome]:
        """Delete the images that are not in the catalogue."""
        if self._has_failed.is_set():
            self._context.warn(
                "Nothing was pruned, because an image failed: an image may be wanted until that is mended."
            )
            return []
        if not self._entries and not self._rules.allows_empty:
            self._context.warn(
                "Nothing was pruned, because there is no image in images: allow_empty says that this is meant."
            )
            return []
        pruned = self._find_unwanted()
        self._context.progress.begin_many(len(pruned))
        work = partial(self._delete, self._rules.force_segments, None)
        outcomes = parallel_map(lambda location: self._attempt(location, work), pruned, self._context.concurrency)
        # An image that is gone meanwhile needs no mention.
        return [replace(one, is_pruned=True) for one in outcomes if one.action is not Action.UNCHANGED]

    def _find_unwanted(self) -> list[Location]:
        kept = {(entry.location.container, entry.location.name) for entry in self._entries}
        return [
            replace(location, segment_container=self._rules.segment_container or location.container)
            for location in list_locations(self._client, self._rules.placement)
            if (location.container, location.name) not in kept
        ]

    @staticmethod
    def _delete(
        force_segments: bool, segment_prefix: str | None, target: ImageObject, context: RunContext
    ) -> tuple[Change, Transfer | None, bool]:
        return AbsentImage(target, context, force_segments, segment_prefix).reconcile(), None, False
