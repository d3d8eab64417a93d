# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A source's bytes into Swift: segments in flight, and those that are there already left alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

from .._concurrency import parallel_map
from .._errors import ConflictError, IntegrityError, OptionError
from .._model.headers import etag_of
from .._model.image import ManifestKind, Path, Segment
from .._model.layout import Layout
from .._model.location import Location
from .._model.names import segment_type
from .._progress import Progress
from .._source.digest import Digests, digest_segment
from .._source.file import Part, PartReader
from .._source.reader import Source, reading
from .._storage.segments import set_expiry
from .._swift.client import SwiftClient
from .dedup import Content, DedupIndex, copy_if_same

# What a segment's name is made of; its ETag is an MD5 besides.
_OF_NAMES: Mapping[ManifestKind, tuple[str, ...]] = {ManifestKind.SLO: ("sha256",), ManifestKind.DLO: ()}

# Names the segment that a part becomes: by its number from 1, its size in bytes and its digests.
Naming = Callable[[int, int, Digests], str]


@dataclass(frozen=True)
class Transfer:
    """What an upload sent and what it could spare; a plain image has no segments."""

    bytes_uploaded: int = 0
    bytes_reused: int = 0
    segments_uploaded: int = 0
    segments_reused: int = 0


@dataclass(frozen=True)
class Sent:
    """What became of a source.

    :param segments: in the image's order
    :param checksums: of the whole source, in hex by algorithm
    """

    segments: Sequence[Segment]
    checksums: Mapping[str, str]


class SegmentUpload:
    """A large image's segments: each is digested, and sent unless it is there.

    :param name_segment: says what the segment is called that a part becomes
    :param there: segments in the store; what has the same name, size and ETag is not sent again
    :param lasting: the paths of those that Swift is not going to remove of itself; of others that is found out
    :param standing: the pieces of the image that stands; Swift copies those of a DLO that stay the same, and the ETags
        of an SLO's are known
    :param concurrency: how many segments are in flight
    :param sends: False for finding out what the segments would be, and sending none
    :param progress: counts what is sent, and what is there
    :param dedup: what the task has stored of other images
    """

    def __init__(
        self,
        client: SwiftClient,
        location: Location,
        source: Source,
        layout: Layout,
        name_segment: Naming,
        there: Collection[Segment],
        lasting: Collection[tuple[str, str]],
        standing: Sequence[Segment],
        concurrency: int,
        sends: bool,
        progress: Progress,
        dedup: DedupIndex,
    ) -> None:
        self._client = client
        self._progress = progress
        self._dedup = dedup
        self._label = location.label
        self._type = segment_type(location)
        self._container = location.segment_container
        self._source = source
        self._layout = layout
        self._name_segment = name_segment
        self._there = {segment.path: segment for segment in there}
        self._lasting = set(lasting)
        self._standing = standing if layout.kind is ManifestKind.DLO else ()
        named = standing if layout.kind is ManifestKind.SLO else ()
        # Their content is in their names, and its MD5 in the manifest that stands and in the listing.
        self._known = {segment.path: segment for segment in set(named) & set(there)}
        self._concurrency = concurrency
        self._sends = sends
        self._lock = threading.Lock()
        # What this upload stores, or would: nobody else's.
        self._begun: set[Segment] = set()
        # What is to be copied, and from where.
        self._same: dict[Segment, Segment] = {}
        self._copied: set[Segment] = set()

    @property
    def stored(self) -> frozenset[Segment]:
        """What this upload stored, or began to."""
        return frozenset(self._begun | self._copied if self._sends else ())

    def run(self, algorithms: Collection[str]) -> Sent:
        """Digest and send all of the source.

        :param algorithms: of the whole source's digests, as hashlib names them
        :raises SourceError: the source changed meanwhile
        """
        self._progress.begin("uploading" if self._sends else "reading", self._label, self._source.size)
        with reading(self._source, self._layout.segment_size, algorithms) as parts_and_whole:
            segments = parallel_map(self._send, enumerate(parts_and_whole.parts(), 1), self._concurrency)
            sent = Sent(segments, parts_and_whole.checksums())
        self._source.check_unchanged()
        if self._sends and not len(self._same) == len(segments) == len(self._standing):
            parallel_map(self._copy, self._same.items(), self._concurrency)
        return sent

    def transfer(self, segments: Sequence[Segment]) -> Transfer:
        """What had to be sent of *segments*, which are all of the image's."""
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
            if self._stays(number, segment) or not self._begin(segment):
                self._progress.reuse(segment.size)
            elif self._sends:
                self._store(segment, part)
            return segment
        finally:
            part.release()

    def _segment(self, number: int, part: Part) -> Segment:
        """The segment that a part becomes."""
        of_name = _OF_NAMES[self._layout.kind]
        if self._known:
            name = self._name_segment(number, part.size, digest_segment(part, of_name))
            known = self._known.get((self._container, name))
            if known:
                return known
        digests = digest_segment(part, (*of_name, "md5"))
        return Segment(self._container, self._name_segment(number, part.size, digests), part.size, digests["md5"])

    def _check_number(self, number: int) -> None:
        if number > self._layout.max_segments:
            raise OptionError(
                f"{self._source.label} has more than the {self._layout.max_segments} segments that this cluster takes: "
                "choose a larger segment_size, or say in size how many bytes there are."
            )

    def _stays(self, number: int, segment: Segment) -> bool:
        """Whether the image that stands has the same bytes in the same place, and the store has them nowhere else."""
        if number > len(self._standing) or segment.path in self._there:
            return False
        standing = self._standing[number - 1]
        if (standing.size, standing.etag) != (segment.size, segment.etag):
            return False
        with self._lock:
            self._same[segment] = standing
        return True

    def _copy(self, pair: tuple[Segment, Segment]) -> None:
        """Have Swift copy a segment: by its MD5 it is the same, and a DLO's segments are known by nothing else."""
        segment, standing = pair
        with self._lock:
            self._copied.add(segment)
        etag = self._client.copy_object(standing.path, segment.path, {"Content-Type": self._type})
        if etag != segment.etag:
            raise _damaged(segment, etag)

    def _begin(self, segment: Segment) -> bool:
        """Whether *segment* is nowhere yet: not in the store, nor another part's of the same content."""
        is_there = self._is_there(segment)
        with self._lock:
            if is_there or segment in self._begun:
                return False
            self._begun.add(segment)
            return True

    def _is_there(self, segment: Segment) -> bool:
        """Whether *segment* is in the store, and stays there."""
        there = self._there.get(segment.path)
        if there is not None and self._layout.kind is ManifestKind.DLO and there != segment:
            raise _in_the_way(segment)
        if there != segment or segment.path in self._lasting:
            return there == segment
        # Listings show what has expired, too, and not what is going to.
        if not (set_expiry(self._client, [segment], None, 1) if self._sends else self._exists(segment)):
            return False
        self._lasting.add(segment.path)
        return True

    def _exists(self, segment: Segment) -> bool:
        return self._client.head_object(*segment.path) is not None

    def _store(self, segment: Segment, part: Part) -> None:
        """Send a segment, or have it copied where another image has it, too."""
        send = partial(self._put_segment, segment, part)
        if self._layout.kind is not ManifestKind.SLO:
            send()
            return
        content = Content(digest_segment(part, ("sha256",))["sha256"], segment.size)
        if not self._dedup.store(content, segment.path, send, partial(self._copy_from, segment)):
            with self._lock:
                self._copied.add(segment)
            self._progress.reuse(segment.size)

    def _copy_from(self, segment: Segment, path: Path) -> bool:
        return copy_if_same(self._client, path, segment.path, segment.etag, {"Content-Type": self._type})

    def _put_segment(self, segment: Segment, part: Part) -> None:
        headers = {"ETag": segment.etag, "Content-Type": self._type}
        if self._layout.kind is ManifestKind.DLO:
            # Two uploads that take over the same generation must not write over each other's segments.
            headers["If-None-Match"] = "*"
        reader = PartReader(part, self._progress.add)
        try:
            put_part(self._client, segment.path, reader, headers)
        except ConflictError:
            self._accept_if_same(segment)
            reader.seek(part.size)

    def _accept_if_same(self, segment: Segment) -> None:
        """Go on where the segment in the way has the same bytes: another upload's, or ours whose answer was lost."""
        headers = self._client.head_object(segment.container, segment.name)
        if headers is None or etag_of(headers) != segment.etag:
            raise _in_the_way(segment)


def _in_the_way(segment: Segment) -> ConflictError:
    return ConflictError(
        f"Another upload of this image writes other bytes to {segment.container}/{segment.name}: "
        "run again when it has ended.",
        HTTPStatus.PRECONDITION_FAILED,
    )


def put_part(client: SwiftClient, path: Path, reader: PartReader, headers: Mapping[str, str]) -> None:
    """Store a part as an object of its own.

    :param headers: with the ETag that it has to have
    :raises IntegrityError: it got another
    """
    etag = client.put_object(*path, reader, reader.size, headers)
    if etag != headers["ETag"]:
        raise _damaged(Segment(*path, reader.size, headers["ETag"]), etag)


def _damaged(segment: Segment, etag: str) -> IntegrityError:
    return IntegrityError(
        f"Swift stored {segment.container}/{segment.name} with ETag {etag} and {segment.etag} was sent: "
        "run again to send it anew."
    )
