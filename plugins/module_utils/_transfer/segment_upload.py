# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Uploads in segments: several are in flight, and stored segments are not sent again."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from http import HTTPStatus

from .._concurrency import parallel_map
from .._context import RunContext
from .._errors import ConflictError, IntegrityError, NotFoundError, OptionError
from .._model.headers import etag_of, expiry_headers
from .._model.image import ManifestKind, Path, Segment
from .._model.layout import Layout
from .._model.names import segment_type
from .._source.digest import digest_segment
from .._source.file import Part, PartReader
from .._source.reader import Source, reading
from .._storage.image_object import ImageObject
from .._swift.client import SwiftClient
from .dedup import Content, DedupIndex, copy_if_same
from .plan import Naming, Transfer


class Action(Enum):
    """The action of an upload for one segment."""

    SEND = "send"
    REUSE = "reuse"
    COPY = "copy"


@dataclass(frozen=True)
class StoredSegments:
    """The segments in the store that an upload can use.

    :param listed: of interrupted uploads and of the current image
    :param non_expiring: the paths of segments known to have no expiry; the others are checked with a request
    :param current: the current image's segments in its order, if they hold all of its content
    """

    listed: Collection[Segment] = ()
    non_expiring: Collection[Path] = ()
    current: Sequence[Segment] = ()

    @cached_property
    def by_path(self) -> Mapping[Path, Segment]:
        """The listed segments by path."""
        return {segment.path: segment for segment in self.listed}

    def decide(self, kind: ManifestKind, number: int, segment: Segment) -> Action:
        """Decide what to do for the segment that a part of the source becomes.

        A new DLO has segments of its own, so that its upload never touches what is being read. Swift copies the
        segments that stay the same, which only their MD5 identifies.

        :param kind: of the new image
        :param number: of the segment in the image, from 1
        :raises ConflictError: another upload stored other bytes under a DLO segment's name
        """
        listed = self.by_path.get(segment.path)
        if listed == segment:
            return Action.REUSE
        if kind is not ManifestKind.DLO:
            return Action.SEND
        if listed is not None:
            raise in_the_way(segment)
        same = self.current[number - 1] if number <= len(self.current) else None
        is_same = same is not None and (same.size, same.etag) == (segment.size, segment.etag)
        return Action.COPY if is_same else Action.SEND


@dataclass(frozen=True)
class SegmentJob:
    """The input of a segment upload."""

    source: Source
    layout: Layout
    naming: Naming
    stored: StoredSegments


@dataclass(frozen=True)
class SentSegments:
    """The segments that were made from a source.

    :param segments: in the image's order
    :param checksums: of the whole source, in hex by algorithm
    """

    segments: Sequence[Segment]
    checksums: Mapping[str, str]


class SegmentUpload:
    """The upload of one image's segments: each part of the source is digested, and sent unless it is in the store."""

    def __init__(self, target: ImageObject, job: SegmentJob, context: RunContext, dedup: DedupIndex) -> None:
        self._target = target
        self._client = target.client
        self._job = job
        self._context = context
        self._dedup = dedup
        self._headers = {"Content-Type": segment_type(target.location)}
        self._lock = threading.Lock()
        self._non_expiring = set(job.stored.non_expiring)
        # The segments that this upload stores itself; the segments of the current image to copy, by new segment; and
        # the new segments that Swift copied.
        self._begun: set[Segment] = set()
        self._same: dict[Segment, Segment] = {}
        self._copied: set[Segment] = set()

    @property
    def stored(self) -> frozenset[Segment]:
        """The segments that this upload stored, or began to store."""
        return frozenset(self._begun | self._copied)

    def run(self, algorithms: Collection[str]) -> SentSegments:
        """Digest and send all of the source.

        :param algorithms: of the whole source's digests, as hashlib names them
        :raises SourceError: the source changed meanwhile
        """
        source, layout, concurrency = self._job.source, self._job.layout, self._context.concurrency
        self._context.progress.begin("uploading", self._target.location.label, source.size)
        with reading(source, layout.segment_size, algorithms) as opened:
            segments = parallel_map(self._send, enumerate(opened.parts, 1), concurrency)
            sent = SentSegments(segments, opened.checksums())
        source.check_unchanged()
        # If all segments are the current image's, the source is that image, and nothing is replaced.
        if not len(self._same) == len(segments) == len(self._job.stored.current):
            parallel_map(self._copy, self._same.items(), concurrency)
        return sent

    def transfer(self, segments: Sequence[Segment]) -> Transfer:
        """Return the counts of sent and reused bytes and segments.

        :param segments: all segments of the image
        """
        sent = self._begun - self._copied
        uploaded = sum(segment.size for segment in sent)
        return Transfer(
            bytes_uploaded=uploaded,
            bytes_reused=sum(segment.size for segment in segments) - uploaded,
            segments_uploaded=len(sent),
            segments_reused=len(segments) - len(sent),
        )

    def _send(self, numbered: tuple[int, Part]) -> Segment:
        number, part = numbered
        try:
            self._check_number(number)
            segment = self._segment(number, part)
            if self._has_to_be_stored(number, segment):
                self._store(segment, part)
            else:
                self._context.progress.reuse(segment.size)
            return segment
        finally:
            part.release()

    def _check_number(self, number: int) -> None:
        most = self._job.layout.max_segments
        if number > most:
            raise OptionError(
                f"{self._job.source.label} needs more than the {most} segments that this cluster allows: choose a "
                "larger segment_size, or set size to the number of bytes."
            )

    def _segment(self, number: int, part: Part) -> Segment:
        """Return the segment that a part becomes."""
        naming, container = self._job.naming, self._target.location.segment_container
        digests = digest_segment(part, (*naming.algorithms, "md5"))
        return Segment(container, naming.name(number, part.size, digests), part.size, digests["md5"])

    def _has_to_be_stored(self, number: int, segment: Segment) -> bool:
        """Return whether *segment* must be stored: it is not in the store, and no other part has the same content."""
        action = self._job.stored.decide(self._job.layout.kind, number, segment)
        if action is Action.COPY:
            with self._lock:
                self._same[segment] = self._job.stored.current[number - 1]
            return False
        if action is Action.REUSE and self._keep(segment):
            return False
        with self._lock:
            if segment in self._begun:
                return False
            self._begun.add(segment)
            return True

    def _keep(self, segment: Segment) -> bool:
        """Remove the expiry of a listed segment; return False if it is gone, because listings show expired objects."""
        if segment.path not in self._non_expiring:
            headers = self._client.head_object(*segment.path)
            if headers is None:
                return False
            try:
                # The POST is always sent, so that the segment is not old any more: a clean-up deletes old ones.
                self._client.post_object(*segment.path, expiry_headers(headers, None))
            except NotFoundError:
                return False
            self._non_expiring.add(segment.path)
        return True

    def _copy(self, pair: tuple[Segment, Segment]) -> None:
        """Have Swift copy a segment of the current image."""
        segment, same = pair
        with self._lock:
            self._copied.add(segment)
        etag = self._client.copy_object(same.path, segment.path, self._headers)
        if etag != segment.etag:
            raise _damaged(segment, etag)

    def _store(self, segment: Segment, part: Part) -> None:
        """Send a segment, or have Swift copy it if the task has stored the same content for another image."""
        if self._job.layout.kind is not ManifestKind.SLO:
            self._put(segment, part)
            return
        content = Content(digest_segment(part, ("sha256",))["sha256"], segment.size)
        with self._dedup.claim(content, segment.path) as path:
            if path is None or not copy_if_same(self._client, path, segment.path, segment.etag, self._headers):
                self._put(segment, part)
                return
        with self._lock:
            self._copied.add(segment)
        self._context.progress.reuse(segment.size)

    def _put(self, segment: Segment, part: Part) -> None:
        headers = {**self._headers, "ETag": segment.etag}
        if self._job.layout.kind is ManifestKind.DLO:
            # Two uploads that resume the same generation must not overwrite each other's segments.
            headers["If-None-Match"] = "*"
        reader = PartReader(part, self._context.progress.add)
        try:
            put_part(self._client, segment.path, reader, headers)
        except ConflictError:
            self._accept_if_same(segment)
            reader.seek(part.size)

    def _accept_if_same(self, segment: Segment) -> None:
        """Accept an existing object if it has the same bytes: another upload's, or ours if the answer was lost."""
        headers = self._client.head_object(*segment.path)
        if headers is None or etag_of(headers) != segment.etag:
            raise in_the_way(segment)


def put_part(client: SwiftClient, path: Path, reader: PartReader, headers: Mapping[str, str]) -> None:
    """Store a part as an object of its own.

    :param headers: with the expected ETag
    :raises IntegrityError: Swift returned another ETag
    """
    etag = client.put_object(*path, reader, reader.size, headers)
    if etag != headers["ETag"]:
        raise _damaged(Segment(*path, reader.size, headers["ETag"]), etag)


def in_the_way(segment: Segment) -> ConflictError:
    """Return the error for a segment under whose name another upload has stored other bytes."""
    return ConflictError(
        f"Another upload of this image writes other content to {segment.container}/{segment.name}: run again when it "
        "has ended.",
        HTTPStatus.PRECONDITION_FAILED,
    )


def _damaged(segment: Segment, etag: str) -> IntegrityError:
    return IntegrityError(
        f"Swift stored {segment.container}/{segment.name} with ETag {etag}, but {segment.etag} was sent: run again to "
        "send the segment again."
    )
