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
from .._model.spec import Wish
from .._progress import Progress
from .._source.digest import digest
from .._source.file import OpenFile
from .._source.reader import Source, Supply
from .._source.stream import Stream
from .._storage.containers import delete_emptied_container
from .._storage.journal import remove_journals
from .._storage.leftovers import NOTHING, find_remains
from .._storage.manifest import read_all_segments, read_segments, read_summary
from .._storage.ownership import find_unfinished
from .._storage.segments import delete_segments, set_expiry
from .._swift.client import Connection
from .._transfer.compare import same_content
from .._transfer.dedup import Stock
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
    :param stock: what the task has stored of other images
    :param is_new: whether a listing showed that there was neither the image nor anything left of it
    """

    def __init__(
        self,
        connection: Connection,
        location: Location,
        check_mode: bool,
        warn: Callable[[str], None],
        progress: Progress,
        stock: Stock,
        is_new: bool = False,
    ) -> None:
        self._connection = connection
        self._progress = progress
        self._stock = stock
        self._location = location
        self._check_mode = check_mode
        self._warn = warn
        self._is_new = is_new

    def make_present(self, supply: Supply, wish: Wish) -> tuple[Change, Transfer]:
        """Let the store hold the source's bytes, and the metadata that is wished, under the image's name."""
        try:
            return self._make_present(supply, wish)
        except AppearedError:
            if not (wish.force and supply.is_repeatable()):
                raise
        self._is_new = False
        # What appeared, another upload's or one that Swift did not show, is what is replaced, and segments are there.
        return self._make_present(supply, wish)

    def _make_present(self, supply: Supply, wish: Wish) -> tuple[Change, Transfer]:
        before = read_summary(self._connection, self._location, asks_twice=not self._is_new)
        if before is not None and self._is_settled(before, supply, wish):
            if before.segment_count is None:
                before = read_segments(self._connection, self._location, before)
            return self._keep(before, wish), Transfer()
        before = before and read_all_segments(self._connection, self._location, before)
        with supply.open() as (source, mark):
            return self._store(before, source, mark, wish)

    def _is_settled(self, before: Image, supply: Supply, wish: Wish) -> bool:
        """Whether the content stays, by what is known without looking into the source."""
        if not wish.force:
            return True
        if wish.checksum:
            return before.checksums.get(wish.checksum.algorithm) == wish.checksum.hex
        return before.source_mark is not None and before.source_mark == supply.mark()

    def _store(self, before: Image | None, source: Source, mark: str | None, wish: Wish) -> tuple[Change, Transfer]:
        if isinstance(source, Stream):
            source = source.short_one(wish.large_object_size, wish.segment_size) or source
        if before is not None and isinstance(source, OpenFile) and self._has_content_of(source, before):
            if wish.checksum and before.checksums.get(wish.checksum.algorithm) != wish.checksum.hex:
                wish.checksum.check(digest(source.whole(), [wish.checksum.algorithm]), source.label)
            return self._keep(before, wish, mark), Transfer()
        return self._upload(before, source, mark, wish)

    def _has_content_of(self, file: OpenFile, before: Image) -> bool:
        return same_content(file, self._location, before, self._progress)

    def make_absent(self, concurrency: int, force_segments: bool, segment_prefix: str | None = None) -> Change:
        """Let there be neither the image nor any segment that was written for it.

        :param force_segments: whether segments go that other images are made of, too
        :param segment_prefix: where segments of an upload that never got a manifest may lie as well
        """
        deletion = Deletion(self._connection, self._location, force_segments, segment_prefix)
        deletion.warn_of_what_stays(self._warn)
        change = deletion.plan(self._warn)
        if self._check_mode:
            return change
        deletion.run(concurrency, self._warn)
        if change.removes_container:
            return replace(change, removes_container=self._remove_container())
        return change

    def _remove_container(self) -> bool:
        removed = delete_emptied_container(self._connection, self._location.container)
        if not removed:
            self._warn(f"Container {self._location.container!r} stays: Swift says that there is something in it.")
        return removed

    def _keep(self, before: Image, wish: Wish, mark: str | None = None) -> Change:
        """Bring an image's headers in step; its content stays where it is.

        :param mark: of the source that turned out to hold that content
        """
        after = _with_wishes(before, wish, mark)
        if after == before:
            return Change(self._location, before, before)
        if after.metadata != before.metadata:
            _headers.check_limits(after.metadata, after.checksums, self._connection.capabilities)
        unfinished = find_unfinished(self._connection, self._location, before, wish.force_segments)
        if self._check_mode:
            return Change(
                self._location, before, replace(after, last_modified=None), leftovers=len(unfinished.segments)
            )
        # Last of all the note that it is pending goes.
        delete_segments(self._connection, unfinished.segments, wish.concurrency)
        remove_journals(self._connection, unfinished.journals)
        self._post(before, after, wish.concurrency)
        return Change(self._location, before, self._as_it_stands(after), leftovers=len(unfinished.segments))

    def _post(self, before: Image, after: Image, concurrency: int) -> None:
        """Change an image's headers, so that at no time a segment goes before its manifest."""
        told_anew = after.delete_at != before.delete_at or after.is_recorded != before.is_recorded
        if told_anew or before.is_pending:
            objects = read_segments(self._connection, self._location, before).own_objects
            if after.delete_at is not None and (before.delete_at is None or after.delete_at < before.delete_at):
                # Sooner: the manifest first, with a note that its segments are still to be told.
                self._post_headers(replace(after, is_pending=True))
            set_expiry(self._connection, objects, after.delete_at, concurrency)
        self._post_headers(after)

    def _post_headers(self, image: Image) -> None:
        self._connection.post_object(self._location.container, self._location.name, _headers.post_headers(image))

    def _upload(self, before: Image | None, source: Source, mark: str | None, wish: Wish) -> tuple[Change, Transfer]:
        order_algorithms = _algorithms(wish)
        if wish.metadata:
            _headers.check_limits(wish.metadata, order_algorithms, self._connection.capabilities)
        layout = lay_out(
            self._location,
            source.size,
            wish.manifest,
            wish.large_object_size,
            wish.segment_size,
            self._connection.capabilities,
        )
        new_containers = self._missing_containers(layout, wish)
        order = _order(before, source, mark, layout, wish)
        is_new = self._is_new and before is None
        found = NOTHING if is_new else find_remains(self._connection, self._location)
        replacement = Replacement(
            self._connection, self._location, before, found, order, wish.concurrency, self._progress, self._stock
        )
        if self._check_mode:
            image, transfer = replacement.rehearse(), Transfer()
        else:
            self._create_containers(new_containers, wish.storage_policy)
            image, transfer = replacement.run(self._warn)
        if image is before:
            return replace(self._keep(before, wish, mark), new_containers=new_containers), transfer
        if self._check_mode and layout.kind is ManifestKind.DLO:
            # Every upload of a DLO has a prefix of its own, and this one's will not be that of the rehearsal.
            image = replace(image, segment_prefix=None)
        return Change(self._location, before, image, new_containers, replacement.abandoned(image)), transfer

    def _missing_containers(self, layout: Layout, wish: Wish) -> tuple[str, ...]:
        needed = {self._location.container: None}
        if layout.kind is not ManifestKind.NONE:
            needed[self._location.segment_container] = None
        missing = tuple(name for name in needed if not self._has_container(name))
        if missing and not wish.create_container:
            raise NotFoundError(
                f"There is no container {missing[0]!r} in this account: create it, or set create_container to true.",
                404,
            )
        if missing:
            self._check_policy(wish.storage_policy)
        return missing

    def _has_container(self, name: str) -> bool:
        return self._stock.has_container(name, lambda: self._connection.head_container(name) is not None)

    def _check_policy(self, policy: str | None) -> None:
        offered = [entry["name"] for entry in self._connection.capabilities.get("swift", {}).get("policies", ())]
        if policy and offered and policy.lower() not in (name.lower() for name in offered):
            raise OptionError(f"storage_policy {policy!r} is not one of this cluster's: {', '.join(offered)}.")

    def _create_containers(self, names: Sequence[str], policy: str | None) -> None:
        for name in names:
            self._connection.put_container(name, {"X-Storage-Policy": policy} if policy else {})

    def _as_it_stands(self, image: Image) -> Image:
        """*image* with the time that Swift gave it."""
        headers = self._connection.head_object(self._location.container, self._location.name)
        return replace(image, last_modified=_headers.last_modified_of(headers or {}))


def _with_wishes(before: Image, wish: Wish, mark: str | None) -> Image:
    """An image whose content stays, with all else as it is wished."""
    delete_at, delete_after = wish.expiry.times(before) if wish.expiry else (before.delete_at, before.delete_after)
    checksums = dict(before.checksums)
    if wish.checksum and wish.force:
        # That is what the source has, and the source's content is what is there.
        checksums[wish.checksum.algorithm] = wish.checksum.hex
    # Whoever dropped the record may have dropped the expiry with it, which the segments still have.
    records = wish.expiry is not None and before.kind is not ManifestKind.NONE and not before.is_recorded
    return replace(
        before,
        metadata=before.metadata if wish.metadata is None else wish.metadata,
        content_type=wish.content_type or before.content_type,
        checksums=checksums,
        delete_at=delete_at,
        delete_after=delete_after,
        source_mark=mark or before.source_mark,
        recorded_size=before.size if records else before.recorded_size,
        is_pending=False,
    )


def _order(before: Image | None, source: Source, mark: str | None, layout: Layout, wish: Wish) -> Order:
    """What is to be stored; of *before* stays what nobody wishes otherwise."""
    metadata = wish.metadata
    if metadata is None:
        metadata = before.metadata if before else {}
    attributes = Attributes(
        content_type=wish.content_type or (before and before.content_type) or _DEFAULT_CONTENT_TYPE,
        metadata=metadata,
        expiry=wish.expiry,
        source_mark=mark,
    )
    return Order(source, layout, attributes, _algorithms(wish), wish.checksum, wish.segment_prefix, wish.force_segments)


def _algorithms(wish: Wish) -> set[str]:
    """Those of the digests that are recorded with a new image."""
    return {*wish.hash_algorithms, *([wish.checksum.algorithm] if wish.checksum else ())}
