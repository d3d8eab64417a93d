# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Proof of which objects belong to an image, so that they may be deleted, expire or be copied with it.

``scan_ownership`` reads the store, and changes nothing. ``Ownership`` holds the facts that it found; its methods decide
without requests. A manifest or a journal is only a claim: a user who may write to one container could refer to objects
of another one. So nothing that they refer to is deleted or expires without this proof.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property

from .._concurrency import WORKERS, parallel_map
from .._errors import ForbiddenError, LoginError
from .._model.headers import has_record, is_of_image
from .._model.image import Image, ManifestKind, Path, Segment
from .._model.location import Location, can_be_requested
from .._model.names import content_of, is_own_segment, segment_type
from .._model.owners import SEGMENTS_SUFFIX, image_of, may_own, owner_of
from .._swift.client import SwiftClient
from .containers import keeps_versions
from .image_object import ImageObject
from .journal import Journal
from .leftovers import Leftovers, find_leftovers
from .manifest_index import Named, find_named_by_others
from .segments import set_expiry, shorten


class Reason(Enum):
    """The reasons to keep objects to which a manifest or a journal of the image refers, as sentences."""

    ELSEWHERE = (
        "{count} objects that {image!r} names are in other containers or are not named like its segments, and "
        "{stay}: {names}. If they are its segments, set segment_container to their container."
    )
    WRITTEN_FOR_ANOTHER = "{count} segments of {image!r} were written for another image, such as {first}, and {stay}."
    UNPROVEN = (
        "{count} objects under the prefix {prefix!r} in container {container!r} are not provably segments of {image!r} "
        "and {stay}: {names}"
    )
    IMAGE = (
        "{count} objects that {image!r} names are images themselves, and {stay}: {names}. Set force_segments to true "
        "to include them."
    )
    SHARED = (
        "{count} segments of {image!r} {stay}, because other images use them, too: {sharing}. Set force_segments to "
        "true to include them."
    )
    KEPT = "{count} segments of {image!r} {stay}, because images that the catalogue keeps need them: {names}."
    ARCHIVED = (
        "{count} segments of {image!r} {stay}, because its container keeps versions, which may need them. Set "
        "force_segments to true to include them."
    )


_HIDDEN = (
    "This store (Ceph RGW) does not return the manifest of {image!r}, and no names prove which objects are its "
    "segments. The segments {stay}: find them by the image's name, and delete them with another client."
)


@dataclass(frozen=True)
class Ownership:
    """The facts that tell an image's own objects from others.

    :param image: the current one with its segments; None if there is none
    :param leftovers: the leftovers beside it
    :param force: whether objects that other images need, or that are images themselves, are the image's, too
    :param noted: segments that the journals note, and that are still the same objects
    :param existing_images: existing images that some of the segments were written for
    :param images: objects that are images themselves
    :param named_by_others: objects to which other images' manifests refer
    :param is_versioned: whether the image's container keeps versions of manifests
    :param types: media types of objects for which no listing showed one
    :param is_kept: returns whether an image that the task keeps needs an object; not lifted by *force*
    """

    location: Location
    image: Image | None
    leftovers: Leftovers
    force: bool = False
    noted: Sequence[Segment] = ()
    existing_images: Collection[Path] = ()
    images: Collection[Path] = ()
    named_by_others: Named = field(default_factory=dict)
    is_versioned: bool = False
    types: Mapping[Path, str] = field(default_factory=dict)
    is_kept: Callable[[Path], bool] = field(default=lambda _path: False, compare=False)

    def deletable(self, kept: Image | None = None) -> list[Segment]:
        """Return the objects to delete when the image is deleted or replaced, each once, sorted by path.

        :param kept: the image that has the name afterwards; None if there is none. If the cluster does not return its
            manifest, it may need any object that has a segment's name.
        """
        if kept is not None and kept.hides_segments:
            return []
        needed = {segment.path for segment in kept.objects} if kept else ()
        found = {segment.path: segment for segment in self.candidates()}
        return [segment for path, segment in sorted(found.items()) if path not in needed and self.owns(segment)]

    def owns(self, segment: Segment) -> bool:
        """Return whether an object is proved to be the image's, and needed by no other."""
        return self.reason_to_keep(segment) is None

    def reason_to_keep(self, segment: Segment) -> Reason | None:
        """Return why to keep an object; None if it is proved to be the image's, and needed by no other."""
        path = segment.path
        if not may_own(self.location, self._typed(segment)):
            return Reason.ELSEWHERE
        if path in self._irregular:
            return Reason.UNPROVEN
        if self.is_kept(path):
            return Reason.KEPT
        if self.force:
            return None
        owner = image_of(*path)
        if owner not in (None, self.location.path) and owner in self.existing_images:
            return Reason.WRITTEN_FOR_ANOTHER
        if path in self.images:
            return Reason.UNPROVEN if self._needs_proof else Reason.IMAGE
        if path in self.named_by_others:
            return Reason.SHARED
        return Reason.ARCHIVED if self.is_versioned and path in self._old_paths else None

    def _typed(self, segment: Segment) -> Segment:
        content_type = segment.content_type or self.types.get(segment.path, "")
        return segment if content_type == segment.content_type else replace(segment, content_type=content_type)

    @cached_property
    def _old_paths(self) -> Collection[Path]:
        """The objects that an older version of the image may need, without segments that were just sent."""
        return {segment.path for segment in self.candidates()}

    def needed_by_kept(self) -> bool:
        """Return whether an image that the task keeps needs one of the objects that belong to this one."""
        return any(self.reason_to_keep(segment) is Reason.KEPT for segment in self.candidates())

    def shared(self, segments: Iterable[Segment]) -> list[Segment]:
        """Return those of *segments* that this image and another one need."""
        return [segment for segment in segments if self.reason_to_keep(segment) is Reason.SHARED]

    def count_leftovers(self, kept: Image | None = None) -> int:
        """Return how many of the deletable objects the current image's manifest does not refer to.

        :param kept: the image that has the name afterwards
        """
        if self.image is not None and self.image.hides_segments:
            # Its own segments can't be told from leftovers.
            return 0
        own = {segment.path for segment in self._named}
        return sum(segment.path not in own for segment in self.deletable(kept))

    def unlisted(self, segments: Iterable[Segment]) -> list[Segment]:
        """Return those of *segments* that no later run finds without the manifest, or a journal."""
        return [segment for segment in segments if not self._is_found_by_name(segment)]

    def candidates(self) -> Iterator[Segment]:
        """Yield all objects that may belong to the image, some more than once; those from a listing come last."""
        yield from self.noted
        yield from self._named
        yield from self.leftovers.segments

    def warnings(self, stay: str = "are kept") -> Iterator[str]:
        """Yield a sentence for each reason to keep objects: how many there are, and what to do.

        :param stay: the verb for the kept objects
        """
        kept: dict[Reason, dict[Path, Segment]] = {}
        # A noted segment that was requested, and that self.noted lacks, is gone.
        notes = (segment for journal in self.leftovers.journals for segment in journal.segments)
        noted = [segment for segment in notes if not _may_be_requested(self.location, segment)]
        strangers = self.image.strangers if self.image else ()
        for segment in (*strangers, *noted, *self.candidates()):
            reason = Reason.UNPROVEN if segment in strangers else self.reason_to_keep(segment)
            if reason:
                kept.setdefault(reason, {})[segment.path] = segment
        for reason in Reason:
            if reason in kept:
                yield self._sentence(reason, sorted(kept[reason]), stay)
        if self.image is not None and self._has_unknown_segments(self.image):
            yield _HIDDEN.format(image=self.location.name, stay=stay)

    def _has_unknown_segments(self, image: Image) -> bool:
        """Return whether an image has segments that neither its manifest nor a name tells."""
        is_found = bool(image.objects) or (image.records_segments and bool(self.leftovers.segments))
        return image.hides_segments and not is_found

    def _sentence(self, reason: Reason, paths: Sequence[Path], stay: str) -> str:
        others = {self.named_by_others[path] for path in paths if path in self.named_by_others}
        is_apart = any(container != self.location.container for container, _name in paths)
        names = ["/".join(path) if is_apart else path[1] for path in paths]
        return reason.value.format(
            count=len(paths),
            image=self.location.name,
            stay=stay,
            names=shorten(names),
            first=names[0],
            sharing=shorten(sorted(others)),
            prefix=self.image and self.image.segment_prefix,
            container=self.image and self.image.segment_container,
        )

    @property
    def _named(self) -> Sequence[Segment]:
        """The segments to which the current image's manifest refers; none if the image is a link."""
        return () if self.image is None or self.image.is_link else self.image.objects

    @cached_property
    def _needs_proof(self) -> bool:
        return self.image is not None and needs_proof(self.location, self.image)

    @cached_property
    def _irregular(self) -> Collection[Path]:
        """The objects under a DLO's prefix that have a segment's name, but another size than a segment."""
        if self.image is None or not self._needs_proof:
            return ()
        return {segment.path for segment in irregular_segments(self.image.segments)}

    def _is_found_by_name(self, segment: Segment) -> bool:
        lies_there = segment.container == self.location.segment_container
        return lies_there and is_own_segment(self.location, segment.name)


def needs_proof(location: Location, image: Image) -> bool:
    """Return whether names alone do not prove that the objects under a DLO's prefix are its segments."""
    if image.kind is not ManifestKind.DLO or image.is_link or str(image.segment_prefix).endswith("/"):
        return False
    owners = [owner_of(*segment.path, content_type="") for segment in image.segments]
    return not all(owner is not None and owner.name == location.name for owner in owners)


def irregular_segments(segments: Sequence[Segment]) -> Iterator[Segment]:
    """Yield segments of a size that no writer uses: all but the last have one size, and the last is not larger."""
    is_at_end = False
    for segment in segments:
        if is_at_end or segment.size > segments[0].size:
            yield segment
        elif segment.size < segments[0].size:
            is_at_end = True


def scan_ownership(
    target: ImageObject,
    image: Image | None,
    leftovers: Leftovers,
    force: bool,
    is_kept: Callable[[Path], bool] = lambda _path: False,
) -> Ownership:
    """Find the facts that tell an image's own objects from others.

    :param image: the current one with its segments; None if there is none
    :param force: whether to skip the checks of other images and their manifests
    :param is_kept: returns whether an image that the task keeps needs an object
    """
    client, location = target.client, target.location
    noted = _still_noted(target, leftovers.journals)
    types = {segment.path: segment.content_type for segment in noted}
    ownership = Ownership(location, image, leftovers, force, noted=noted, types=types, is_kept=is_kept)
    if not force:
        ownership = replace(ownership, existing_images=_existing_owners(target, ownership.candidates()))
    # Of several candidates with one path, the last one counts: those from a listing come last, and have a type.
    candidates = {segment.path: segment for segment in ownership.candidates() if ownership.owns(segment)}
    if not candidates:
        return ownership
    found = _head_untyped(client, ownership, candidates.values())
    types = {**types, **{path: headers.get("content-type", "") for path, headers in found.items()}}
    if force:
        return replace(ownership, types=types)
    is_image = is_of_image if image and needs_proof(location, image) else has_record
    return replace(
        ownership,
        types=types,
        images={path for path, headers in found.items() if is_image(headers)},
        named_by_others=find_named_by_others(target, candidates.keys()),
        is_versioned=keeps_versions(client.head_container(location.container) or {}),
    )


def _head_untyped(
    client: SwiftClient, ownership: Ownership, segments: Iterable[Segment]
) -> Mapping[Path, Mapping[str, str]]:
    """Request the headers of those of *segments* that no listing shows with this image's media type.

    With *force*, only segments in other containers are requested, whose type may be that of another image.
    """
    location = ownership.location
    asked = [segment.path for segment in segments if segment.content_type != segment_type(location)]
    if ownership.force:
        asked = [path for path in asked if path[0] != location.container]
    answers = parallel_map(lambda path: client.head_object(*path, manifest=True), asked, WORKERS)
    return {path: headers for path, headers in zip(asked, answers) if headers}


def _still_noted(target: ImageObject, journals: Iterable[Journal]) -> Sequence[Segment]:
    """Return the noted segments that are still the same objects, with their types, which may prove whose they are."""
    noted: dict[Path, list[tuple[Journal, Segment]]] = {}
    for journal in journals:
        for found in journal.segments:
            if _may_be_requested(target.location, found):
                noted.setdefault(found.path, []).append((journal, found))
    answers = parallel_map(lambda path: target.client.head_object(*path), noted, WORKERS)
    return [
        replace(notes[0][1], content_type=headers.get("content-type", ""))
        for notes, headers in zip(noted.values(), answers)
        if headers and any(journal.means(segment, headers) for journal, segment in notes)
    ]


def _may_be_requested(location: Location, segment: Segment) -> bool:
    """Return whether an object that a journal notes may be the image's, by its name, or by a type still unknown."""
    places = {location.container, location.container + SEGMENTS_SUFFIX, location.segment_container}
    return may_own(location, segment) or (segment.container in places and can_be_requested(*segment.path))


def _existing_owners(target: ImageObject, segments: Iterable[Segment]) -> Collection[Path]:
    """Return the other existing images that some of *segments* were written for."""
    owners = {owner for segment in segments if (owner := image_of(*segment.path))} - {target.location.path}
    return {owner for owner in owners if can_be_requested(*owner) and _exists(target.client, owner)}


def _exists(client: SwiftClient, path: Path) -> bool:
    try:
        return client.head_object(*path, manifest=True) is not None
    except (ForbiddenError, LoginError):
        # Without the right to read the image, its existence must be assumed.
        return True


def find_unfinished(target: ImageObject, image: Image) -> Leftovers:
    """Find the leftovers that the run that wrote the current image may not have deleted; none if it is not pending.

    A journal that notes segments of the current image belongs to another upload, which may not have stored its manifest
    yet.

    :param image: the current one with its segments
    """
    if image.hides_segments:
        # A journal is left to the run that replaces or deletes the image.
        return replace(find_leftovers(target, image), journals=())
    if not image.is_pending:
        return Leftovers()
    leftovers = find_leftovers(target)
    named = {segment.path for segment in image.objects}
    journals = tuple(journal for journal in leftovers.journals if named.isdisjoint(journal.paths))
    return replace(leftovers, journals=journals)


def expire_segments(client: SwiftClient, ownership: Ownership, image: Image, concurrency: int) -> None:
    """Let an image's own segments expire after it; those that another image needs never expire.

    :param image: with its segments
    """
    objects = image.own_objects
    if image.hides_segments and not image.is_link:
        # Any that is called so may be its segment. Those of a generation are another upload's.
        called = (found for found in ownership.leftovers.segments if content_of(ownership.location, *found.path))
        objects = (*objects, *called)
    set_expiry(client, filter(ownership.owns, objects), image.delete_at, concurrency)
    set_expiry(client, ownership.shared(objects), None, concurrency)
