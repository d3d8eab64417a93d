# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which objects belong to an image, and so may be deleted with it, and which stay.

``scan_ownership`` looks, and changes nothing. ``Ownership`` is what it saw; its methods decide without requests.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .._concurrency import WORKERS, parallel_map
from .._errors import ForbiddenError, LoginError, NotFoundError
from .._model.headers import is_of_image
from .._model.image import Image, ManifestKind, Path, Segment
from .._model.location import Location
from .._model.names import image_of, is_numbered, is_own_segment, owner_of, parse_manifest_header
from .._swift.client import SwiftClient
from .image_object import ImageObject
from .journal import Journal
from .leftovers import Leftovers, find_leftovers
from .listing import list_entries
from .manifest import read_segments, slo_segments
from .segments import shorten

# Objects, each with the name of an image whose manifest names it.
Named = Mapping[Path, str]


@dataclass(frozen=True)
class Ownership:
    """What tells an image's own objects from others.

    :param image: the current one with its segments; None if there is none
    :param leftovers: what lies beside it
    :param force: whether segments are the image's, too, that other manifests name
    :param noted: segments that the journals note, and that are still the same objects
    :param existing_images: images that some of the segments were written for, and that exist
    :param images_under_prefix: objects under a DLO's prefix that are images themselves
    :param named_by_others: objects that other images' manifests name
    """

    location: Location
    image: Image | None
    leftovers: Leftovers
    force: bool = False
    noted: Sequence[Segment] = ()
    existing_images: Collection[Path] = ()
    images_under_prefix: Collection[Path] = ()
    named_by_others: Named = field(default_factory=dict)

    def deletable(self, kept: Collection[Path] = ()) -> list[Segment]:
        """Return what may be deleted when the image is deleted or replaced, each object once, sorted by path.

        :param kept: what the image is made of that replaces it
        """
        found = {segment.path: segment for segment in self.candidates()}
        stays = self.named_by_others
        return [segment for path, segment in sorted(found.items()) if path not in kept and path not in stays]

    def count_leftovers(self, kept: Collection[Path] = ()) -> int:
        """Return how many of the deletable objects the current image's manifest does not name."""
        own = {segment.path for segment in self._own_segments()}
        return sum(segment.path not in own for segment in self.deletable(kept))

    def unlisted(self, segments: Iterable[Segment]) -> list[Segment]:
        """Return those of *segments* that no later run finds without the manifest, or a journal."""
        return [segment for segment in segments if not self._is_found_by_name(segment)]

    def candidates(self) -> Iterator[Segment]:
        """Yield everything that may belong to the image, some of it more than once."""
        yield from self.noted
        yield from self.leftovers.segments
        yield from self._own_segments()

    def warnings(self) -> Iterator[str]:
        """Yield a sentence for each kind of object that stays: how many there are, and why."""
        name, owned_elsewhere = self.location.name, self._owned_elsewhere()
        if owned_elsewhere:
            yield (
                f"{len(owned_elsewhere)} segments of {name!r} were written for another image, such as "
                f"{owned_elsewhere[0].name}, and stay."
            )
        unproven = [*(self.image.strangers if self.image else ()), *self._unproven()]
        if self.image and unproven:
            yield (
                f"{len(unproven)} objects under the prefix {self.image.segment_prefix!r} in container "
                f"{self.image.segment_container!r} are not provably segments of {name!r} and stay: "
                f"{shorten([stranger.name for stranger in unproven])}"
            )
        if self.named_by_others:
            yield (
                f"{len(self.named_by_others)} segments of {name!r} stay, because other images are made of them, too: "
                f"{shorten(sorted(set(self.named_by_others.values())))}. With force_segments they go."
            )

    def _own_segments(self) -> Sequence[Segment]:
        """Return the current image's own segments; none of those that a link leads to."""
        if self.image is None or self.image.is_link:
            return ()
        stays = {segment.path for segment in (*self._owned_elsewhere(), *self._unproven())}
        return [segment for segment in self.image.objects if segment.path not in stays]

    def _owned_elsewhere(self) -> Sequence[Segment]:
        """Return the segments that were written for another image, which still exists."""
        if self.image is None or self.force:
            return ()
        foreign = sorted(self.image.foreign_segments, key=lambda segment: segment.path)
        return [segment for segment in foreign if image_of(*segment.path) in self.existing_images]

    def _unproven(self) -> Sequence[Segment]:
        """Return what has a segment's name under a DLO's prefix, and may be an image."""
        image = self.image
        if image is None or not needs_proof(self.location, image):
            return ()
        unproven = {segment.path for segment in irregular_segments(image.segments)}.union(self.images_under_prefix)
        return [segment for segment in image.segments if segment.path in unproven]

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
    """Yield segments that no writer makes: all but the last have one size, and the last is not larger."""
    is_at_end = False
    for segment in segments:
        if is_at_end or segment.size > segments[0].size:
            yield segment
        elif segment.size < segments[0].size:
            is_at_end = True


def scan_ownership(target: ImageObject, image: Image | None, leftovers: Leftovers, force: bool) -> Ownership:
    """Look up what tells an image's own objects from others.

    :param image: the current one with its segments; None if there is none
    :param force: whether other images and their manifests are not asked
    """
    client, location = target.client, target.location
    ownership = Ownership(
        location=location,
        image=image,
        leftovers=leftovers,
        force=force,
        noted=_still_noted(client, leftovers.journals),
        existing_images=frozenset() if image is None or force else _existing_owners(client, image),
        images_under_prefix=_images_under_prefix(target, image) if image else frozenset(),
    )
    paths = {segment.path for segment in ownership.candidates()}
    if force or not paths:
        return ownership
    return replace(ownership, named_by_others=find_named_by_others(target, paths))


def _still_noted(client: SwiftClient, journals: Iterable[Journal]) -> Sequence[Segment]:
    noted = [(journal, segment) for journal in journals for segment in journal.segments]
    answers = parallel_map(lambda item: item[0].means(item[1], client.head_object(*item[1].path)), noted, WORKERS)
    return [segment for (_journal, segment), is_same in zip(noted, answers) if is_same]


def _existing_owners(client: SwiftClient, image: Image) -> Collection[Path]:
    owners = {image_of(*segment.path) for segment in image.foreign_segments}
    return {owner for owner in owners if owner and _exists(client, owner)}


def _exists(client: SwiftClient, path: Path) -> bool:
    try:
        return client.head_object(*path, manifest=True) is not None
    except (ForbiddenError, LoginError):
        # Without the right to look it has to be assumed.
        return True


def _images_under_prefix(target: ImageObject, image: Image) -> Collection[Path]:
    if not needs_proof(target.location, image):
        return ()
    irregular = set(irregular_segments(image.segments))
    asked = [segment for segment in image.segments if segment not in irregular]
    answers = parallel_map(lambda segment: _is_image(target.client, segment), asked, WORKERS)
    return {segment.path for segment, is_image in zip(asked, answers) if is_image}


def _is_image(client: SwiftClient, segment: Segment) -> bool:
    headers = client.head_object(*segment.path, manifest=True)
    return headers is not None and is_of_image(headers)


def find_named_by_others(target: ImageObject, paths: Collection[Path]) -> Named:
    """Find those of *paths* that other manifests in the image's container name: a copied manifest shares segments.

    Takes a listing, and a request for each manifest. Ceph RGW's listings do not tell SLOs from other objects, nor does
    it return their manifests, so only DLOs are found there.
    """
    client, (container, name) = target.client, target.path
    others = (
        entry
        for entry in list_entries(client, container, "")
        if entry["name"] != name and (container, entry["name"]) not in paths
    )
    found: dict[Path, str] = {}
    for answer in parallel_map(lambda entry: _named_by(client, container, entry, paths), others, WORKERS):
        found.update(answer)
    return found


def _named_by(client: SwiftClient, container: str, entry: Mapping[str, Any], paths: Collection[Path]) -> Named:
    """Return those of *paths* that an object of a listing names, if the listing shows that it may be a manifest."""
    name: str = entry["name"]
    if "slo_etag" in entry:
        named = set(_paths_in_slo(client, container, name)).intersection(paths)
    elif entry["bytes"] == 0 and "symlink_path" not in entry:
        named = set(_paths_in_dlo(client, container, name, paths))
    else:
        return {}
    return dict.fromkeys(named, name)


def _paths_in_slo(client: SwiftClient, container: str, name: str) -> Iterator[Path]:
    try:
        for segment in slo_segments(client, container, name):
            yield from (found.path for found in segment.objects())
    except NotFoundError:
        # The object was deleted since the listing.
        return


def _paths_in_dlo(client: SwiftClient, container: str, name: str, paths: Collection[Path]) -> Iterator[Path]:
    headers = client.head_object(container, name, manifest=True)
    if headers and "x-object-manifest" in headers:
        yield from _under_prefix(*parse_manifest_header(headers["x-object-manifest"]), paths)


def _under_prefix(container: str, prefix: str, paths: Collection[Path]) -> Iterator[Path]:
    """Yield those of *paths* that a DLO is read with; ``a-b-00001`` is not one of ``a-``."""
    for path in paths:
        is_under = path[0] == container and path[1].startswith(prefix)
        if is_under and (prefix.endswith("/") or is_numbered(prefix, path[1])):
            yield path


def find_unfinished(target: ImageObject, image: Image, force: bool) -> Leftovers:
    """Find what the run that wrote the current image did not come to delete; nothing if its image is not pending.

    A journal that notes segments of the current image is that of an upload whose manifest may be still to come.
    """
    if not image.is_pending:
        return Leftovers()
    image = read_segments(target, image)
    leftovers = find_leftovers(target)
    named = {segment.path for segment in image.objects}
    journals = tuple(journal for journal in leftovers.journals if named.isdisjoint(journal.paths))
    ownership = scan_ownership(target, image, replace(leftovers, journals=journals), force)
    return Leftovers(tuple(ownership.deletable(named)), journals)
