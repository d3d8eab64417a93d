# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A catalogue: many images brought to where they are to be, side by side, over one login and one listing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from .._concurrency import parallel_map
from .._errors import ImageStoreError
from .._model.checksum import Checksum
from .._model.location import Location, Placement
from .._model.spec import ImageSpec
from .._progress import Progress
from .._source.reader import SourceSpec
from .._storage.listing import list_locations
from .._swift.client import SwiftClient
from .._transfer.dedup import DedupIndex
from .._transfer.segment_upload import Transfer
from .catalogue_report import Action, Outcome, Report
from .change import Change
from .present import Store
from .snapshot import ContainerSnapshot, is_settled, read_snapshot

# Of images that are cut: while one waits for Swift, the other's bytes are digested. Each has all connections.
_LARGE_AT_ONCE = 2


@dataclass(frozen=True)
class Entry:
    """One image of a catalogue.

    :param source_spec: what its bytes come from; None for an image that is to be absent
    :param spec: how it is to be, but for its checksum
    :param read_checksum: what its source's digest has to be, which a server may have to be asked
    """

    location: Location
    source_spec: SourceSpec | None
    spec: ImageSpec
    read_checksum: Callable[[], Checksum | None]

    @property
    def size(self) -> int | None:
        """Of its file, in bytes; None where only reading tells."""
        return self.source_spec.known_size() if self.source_spec else None

    @property
    def is_small(self) -> bool:
        """Whether it is one request, or needs no bytes at all."""
        size = self.size
        return self.source_spec is None or (size is not None and size <= self.spec.large_object_size)


@dataclass(frozen=True)
class Rules:
    """What holds for the catalogue as a whole.

    :param prunes: whether images go that are not in it
    :param allows_empty: also where there is none in it
    :param fails_fast: whether no image is begun any more when one has failed
    :param concurrency: requests at once
    :param force_segments: whether segments of what is pruned go that other images are made of, too
    """

    prunes: bool
    allows_empty: bool
    fails_fast: bool
    concurrency: int
    force_segments: bool


class Catalogue:
    """One run over a catalogue.

    :param segment_container: None for the images' own
    :param client: which lets no more requests be under way at once than the catalogue may have
    :param warn: is told what stays behind, and why
    :param progress: counts what is done for each image
    """

    def __init__(
        self,
        client: SwiftClient,
        placement: Placement,
        segment_container: str | None,
        entries: Sequence[Entry],
        rules: Rules,
        check_mode: bool,
        warn: Callable[[str], None],
        progress: Progress,
    ) -> None:
        self._client = client
        self._placement = placement
        self._segment_container = segment_container
        self._entries = entries
        self._rules = rules
        self._check_mode = check_mode
        self._warn = warn
        self._progress = progress
        self._dedup = DedupIndex(size for entry in entries if entry.is_small and (size := entry.size))
        self._listed = ContainerSnapshot()
        self._has_failed = threading.Event()

    def run(self) -> Report:
        """Bring all images to where they are to be, and then prune; what fails is told in the report.

        :raises ImageStoreError: there is no way in, or the container can't be listed
        """
        if self._entries and not self._placement.spreads:
            self._listed = self._read_listed()
        outcomes = self._work_on_all()
        pruned = self._prune() if self._rules.prunes else []
        return Report(self._placement, outcomes, pruned)

    def _read_listed(self) -> ContainerSnapshot:
        container = self._placement.container
        names = {entry.location.name for entry in self._entries}
        return read_snapshot(self._client, container, self._segment_container or container, names)

    def _work_on_all(self) -> list[Outcome]:
        numbered = list(enumerate(self._entries))
        self._progress.begin_many(len(numbered))
        small = [(number, entry) for number, entry in numbered if entry.is_small]
        large = [(number, entry) for number, entry in numbered if not entry.is_small]
        # A large image does not hold up small ones.
        lanes = [(small, self._rules.concurrency), (large, _LARGE_AT_ONCE)]
        done = parallel_map(lambda lane: parallel_map(self._work, *lane), lanes, len(lanes))
        outcomes = dict(outcome for lane in done for outcome in lane)
        return [outcomes[number] for number, _entry in numbered]

    def _work(self, numbered: tuple[int, Entry]) -> tuple[int, Outcome]:
        number, entry = numbered
        return number, self._attempt(entry.location, lambda *means: self._bring(entry, *means))

    def _attempt(
        self, location: Location, work: Callable[[SwiftClient, Progress], tuple[Change, Transfer | None, bool]]
    ) -> Outcome:
        """Do something for one image, over the connection that all have; what came of it."""
        if self._rules.fails_fast and self._has_failed.is_set():
            return Outcome(location)
        begin = time.monotonic()
        client = self._client.counting_anew()
        try:
            with self._progress.of_one() as progress:
                change, transfer, is_listed = work(client, progress)
        except ImageStoreError as error:
            self._has_failed.set()
            return Outcome(location, error=error)
        seconds = time.monotonic() - begin
        return Outcome(location, change, transfer, is_listed, client.retried, seconds)

    def _bring(self, entry: Entry, client: SwiftClient, progress: Progress) -> tuple[Change, Transfer | None, bool]:
        """Bring one image to where it is to be."""
        is_new = self._listed.lacks(entry.location)
        store = Store(client, entry.location, self._check_mode, self._warn, progress, self._dedup, is_new)
        spec = entry.spec
        if entry.source_spec is None:
            return store.make_absent(spec.concurrency, spec.force_segments, spec.segment_prefix), None, False
        spec = replace(spec, checksum=entry.read_checksum())
        image = self._listed.find(entry.location)
        if image and is_settled(image, entry.source_spec, spec, entry.location.label, progress):
            return Change(entry.location, image, image), Transfer(), True
        return (*store.make_present(entry.source_spec, spec), False)

    def _prune(self) -> list[Outcome]:
        """Remove the images that are not in the catalogue."""
        if self._has_failed.is_set():
            self._warn("Nothing was pruned, because an image failed: an image may be wanted until that is mended.")
            return []
        if not self._entries and not self._rules.allows_empty:
            self._warn("Nothing was pruned, because there is no image in images: allow_empty says that this is meant.")
            return []
        deletable = self._doomed()
        self._progress.begin_many(len(deletable))
        outcomes = parallel_map(
            lambda location: self._attempt(location, self._remover(location)), deletable, self._rules.concurrency
        )
        # What has gone meanwhile is nobody's business.
        return [replace(one, is_pruned=True) for one in outcomes if one.action is not Action.UNCHANGED]

    def _doomed(self) -> list[Location]:
        kept = {(entry.location.container, entry.location.name) for entry in self._entries}
        found: Iterable[Location] = list_locations(self._client, self._placement)
        return [
            replace(location, segment_container=self._segment_container or location.container)
            for location in found
            if (location.container, location.name) not in kept
        ]

    def _remover(self, location: Location) -> Callable[[SwiftClient, Progress], tuple[Change, None, bool]]:
        def remove(client: SwiftClient, progress: Progress) -> tuple[Change, None, bool]:
            store = Store(client, location, self._check_mode, self._warn, progress, self._dedup)
            return store.make_absent(self._rules.concurrency, self._rules.force_segments), None, False

        return remove
