# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Access to images: changes of the ACLs of their containers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

from .._errors import ConflictError, ForbiddenError, NotFoundError, OptionError
from .._model.acl import Acl, Dialect, Grants, Mode, options_of
from .._model.image import Image, ManifestKind
from .._model.location import Location, Placement
from .._model.owners import may_own
from .._storage.containers import READ_HEADER, WRITE_HEADER, acl_dialect, read_acls
from .._storage.image_object import ImageObject
from .._storage.listing import Lister
from .._storage.manifest import read_segments
from .._swift.client import SwiftClient

# Seen on Ceph RGW 16 to 20: to list a DLO's segments for a reader, Swift needs the reader's rights, and RGW needs more.
_UNREADABLE = (
    "is a dynamic large object with segments in container {container!r}. On this store (Ceph RGW), only its own "
    "project can read it, regardless of ACLs: store it again with its segments in its own container."
)

# How often the change of an ACL is tried if somebody else changes it at the same time.
_TRIES = 3


@dataclass(frozen=True)
class AccessChange:
    """A change of the ACLs of one container, for reading and for writing."""

    container: str
    before: tuple[Acl, Acl]
    after: tuple[Acl, Acl]
    grants: Grants
    dialect: Dialect = Dialect.SWIFT

    @property
    def changed(self) -> bool:
        """True if the ACLs grant or deny something that they did not before."""
        return self.before != self.after

    def headers(self) -> dict[str, str]:
        """Return the headers of the ACLs that change."""
        pairs = zip((READ_HEADER, WRITE_HEADER), self.before, self.after)
        return {name: str(after) for name, before, after in pairs if before != after}

    def acl(self) -> dict[str, Any]:
        """Return the new ACLs as module options."""
        return {"container": self.container, **options_of(*self.after, self.dialect)}


@dataclass(frozen=True)
class AccessPlan:
    """All changes of ACLs by a task.

    :param changes: first that of the images' container, then those of other containers with their segments
    :param left_alone: other containers to which manifests refer, each with an image whose manifest does
    :param unreadable: dynamic large objects that only their own project can read, each with its segments' container
    """

    changes: Sequence[AccessChange]
    left_alone: Mapping[str, str]
    unreadable: Mapping[str, str] = field(default_factory=dict)

    def warnings(self) -> Iterator[str]:
        """Yield a sentence for each container that is left alone, and for each unreadable image."""
        for container, name in self.left_alone.items():
            yield (
                f"The access to container {container!r} is not changed, because no object in it is provably a segment "
                f"of {name!r}, whose manifest names it. If the image's segments are there, add the container to "
                "segment_containers."
            )
        for name, container in self.unreadable.items():
            yield f"{name!r} {_UNREADABLE.format(container=container)}"


class ContainerAccess:
    """The access to one image, or to all images of a container.

    :param location: of the one image; None for all
    """

    def __init__(self, client: SwiftClient, placement: Placement, location: Location | None) -> None:
        self._client = client
        self._location = location
        self._container = location.container if location else placement.container

    def plan(self, grants: Grants, with_segments: bool, meant: Collection[str]) -> AccessPlan:
        """Plan the changes.

        :param with_segments: whether to change other containers with segments, too
        :param meant: containers that the task names as containers of segments
        :raises NotFoundError: there is no such container
        :raises ForbiddenError: Swift does not show its ACLs to these credentials
        :raises OptionError: an ACL would be longer than the cluster takes
        """
        dialect = acl_dialect(self._client)
        grants = grants.in_dialect(dialect)
        changes = [self._plan_one(self._container, grants)]
        if not with_segments or grants.read is None:
            return AccessPlan(changes, {})
        containers = segment_containers(self._images(), meant)
        name = self._location.name if self._location else None
        unreadable = unreadable_images(grants, dialect, containers, name)
        for container, is_listed in containers.proved.items():
            # A deleted container has no segments to read.
            if self._client.head_container(container) is not None:
                changes.append(self._plan_one(container, grants.for_segments(is_listed)))
        return AccessPlan(changes, containers.unproved, unreadable)

    def apply(self, plan: AccessPlan) -> AccessPlan:
        """Change the ACLs, segments' containers first, so that an image can be read as soon as it can be seen.

        :returns: the plan with the changes that were made: somebody else may have changed an ACL meanwhile
        :raises ConflictError: somebody else changes the same ACL again and again
        """
        return replace(plan, changes=[self._apply_one(change) for change in reversed(plan.changes)][::-1])

    def _apply_one(self, change: AccessChange) -> AccessChange:
        """Change the current ACLs of a container, and check the result, because Swift has no condition for a POST."""
        for _try in range(_TRIES):
            change = self._plan_one(change.container, change.grants)
            if not change.changed:
                return change
            self._client.post_container(change.container, change.headers())
            if all(now.says_same_as(after) for now, after in zip(self._read(change.container), change.after)):
                return change
        raise ConflictError(
            f"Another client changes the access to container {change.container!r} at the same time: check the "
            "container's ACLs, and run again.",
            HTTPStatus.CONFLICT,
        )

    def _plan_one(self, container: str, grants: Grants) -> AccessChange:
        before = self._read(container)
        change = AccessChange(container, before, grants.apply_to(*before), grants, acl_dialect(self._client))
        check_length(change.headers(), self._client.capabilities.max_header_size)
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
                f"These credentials may not change the access to container {container!r}: ask an operator of its "
                "project.",
                403,
            )
        return acls

    def _images(self) -> list[tuple[Location, Image]]:
        lister = Lister(self._client, self._with_segments)
        if self._location and self._location.alone:
            found = lister.read([self._location])
        else:
            # The ACL applies to all images in the container, even if the task names one.
            found = lister.read_all(Placement(self._container))
        return [(location, image) for location, image in found if image]

    def _with_segments(self, location: Location, image: Image | None) -> tuple[Location, Image | None]:
        """Read the segments of an image if its manifest names another container.

        That container is only a claim until the segments' names prove it.
        """
        if image and not image.segments and image.segment_container not in (None, location.container):
            image = read_segments(ImageObject(self._client, location), image)
        return location, image


def unreadable_images(
    grants: Grants, dialect: Dialect, containers: SegmentContainers, name: str | None
) -> Mapping[str, str]:
    """Return the images that the new readers can't read on Ceph RGW, each with its segments' container.

    :param name: of the one image that the task is about; None for all images of the container
    :raises OptionError: the task is about one image, and that is unreadable
    """
    if dialect is Dialect.SWIFT or grants.mode is Mode.REMOVE or not (grants.read and grants.read.elements):
        return {}
    if name is not None and name in containers.listed_elsewhere:
        raise OptionError(f"{name!r} {_UNREADABLE.format(container=containers.listed_elsewhere[name])}")
    return containers.listed_elsewhere


def check_length(headers: Mapping[str, str], most: int) -> None:
    """Refuse ACLs that the cluster would refuse.

    :param most: the maximum length of a header, in bytes (Swift's ``max_header_size``)
    :raises OptionError: a header is longer
    """
    for name, value in headers.items():
        length = len(f"{name}: {value}\r\n".encode())
        if length > most:
            raise OptionError(
                f"The ACL makes the header {name} {length} bytes long, but this cluster allows at most {most}: name "
                "fewer users and projects, or give them a role that the ACL names."
            )


@dataclass(frozen=True)
class SegmentContainers:
    """The containers to which manifests refer, beside the images' own.

    :param proved: containers with a segment that is proved to be an image's, sorted; for each, whether Swift lists it
        to read one of the images, as it does for a DLO
    :param unproved: the other containers, each with the name of an image whose manifest refers to it
    :param listed_elsewhere: dynamic large objects with segments in another container, each with that container
    """

    proved: Mapping[str, bool]
    unproved: Mapping[str, str]
    listed_elsewhere: Mapping[str, str] = field(default_factory=dict)


def segment_containers(images: Iterable[tuple[Location, Image]], meant: Collection[str] = ()) -> SegmentContainers:
    """Sort the containers to which the manifests of *images* refer into proved and unproved ones.

    :param meant: containers that count as proved, because the task names them
    """
    proved: dict[str, bool] = {}
    unproved: dict[str, str] = {}
    listed_elsewhere: dict[str, str] = {}
    for location, image in images:
        own = {segment.container for segment in image.objects if may_own(location, segment)}
        named = {segment.container for segment in image.objects} | {image.segment_container or location.container}
        if image.kind is ManifestKind.DLO and image.segment_container not in (None, location.container):
            listed_elsewhere[location.name] = str(image.segment_container)
        for container in named - {location.container}:
            if container in own or container in meant:
                proved[container] = proved.get(container, False) or image.kind is ManifestKind.DLO
            else:
                unproved.setdefault(container, location.name)
    rest = {container: unproved[container] for container in sorted(unproved.keys() - proved.keys())}
    return SegmentContainers(dict(sorted(proved.items())), rest, listed_elsewhere)


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
