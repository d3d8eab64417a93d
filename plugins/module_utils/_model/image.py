# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images and segments as plain data, passed between the parts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import Enum
from typing import Any

from .names import readable

# An object's container and name.
Path = tuple[str, str]


# The number of an image's segments, which only this collection records.
SEGMENTS_HEADER = "x-object-meta-image-segments"


class ManifestKind(str, Enum):
    """The kind of an image in Swift: one object, a static or a dynamic large object."""

    NONE = "none"
    SLO = "slo"
    DLO = "dlo"


@dataclass(frozen=True)
class Segment:
    """A segment, as a manifest or a listing names it.

    :param size: in bytes
    :param etag: the MD5 of its bytes, in hex
    :param whole: whether the image holds all of it; False for a range of an object
    :param inner: the segments of a segment that is an SLO itself
    :param content_type: as a listing or a HEAD has it; empty if it is unknown
    :param is_vouched: whether all manifests that lead to it are in the image's own container
    """

    container: str
    name: str
    size: int
    etag: str
    whole: bool = True
    inner: tuple[Segment, ...] = ()
    content_type: str = field(default="", compare=False)
    is_vouched: bool = field(default=True, compare=False)

    @classmethod
    def of_listing(cls, container: str, entry: Mapping[str, Any]) -> Segment:
        """Return a segment by its entry in *container*'s listing."""
        content_type = entry.get("content_type", "")
        return cls(container, entry["name"], entry["bytes"], entry["hash"], content_type=content_type)

    @property
    def path(self) -> Path:
        """The segment's container and name."""
        return self.container, self.name

    def objects(self) -> Iterator[Segment]:
        """Yield the segment, and all segments in it."""
        yield self
        for segment in self.inner:
            yield from segment.objects()


@dataclass(frozen=True)
class Symlink:
    """The object that a symlink leads to.

    :param account: None for the link's own
    """

    container: str
    name: str
    account: str | None = None

    @property
    def label(self) -> str:
        """The account, container and name for messages."""
        return "/".join(part for part in (self.account, self.container, self.name) if part)


@dataclass(frozen=True)
class Image:
    """An image as it is stored, or as it will be.

    :param size: in bytes
    :param segments: that its manifest names, in the image's order
    :param segment_count: how many segments hold its bytes; None if it is unknown
    :param hides_segments: whether the cluster does not return its manifest (Ceph RGW). Its segments are then unknown,
        except for those in *segments*, which names and ETags prove.
    :param strangers: objects that Swift reads with a DLO because of their prefix, and that are not provably segments
    :param foreign_segments: those of its segments that were written for another image
    :param symlink: the target, if the name is a symlink; the other fields then describe the target
    :param is_readable: False if the image can't be read, or its bytes do not count as stored
    :param problems: a sentence for each problem that prevents reading, and for each header that no client writes
    :param etag: without quotes: a plain object's MD5, a large object's MD5 of its segments' ETags; None for a DLO of
        more than one listing page, for which Swift returns none
    :param manifest_etag: the MD5 of an SLO's manifest; None if it is unknown
    :param checksums: hex digests of the whole image by algorithm, as far as they are known
    :param segment_container: the container of its segments; None for a plain image
    :param segment_prefix: the prefix in a DLO's manifest; None for other kinds
    :param metadata: the user's, names in lower case
    :param last_modified: ISO 8601, UTC; None while it is only planned
    :param delete_at: seconds since the epoch
    :param delete_after: the number of seconds with which *delete_at* was set, if it was set that way
    :param source_fingerprint: identifies the state of the URL that the image came from
    :param recorded_size: the size that this collection recorded, in bytes; None if another client dropped the record,
        or wrote the image
    :param is_pending: whether a run has left work to do: segments to delete, or to let expire
    :param kept_headers: the headers that a POST must repeat so that Swift does not drop them
    """

    kind: ManifestKind
    size: int
    etag: str | None
    segments: tuple[Segment, ...] = ()
    segment_count: int | None = None
    hides_segments: bool = False
    strangers: tuple[Segment, ...] = ()
    foreign_segments: frozenset[Segment] = frozenset()
    symlink: Symlink | None = None
    is_readable: bool = True
    problems: tuple[str, ...] = ()
    checksums: Mapping[str, str] = field(default_factory=dict)
    segment_container: str | None = None
    segment_prefix: str | None = None
    content_type: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    last_modified: str | None = None
    delete_at: int | None = None
    delete_after: int | None = None
    source_fingerprint: str | None = None
    recorded_size: int | None = None
    is_pending: bool = False
    kept_headers: Mapping[str, str] = field(default_factory=dict)
    manifest_etag: str | None = field(default=None, compare=False)

    @property
    def is_link(self) -> bool:
        """True if the image's name is a symlink."""
        return self.symlink is not None

    @property
    def is_recorded(self) -> bool:
        """True if the headers are still those that this collection wrote with the image."""
        return self.recorded_size is not None

    @property
    def records_segments(self) -> bool:
        """True if this collection noted with the manifest that its segments are its own."""
        return SEGMENTS_HEADER in self.kept_headers

    @property
    def objects(self) -> tuple[Segment, ...]:
        """All objects that hold the image's bytes or refer to them, except the one that has the image's name."""
        return tuple(found for segment in self.segments for found in segment.objects())

    @property
    def own_objects(self) -> tuple[Segment, ...]:
        """The objects that are deleted with the image: none of a link's target, and none written for another image."""
        return () if self.is_link else tuple(found for found in self.objects if found not in self.foreign_segments)

    @property
    def pieces(self) -> tuple[Segment, ...]:
        """The segments that hold bytes, without the manifests among them."""
        return tuple(segment for segment in self.objects if not segment.inner)

    @property
    def read_segments(self) -> tuple[Segment, ...]:
        """The segments in the order in which Swift reads them, with the foreign objects under a DLO's prefix."""
        if not self.strangers:
            return self.segments
        return tuple(sorted((*self.segments, *self.strangers), key=lambda segment: segment.name))

    def as_read(self) -> Image:
        """Return the image with the foreign objects under a DLO's prefix as segments: readers get their bytes."""
        return replace(self, segments=self.read_segments, strangers=())

    @property
    def is_comparable_by_segments(self) -> bool:
        """True if sizes and ETags of the pieces identify all of the content."""
        told = not self.strangers and all(segment.whole for segment in self.pieces)
        return told and sum(segment.size for segment in self.pieces) == self.size

    @property
    def is_proved_by_etag(self) -> bool:
        """True unless an SLO's ETag is that of another manifest, with other segments.

        The ETag is the MD5 of the segments' ETags, at each level of SLOs. Only a listing shows the segments of a DLO.
        """
        return self.kind is not ManifestKind.SLO or _is_etag_of(str(self.etag), self.segments)

    def has_bytes_of(self, other: Image) -> bool:
        """Return whether both images hold the same bytes, by their pieces if they are cut alike, or by digests."""
        common = self.checksums.keys() & other.checksums.keys()
        if self.size != other.size or not other.is_readable:
            return False
        if any(self.checksums[name] != other.checksums[name] for name in common):
            return False
        pieces = [(segment.size, segment.etag) for segment in self.pieces]
        alike = other.is_comparable_by_segments and pieces == [(segment.size, segment.etag) for segment in other.pieces]
        return alike or bool(common)

    @property
    def effective_etag(self) -> str | None:
        """The ETag; if Swift does not return one, it is computed from the segments if they identify all content."""
        if self.etag is None and self.is_comparable_by_segments:
            return large_object_etag(segment.etag for segment in self.pieces)
        return self.etag

    def facts(self) -> dict[str, Any]:
        """Return the part of a module's result that describes the image itself."""
        facts: dict[str, Any] = {} if self.symlink is None else {"symlink": asdict(self.symlink)}
        return {
            **facts,
            "exists": True,
            "size": self.size,
            "etag": self.effective_etag,
            "checksums": dict(self.checksums),
            "manifest": self.kind.value,
            "segments": self.segment_count,
            "segment_container": self.segment_container,
            "segment_prefix": self.segment_prefix,
            "content_type": None if self.content_type is None else readable(self.content_type),
            "metadata": {name: readable(value) for name, value in self.metadata.items()},
            "last_modified": self.last_modified,
            "delete_at": self.delete_at,
        }


def unreadable_image(problem: str) -> Image:
    """Return the image of a name whose object can't be read as an image."""
    return Image(ManifestKind.NONE, 0, None, segment_count=0, is_readable=False, problems=(problem,))


def _is_etag_of(etag: str, segments: Sequence[Segment]) -> bool:
    is_inner_right = all(_is_etag_of(segment.etag, segment.inner) for segment in segments if segment.inner)
    return is_inner_right and etag == large_object_etag(segment.etag for segment in segments)


def large_object_etag(segment_etags: Iterable[str]) -> str:
    """Return the ETag that Swift gives an SLO or DLO: the MD5 of its segments' ETags, one after the other."""
    return hashlib.md5("".join(segment_etags).encode("ascii"), usedforsecurity=False).hexdigest()
