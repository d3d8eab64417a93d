# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The decisions of an upload, as values and without requests: names of segments, and the image that they make."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from string import digits

from .._model.image import Image, ManifestKind, Path, Segment, large_object_etag
from .._model.layout import Layout
from .._model.location import Location
from .._model.names import abandoned_generation, content_name, new_generation, numbered_name
from .._model.spec import ImageSpec
from .._source.digest import Digests
from .._source.file import OpenFile
from .._source.reader import Source
from .._storage.leftovers import Leftovers
from .._storage.manifest import nest
from .dedup import Content

_DEFAULT_CONTENT_TYPE = "application/octet-stream"


@dataclass(frozen=True)
class Naming:
    """The naming of an upload's segments.

    :param prefix: of a DLO's segments, which are numbered; None for an SLO's segments, which are named by their content
    """

    location: Location
    prefix: str | None = None

    @property
    def algorithms(self) -> tuple[str, ...]:
        """The digests of a segment that its name is made of."""
        return ("sha256",) if self.prefix is None else ()

    def name(self, number: int, size: int, digests: Digests) -> str:
        """Return a segment's name.

        :param number: of the segment in the image, from 1
        :param size: in bytes
        """
        if self.prefix is None:
            return content_name(self.location, digests["sha256"], size)
        return numbered_name(self.prefix, number)


@dataclass(frozen=True)
class UploadPlan:
    """The plan of an upload, with the facts that it was made from. Planning reads no bytes of the source.

    :param current: the image that is replaced, with its segments; None if there is none
    :param prefix: the user's prefix for a DLO's segments, if the current image does not use it
    :param leftovers: segments and journals beside the current image
    :param under_prefix: the segments under *prefix*
    :param missing_containers: the containers to create first
    """

    location: Location
    source: Source
    spec: ImageSpec
    layout: Layout
    current: Image | None
    prefix: str | None = None
    leftovers: Leftovers = field(default_factory=Leftovers)
    under_prefix: tuple[Segment, ...] = ()
    missing_containers: tuple[str, ...] = ()

    @property
    def own_paths(self) -> frozenset[Path]:
        """The paths of the current image's own objects."""
        return frozenset(segment.path for segment in (self.current.own_objects if self.current else ()))

    @property
    def is_resumable(self) -> bool:
        """True if a later run can reuse the segments that this one sent."""
        return self.layout.kind is ManifestKind.SLO or isinstance(self.source, OpenFile)

    def naming(self, prefix: str | None) -> Naming:
        """Return the naming of the segments.

        :param prefix: of a DLO's segments; None for a new one that no other upload has
        """
        if self.layout.kind is not ManifestKind.DLO:
            return Naming(self.location)
        return Naming(
            self.location, prefix or new_generation(self.location, self.layout.size, self.layout.segment_size)
        )

    def resumable_generation(self) -> str | None:
        """Return the prefix under which an interrupted upload of a DLO of this size left segments.

        It is never the prefix of the current image, because nothing may be added to that.
        """
        size = self.layout.size
        if self.layout.kind is not ManifestKind.DLO or size is None or not isinstance(self.source, OpenFile):
            return None
        own_names = {name for _container, name in self.own_paths}
        names = {segment.name for segment in self.leftovers.segments} - own_names
        return abandoned_generation(self.location, names, size, self.layout.segment_size)

    def image(self, segments: Sequence[Segment], checksums: Mapping[str, str], now: float) -> Image:
        """Return the image that the upload makes.

        :param segments: the image's segments, in its order; none for a plain image
        :param checksums: of the whole source, in hex by algorithm
        :param now: seconds since the epoch by Swift's clock
        """
        kind, is_plain = self.layout.kind, self.layout.kind is ManifestKind.NONE
        entries = tuple(segments)
        if kind is ManifestKind.SLO:
            entries = nest(self.location, entries, self.layout.max_entries)
        size = int(self.layout.size or 0) if is_plain else sum(segment.size for segment in entries)
        delete_at, delete_after = self._expiry_times(now)
        current = self.current
        return Image(
            kind=kind,
            size=size,
            etag=checksums["md5"] if is_plain else large_object_etag(segment.etag for segment in entries),
            segments=entries,
            segment_count=len(segments),
            checksums=checksums,
            segment_container=None if is_plain else self.location.segment_container,
            segment_prefix=entries[0].name.rstrip(digits) if kind is ManifestKind.DLO else None,
            content_type=self.spec.content_type or (current and current.content_type) or _DEFAULT_CONTENT_TYPE,
            metadata=self._metadata(),
            delete_at=delete_at,
            delete_after=delete_after,
            source_fingerprint=self.source.fingerprint,
            recorded_size=size,
        )

    def _metadata(self) -> Mapping[str, str]:
        if self.spec.metadata is not None:
            return self.spec.metadata
        return self.current.metadata if self.current else {}

    def _expiry_times(self, now: float) -> tuple[int | None, int | None]:
        """Return the image's expiry, counted from now, when all of its bytes have been sent."""
        if self.spec.expiry:
            return self.spec.expiry.times(None, now)
        return (self.current.delete_at, self.current.delete_after) if self.current else (None, None)


def free_prefix(location: Location, layout: Layout, spec: ImageSpec, current: Image | None) -> str | None:
    """Return the prefix that the user chose for a DLO's segments; None if the current image uses it."""
    prefix = spec.segment_prefix
    if layout.kind is not ManifestKind.DLO or prefix is None:
        return None
    if current is None or current.segment_prefix is None:
        return prefix
    is_same_container = current.segment_container == location.segment_container
    return None if is_same_container and prefix.startswith(current.segment_prefix) else prefix


@dataclass(frozen=True)
class Transfer:
    """The bytes and segments that an upload sent and reused; a plain image has no segments."""

    bytes_uploaded: int = 0
    bytes_reused: int = 0
    segments_uploaded: int = 0
    segments_reused: int = 0


@dataclass(frozen=True)
class SentImage:
    """The image that an upload has sent, before its name refers to it.

    :param image: as it will be; the current one if the source has the same bytes
    :param stored: the objects that the upload stored, or began to store
    :param in_vain: those of them that the image does not use
    :param content: the identity of a plain image's bytes, if another image of the task may have the same bytes
    """

    image: Image
    transfer: Transfer
    stored: frozenset[Segment] = frozenset()
    in_vain: frozenset[Segment] = frozenset()
    content: Content | None = None


def superseded(image: Image, deletable: Iterable[Segment], in_vain: Collection[Segment]) -> list[Segment]:
    """Return the segments that are not needed once *image* is the current one.

    :param deletable: the old image's own objects to which the new manifest does not refer
    :param in_vain: the segments that this upload stored, and does not use
    """
    kept = {segment.path for segment in image.objects}
    return [*deletable, *(segment for segment in in_vain if segment.path not in kept)]


def with_pending_note(image: Image, has_work_left: bool) -> Image:
    """Return *image*, with a note that it is pending if work is left, so that the next run can finish it.

    :param has_work_left: whether segments or journals must be deleted
    """
    is_expiring = image.delete_at is not None and bool(image.segments)
    return replace(image, is_pending=has_work_left or is_expiring)
