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
from ._digest import same_content
from ._errors import NotFoundError, OptionError
from ._image import Image, ManifestKind, Segment
from ._layout import Layout, lay_out
from ._location import Location
from ._manifest import leftovers, read_image
from ._removal import delete_emptied_container, delete_segments, name_beside
from ._replacement import Attributes, Replacement
from ._source import FileSource
from ._upload import Transfer

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
        headers = self._connection.head_container(container)
        if headers is None:
            return False
        if headers.get("x-versions-enabled", "").lower() == "true":
            self._warn(f"Container {container!r} stays: it keeps versions of what was deleted.")
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
        replacement = Replacement(
            self._connection,
            self._location,
            before,
            source,
            layout,
            Attributes(
                content_type=wish.content_type or (before and before.content_type) or _DEFAULT_CONTENT_TYPE,
                metadata=_wished_metadata(before, wish),
                delete_at=before.delete_at if before else None,
            ),
            wish.hash_algorithms,
            wish.concurrency,
        )
        if self._check_mode:
            # Every upload of a DLO has a prefix of its own, and this one's will not be that of the rehearsal.
            image, transfer = replace(replacement.rehearse(), segment_prefix=None), Transfer()
        else:
            self._create_containers(new_containers, wish.storage_policy)
            image, transfer = replacement.run(self._warn)
            if before:
                self._warn_of_strangers(before)
        return Change(self._location, before, image, new_containers, replacement.abandoned(image)), transfer

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


def _wished_metadata(before: Image | None, wish: Wish) -> Mapping[str, str]:
    if wish.metadata is not None:
        return wish.metadata
    return before.metadata if before else {}
