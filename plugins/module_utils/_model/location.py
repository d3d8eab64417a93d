# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Locations of images in an account: container and name, by the rules of Swift and Glance.

Pure: this module does not use Ansible or the network. The grammar of a location is in ``uri``.
"""

from __future__ import annotations

from dataclasses import dataclass

from .._errors import OptionError
from .uri import uri_of_storage_url

# Swift's own defaults (swift.conf [swift-constraints]), in bytes of UTF-8.
MAX_CONTAINER_NAME_LENGTH = 256
MAX_OBJECT_NAME_LENGTH = 1024

# Glance's bounds for swift_store_multiple_containers_seed: an image id has 32 digits.
MAX_CONTAINERS_SEED = 32

# The prefix of the objects that this collection stores beside the images of a container.
RESERVED_PREFIX = ".segments/"


@dataclass(frozen=True)
class Location:
    """The location of an image.

    :param container: the container of the image (its manifest, or the plain object)
    :param name: the object's name
    :param segment_container: the container its segments are written to
    :param alone: whether the container is for this image only, and is deleted with it
    """

    container: str
    name: str
    segment_container: str
    alone: bool = False

    @property
    def path(self) -> tuple[str, str]:
        """The container and name."""
        return self.container, self.name

    @property
    def label(self) -> str:
        """The container and name for messages."""
        return f"{self.container}/{self.name}"

    def uri(self, storage_url: str) -> str:
        """Return the image's location in Glance's grammar, without credentials.

        :param storage_url: the account's URL, such as ``https://swift.example.com/v1/AUTH_x``
        :returns: ``swift+https://swift.example.com/v1/AUTH_x/container/name``
        """
        return uri_of_storage_url(storage_url, self.container, self.name).compose()


@dataclass(frozen=True)
class Placement:
    """The choice of an image's container by its name, as Glance's Swift driver makes it.

    :param container: the container of all images, or the beginning of the names of several containers
    :param multi_tenant: whether each image has a container of its own
    :param seed: how many characters of an image's name choose its container, dashes not counted
        (``swift_store_multiple_containers_seed``)
    """

    container: str
    multi_tenant: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        check_container("container", self.container)
        if not 0 <= self.seed <= MAX_CONTAINERS_SEED:
            raise OptionError(f"containers_seed is {self.seed}, but must be between 0 and {MAX_CONTAINERS_SEED}.")
        if self.multi_tenant and self.seed:
            raise OptionError("multi_tenant and containers_seed both choose the container: leave one of them out.")

    @property
    def spreads(self) -> bool:
        """True if images are in several containers."""
        return self.multi_tenant or self.seed > 0

    def container_of(self, name: str) -> str:
        """Return the container of the image *name*."""
        if self.multi_tenant:
            return f"{self.container}_{name}"
        if self.seed:
            # Glance counts the dashes among the first `seed` characters only, and its images must be found.
            length = self.seed + name[: self.seed].count("-")
            return f"{self.container}_{name.lower()[:length]}"
        return self.container

    def locate(self, name: str, segment_container: str | None = None) -> Location:
        """Return the location of the image *name*.

        :raises OptionError: Swift or this collection does not accept a name
        """
        container = self.container_of(name)
        if "/" in container:
            raise OptionError(
                f"With multi_tenant or containers_seed, a slash in name {name!r} would be a part of the container's "
                "name, which can't have one: choose another name."
            )
        return locate(container, name, segment_container, self.multi_tenant)


def locate(container: str, name: str, segment_container: str | None = None, alone: bool = False) -> Location:
    """Return a location, after checking its names against the rules of Swift and this collection.

    :param segment_container: None for the image's own container, as Glance does it
    :param alone: whether the container is for this image only
    :raises OptionError: Swift or this collection does not accept a name
    """
    check_container("container", container)
    if segment_container is not None:
        check_container("segment_container", segment_container)
    _check_name(name)
    return Location(container, name, segment_container or container, alone)


def has_dot_segment(name: str) -> bool:
    """Return whether a request for *name* would reach another object.

    HTTP clients (requests, and so python-swiftclient) resolve dot segments before they send a path
    (RFC 3986, 5.2.4): a request for ``a/../b`` would reach the object ``b``.
    """
    return any(part in (".", "..") for part in name.split("/"))


def can_be_requested(container: str, name: str | None = None) -> bool:
    """Return whether a request for an object reaches that object, in this account, and no other.

    A manifest, header or journal may name any container, even ``..``, which would lead to another account.

    :param name: of the object; None for the container itself
    """
    try:
        check_container("container", container)
        _check_length("name", name or "", MAX_OBJECT_NAME_LENGTH)
    except OptionError:
        return False
    return name != "" and not has_dot_segment(name or "") and "\0" not in container + (name or "")


def check_container(option: str, container: str) -> None:
    """Refuse a name that no container in Swift can have.

    :param option: the module option that holds it, for the message
    :raises OptionError: the name is empty, has a slash, is ``.`` or ``..``, or is too long
    """
    if not container:
        raise OptionError(f"{option} is empty: name a container.")
    if "/" in container:
        raise OptionError(
            f"{option} {container!r} has a slash, which is not valid in a container's name: put folders into the "
            "image's name."
        )
    if container in (".", ".."):
        raise OptionError(f"{option} {container!r} is a path, not a container: choose another name.")
    _check_length(option, container, MAX_CONTAINER_NAME_LENGTH)


def _check_name(name: str) -> None:
    if not name:
        raise OptionError("name is empty: name an image.")
    if name.startswith(RESERVED_PREFIX):
        raise OptionError(
            f"name {name!r} begins with {RESERVED_PREFIX}, which is reserved for segments: choose another name."
        )
    if has_dot_segment(name):
        raise OptionError(
            f"name {name!r} has a part that is only dots, so a request would reach another object: choose another name."
        )
    _check_length("name", name, MAX_OBJECT_NAME_LENGTH)


def _check_length(option: str, value: str, limit: int) -> None:
    try:
        length = len(value.encode("utf-8"))
    except UnicodeEncodeError:
        raise OptionError(f"{option} is not valid UTF-8, which Swift requires: choose another name.") from None
    if length > limit:
        raise OptionError(f"{option} is {length} bytes long, but Swift allows at most {limit}: choose a shorter name.")
