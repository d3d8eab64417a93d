# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A source's bytes under an image's name, in the place of whatever is there.

Until the new manifest stands, the name means what it meant before, and nothing that it needs is touched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from . import _headers
from ._connection import Connection
from ._digest import Digests, digest
from ._errors import ConflictError, ImageStoreError, SourceError
from ._image import Image, ManifestKind, Piece, Segment, large_object_etag
from ._layout import Layout
from ._location import Location
from ._manifest import leftovers, read_image, write_manifest
from ._removal import delete_segments
from ._segment_names import abandoned_generation, content_name, new_generation, numbered_name, parse_manifest_header
from ._source import FileSource
from ._upload import Naming, SegmentUpload, Sent, Transfer, send_plain


@dataclass(frozen=True)
class Attributes:
    """What a new image has beside its content."""

    content_type: str
    metadata: Mapping[str, str]
    delete_at: int | None


class Replacement:
    """One upload.

    :param before: the image that stands, None for none
    :param layout: of the new one
    :param algorithms: of the whole image's digests, which are recorded with it
    :param concurrency: segments in flight
    """

    def __init__(
        self,
        connection: Connection,
        location: Location,
        before: Image | None,
        source: FileSource,
        layout: Layout,
        attributes: Attributes,
        algorithms: Sequence[str],
        concurrency: int,
    ) -> None:
        self._connection = connection
        self._location = location
        self._source = source
        self._layout = layout
        self._attributes = attributes
        self._algorithms = algorithms
        self._concurrency = concurrency
        self._named = frozenset(before.own_segments if before else ())
        self._there = frozenset(leftovers(connection, location))
        # What was stored where it turned out to be of no use.
        self._in_vain: frozenset[Segment] = frozenset()

    def abandoned(self, image: Image) -> int:
        """How many segments of uploads that never got a manifest go, and are not taken over by *image*."""
        return len(self._there.difference(self._named, image.segments))

    def rehearse(self) -> Image:
        """The image as it would stand; nothing is sent."""
        if self._layout.kind is ManifestKind.NONE:
            return self._image(self._digest_plain())
        return self._image(self._send(sends=False)[1])

    def run(self, warn: Callable[[str], None]) -> tuple[Image, Transfer]:
        """Store the image, and delete what it replaced.

        :param warn: is told what stays, and why
        """
        if self._layout.kind is ManifestKind.NONE:
            image = self._image(self._digest_plain())
            transfer = send_plain(self._connection, self._location, self._source, image)
        else:
            upload, sent = self._send(sends=True)
            image = self._image(sent)
            self._write_manifest(image)
            transfer = upload.transfer(image.segments)
        image = self._remove_replaced(image, warn)
        return image, transfer

    def _digest_plain(self) -> Sent:
        return Sent((), digest(self._source, Piece(0, self._source.size), {*self._algorithms, "md5"}))

    def _send(self, sends: bool) -> tuple[SegmentUpload, Sent]:
        """Send the segments, from where an upload was cut off if there was one.

        :param sends: False for finding out only what they would be
        """
        generation = self._generation_to_go_on()
        upload = self._upload(generation, sends)
        try:
            return upload, self._run(upload)
        except ConflictError:
            if generation is None:
                raise
        # That was of other bytes.
        self._in_vain = upload.stored
        upload = self._upload(None, sends)
        return upload, self._run(upload)

    def _generation_to_go_on(self) -> str | None:
        """The generation that an upload of a DLO of this size left behind, unless the image that stands names it."""
        if self._layout.kind is not ManifestKind.DLO:
            return None
        names = [segment.name for segment in self._there - self._named]
        return abandoned_generation(self._location, names, self._source.size, self._layout.segment_size)

    def _upload(self, generation: str | None, sends: bool) -> SegmentUpload:
        name_segment: Naming = self._content_named
        if self._layout.kind is ManifestKind.DLO:
            prefix = generation or new_generation(self._location, self._source.size, self._layout.segment_size)
            name_segment = partial(self._numbered, prefix)
        return SegmentUpload(
            self._connection, self._source, self._layout, name_segment, self._there, self._concurrency, sends
        )

    def _numbered(self, prefix: str, number: int, size: int, digests: Digests) -> Segment:
        return self._segment(numbered_name(prefix, number), size, digests)

    def _content_named(self, _number: int, size: int, digests: Digests) -> Segment:
        return self._segment(content_name(self._location, digests["sha256"], size), size, digests)

    def _segment(self, name: str, size: int, digests: Digests) -> Segment:
        return Segment(self._location.segment_container, name, size, digests["md5"])

    def _run(self, upload: SegmentUpload) -> Sent:
        try:
            return upload.run(self._algorithms)
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
        elif stored:
            error.add("The segments that were sent stay for the next run; state absent removes them.")

    def _source_error(self, error: ImageStoreError) -> SourceError | None:
        if isinstance(error, SourceError):
            return error
        try:
            self._source.check_unchanged()
        except SourceError as changed:
            return changed
        return None

    def _take_back(self, error: SourceError, stored: Iterable[Segment]) -> None:
        """Take away what was sent of a source that no run can go on with."""
        try:
            stands = read_image(self._connection, self._location)
            # Another upload may have named some of it meanwhile.
            named = set(stands.segments if stands else ())
            delete_segments(self._connection, set(stored) - named, self._concurrency)
        except ImageStoreError as second:
            error.add(f"The segments that were sent could not be taken away either: {second}")

    def _image(self, sent: Sent) -> Image:
        plain = self._layout.kind is ManifestKind.NONE
        segments = tuple(sent.segments)
        return Image(
            kind=self._layout.kind,
            size=self._source.size,
            etag=sent.checksums["md5"] if plain else large_object_etag(segment.etag for segment in segments),
            segments=segments,
            checksums=sent.checksums,
            segment_container=None if plain else self._location.segment_container,
            segment_prefix=_prefix_of(segments[0]) if self._layout.kind is ManifestKind.DLO else None,
            content_type=self._attributes.content_type,
            metadata=self._attributes.metadata,
            delete_at=self._attributes.delete_at,
        )

    def _write_manifest(self, image: Image) -> None:
        try:
            write_manifest(self._connection, self._location, image)
        except ImageStoreError as error:
            # One of several tries may have been stored, and without segments it would be half an image.
            error.add("The segments that were sent stay, because the manifest may have arrived: run again.")
            raise

    def _remove_replaced(self, image: Image, warn: Callable[[str], None]) -> Image:
        """Delete what the image no longer names, now that its new manifest stands.

        :returns: the image, with the time that Swift gave it
        """
        headers = self._connection.head_object(self._location.container, self._location.name) or {}
        if not _is(image, headers):
            warn("Another upload of this image ended after this one, and its image stands now.")
            return image
        kept = {(segment.container, segment.name) for segment in image.segments}
        old = self._named | self._there | self._in_vain
        try:
            delete_segments(
                self._connection,
                [segment for segment in old if (segment.container, segment.name) not in kept],
                self._concurrency,
            )
        except ImageStoreError as error:
            error.add("They are the replaced image's; the new one is in its place and whole.")
            raise
        return replace(image, last_modified=_headers.last_modified_of(headers))


def _is(image: Image, headers: Mapping[str, str]) -> bool:
    """Whether *headers* are those of *image*."""
    if image.kind is ManifestKind.DLO:
        named = parse_manifest_header(headers.get("x-object-manifest", ""))
        return named == (image.segment_container, image.segment_prefix)
    return _headers.etag_of(headers) == image.etag


def _prefix_of(segment: Segment) -> str:
    return segment.name[: segment.name.rindex("/") + 1]
