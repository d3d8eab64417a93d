# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One image's state: find out what has to change, then change it.

What is to be done is planned without changing anything, and check mode ends there: so it predicts what
the run does, because the run does what was planned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from .._errors import AppearedError, NotFoundError, OptionError
from .._model import headers as _headers
from .._model.image import Image, ManifestKind
from .._model.layout import Layout, lay_out
from .._model.location import Location
from .._model.spec import ImageSpec
from .._progress import Progress
from .._source.digest import digest
from .._source.file import OpenFile
from .._source.reader import Source, SourceSpec
from .._source.stream import Stream
from .._storage.containers import delete_emptied_container
from .._storage.journal import remove_journals
from .._storage.leftovers import NOTHING, find_leftovers
from .._storage.manifest import read_all_segments, read_segments, read_summary
from .._storage.ownership import find_unfinished
from .._storage.segments import delete_segments, set_expiry
from .._swift.client import SwiftClient
from .._transfer.compare import same_content
from .._transfer.dedup import DedupIndex
from .._transfer.segment_upload import Transfer
from .._transfer.upload import Attributes, Order, Replacement
from .absent import Deletion
from .change import Change

_DEFAULT_CONTENT_TYPE = "application/octet-stream"


class Store:
    """The store, for one image.

    :param check_mode: whether nothing may be changed
    :param warn: is told what stays behind, and why
    :param progress: counts what is compared and sent
    :param dedup: what the task has stored of other images
    :param is_new: whether a listing showed that there was neither the image nor anything left of it
    """

    def __init__(
        self,
        client: SwiftClient,
        location: Location,
        check_mode: bool,
        warn: Callable[[str], None],
        progress: Progress,
        dedup: DedupIndex,
        is_new: bool = False,
    ) -> None:
        self._client = client
        self._progress = progress
        self._dedup = dedup
        self._location = location
        self._check_mode = check_mode
        self._warn = warn
        self._is_new = is_new

    def make_present(self, source_spec: SourceSpec, spec: ImageSpec) -> tuple[Change, Transfer]:
        """Let the store hold the source's bytes, and the metadata that is wished, under the image's name."""
        try:
            return self._make_present(source_spec, spec)
        except AppearedError:
            if not (spec.force and source_spec.is_repeatable()):
                raise
        self._is_new = False
        # What appeared, another upload's or one that Swift did not show, is what is replaced, and segments are there.
        return self._make_present(source_spec, spec)

    def _make_present(self, source_spec: SourceSpec, spec: ImageSpec) -> tuple[Change, Transfer]:
        before = read_summary(self._client, self._location, asks_twice=not self._is_new)
        if before is not None and self._is_settled(before, source_spec, spec):
            if before.segment_count is None:
                before = read_segments(self._client, self._location, before)
            return self._keep(before, spec), Transfer()
        before = before and read_all_segments(self._client, self._location, before)
        with source_spec.open() as (source, fingerprint):
            return self._store(before, source, fingerprint, spec)

    def _is_settled(self, before: Image, source_spec: SourceSpec, spec: ImageSpec) -> bool:
        """Whether the content stays, by what is known without looking into the source."""
        if not spec.force:
            return True
        if spec.checksum:
            return before.checksums.get(spec.checksum.algorithm) == spec.checksum.hex
        return before.source_fingerprint is not None and before.source_fingerprint == source_spec.fingerprint()

    def _store(
        self, before: Image | None, source: Source, fingerprint: str | None, spec: ImageSpec
    ) -> tuple[Change, Transfer]:
        if isinstance(source, Stream):
            source = source.short_one(spec.large_object_size, spec.segment_size) or source
        if before is not None and isinstance(source, OpenFile) and self._has_content_of(source, before):
            if spec.checksum and before.checksums.get(spec.checksum.algorithm) != spec.checksum.hex:
                spec.checksum.check(digest(source.whole(), [spec.checksum.algorithm]), source.label)
            return self._keep(before, spec, fingerprint), Transfer()
        return self._upload(before, source, fingerprint, spec)

    def _has_content_of(self, file: OpenFile, before: Image) -> bool:
        return same_content(file, self._location, before, self._progress)

    def make_absent(self, concurrency: int, force_segments: bool, segment_prefix: str | None = None) -> Change:
        """Let there be neither the image nor any segment that was written for it.

        :param force_segments: whether segments go that other images are made of, too
        :param segment_prefix: where segments of an upload that never got a manifest may lie as well
        """
        deletion = Deletion(self._client, self._location, force_segments, segment_prefix)
        deletion.warn_of_what_stays(self._warn)
        change = deletion.plan(self._warn)
        if self._check_mode:
            return change
        deletion.run(concurrency, self._warn)
        if change.removes_container:
            return replace(change, removes_container=self._remove_container())
        return change

    def _remove_container(self) -> bool:
        removed = delete_emptied_container(self._client, self._location.container)
        if not removed:
            self._warn(f"Container {self._location.container!r} stays: Swift says that there is something in it.")
        return removed

    def _keep(self, before: Image, spec: ImageSpec, fingerprint: str | None = None) -> Change:
        """Bring an image's headers in step; its content stays where it is.

        :param fingerprint: of the source that turned out to hold that content
        """
        after = _with_wishes(before, spec, fingerprint)
        if after == before:
            return Change(self._location, before, before)
        if after.metadata != before.metadata:
            _headers.check_limits(after.metadata, after.checksums, self._client.capabilities)
        unfinished = find_unfinished(self._client, self._location, before, spec.force_segments)
        if self._check_mode:
            return Change(
                self._location, before, replace(after, last_modified=None), leftovers=len(unfinished.segments)
            )
        # Last of all the note that it is pending goes.
        delete_segments(self._client, unfinished.segments, spec.concurrency)
        remove_journals(self._client, unfinished.journals)
        self._post(before, after, spec.concurrency)
        return Change(self._location, before, self._as_it_stands(after), leftovers=len(unfinished.segments))

    def _post(self, before: Image, after: Image, concurrency: int) -> None:
        """Change an image's headers, so that at no time a segment goes before its manifest."""
        told_anew = after.delete_at != before.delete_at or after.is_recorded != before.is_recorded
        if told_anew or before.is_pending:
            objects = read_segments(self._client, self._location, before).own_objects
            if after.delete_at is not None and (before.delete_at is None or after.delete_at < before.delete_at):
                # Sooner: the manifest first, with a note that its segments are still to be told.
                self._post_headers(replace(after, is_pending=True))
            set_expiry(self._client, objects, after.delete_at, concurrency)
        self._post_headers(after)

    def _post_headers(self, image: Image) -> None:
        self._client.post_object(self._location.container, self._location.name, _headers.post_headers(image))

    def _upload(
        self, before: Image | None, source: Source, fingerprint: str | None, spec: ImageSpec
    ) -> tuple[Change, Transfer]:
        order_algorithms = _algorithms(spec)
        if spec.metadata:
            _headers.check_limits(spec.metadata, order_algorithms, self._client.capabilities)
        layout = lay_out(
            self._location,
            source.size,
            spec.manifest,
            spec.large_object_size,
            spec.segment_size,
            self._client.capabilities,
        )
        new_containers = self._missing_containers(layout, spec)
        order = _order(before, source, fingerprint, layout, spec)
        is_new = self._is_new and before is None
        found = NOTHING if is_new else find_leftovers(self._client, self._location)
        replacement = Replacement(
            self._client, self._location, before, found, order, spec.concurrency, self._progress, self._dedup
        )
        if self._check_mode:
            image, transfer = replacement.rehearse(), Transfer()
        else:
            self._create_containers(new_containers, spec.storage_policy)
            image, transfer = replacement.run(self._warn)
        if image is before:
            return replace(self._keep(before, spec, fingerprint), new_containers=new_containers), transfer
        if self._check_mode and layout.kind is ManifestKind.DLO:
            # Every upload of a DLO has a prefix of its own, and this one's will not be that of the rehearsal.
            image = replace(image, segment_prefix=None)
        return Change(self._location, before, image, new_containers, replacement.abandoned(image)), transfer

    def _missing_containers(self, layout: Layout, spec: ImageSpec) -> tuple[str, ...]:
        needed = {self._location.container: None}
        if layout.kind is not ManifestKind.NONE:
            needed[self._location.segment_container] = None
        missing = tuple(name for name in needed if not self._has_container(name))
        if missing and not spec.create_container:
            raise NotFoundError(
                f"There is no container {missing[0]!r} in this account: create it, or set create_container to true.",
                404,
            )
        if missing:
            self._check_policy(spec.storage_policy)
        return missing

    def _has_container(self, name: str) -> bool:
        return self._dedup.has_container(name, lambda: self._client.head_container(name) is not None)

    def _check_policy(self, policy: str | None) -> None:
        offered = [entry["name"] for entry in self._client.capabilities.get("swift", {}).get("policies", ())]
        if policy and offered and policy.lower() not in (name.lower() for name in offered):
            raise OptionError(f"storage_policy {policy!r} is not one of this cluster's: {', '.join(offered)}.")

    def _create_containers(self, names: Sequence[str], policy: str | None) -> None:
        for name in names:
            self._client.put_container(name, {"X-Storage-Policy": policy} if policy else {})

    def _as_it_stands(self, image: Image) -> Image:
        """*image* with the time that Swift gave it."""
        headers = self._client.head_object(self._location.container, self._location.name)
        return replace(image, last_modified=_headers.last_modified_of(headers or {}))


def _with_wishes(before: Image, spec: ImageSpec, fingerprint: str | None) -> Image:
    """An image whose content stays, with all else as it is wished."""
    delete_at, delete_after = spec.expiry.times(before) if spec.expiry else (before.delete_at, before.delete_after)
    checksums = dict(before.checksums)
    if spec.checksum and spec.force:
        # That is what the source has, and the source's content is what is there.
        checksums[spec.checksum.algorithm] = spec.checksum.hex
    # Whoever dropped the record may have dropped the expiry with it, which the segments still have.
    records = spec.expiry is not None and before.kind is not ManifestKind.NONE and not before.is_recorded
    return replace(
        before,
        metadata=before.metadata if spec.metadata is None else spec.metadata,
        content_type=spec.content_type or before.content_type,
        checksums=checksums,
        delete_at=delete_at,
        delete_after=delete_after,
        source_fingerprint=fingerprint or before.source_fingerprint,
        recorded_size=before.size if records else before.recorded_size,
        is_pending=False,
    )


def _order(before: Image | None, source: Source, fingerprint: str | None, layout: Layout, spec: ImageSpec) -> Order:
    """What is to be stored; of *before* stays what nobody wishes otherwise."""
    metadata = spec.metadata
    if metadata is None:
        metadata = before.metadata if before else {}
    attributes = Attributes(
        content_type=spec.content_type or (before and before.content_type) or _DEFAULT_CONTENT_TYPE,
        metadata=metadata,
        expiry=spec.expiry,
        source_fingerprint=fingerprint,
    )
    return Order(source, layout, attributes, _algorithms(spec), spec.checksum, spec.segment_prefix, spec.force_segments)


def _algorithms(spec: ImageSpec) -> set[str]:
    """Those of the digests that are recorded with a new image."""
    return {*spec.hash_algorithms, *([spec.checksum.algorithm] if spec.checksum else ())}
