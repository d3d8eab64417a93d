# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where an image is: container and name, and Glance's way of writing that down.

Pure: knows neither Ansible nor the network.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from ._errors import OptionError

# Swift's own defaults (swift.conf [swift-constraints]), in bytes of UTF-8.
MAX_CONTAINER_NAME_LENGTH = 256
MAX_OBJECT_NAME_LENGTH = 1024

# All that this collection lays beside the images of a container lies under this prefix.
RESERVED_PREFIX = ".segments/"


@dataclass(frozen=True)
class Location:
    """One image in a store.

    :param container: the container of the image (its manifest, or the plain object)
    :param name: the object's name
    :param segment_container: the container its segments are written to
    """

    container: str
    name: str
    segment_container: str

    def uri(self, storage_url: str) -> str:
        """The image's location in Glance's grammar, without credentials.

        :param storage_url: the account's URL, such as ``https://swift.example.com/v1/AUTH_x``
        :returns: ``swift+https://swift.example.com/v1/AUTH_x/container/name``
        """
        return f"swift+{storage_url.rstrip('/')}/{quote(self.container)}/{quote(self.name)}"


def locate(container: str, name: str, segment_container: str | None = None) -> Location:
    """Check names against Swift's rules and this collection's.

    :param segment_container: None for the image's own container, as Glance does it
    :raises OptionError: a name that Swift or this collection can't take
    """
    check_container("container", container)
    if segment_container is not None:
        check_container("segment_container", segment_container)
    _check_name(name)
    return Location(container, name, segment_container or container)


def has_dot_segment(name: str) -> bool:
    """Whether a request for *name* would reach another object.

    HTTP clients (requests, and so python-swiftclient) resolve dot segments before they send a path
    (RFC 3986, 5.2.4): a request for ``a/../b`` would reach the object ``b``.
    """
    return any(part in (".", "..") for part in name.split("/"))


def check_container(option: str, container: str) -> None:
    """Refuse what can't be a container's name in Swift.

    :param option: the module option that holds it, for the message
    :raises OptionError: empty, with a slash, a path that means another one, or too long
    """
    if not container:
        raise OptionError(f"{option} is empty: name a container.")
    if "/" in container:
        raise OptionError(
            f"{option} {container!r} holds a slash: a container's name can't have one; "
            "folders belong into the image's name."
        )
    if container in (".", ".."):
        raise OptionError(f"{option} {container!r} is a path, not a container: choose another name.")
    _check_length(option, container, MAX_CONTAINER_NAME_LENGTH)


def _check_name(name: str) -> None:
    if not name:
        raise OptionError("name is empty: name an image.")
    if name.startswith(RESERVED_PREFIX):
        raise OptionError(f"name {name!r} begins with {RESERVED_PREFIX}, where segments are kept: choose another name.")
    if has_dot_segment(name):
        raise OptionError(
            f"name {name!r} has a part that is only dots, which would reach another object: choose another name."
        )
    _check_length("name", name, MAX_OBJECT_NAME_LENGTH)


def _check_length(option: str, value: str, limit: int) -> None:
    try:
        length = len(value.encode("utf-8"))
    except UnicodeEncodeError:
        raise OptionError(f"{option} is not valid UTF-8, which Swift asks for: choose another name.") from None
    if length > limit:
        raise OptionError(f"{option} is {length} bytes long and Swift takes {limit} at most: choose a shorter one.")
