# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Upload of a source's bytes under an image's name, whatever is stored there.

``prepare`` reads the store and decides, ``send`` sends the bytes, and ``commit`` makes the name refer to them. In check
mode ``send`` has a client that changes nothing, and ``predict`` replaces ``commit``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from .._context import RunContext
from .._errors import ConflictError, ImageStoreError, IntegrityError, OptionError
from .._model.image import Image, ManifestKind, Segment
from .._model.layout import lay_out
from .._model.metadata import check_limits
from .._model.owners import may_own
from .._model.spec import ImageSpec
from .._source.digest import Digests
from .._source.file import OpenFile
from .._source.reader import Source
from .._storage.containers import create_containers, missing_containers
from .._storage.image_object import ImageObject
from .._storage.leftovers import Leftovers, find_leftovers, find_under_prefix, without
from .._storage.manifest import write_inner_manifests
from .._storage.manifest_index import find_named_by_others
from .._storage.ownership import Ownership, scan_ownership
from .._storage.races import find_missing, is_current
from .._storage.segments import delete_segments
from .commit import Commit
from .dedup import DedupIndex
from .plain_upload import PlainUpload
from .plan import SentImage, Transfer, UploadPlan, free_prefix
from .recovery import recover
from .segment_upload import SegmentJob, SegmentUpload, SentSegments, StoredSegments


@dataclass(frozen=True)
class UploadResult:
    """The result of an upload, or in check mode its prediction.

    :param image: that has the name now; the current one if the source has the same bytes
    :param leftovers: how many segments without a manifest are deleted
    :param bytes_deleted: how many bytes of objects are deleted or overwritten
    """

    image: Image
    transfer: Transfer
    leftovers: int
    bytes_deleted: int = 0


class Upload:
    """An upload of an image.

    :param dedup: the objects that the task has stored for other images
    """

    def __init__(self, target: ImageObject, context: RunContext, dedup: DedupIndex) -> None:
        self._target = target
        self._client = target.client
        self._context = context
        self._dedup = dedup

    def prepare(self, source: Source, spec: ImageSpec, current: Image | None, is_new: bool) -> UploadPlan:
        """Read the store, and decide how to store the source; nothing is sent.

        :param current: the image that is replaced, with its segments; None if there is none
        :param is_new: whether a listing showed neither the image nor any leftovers
        :raises OptionError: the cluster can't store the image, or other objects have the prefix of the segments
        :raises NotFoundError: there is no container, and none may be created
        """
        location, capabilities = self._target.location, self._client.capabilities
        if spec.expiry:
            spec.expiry.check(self._client.now())
        if spec.metadata:
            check_limits(spec.metadata, spec.recorded_algorithms, capabilities)
        sizes = spec.manifest, spec.large_object_size, spec.segment_size
        layout = lay_out(location, source.size, *sizes, capabilities)
        plan = UploadPlan(
            location,
            source,
            spec,
            layout,
            current,
            prefix=free_prefix(location, layout, spec, current),
            missing_containers=missing_containers(self._target, layout, spec),
        )
        leftovers = Leftovers() if is_new and current is None else find_leftovers(self._target, current)
        under_prefix = self._find_under_prefix(plan)
        segments = tuple({*leftovers.segments, *under_prefix})
        return replace(plan, leftovers=replace(leftovers, segments=segments), under_prefix=under_prefix)

    def _find_under_prefix(self, plan: UploadPlan) -> tuple[Segment, ...]:
        """Find the segments that an interrupted upload left under the user's prefix.

        :raises OptionError: other objects have the prefix, and would become a part of the image; or segments of another
            image have it
        """
        if plan.prefix is None:
            return ()
        own, other = find_under_prefix(self._target, plan.prefix)
        if other is not None:
            raise OptionError(
                f"{other!r} begins with segment_prefix {plan.prefix!r}, and would become a part of the image: choose "
                "another segment_prefix, or remove it."
            )
        if own and not plan.spec.force_segments:
            named = find_named_by_others(self._target, {segment.path for segment in own})
            if named:
                raise OptionError(
                    f"Segments of {min(named.values())!r} begin with segment_prefix {plan.prefix!r}, too: choose "
                    "another segment_prefix, or remove it."
                )
        return own

    def send(self, plan: UploadPlan) -> SentImage:
        """Send the segments, resuming an interrupted upload; for a plain image, only compute the digests.

        :raises SourceError: the source does not have the expected digest, or changed meanwhile
        """
        create_containers(self._client, plan.missing_containers, plan.spec.storage_policy)
        if plan.layout.kind is ManifestKind.NONE:
            checksums, content = self._plain_upload(plan).digest(plan.spec.recorded_algorithms)
            _check(plan, checksums)
            return SentImage(plan.image((), checksums, self._client.now()), Transfer(), content=content)
        upload, sent, in_vain = self._send_segments(plan)
        image = plan.image(sent.segments, sent.checksums, self._client.now())
        if plan.current and not isinstance(plan.source, OpenFile) and image.has_bytes_of(plan.current):
            # The content of a stream is known only after it has been sent.
            image = plan.current
        return SentImage(image, upload.transfer(sent.segments), upload.stored, in_vain)

    def predict(self, plan: UploadPlan, sent: SentImage) -> UploadResult:
        """Return what a commit would do; nothing is changed."""
        is_plain = plan.layout.kind is ManifestKind.NONE
        transfer = self._plain_upload(plan).predict(sent.content) if is_plain else sent.transfer
        return self._result(sent.image, transfer, self._scan_ownership(plan))

    def commit(self, plan: UploadPlan, sent: SentImage) -> UploadResult:
        """Make the name refer to the sent image, and delete what it replaced.

        :raises ImageStoreError: the image is unchanged, unless the error says that the new one is in its place
        """
        ownership = self._scan_ownership(plan)
        commit = Commit(self._target, plan, sent, ownership, self._context)
        if sent.image is plan.current:
            commit.discard()
            return self._result(sent.image, sent.transfer, ownership)
        commit.write_journal()
        transfer = sent.transfer
        if plan.layout.kind is ManifestKind.NONE:
            transfer = self._plain_upload(plan).put(commit.image, sent.content, plan.current)
        else:
            self._restore(plan, sent, commit.image.pieces)
            commit.put_manifest()
            # An image that was deleted as a whole is not restored.
            if is_current(self._target, commit.image):
                self._restore(plan, sent, commit.image.objects)
        image = commit.finish()
        for warning in ownership.warnings():
            self._context.warn(warning)
        return self._result(image, transfer, ownership)

    def _result(self, image: Image, transfer: Transfer, ownership: Ownership) -> UploadResult:
        deleted = sum(segment.size for segment in ownership.deletable(image) if not segment.inner)
        old = ownership.image
        if old is not None and old.kind is ManifestKind.NONE and image is not old and not old.is_link:
            deleted += old.size
        return UploadResult(image, transfer, ownership.count_leftovers(image), deleted)

    def _scan_ownership(self, plan: UploadPlan) -> Ownership:
        return scan_ownership(self._target, plan.current, plan.leftovers, plan.spec.force_segments)

    def _plain_upload(self, plan: UploadPlan) -> PlainUpload:
        if not isinstance(plan.source, OpenFile):
            raise TypeError("a plain upload needs a file, not a stream")
        return PlainUpload(self._target, plan.source, self._context, self._dedup)

    def _send_segments(self, plan: UploadPlan) -> tuple[SegmentUpload, SentSegments, frozenset[Segment]]:
        """Send the segments, resuming an interrupted upload if there is one.

        :returns: also the segments that are not needed, because the interrupted upload had different content
        """
        prefix = plan.prefix or plan.resumable_generation()
        upload = self._segment_upload(plan, prefix, plan.leftovers.segments)
        try:
            return upload, self._run(upload, plan, frozenset()), frozenset()
        except ConflictError:
            if prefix is None or not isinstance(plan.source, OpenFile):
                raise
        in_vain = upload.stored
        delete_segments(self._client, without(plan.under_prefix, plan.own_paths), self._context.concurrency)
        upload = self._segment_upload(plan, plan.prefix, ())
        return upload, self._run(upload, plan, in_vain), in_vain

    def _segment_upload(self, plan: UploadPlan, prefix: str | None, listed: Collection[Segment]) -> SegmentUpload:
        current = plan.current
        is_recorded = current is not None and current.is_recorded and current.delete_at is None
        stored = StoredSegments(
            listed=listed,
            non_expiring=plan.own_paths if is_recorded else (),
            current=_copyable(plan),
        )
        job = SegmentJob(plan.source, plan.layout, plan.naming(prefix), stored)
        return SegmentUpload(self._target, job, self._context, self._dedup)

    def _run(self, upload: SegmentUpload, plan: UploadPlan, in_vain: frozenset[Segment]) -> SentSegments:
        try:
            sent = upload.run(plan.spec.recorded_algorithms)
            _check(plan, sent.checksums)
        except ConflictError:
            raise
        except ImageStoreError as error:
            # In check mode nothing was stored.
            stored = frozenset() if self._context.check_mode else upload.stored | in_vain
            failure = recover(self._target, plan, error, stored, self._context.concurrency)
            if failure is error:
                raise
            raise failure from error
        return sent

    def _restore(self, plan: UploadPlan, sent: SentImage, expected: Iterable[Segment]) -> None:
        """Send those of *expected* again that another run deleted meanwhile."""
        there, missing = find_missing(self._target, sent.image, expected)
        if not missing:
            return
        if not isinstance(plan.source, OpenFile):
            raise IntegrityError(
                f"Another upload of this image deleted {len(missing)} segments that this upload needs: run again."
            )
        self._run(self._segment_upload(plan, sent.image.segment_prefix, there), plan, sent.in_vain)
        write_inner_manifests(self._target, missing)


def _copyable(plan: UploadPlan) -> Sequence[Segment]:
    """Return the current image's segments, which Swift may copy; none if some could belong to another image."""
    current = plan.current
    if current is None or not current.is_readable or not current.is_comparable_by_segments:
        return ()
    return current.pieces if all(may_own(plan.location, piece) for piece in current.pieces) else ()


def _check(plan: UploadPlan, checksums: Digests) -> None:
    if plan.spec.checksum:
        plan.spec.checksum.check(checksums, plan.source.label)
