# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One image's state: find out what has to change, then change it.

What is to be done is planned without changing anything, and check mode ends there: so it predicts what
the run does, because the run does what was planned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from . import _headers
from ._change import Change
from ._connection import Connection
from ._digest import Measured, measure, same_content
from ._errors import ImageStoreError, NotFoundError, OptionError
from ._image import Image, ManifestKind, Piece, Segment, large_object_etag
from ._layout import Layout, lay_out
from ._location import Location
from ._manifest import leftovers, read_image, write_manifest
from ._removal import delete_emptied_container, delete_segments, name_beside
from ._segment_names import content_name, new_generation, numbered_name
from ._source import FileSource
from ._upload import Transfer, send_plain, send_segments

# So many names at the most in a warning.
_NAMED = 5

_DEFAULT_CONTENT_TYPE = "application/octet-stream"


@dataclass(frozen=True)
class Wish:
    """How an image is to be; None leaves a thing as it is.

    :param force: whether an image with other content is replaced
    :param large_object_size: in bytes, as is *segment_size*
    :param metadata: all of the user's metadata
    :param concurrency: segments in flight
    """

    force: bool
    manifest: str
    large_object_size: int
    segment_size: int
    hash_algorithms: Sequence[str]
    create_container: bool
    storage_policy: str | None
    metadata: Mapping[str, str] | None
    content_type: str | None
    concurrency: int


@dataclass(frozen=True)
class _Plan:
    """An upload that only has to be done.

    :param image: as it will stand
    :param pieces: of the source, one for each of the image's segments
    :param there: segments in the store that were written for this image before
    """

    image: Image
    pieces: Sequence[Piece]
    there: frozenset[Segment]

    def abandoned(self, before: Image | None) -> int:
        """How many segments of an upload that never got a manifest go, and are not taken over."""
        return len(self.there.difference(before.own_segments if before else (), self.image.segments))


class Store:
    """The store, for one image.

    :param check_mode: whether nothing may be changed
    :param warn: is told what stays behind, and why
    """

    def __init__(
        self, connection: Connection, location: Location, check_mode: bool, warn: Callable[[str], None]
    ) -> None:
        self._connection = connection
        self._location = location
        self._check_mode = check_mode
        self._warn = warn

    def make_present(self, source: FileSource, wish: Wish) -> tuple[Change, Transfer]:
        """Let the store hold the source's bytes, and the metadata that is wished, under the image's name."""
        if wish.metadata:
            _headers.check_limits(wish.metadata, self._connection.capabilities)
        before = read_image(self._connection, self._location)
        if before is not None and (not wish.force or same_content(source, before)):
            return self._keep(before, wish), Transfer()
        return self._upload(before, source, wish)

    def make_absent(self, concurrency: int) -> Change:
        """Let there be neither the image nor any segment that was written for it.

        The name goes first, so that nobody reads an image that lacks segments.
        """
        before = read_image(self._connection, self._location)
        named = before.own_segments if before else ()
        abandoned = frozenset(leftovers(self._connection, self._location)).difference(named)
        if before:
            self._warn_of_strangers(before)
            self._check_access({segment.container for segment in named})
        removes_container = self._location.alone and self._will_be_empty({*named, *abandoned})
        if not self._check_mode:
            if before:
                self._connection.delete_object(self._location.container, self._location.name)
            delete_segments(self._connection, [*named, *abandoned], concurrency)
            removes_container = removes_container and self._remove_container()
        return Change(self._location, before, None, leftovers=len(abandoned), removes_container=removes_container)

    def _will_be_empty(self, segments: Iterable[Segment]) -> bool:
        """Whether there is a container that holds nothing but the image and *segments*."""
        container = self._location.container
        if self._connection.head_container(container) is None:
            return False
        ours = {self._location.name, *(segment.name for segment in segments if segment.container == container)}
        stranger = name_beside(self._connection, container, ours)
        if stranger is not None:
            self._warn(f"Container {container!r} stays: {stranger!r} in it is none of image {self._location.name!r}.")
        return stranger is None

    def _remove_container(self) -> bool:
        removed = delete_emptied_container(self._connection, self._location.container)
        if not removed:
            self._warn(f"Container {self._location.container!r} stays: Swift says that there is something in it.")
        return removed

    def _keep(self, before: Image, wish: Wish) -> Change:
        """Bring an image's headers in step; its content stays where it is."""
        after = replace(
            before,
            metadata=before.metadata if wish.metadata is None else wish.metadata,
            content_type=wish.content_type or before.content_type,
        )
        if after == before:
            return Change(self._location, before, before)
        if self._check_mode:
            return Change(self._location, before, replace(after, last_modified=None))
        self._connection.post_object(self._location.container, self._location.name, _headers.post_headers(after))
        return Change(self._location, before, self._as_it_stands(after))

    def _upload(self, before: Image | None, source: FileSource, wish: Wish) -> tuple[Change, Transfer]:
        layout = lay_out(
            self._location,
            source.size,
            wish.manifest,
            wish.large_object_size,
            wish.segment_size,
            self._connection.capabilities,
        )
        new_containers = self._missing_containers(layout, wish)
        plan = self._plan(before, source, layout, wish)
        if self._check_mode:
            # Every upload of a DLO has a prefix of its own, and this one's will not be that of the plan.
            image = replace(plan.image, segment_prefix=None)
            return Change(self._location, before, image, new_containers, plan.abandoned(before)), Transfer()
        self._create_containers(new_containers, wish.storage_policy)
        transfer = self._send(plan, source, wish.concurrency)
        self._remove_replaced(before, plan, wish.concurrency)
        image = self._as_it_stands(plan.image)
        return Change(self._location, before, image, new_containers, plan.abandoned(before)), transfer

    def _plan(self, before: Image | None, source: FileSource, layout: Layout, wish: Wish) -> _Plan:
        measured, checksums = measure(source, layout, wish.hash_algorithms)
        segments = _name_segments(self._location, layout.kind, measured)
        plain = layout.kind is ManifestKind.NONE
        image = Image(
            kind=layout.kind,
            size=source.size,
            etag=checksums["md5"] if plain else large_object_etag(segment.etag for segment in segments),
            segments=segments,
            checksums=checksums,
            segment_container=None if plain else self._location.segment_container,
            segment_prefix=_prefix_of(segments[0]) if layout.kind is ManifestKind.DLO else None,
            content_type=wish.content_type or (before and before.content_type) or _DEFAULT_CONTENT_TYPE,
            metadata=_wished_metadata(before, wish),
            delete_at=before.delete_at if before else None,
        )
        there = frozenset(leftovers(self._connection, self._location))
        return _Plan(image, layout.pieces, there)

    def _send(self, plan: _Plan, source: FileSource, concurrency: int) -> Transfer:
        """Segments first, the manifest last: until then the name means what it meant before."""
        try:
            if plan.image.kind is ManifestKind.NONE:
                return send_plain(self._connection, self._location, source, plan.image)
            transfer = send_segments(
                self._connection, source, plan.pieces, plan.image.segments, plan.there, concurrency
            )
        except ImageStoreError as error:
            self._take_back(error, plan, concurrency)
            # A source that was written to explains every mismatch that came of it.
            source.check_unchanged()
            raise
        self._write_manifest(plan)
        return transfer

    def _write_manifest(self, plan: _Plan) -> None:
        try:
            write_manifest(self._connection, self._location, plan.image)
        except ImageStoreError as error:
            # One of several tries may have been stored, and without segments it would be half an image.
            error.add("The segments that were sent stay, because the manifest may have arrived: run again.")
            raise

    def _take_back(self, error: ImageStoreError, plan: _Plan, concurrency: int) -> None:
        """Take away the segments that were sent in vain, or say that the next run goes on from them."""
        if plan.image.kind is ManifestKind.SLO:
            error.add("The segments that were sent stay for the next run; state absent removes them.")
            return
        try:
            delete_segments(self._connection, set(plan.image.segments) - plan.there, concurrency)
        except ImageStoreError as second:
            error.add(f"The segments that were sent could not be taken away either: {second}")

    def _remove_replaced(self, before: Image | None, plan: _Plan, concurrency: int) -> None:
        """Delete what the image no longer names, now that its new manifest stands."""
        if before:
            self._warn_of_strangers(before)
        old = set(before.own_segments if before else ()) | plan.there
        kept = {(segment.container, segment.name) for segment in plan.image.segments}
        obsolete = [segment for segment in old if (segment.container, segment.name) not in kept]
        try:
            delete_segments(self._connection, obsolete, concurrency)
        except ImageStoreError as error:
            error.add("They are the replaced image's; the new one is in its place and whole.")
            raise

    def _check_access(self, containers: Iterable[str]) -> None:
        """Make sure, before a manifest goes, that the containers of its segments are within reach."""
        for container in sorted(containers):
            self._connection.head_container(container)

    def _missing_containers(self, layout: Layout, wish: Wish) -> tuple[str, ...]:
        needed = {self._location.container: None}
        if layout.kind is not ManifestKind.NONE:
            needed[self._location.segment_container] = None
        missing = tuple(name for name in needed if self._connection.head_container(name) is None)
        if missing and not wish.create_container:
            raise NotFoundError(
                f"There is no container {missing[0]!r} in this account: create it, or set create_container to true.",
                404,
            )
        if missing:
            self._check_policy(wish.storage_policy)
        return missing

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

    def _warn_of_strangers(self, image: Image) -> None:
        names = [stranger.name for stranger in image.strangers]
        if names:
            self._warn(
                f"{len(names)} objects under the prefix {image.segment_prefix!r} in container "
                f"{image.segment_container!r} are not provably segments of {self._location.name!r} and stay: "
                f"{', '.join(names[:_NAMED])}{', …' if len(names) > _NAMED else ''}"
            )


def _name_segments(location: Location, kind: ManifestKind, measured: Sequence[Measured]) -> tuple[Segment, ...]:
    """The segments of a large object, in its order."""
    if kind is ManifestKind.NONE:
        return ()
    if kind is ManifestKind.SLO:
        names = [content_name(location, part.digests["sha256"], part.piece.size) for part in measured]
    else:
        generation = new_generation(location)
        names = [numbered_name(generation, number) for number in range(1, len(measured) + 1)]
    return tuple(
        Segment(location.segment_container, name, part.piece.size, part.digests["md5"])
        for name, part in zip(names, measured, strict=True)
    )


def _prefix_of(segment: Segment) -> str:
    return segment.name[: segment.name.rindex("/") + 1]


def _wished_metadata(before: Image | None, wish: Wish) -> Mapping[str, str]:
    if wish.metadata is not None:
        return wish.metadata
    return before.metadata if before else {}
