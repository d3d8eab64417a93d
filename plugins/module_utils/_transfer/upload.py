# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A source's bytes under an image's name, in the place of whatever is there.

Until the new manifest stands, the name means what it meant before, and nothing that it needs is touched.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from string import digits

from .._errors import ConflictError, ImageStoreError, IntegrityError, OptionError, SourceError
from .._model.checksum import Checksum
from .._model.image import Image, ManifestKind, Segment, large_object_etag
from .._model.layout import Layout
from .._model.location import Location
from .._model.names import abandoned_generation, content_name, new_generation, numbered_name
from .._model.spec import Expiry
from .._progress import Progress
from .._source.digest import Digests
from .._source.file import OpenFile
from .._source.reader import Source
from .._storage.journal import Journal, write_journal
from .._storage.leftovers import Leftovers, find_under
from .._storage.manifest import nest, read_image, write_inner_manifests, write_manifest
from .._storage.ownership import Ownership
from .._storage.races import find_gone, is_another_under_way, put_in_place, stands
from .._storage.segments import delete_segments
from .._swift.client import SwiftClient
from .commit import Rest, Warn, complete
from .dedup import DedupIndex
from .plain_upload import PlainUpload
from .segment_upload import Naming, SegmentUpload, Sent, Transfer


class Replacement:
    """One upload.

    :param before: the image that stands, None for none
    :param found: what is there beside it
    :param concurrency: segments in flight
    :param progress: counts what is sent, and what is there
    :param dedup: what the task has stored of other images
    :raises OptionError: others' objects lie where the segments are to go
    """

    def __init__(
        self,
        client: SwiftClient,
        location: Location,
        before: Image | None,
        found: Leftovers,
        order: Order,
        concurrency: int,
        progress: Progress,
        dedup: DedupIndex,
    ) -> None:
        self._client = client
        self._progress = progress
        self._dedup = dedup
        self._location = location
        self._before = before
        self._order = order
        self._layout = order.layout
        self._concurrency = concurrency
        self._named = {segment.path for segment in (before.own_objects if before else ())}
        self._prefix = self._free_prefix()
        # What would be read with the image if it stayed.
        self._under_prefix = set(self._left_under_prefix())
        self._there = {*found.segments, *self._under_prefix}
        leftovers = Leftovers(tuple(self._there), found.journals)
        self._ownership = Ownership(client, location, before, leftovers, order.force_segments)
        self._check_prefix()
        # What was stored where it turned out to be of no use.
        self._in_vain: frozenset[Segment] = frozenset()

    def abandoned(self, image: Image) -> int:
        """How many segments of uploads that never got a manifest go, and are not taken over by *image*."""
        return self._ownership.abandoned({segment.path for segment in image.objects})

    def rehearse(self) -> Image:
        """The image as it would stand; nothing is sent."""
        if self._layout.kind is ManifestKind.NONE:
            return self._image(self._checked(self._plain_upload().sent))
        return self._image_or_before(self._send(sends=False)[1])

    def run(self, warn: Warn) -> tuple[Image, Transfer]:
        """Store the image, and delete what it replaced.

        :param warn: is told what stays, and why
        :returns: the image that stood before where the source turned out to hold the same bytes
        """
        if self._layout.kind is ManifestKind.NONE:
            image, journals, transfer = self._store_plain()
        else:
            upload, sent = self._send(sends=True)
            transfer = upload.transfer(sent.segments)
            image = self._image_or_before(sent)
            if image is self._before:
                # As well as what an earlier run had sent, and left for this one.
                self._remove_but(image, upload.stored | set(self._superseded_for_good(image, upload.stored)))
                return image, transfer
            image = self._pending(image)
            journals = self._write_journals(image)
            self._restore_what_went(image, image.pieces)
            self._write_manifest(image)
            # What somebody deletes as a whole does not come back.
            if stands(self._client, self._location, image):
                self._restore_what_went(image, image.objects)
        rest = Rest(self._superseded_for_good(image), journals)
        image = complete(self._client, self._location, image, rest, self._concurrency, warn)
        self._ownership.warn_of_what_stays(warn)
        return image, transfer

    def _write_journals(self, image: Image) -> list[Journal]:
        """Note what no other run would find when the manifest that is replaced is gone.

        :returns: all that are there
        """
        journals = list(self._ownership.journals)
        unlisted = self._ownership.unlisted(self._superseded(image))
        if unlisted:
            journals.append(write_journal(self._client, self._location, unlisted))
        return journals

    def _plain_source(self) -> OpenFile:
        source = self._order.source
        if not isinstance(source, OpenFile):
            raise TypeError("a stream is cut, or becomes a file")
        return source

    def _store_plain(self) -> tuple[Image, list[Journal], Transfer]:
        plain = self._plain_upload()
        image = self._pending(self._image(self._checked(plain.sent)))
        journals = self._write_journals(image)
        return image, journals, plain.run(image, partial(self._put_in_place, image), self._before)

    def _plain_upload(self) -> PlainUpload:
        file = self._plain_source()
        return PlainUpload(self._client, self._location, file, self._order.algorithms, self._progress, self._dedup)

    def _checked(self, sent: Sent) -> Sent:
        """*sent*, if it is what the user expects."""
        if self._order.expected:
            self._order.expected.check(sent.checksums, self._order.source.label)
        return sent

    def _free_prefix(self) -> str | None:
        """The prefix that the user names, unless the image that stands is read by it: nothing may be added to that."""
        before, prefix = self._before, self._order.segment_prefix
        if self._layout.kind is not ManifestKind.DLO or prefix is None:
            return None
        if before is None or before.segment_prefix is None:
            return prefix
        same_container = before.segment_container == self._location.segment_container
        return None if same_container and prefix.startswith(before.segment_prefix) else prefix

    def _left_under_prefix(self) -> Iterable[Segment]:
        """What an upload that was cut off left under the user's prefix.

        :raises OptionError: there is something else, which would become a part of the image
        """
        if self._prefix is None:
            return ()
        ours, stranger = find_under(self._client, self._location, self._prefix)
        if stranger is not None:
            raise OptionError(
                f"segment_prefix {self._prefix!r} is what {stranger!r} begins with, too, which would become a part of "
                "the image: choose another, or leave it out."
            )
        return ours

    def _check_prefix(self) -> None:
        """Make sure that what was left under the user's prefix is no other image's now.

        :raises OptionError: it is
        """
        others = self._ownership.images_made_of(self._under_prefix) if self._under_prefix else []
        if others:
            raise OptionError(
                f"segment_prefix {self._prefix!r} is where the segments of {others[0]!r} are, too: choose another, "
                "or leave it out."
            )

    def _send(self, sends: bool) -> tuple[SegmentUpload, Sent]:
        """Send the segments, from where an upload was cut off if there was one.

        :param sends: False for finding out only what they would be
        """
        prefix = self._prefix or self._generation_to_go_on()
        upload = self._upload(prefix, self._there, sends)
        try:
            return upload, self._run(upload)
        except ConflictError:
            if prefix is None or not isinstance(self._order.source, OpenFile):
                raise
        # That was of other bytes.
        self._in_vain = upload.stored
        if sends:
            self._remove(segment for segment in self._under_prefix if segment.path not in self._named)
        upload = self._upload(self._prefix, (), sends)
        return upload, self._run(upload)

    def _generation_to_go_on(self) -> str | None:
        """The generation that an upload of a DLO of this size left behind, unless the image that stands names it."""
        size = self._layout.size
        if self._layout.kind is not ManifestKind.DLO or size is None or not isinstance(self._order.source, OpenFile):
            return None
        names = {segment.name for segment in self._there} - {name for _container, name in self._named}
        return abandoned_generation(self._location, names, size, self._layout.segment_size)

    def _upload(self, prefix: str | None, there: Collection[Segment], sends: bool) -> SegmentUpload:
        name_segment: Naming = self._content_named
        if self._layout.kind is ManifestKind.DLO:
            prefix = prefix or new_generation(self._location, self._layout.size, self._layout.segment_size)
            name_segment = partial(_numbered, prefix)
        before = self._before
        return SegmentUpload(
            self._client,
            self._location,
            self._order.source,
            self._layout,
            name_segment,
            there,
            self._named if before is not None and before.is_recorded and before.delete_at is None else (),
            before.pieces if before is not None and before.is_comparable_by_segments else (),
            self._concurrency,
            sends,
            self._progress,
            self._dedup,
        )

    def _content_named(self, _number: int, size: int, digests: Digests) -> str:
        return content_name(self._location, digests["sha256"], size)

    def _run(self, upload: SegmentUpload) -> Sent:
        try:
            return self._checked(upload.run(self._order.algorithms))
        except ConflictError:
            raise
        except ImageStoreError as error:
            self._explain(error, upload.stored | self._in_vain)
            raise

    def _explain(self, error: ImageStoreError, stored: Iterable[Segment]) -> None:
        """Say what becomes of what was sent, and blame a source that was written to for what came of it."""
        changed = self._source_error(error)
        if changed:
            self._take_back(changed, stored)
            if changed is not error:
                raise changed from error
        elif stored and not self._can_be_gone_on_with():
            self._take_back(error, stored)
        elif stored:
            error.add("The segments that were sent stay for the next run; state absent removes them.")

    def _can_be_gone_on_with(self) -> bool:
        """Whether another run finds the same bytes where this one sent them."""
        return self._layout.kind is ManifestKind.SLO or isinstance(self._order.source, OpenFile)

    def _source_error(self, error: ImageStoreError) -> SourceError | None:
        if isinstance(error, SourceError):
            return error
        try:
            self._order.source.check_unchanged()
        except SourceError as changed:
            return changed
        return None

    def _take_back(self, error: ImageStoreError, stored: Iterable[Segment]) -> None:
        """Take away what was sent of a source that no run can go on with."""
        try:
            stands = read_image(self._client, self._location)
            # Another upload may have named some of it meanwhile.
            named = {segment.path for segment in (stands.objects if stands else ())}
            self._remove(segment for segment in stored if segment.path not in named)
        except ImageStoreError as second:
            error.add(f"The segments that were sent could not be taken away either: {second}")

    def _image_or_before(self, sent: Sent) -> Image:
        """The image that was sent, or the one that stands where it has the same bytes: a stream's are known late."""
        image = self._image(sent)
        if self._before is None or isinstance(self._order.source, OpenFile) or not image.has_bytes_of(self._before):
            return image
        return self._before

    def _image(self, sent: Sent) -> Image:
        plain = self._layout.kind is ManifestKind.NONE
        segments = tuple(sent.segments)
        if self._layout.kind is ManifestKind.SLO:
            segments = nest(self._location, segments, self._layout.max_entries)
        size = self._plain_source().size if plain else sum(segment.size for segment in segments)
        delete_at, delete_after = self._times()
        return Image(
            kind=self._layout.kind,
            size=size,
            etag=sent.checksums["md5"] if plain else large_object_etag(segment.etag for segment in segments),
            segments=segments,
            segment_count=len(sent.segments),
            checksums=sent.checksums,
            segment_container=None if plain else self._location.segment_container,
            segment_prefix=_prefix_of(segments[0]) if self._layout.kind is ManifestKind.DLO else None,
            content_type=self._order.attributes.content_type,
            metadata=self._order.attributes.metadata,
            delete_at=delete_at,
            delete_after=delete_after,
            source_fingerprint=self._order.attributes.source_fingerprint,
            recorded_size=size,
        )

    def _times(self) -> tuple[int | None, int | None]:
        """When the image is to go, counted from now, when all of it has been sent."""
        if self._order.attributes.expiry:
            return self._order.attributes.expiry.times(None)
        return (self._before.delete_at, self._before.delete_after) if self._before else (None, None)

    def _pending(self, image: Image) -> Image:
        """*image* with a note that something remains to be done, so that another run does it if this one is cut off."""
        is_pending = bool(self._superseded(image)) or bool(self._ownership.journals)
        return replace(image, is_pending=is_pending or (image.delete_at is not None and bool(image.segments)))

    def _superseded(self, image: Image) -> list[Segment]:
        """What is of no use once *image* stands."""
        kept = {segment.path for segment in image.objects}
        in_vain = (segment for segment in self._in_vain if segment.path not in kept)
        return [*self._ownership.deletable(kept), *in_vain]

    def _write_manifest(self, image: Image) -> None:
        self._remove_but(image, self._under_prefix)
        try:
            self._put_in_place(image, partial(write_manifest, self._client, self._location, image))
        except ImageStoreError as error:
            # One of several tries may have been stored, and without segments it would be half an image.
            error.add("The segments that were sent stay, because the manifest may have arrived: run again.")
            raise

    def _put_in_place(self, image: Image, put: Callable[[Mapping[str, str]], None]) -> None:
        put_in_place(self._client, self._location, image, self._before, put)

    def _restore_what_went(self, image: Image, stored: Iterable[Segment]) -> None:
        """Send again what another upload deleted of *stored* meanwhile."""
        there, gone = find_gone(self._client, self._location, image, stored)
        if not gone:
            return
        if not isinstance(self._order.source, OpenFile):
            raise IntegrityError(
                f"Another upload of this image deleted {len(gone)} segments that this one was to have: run again."
            )
        self._run(self._upload(image.segment_prefix, there, sends=True))
        write_inner_manifests(self._client, self._location, gone)

    def _superseded_for_good(self, image: Image, stored: Iterable[Segment] = ()) -> list[Segment]:
        """What is of no use, but for what another upload may be about to name.

        :param stored: what this one has stored beside *image*
        """
        superseded = self._superseded(image)
        own = {segment.path for segment in self._in_vain} | self._named
        if all(segment.path in own for segment in superseded):
            return superseded
        known = own.union(segment.path for segment in (*self._there, *image.objects, *stored))
        if not is_another_under_way(self._client, self._location, known):
            return superseded
        return [segment for segment in superseded if segment.path in own]

    def _remove_but(self, image: Image, segments: Iterable[Segment]) -> None:
        """Delete those of *segments* that *image* does not need."""
        kept = {segment.path for segment in image.objects}
        self._remove(segment for segment in segments if segment.path not in kept)

    def _remove(self, segments: Iterable[Segment]) -> None:
        delete_segments(self._client, segments, self._concurrency)


def _numbered(prefix: str, number: int, _size: int, _digests: Digests) -> str:
    return numbered_name(prefix, number)


def _prefix_of(segment: Segment) -> str:
    return segment.name.rstrip(digits)


@dataclass(frozen=True)
class Attributes:
    """What a new image has beside its content.

    :param expiry: what is wished; None for what the image that stands has
    """

    content_type: str
    metadata: Mapping[str, str]
    expiry: Expiry | None
    source_fingerprint: str | None


@dataclass(frozen=True)
class Order:
    """What is to be stored.

    :param algorithms: of the whole image's digests, which are recorded with it
    :param expected: what one of them has to be
    :param segment_prefix: what a DLO's segments are to be called, where the user says so
    :param force_segments: whether segments of the replaced image go that other images are made of, too
    """

    source: Source
    layout: Layout
    attributes: Attributes
    algorithms: Collection[str]
    expected: Checksum | None
    segment_prefix: str | None
    force_segments: bool
