# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may read and write images: the ACLs of their containers, found out and changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._errors import ForbiddenError, NotFoundError, OptionError
from .._model.acl import Acl, Grants, options_of, parse_acl
from .._model.image import Image, ManifestKind
from .._model.location import Location, Placement
from .._storage.listing import list_images, read_images
from .._swift.client import SwiftClient

# Swift's own default for a line of a request's head, in bytes (swift.conf [swift-constraints] max_header_size).
_MAX_HEADER_SIZE = 8192

_READ = "X-Container-Read"
_WRITE = "X-Container-Write"


@dataclass(frozen=True)
class AccessChange:
    """What a task does to the ACLs of one container."""

    container: str
    before: tuple[Acl, Acl]
    after: tuple[Acl, Acl]

    @property
    def changed(self) -> bool:
        """Whether somebody is let in, or kept out, who was not before."""
        return self.before != self.after

    def headers(self) -> dict[str, str]:
        """Those of the two headers that have to be sent."""
        pairs = zip((_READ, _WRITE), self.before, self.after)
        return {name: str(after) for name, before, after in pairs if before != after}

    def acl(self) -> dict[str, Any]:
        """The ACLs after it, as options that make them."""
        return {"container": self.container, **options_of(*self.after)}


class ContainerAccess:
    """The access to one image, or to all of a container.

    :param location: of the one image; None for all
    """

    def __init__(self, client: SwiftClient, placement: Placement, location: Location | None) -> None:
        self._client = client
        self._placement = placement
        self._location = location
        self._container = location.container if location else placement.container

    def plan(self, grants: Grants, with_segments: bool) -> list[AccessChange]:
        """What there is, and what it is to become: of the images' container, and then of others with their segments.

        :param with_segments: whether others are looked for
        :raises NotFoundError: there is no such container
        :raises ForbiddenError: Swift does not show its ACLs to these credentials
        :raises OptionError: an ACL would be longer than the cluster takes
        """
        changes = [self._plan(self._container, grants)]
        if with_segments and grants.read is not None:
            for container, is_listed in _segment_containers(self._container, self._images()).items():
                # Where it is gone, so are the segments, and nobody can be let read them.
                if self._client.head_container(container) is not None:
                    changes.append(self._plan(container, grants.for_segments(is_listed)))
        return changes

    def carry_out(self, changes: Sequence[AccessChange]) -> None:
        """Change what has to be, segments' containers first, so that whoever may see an image can read it."""
        for change in reversed(changes):
            if change.changed:
                self._client.post_container(change.container, change.headers())

    def _plan(self, container: str, grants: Grants) -> AccessChange:
        before = _read(self._client, container)
        change = AccessChange(container, before, grants.apply_to(*before))
        _check_length(change.headers(), self._client.capabilities)
        return change

    def _images(self) -> list[Image]:
        def keep(_location: Location, image: Image | None) -> Image | None:
            return image

        if self._location and self._location.alone:
            found = read_images(self._client, [self._location], keep, is_deep=False)
        else:
            # The ACL is that of all images in the container, whichever is named.
            found = list_images(self._client, Placement(self._container), "", keep, is_deep=False)
        return [image for image in found if image]


def _read(client: SwiftClient, container: str) -> tuple[Acl, Acl]:
    headers = client.head_container(container)
    if headers is None:
        raise NotFoundError(
            f"There is no container {container!r}: correct its name, or store an image with create_container first.",
            404,
        )
    read, write = headers.get(_READ.lower(), ""), headers.get(_WRITE.lower(), "")
    if not read and not write and not client.owns_account:
        raise ForbiddenError(
            f"These credentials may not change who reads and writes container {container!r}: ask somebody who is an "
            "operator of its project.",
            403,
        )
    return parse_acl(read), parse_acl(write, is_write=True)


def _check_length(headers: Mapping[str, str], capabilities: Mapping[str, Any]) -> None:
    most = int(capabilities.get("swift", {}).get("max_header_size", _MAX_HEADER_SIZE))
    for name, value in headers.items():
        length = len(f"{name}: {value}\r\n".encode())
        if length > most:
            raise OptionError(
                f"The ACL makes a header {name} of {length} bytes and this cluster takes {most}: name fewer, or give "
                "them a role that the ACL names."
            )


def _segment_containers(container: str, images: Iterable[Image]) -> dict[str, bool]:
    """The other containers that *images* have segments in, each with whether Swift lists it to read one of them."""
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


def diff_of(changes: Iterable[AccessChange]) -> dict[str, str]:
    """Ansible's before and after, a grant a line; where the order does not count they are sorted."""
    kept = list(changes)
    return {
        "before": "".join(_lines(change.container, change.before) for change in kept),
        "after": "".join(_lines(change.container, change.after) for change in kept),
    }


def _lines(container: str, acls: tuple[Acl, Acl]) -> str:
    lines = [
        f"{container} {verb} {element}\n"
        for verb, acl in zip(("read", "write"), acls)
        for element in (*acl.referrers, *sorted(acl.others))
    ]
    return "".join(lines)
