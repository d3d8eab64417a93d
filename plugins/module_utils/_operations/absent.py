# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An image's deletion, and the end of what a run that replaced one was cut off at.

The name goes first, so that nobody reads an image that lacks segments. What nobody would find without the manifest is
noted in a journal before that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from .._errors import ImageStoreError, QuotaError
from .._model.image import Segment
from .._model.location import Location
from .._model.names import new_journal
from .._storage.containers import name_beside
from .._storage.journal import Journal, remove_journals, write_journal
from .._storage.leftovers import Leftovers, find_leftovers, find_under
from .._storage.manifest import read_all_segments, read_image, read_summary
from .._storage.ownership import Ownership
from .._storage.races import stands
from .._storage.segments import delete_segments
from .._swift.client import SwiftClient
from .change import Change


class Deletion:
    """One image's deletion, with all that runs that were cut off left of it.

    :param force_segments: whether segments go that other images are made of, too
    :param segment_prefix: where segments of an upload that never got a manifest may lie as well
    """

    def __init__(
        self, client: SwiftClient, location: Location, force_segments: bool, segment_prefix: str | None
    ) -> None:
        self._client = client
        self._location = location
        self._force_segments = force_segments
        self._segment_prefix = segment_prefix
        self._look()

    def _look(self) -> None:
        """Find out what stands, and what is there beside it."""
        summary = read_summary(self._client, self._location)
        self._image = summary and read_all_segments(self._client, self._location, summary)
        self._leftovers = _with_those_under(self._client, self._location, self._segment_prefix)
        self._ownership = Ownership(self._client, self._location, self._image, self._leftovers, self._force_segments)
        self._segments = self._ownership.deletable()

    def warn_of_what_stays(self, warn: Callable[[str], None]) -> None:
        """Name what is not deleted, and why."""
        self._ownership.warn_of_what_stays(warn)

    def plan(self, warn: Callable[[str], None]) -> Change:
        """What goes; nothing is changed.

        :param warn: is told why a container stays that was there for the image alone
        :raises ImageStoreError: a container of its segments is out of reach
        """
        self._check_access()
        return Change(
            self._location,
            self._image,
            None,
            leftovers=self._ownership.abandoned(),
            removes_container=self._location.alone and self._leaves_nothing(warn),
            deleted=self._paths(),
            ends_journals=bool(self._leftovers.journals),
        )

    def run(self, concurrency: int, warn: Callable[[str], None]) -> None:
        """Delete all of it.

        :param concurrency: how many requests at once
        :param warn: is told that another run could not finish it
        :raises ImageStoreError: something could not be deleted; another run finishes it
        """
        journals = self._prepare(warn)
        if self._image and stands(self._client, self._location, self._image) is False:
            # An upload has ended meanwhile, and its manifest is to go as well as what the one before named.
            known = self._segments
            self._look()
            self._segments = _without_doubles(*known, *self._segments)
            journals += self._prepare(warn)
        segments = self._delete_name() if self._image or self._segments else []
        try:
            delete_segments(self._client, segments, concurrency)
        except ImageStoreError as error:
            error.add("The image itself is gone: run again to delete them.")
            raise
        remove_journals(self._client, journals)

    def _prepare(self, warn: Callable[[str], None]) -> list[Journal]:
        """Do what has to be done before the name goes.

        :returns: what notes segments that go
        """
        journals = list(self._leftovers.journals)
        if self._image:
            self._check_right_to_delete()
            journals += self._write_journal(warn)
        return journals

    def _delete_name(self) -> list[Segment]:
        """Let the image be gone; what of its segments is to go then.

        Where Swift shows none there may be one all the same, while a disk is away.
        """
        was_there = self._client.delete_object(self._location.container, self._location.name)
        if was_there and self._image is None:
            return self._of_what_appeared()
        return self._unless_it_stands_again()

    def _of_what_appeared(self) -> list[Segment]:
        """All that is of no use when an image went of which nothing was known: of an upload that had just ended."""
        leftovers = find_leftovers(self._client, self._location)
        appeared = Ownership(self._client, self._location, None, leftovers, self._force_segments).deletable()
        return _without_doubles(*self._segments, *appeared)

    def _unless_it_stands_again(self) -> list[Segment]:
        """What is to go, but for what an image is made of that an upload has stored meanwhile."""
        if not self._segments:
            return []
        stands = read_image(self._client, self._location)
        if stands is None or stands == self._image:
            # The same is what a server shows that has not heard of it.
            return self._segments
        named = {segment.path for segment in stands.objects}
        return [segment for segment in self._segments if segment.path not in named]

    def _write_journal(self, warn: Callable[[str], None]) -> list[Journal]:
        unlisted = self._ownership.unlisted(self._segments)
        if not unlisted:
            return []
        try:
            return [write_journal(self._client, self._location, unlisted)]
        except QuotaError:
            # Nothing makes room but a deletion.
            warn(
                f"Container {self._location.container!r} has no room to note what goes with {self._location.name!r}: "
                "if this run is cut off, no other can finish it."
            )
            return []

    def _paths(self) -> tuple[str, ...]:
        """Of all objects that go."""
        named = [(self._location.container, self._location.name)] if self._image else []
        return tuple("/".join(path) for path in [*named, *(segment.path for segment in self._segments)])

    def _leaves_nothing(self, warn: Callable[[str], None]) -> bool:
        """Whether there is a container that holds nothing but what goes."""
        container = self._location.container
        headers = self._client.head_container(container)
        if headers is None:
            return False
        if _keeps_versions(headers):
            warn(f"Container {container!r} stays: it keeps versions of what was deleted.")
            return False
        ours = {self._location.name, *(journal.name for journal in self._leftovers.journals)}
        ours.update(segment.name for segment in self._segments if segment.container == container)
        stranger = name_beside(self._client, container, ours)
        if stranger is not None:
            warn(f"Container {container!r} stays: {stranger!r} in it is none of image {self._location.name!r}.")
        return stranger is None

    def _check_access(self) -> None:
        """Make sure that the containers of the segments are within reach."""
        for container in sorted({segment.container for segment in self._segments}):
            self._client.head_container(container)

    def _check_right_to_delete(self) -> None:
        """Make sure, before the manifest goes, that segments can go as well that lie elsewhere.

        Only Swift knows who may delete, and it says so of an object that is not there, too.
        """
        for container in sorted({segment.container for segment in self._segments} - {self._location.container}):
            headers = self._client.head_container(container)
            if headers and not _keeps_versions(headers):
                self._client.delete_object(container, new_journal(self._location))


def _without_doubles(*segments: Segment) -> list[Segment]:
    return list({segment.path: segment for segment in segments}.values())


def _with_those_under(client: SwiftClient, location: Location, segment_prefix: str | None) -> Leftovers:
    """All that runs that were cut off left."""
    leftovers = find_leftovers(client, location)
    if segment_prefix is None:
        return leftovers
    under, _stranger = find_under(client, location, segment_prefix)
    return replace(leftovers, segments=(*leftovers.segments, *under))


def _keeps_versions(headers: dict[str, str]) -> bool:
    return headers.get("x-versions-enabled", "").lower() == "true"
