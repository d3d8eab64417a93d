# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which objects go when an image goes, or is replaced, and which stay because they may be somebody else's."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from .._concurrency import WORKERS, parallel_map
from .._errors import ForbiddenError, LoginError, NotFoundError
from .._model import headers as _headers
from .._model.image import Image, ManifestKind, Path, Segment
from .._model.location import Location
from .._model.names import image_of, is_numbered, is_own_segment, owner_of, parse_manifest_header
from .._swift.client import SwiftClient
from .journal import Journal
from .leftovers import Leftovers, find_leftovers
from .listing import list_entries
from .manifest import read_segments, slo_segments
from .segments import shorten


class Ownership:
    """What was written for one image: what its manifest proves to be its own, and what runs that were cut off left.

    Nothing is changed here.

    :param image: the one that stands, segments included; None for none
    :param force: whether segments go, too, that another image's manifest names
    """

    def __init__(
        self, client: SwiftClient, location: Location, image: Image | None, leftovers: Leftovers, force: bool
    ) -> None:
        self._client = client
        self._location = location
        self._image = image
        self._leftovers = leftovers
        self._force = force

    @property
    def journals(self) -> tuple[Journal, ...]:
        """Of runs that did not end; what they say goes with the rest."""
        return self._leftovers.journals

    def deletable(self, kept: Collection[Path] = ()) -> list[Segment]:
        """What goes, each object once.

        :param kept: what the image is made of that is to stand then
        """
        found = {segment.path: segment for segment in self._candidates}
        return [segment for path, segment in sorted(found.items()) if path not in kept and path not in self._shared]

    def abandoned(self, kept: Collection[Path] = ()) -> int:
        """How many of those the image that stands does not name."""
        own = {segment.path for segment in self._own}
        return sum(segment.path not in own for segment in self.deletable(kept))

    def unlisted(self, segments: Iterable[Segment]) -> list[Segment]:
        """Those of *segments* that no other run would find without the manifest, or a journal."""
        return [segment for segment in segments if not self._is_found_by_name(segment)]

    def images_made_of(self, segments: Iterable[Segment]) -> list[str]:
        """Names of other images whose manifests name some of *segments*, which are of those that could go."""
        return sorted({self._shared[segment.path] for segment in segments if segment.path in self._shared})

    def warn_of_what_stays(self, warn: Callable[[str], None]) -> None:
        """Name what is not deleted, and why."""
        for sentence in self._reasons():
            warn(sentence)

    @property
    def _candidates(self) -> Iterator[Segment]:
        yield from self._noted
        yield from self._leftovers.segments
        yield from self._own

    @cached_property
    def _own(self) -> tuple[Segment, ...]:
        """What the image that stands is made of, as far as it is its own; nothing of what a link names."""
        image = self._image
        if image is None or image.is_link:
            return ()
        kept = {segment.path for segment in (*self._lent, *self._unproven)}
        return tuple(segment for segment in image.objects if segment.path not in kept)

    @cached_property
    def _lent(self) -> tuple[Segment, ...]:
        """Segments that were written for another image, which is still there."""
        if self._image is None or self._force:
            return ()
        foreign_segments = sorted(self._image.foreign_segments, key=lambda segment: segment.path)
        owners = {segment.path: image_of(*segment.path) for segment in foreign_segments}
        there = {owner for owner in set(owners.values()) if owner and self._stands(owner)}
        return tuple(segment for segment in foreign_segments if owners[segment.path] in there)

    def _stands(self, image: Path) -> bool:
        container, name = image
        try:
            return self._client.head_object(container, name, manifest=True) is not None
        except (ForbiddenError, LoginError):
            # Who may not look can't know that it does not.
            return True

    @cached_property
    def _unproven(self) -> tuple[Segment, ...]:
        """What is called as the image's segments are, and may be an image."""
        image = self._image
        if image is None or image.kind is not ManifestKind.DLO or image.is_link or self._is_proven_by_name(image):
            return ()
        odd = set(irregular_segments(image.segments))
        asked = [segment for segment in image.segments if segment not in odd]
        answers = parallel_map(self._is_image, asked, WORKERS)
        odd.update(segment for segment, is_image in zip(asked, answers) if is_image)
        return tuple(segment for segment in image.segments if segment in odd)

    def _is_proven_by_name(self, image: Image) -> bool:
        """Whether nobody but a writer of segments gives such names."""
        if str(image.segment_prefix).endswith("/"):
            return True
        owners = [owner_of(*segment.path, content_type="") for segment in image.segments]
        return all(owner is not None and owner.name == self._location.name for owner in owners)

    def _is_image(self, segment: Segment) -> bool:
        headers = self._client.head_object(*segment.path, manifest=True)
        return headers is not None and _headers.is_of_image(headers)

    @cached_property
    def _noted(self) -> tuple[Segment, ...]:
        """What journals say was to go, as far as it is still there."""
        found = [(journal, segment) for journal in self.journals for segment in journal.segments]
        answers = parallel_map(lambda item: self._still_is(*item), found, WORKERS)
        return tuple(segment for (_journal, segment), there in zip(found, answers) if there)

    def _still_is(self, journal: Journal, segment: Segment) -> bool:
        return journal.speaks_of(segment, self._client.head_object(*segment.path))

    @cached_property
    def _shared(self) -> Named:
        """What other images' manifests name of all that could go."""
        paths = {segment.path for segment in self._candidates}
        return {} if self._force or not paths else named_by_others(self._client, self._location, paths)

    def _is_found_by_name(self, segment: Segment) -> bool:
        lies_there = segment.container == self._location.segment_container
        return lies_there and is_own_segment(self._location, segment.name)

    def _reasons(self) -> Iterator[str]:
        name = self._location.name
        if self._lent:
            yield (
                f"{len(self._lent)} segments of {name!r} were written for another image, such as "
                f"{self._lent[0].name}, and stay."
            )
        strangers = [*(self._image.strangers if self._image else ()), *self._unproven]
        if self._image and strangers:
            yield (
                f"{len(strangers)} objects under the prefix {self._image.segment_prefix!r} in container "
                f"{self._image.segment_container!r} are not provably segments of {name!r} and stay: "
                f"{shorten([stranger.name for stranger in strangers])}"
            )
        if self._shared:
            yield (
                f"{len(self._shared)} segments of {name!r} stay, because other images are made of them, too: "
                f"{shorten(sorted(set(self._shared.values())))}. With force_segments they go."
            )


def irregular_segments(segments: Sequence[Segment]) -> Iterator[Segment]:
    """Those that no writer makes: all but the last that it cuts have one size, and that one is not larger."""
    is_at_end = False
    for segment in segments:
        if is_at_end or segment.size > segments[0].size:
            yield segment
        elif segment.size < segments[0].size:
            is_at_end = True


@dataclass(frozen=True)
class Unfinished:
    """What the run that wrote the image that stands did not come to delete.

    :param journals: what notes it
    """

    segments: Sequence[Segment] = ()
    journals: Sequence[Journal] = ()


def find_unfinished(client: SwiftClient, location: Location, image: Image, force_segments: bool) -> Unfinished:
    """What that run left, if its image says that there is something.

    A journal of what the image is made of is that of an upload whose manifest may be still to come.
    """
    if not image.is_pending:
        return Unfinished()
    image = read_segments(client, location, image)
    leftovers = find_leftovers(client, location)
    named = {segment.path for segment in image.objects}
    journals = tuple(journal for journal in leftovers.journals if named.isdisjoint(journal.paths))
    leftovers = replace(leftovers, journals=journals)
    ownership = Ownership(client, location, image, leftovers, force_segments)
    return Unfinished(ownership.deletable(named), journals)


# Objects, each with the name of an image that is made of it.
Named = Mapping[Path, str]


def named_by_others(client: SwiftClient, location: Location, paths: Collection[Path]) -> Named:
    """Those of *paths* that are named by manifests in the image's container other than its own.

    Takes a listing, and a request for each of its manifests. Ceph RGW's listings do not tell static large objects
    from others, nor does it give their manifests, so there only dynamic ones are found.

    :param paths: objects that are to go
    """
    container = location.container
    others = (
        entry
        for entry in list_entries(client, container, "")
        if entry["name"] != location.name and (container, entry["name"]) not in paths
    )
    found: dict[Path, str] = {}
    for answer in parallel_map(lambda entry: _named_by(client, container, entry, paths), others, WORKERS):
        found.update(answer)
    return found


def _named_by(client: SwiftClient, container: str, entry: Mapping[str, Any], paths: Collection[Path]) -> Named:
    """What one of the container's objects is made of, where that is what its listing shows it may be."""
    name: str = entry["name"]
    if "slo_etag" in entry:
        named = set(_in_static(client, container, name)).intersection(paths)
    elif entry["bytes"] == 0 and "symlink_path" not in entry:
        named = set(_in_dynamic(client, container, name, paths))
    else:
        return {}
    return dict.fromkeys(named, name)


def _in_static(client: SwiftClient, container: str, name: str) -> Iterator[Path]:
    try:
        for segment in slo_segments(client, container, name):
            yield from (found.path for found in segment.objects())
    except NotFoundError:
        # It went since the listing.
        return


def _in_dynamic(client: SwiftClient, container: str, name: str, paths: Collection[Path]) -> Iterator[Path]:
    headers = client.head_object(container, name, manifest=True)
    if headers and "x-object-manifest" in headers:
        yield from _under(*parse_manifest_header(headers["x-object-manifest"]), paths)


def _under(container: str, prefix: str, paths: Collection[Path]) -> Iterator[Path]:
    """Those that a DLO is read with, but not what only begins as its segments do: ``a-b-00001`` is none of ``a-``."""
    for path in paths:
        is_under = path[0] == container and path[1].startswith(prefix)
        if is_under and (prefix.endswith("/") or is_numbered(prefix, path[1])):
            yield path
