# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Change who may read and write images: the ACLs of their containers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._errors import ForbiddenError, NotFoundError, OptionError
from .._model.acl import Acl, Grants, options_of
from .._model.image import Image, ManifestKind
from .._model.location import Location, Placement
from .._storage.containers import READ_HEADER, WRITE_HEADER, read_acls
from .._storage.listing import Lister
from .._swift.client import SwiftClient


@dataclass(frozen=True)
class AccessChange:
    """What a task does to the ACLs of one container, for reading and for writing."""

    container: str
    before: tuple[Acl, Acl]
    after: tuple[Acl, Acl]

    @property
    def changed(self) -> bool:
        """Whether the ACLs grant or deny something that they did not before."""
        return self.before != self.after

    def headers(self) -> dict[str, str]:
        """Return those of the two headers that have to be sent."""
        pairs = zip((READ_HEADER, WRITE_HEADER), self.before, self.after)
        return {name: str(after) for name, before, after in pairs if before != after}

    def acl(self) -> dict[str, Any]:
        """Return the new ACLs as options that make them."""
        return {"container": self.container, **options_of(*self.after)}


class ContainerAccess:
    """The access to one image, or to all images of a container.

    :param location: of the one image; None for all
    """

    def __init__(self, client: SwiftClient, placement: Placement, location: Location | None) -> None:
        self._client = client
        self._location = location
        self._container = location.container if location else placement.container

    def plan(self, grants: Grants, with_segments: bool) -> list[AccessChange]:
        """Plan the changes: of the images' container, and then of other containers with their segments.

        :param with_segments: whether containers with segments are looked for
        :raises NotFoundError: there is no such container
        :raises ForbiddenError: Swift does not show its ACLs to these credentials
        :raises OptionError: an ACL would be longer than the cluster takes
        """
        changes = [self._plan_one(self._container, grants)]
        if with_segments and grants.read is not None:
            for container, is_listed in segment_containers(self._container, self._images()).items():
                # A container that is gone has no segments to read.
                if self._client.head_container(container) is not None:
                    changes.append(self._plan_one(container, grants.for_segments(is_listed)))
        return changes

    def apply(self, changes: Sequence[AccessChange]) -> None:
        """Change the ACLs, segments' containers first, so that an image can be read as soon as it can be seen."""
        for change in reversed(changes):
            if change.changed:
                self._client.post_container(change.container, change.headers())

    def _plan_one(self, container: str, grants: Grants) -> AccessChange:
        before = self._read(container)
        change = AccessChange(container, before, grants.apply_to(*before))
        _check_length(change.headers(), self._client.capabilities.max_header_size)
        return change

    def _read(self, container: str) -> tuple[Acl, Acl]:
        headers = self._client.head_container(container)
        if headers is None:
            raise NotFoundError(
                f"There is no container {container!r}: correct its name, or store an image with create_container "
                "first.",
                404,
            )
        acls = read_acls(self._client, headers)
        if acls is None:
            raise ForbiddenError(
                f"These credentials may not change who reads and writes container {container!r}: ask somebody who is "
                "an operator of its project.",
                403,
            )
        return acls

    def _images(self) -> list[Image]:
        lister = Lister(self._client, lambda _location, image: image)
        if self._location and self._location.alone:
            found = lister.read([self._location])
        else:
            # The ACL is that of all images in the container, whichever is named.
            found = lister.read_all(Placement(self._container))
        return [image for image in found if image]


def _check_length(headers: Mapping[str, str], most: int) -> None:
    for name, value in headers.items():
        length = len(f"{name}: {value}\r\n".encode())
        if length > most:
            raise OptionError(
                f"The ACL makes a header {name} of {length} bytes and this cluster takes {most}: name fewer, or give "
                "them a role that the ACL names."
            )


def segment_containers(container: str, images: Iterable[Image]) -> dict[str, bool]:
    """Return the other containers that *images* have segments in, sorted.

    :param container: of the images
    :returns: for each, whether Swift lists it to read one of the images, as it does for a DLO
    """
    found: dict[str, bool] = {}
    for image in images:
        for other in _containers_of(image):
            if other != container:
                found[other] = found.get(other, False) or image.kind is ManifestKind.DLO
    return dict(sorted(found.items()))


def _containers_of(image: Image) -> Iterator[str]:
    if image.segment_container:
        yield image.segment_container
    yield from (segment.container for segment in image.objects)


def diff_of(changes: Sequence[AccessChange]) -> dict[str, str]:
    """Return Ansible's before and after, one grant a line; grants are sorted unless their order counts."""
    return {
        "before": "".join(_lines(change.container, change.before) for change in changes),
        "after": "".join(_lines(change.container, change.after) for change in changes),
    }


def _lines(container: str, acls: tuple[Acl, Acl]) -> str:
    lines = [
        f"{container} {verb} {element}\n"
        for verb, acl in zip(("read", "write"), acls)
        for element in (*acl.referrers, *sorted(acl.others))
    ]
    return "".join(lines)
