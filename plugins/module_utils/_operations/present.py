# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reconciliation of one image with its desired state."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from .._context import RunContext
from .._errors import AppearedError, IntegrityError, SourceChangedError
from .._model.headers import delete_at_of, has_record, kind_of, last_modified_of, number_of, post_headers
from .._model.image import Image, ManifestKind, Path, Segment
from .._model.metadata import check_limits
from .._model.spec import ImageSpec
from .._retry import wait_for_listing
from .._source.file import OpenFile
from .._source.fingerprint import after_comparison, is_same_state
from .._source.reader import Expected, Source, SourceSpec
from .._source.stream import Stream
from .._storage.image_object import ImageObject
from .._storage.leftovers import Leftovers, delete_leftovers
from .._storage.manifest import read_all_segments, read_segments, read_summary
from .._storage.manifest_index import find_named_by_others
from .._storage.ownership import Ownership, expire_segments, find_unfinished, scan_ownership
from .._storage.verify import find_damaged, incomplete_dlo
from .._transfer.compare import check_unrecorded, has_same_content
from .._transfer.dedup import DedupIndex
from .._transfer.plan import Transfer
from .._transfer.repair import plan_dlo_repair, plan_segment_repair, send_repair
from .._transfer.upload import Upload
from .change import Change

# How often an upload starts, at most, if the image, or its source, is replaced meanwhile.
_BEGINNINGS = 3


class PresentImage:
    """An image with the desired state present.

    :param dedup: the objects that the task has stored for other images
    """

    def __init__(self, target: ImageObject, context: RunContext, dedup: DedupIndex) -> None:
        self._target = target
        self._context = context
        self._dedup = dedup

    def reconcile(self, source_spec: SourceSpec, spec: ImageSpec, is_new: bool = False) -> tuple[Change, Transfer]:
        """Give the image the source's bytes, and the headers that *spec* asks for.

        :param is_new: whether a listing showed neither the image nor any leftovers
        """
        location = self._target.location
        if location.name.startswith("/"):
            self._context.warn(
                f"The name {location.name!r} begins with a slash, so that clients show the image as "
                f"{location.label}: remove the slash if this is not intended."
            )
        beginnings = 1
        while True:
            try:
                return self._reconcile(source_spec, spec, is_new)
            except AppearedError:
                # The next try replaces what appeared: another upload's image, or one that Swift did not show.
                if not (spec.force and source_spec.is_repeatable()) or beginnings == _BEGINNINGS:
                    raise
            except SourceChangedError:
                if beginnings == _BEGINNINGS:
                    raise
            # The next try finds the segments that have been sent.
            beginnings += 1
            is_new = False

    def _reconcile(self, source_spec: SourceSpec, spec: ImageSpec, is_new: bool) -> tuple[Change, Transfer]:
        current = self._read_current(spec, is_new)
        if current is not None and is_settled(current, source_spec, spec):
            if current.segment_count is None or spec.verify:
                current = read_segments(self._target, current)
            if not (spec.verify and self._has_to_be_healed(current, spec)):
                return self._update(current, spec), Transfer()
        if current is not None and current.hides_segments and not current.is_readable and not spec.force:
            self._context.warn(
                f"{self._target.location.label} is damaged, and is not repaired because force is false: "
                f"{current.problems[-1]}"
            )
            return Change(self._target.location, current, current), Transfer()
        current = current and read_all_segments(self._target, current)
        damaged = find_damaged(self._target.client, current, spec.verify) if current else ()
        with source_spec.open(_expected(spec)) as opened:
            source: Source = opened
            if isinstance(source, Stream):
                source = source.short_one(spec.large_object_size, spec.segment_size) or source
            if current is not None and isinstance(source, OpenFile):
                done = self._keep_or_repair(current, damaged, source, spec)
                if done is not None:
                    return done
            if current is not None and damaged:
                # The bytes of a damaged image do not count as stored.
                current = replace(current, is_readable=False)
            return self._upload(current, source, spec, is_new)

    def _has_to_be_healed(self, current: Image, spec: ImageSpec) -> bool:
        """Return whether an image, whose content stays, is damaged in the store and may be repaired.

        :param current: with its segments
        """
        if current.hides_segments:
            self._context.warn(
                f"This store (Ceph RGW) does not return the manifest of {self._target.location.label}, so its "
                "segments can't be verified: use swift_image_info with verify: content, which reads them."
            )
        problems = [*incomplete_dlo(current), *find_damaged(self._target.client, current, spec.verify)]
        if problems and not spec.force:
            self._context.warn(
                f"{self._target.location.label} is damaged ({len(problems)} segments or gaps), and is not repaired "
                "because force is false: swift_image_info with verify lists the damage, and force: true repairs it."
            )
        return bool(problems) and spec.force

    def _keep_or_repair(
        self, current: Image, damaged: Collection[Segment], file: OpenFile, spec: ImageSpec
    ) -> tuple[Change, Transfer] | None:
        """Keep an image with a file's content, and send its missing segments; return None if it must be stored anew.

        :param damaged: segments that are missing or damaged
        """
        location = self._target.location
        existing: Mapping[Path, int] | None = {}
        if self._is_same(file, current):
            if not damaged:
                check_unrecorded(file, current, spec.checksum, file.label)
                return self._update(current, spec, file.fingerprint), Transfer()
            existing = self._replaceable(damaged)
            plan = None if existing is None else plan_segment_repair(location, current, file, damaged, existing)
        else:
            plan = plan_dlo_repair(location, current, file)
        containers = {segment.container for segment in plan.parts} if plan else ()
        if plan is None or not all(map(self._target.client.has_container, containers)):
            return None
        check_unrecorded(file, current, spec.checksum, file.label)
        send_repair(self._target, plan, self._context)
        file.check_unchanged()
        change = self._update(plan.image, spec, file.fingerprint)
        change = replace(change, before=current, repaired=len(plan.parts))
        return replace(change, bytes_deleted=change.bytes_deleted + sum((existing or {}).values())), plan.transfer()

    def _replaceable(self, damaged: Collection[Segment]) -> Mapping[Path, int] | None:
        """Return the sizes of damaged objects that exist, in bytes; None if one is an image, or is used by another."""
        client = self._target.client
        headers = {segment.path: client.head_object(*segment.path, manifest=True) for segment in damaged}
        found = {path: told for path, told in headers.items() if told is not None}
        if any(has_record(told) or kind_of(told) is not ManifestKind.NONE for told in found.values()):
            return None
        if find_named_by_others(self._target, found.keys()):
            return None
        return {path: number_of(told, "content-length") or 0 for path, told in found.items()}

    def _read_current(self, spec: ImageSpec, is_new: bool) -> Image | None:
        """Read the current image; a symlink that must be replaced counts as unreadable.

        Swift can't change the headers of a symlink. The target of a link to another account belongs to that account.
        """
        current = read_summary(self._target, asks_twice=not is_new)
        if current is None or current.symlink is None:
            return current
        is_kept = current.is_readable and current.symlink.account is None
        if is_kept and (
            not spec.force
            or not has_other_headers(current, updated_image(current, spec, None, self._target.client.now()))
        ):
            return current
        return replace(current, is_readable=False)

    def _is_same(self, file: OpenFile, current: Image) -> bool:
        return has_same_content(file, self._target.location, current, self._context.progress)

    def _upload(self, current: Image | None, source: Source, spec: ImageSpec, is_new: bool) -> tuple[Change, Transfer]:
        upload = Upload(self._target, self._context, self._dedup)
        plan = upload.prepare(source, spec, current, is_new)
        sent = upload.send(plan)
        result = upload.predict(plan, sent) if self._context.check_mode else upload.commit(plan, sent)
        image, created = result.image, plan.missing_containers
        if image is current:
            change = self._update(image, spec, source.fingerprint)
            return replace(change, new_containers=created), result.transfer
        if self._context.check_mode and plan.layout.kind is ManifestKind.DLO:
            # Every upload of a DLO has a prefix of its own, which is unknown before the upload.
            image = replace(image, segment_prefix=None)
        change = Change(
            self._target.location, current, image, created, result.leftovers, bytes_deleted=result.bytes_deleted
        )
        return change, result.transfer

    def _update(self, current: Image, spec: ImageSpec, fingerprint: str | None = None) -> Change:
        """Update an image's headers; its content does not change.

        :param fingerprint: of the source, if a comparison showed that it has that content
        """
        location = self._target.location
        image = updated_image(current, spec, fingerprint, self._target.client.now())
        if image == current or current.is_link:
            return Change(location, current, current)
        if replace(image, source_fingerprint=current.source_fingerprint) == current:
            # Only the recorded fingerprint of the URL differs, which is not a change of the image.
            if not self._context.check_mode:
                self._target.post(post_headers(image))
            return Change(location, current, current)
        if image.metadata != current.metadata:
            check_limits(image.metadata, image.checksums, self._target.client.capabilities)
        whole, ownership = self._scan_ownership(current, image, spec)
        unfinished = replace(ownership.leftovers, segments=_unfinished_segments(ownership, whole))
        change = Change(location, current, replace(image, last_modified=None), leftovers=len(unfinished.segments))
        for warning in ownership.warnings("do not expire with it" if _has_other_expiry(current, image) else "are kept"):
            self._context.warn(warning)
        if self._context.check_mode:
            return change
        # The note that the image is pending is dropped last.
        delete_leftovers(self._target, unfinished, self._context.concurrency)
        self._post(whole, image, ownership)
        headers = self._target.head() or {}
        if headers and not wait_for_listing(lambda: self._has_expiry(image.delete_at)):
            raise IntegrityError(
                f"{location.label} does not have the expiry that this run set, because another client changed it, or "
                "the cluster ignored it: check the image, and run again."
            )
        return replace(change, after=replace(image, last_modified=last_modified_of(headers)))

    def _has_expiry(self, delete_at: int | None) -> bool:
        """Return whether the image expires at a time, or is gone; one of Swift's servers may learn of it later."""
        headers = self._target.head()
        return headers is None or delete_at_of(headers) == delete_at

    def _scan_ownership(self, current: Image, image: Image, spec: ImageSpec) -> tuple[Image, Ownership]:
        """Find the objects that expire or are deleted with an update; most updates change the manifest alone.

        :returns: also the current image, with its segments if they were needed
        """
        if not (current.is_pending or _has_other_expiry(current, image)):
            return current, Ownership(self._target.location, None, Leftovers())
        whole = read_segments(self._target, current)
        leftovers = find_unfinished(self._target, whole)
        return whole, scan_ownership(self._target, whole, leftovers, spec.force_segments)

    def _post(self, current: Image, image: Image, ownership: Ownership) -> None:
        """Change an image's headers, in an order in which no segment expires before its manifest.

        :param current: with its segments if their expiry changes
        """
        if _has_other_expiry(current, image) or current.is_pending:
            if image.delete_at is not None and (current.delete_at is None or image.delete_at < current.delete_at):
                # For an earlier expiry, the manifest comes first, with a note that its segments must follow.
                self._target.post(post_headers(replace(image, is_pending=True)))
            expiring = replace(current, delete_at=image.delete_at)
            expire_segments(self._target.client, ownership, expiring, self._context.concurrency)
        self._target.post(post_headers(image))


def _has_other_expiry(current: Image, image: Image) -> bool:
    return image.delete_at != current.delete_at or image.is_recorded != current.is_recorded


def _unfinished_segments(ownership: Ownership, current: Image) -> tuple[Segment, ...]:
    """Return the segments that an interrupted run should have deleted: only a pending image has leftovers here."""
    return tuple(ownership.deletable(current))


def has_other_headers(current: Image, image: Image) -> bool:
    """Return whether two images of the same content differ in the headers that a user sees."""
    names = ("metadata", "content_type", "delete_at", "delete_after")
    return any(getattr(current, name) != getattr(image, name) for name in names)


def is_settled(current: Image, source_spec: SourceSpec, spec: ImageSpec) -> bool:
    """Return whether it is known without reading the source that the content stays."""
    if not current.is_readable:
        return False
    if not spec.force:
        return True
    if spec.checksum:
        return current.checksums.get(spec.checksum.algorithm) == spec.checksum.hex
    return current.source_fingerprint is not None and is_same_state(
        current.source_fingerprint, source_spec.fingerprint()
    )


def _expected(spec: ImageSpec) -> Expected:
    digest = (spec.checksum.algorithm, spec.checksum.hex) if spec.checksum else None
    return Expected(digest, may_be_html=digest is not None or spec.content_type is not None)


def updated_image(current: Image, spec: ImageSpec, fingerprint: str | None, now: float) -> Image:
    """Return an image whose content stays, with everything else as *spec* asks for.

    :param now: seconds since the epoch by Swift's clock
    :raises OptionError: the desired expiry has passed
    """
    delete_at, delete_after = current.delete_at, current.delete_after
    if spec.expiry:
        delete_at, delete_after = spec.expiry.times(current, now)
        if delete_at != current.delete_at:
            spec.expiry.check(now)
    checksums = dict(current.checksums)
    if spec.checksum and spec.force:
        # The source has this digest, and the image has the source's content.
        checksums[spec.checksum.algorithm] = spec.checksum.hex
    # A client that dropped the records may have dropped the expiry, too, which the segments still have.
    is_record_lost = spec.expiry is not None and current.kind is not ManifestKind.NONE and not current.is_recorded
    return replace(
        current,
        metadata=current.metadata if spec.metadata is None else spec.metadata,
        content_type=spec.content_type or current.content_type,
        checksums=checksums,
        delete_at=delete_at,
        delete_after=delete_after,
        source_fingerprint=after_comparison(current.source_fingerprint, fingerprint),
        recorded_size=current.size if is_record_lost else current.recorded_size,
        is_pending=False,
    )
