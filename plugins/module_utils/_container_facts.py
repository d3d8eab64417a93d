# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What there is to say of a container."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ._acl import options_of, parse_acl
from ._connection import Connection, Headers
from ._errors import ForbiddenError, LoginError
from ._parallel import WORKERS, for_each

Facts = dict[str, object]


@dataclass(frozen=True)
class ContainerFacts:
    """Of one container.

    :param shown: what every user may see who may look at it
    :param acl: as the options of swift_image_acl; None where these credentials are not shown it
    """

    shown: Facts
    acl: Facts | None


def read_containers(connection: Connection, containers: Iterable[str]) -> dict[str, ContainerFacts]:
    """Look at containers side by side; those that are not there, or may not be looked at, are left out."""
    names = sorted(set(containers))
    found = zip(names, for_each(lambda name: _read(connection, name), names, WORKERS), strict=True)
    return {name: facts for name, facts in found if facts}


def _read(connection: Connection, name: str) -> ContainerFacts | None:
    try:
        headers = connection.head_container(name)
    except (ForbiddenError, LoginError):
        # Whoever may read an image need not be allowed to look at its container.
        return None
    return None if headers is None else ContainerFacts(_shown(name, headers), _acl(connection, headers))


def _shown(name: str, headers: Headers) -> Facts:
    return {
        "name": name,
        "object_count": _number(headers, "x-container-object-count"),
        "bytes_used": _number(headers, "x-container-bytes-used"),
        "storage_policy": headers.get("x-storage-policy"),
        "quota_bytes": _number(headers, "x-container-meta-quota-bytes"),
        "quota_count": _number(headers, "x-container-meta-quota-count"),
    }


def _number(headers: Headers, name: str) -> int | None:
    value = headers.get(name, "")
    return int(value) if value.isdecimal() else None


def _acl(connection: Connection, headers: Headers) -> Facts | None:
    """Swift shows an ACL to those who may change it, and to others none, as if there were none."""
    read, write = headers.get("x-container-read", ""), headers.get("x-container-write", "")
    if not read and not write and not connection.owns_account:
        return None
    return options_of(parse_acl(read), parse_acl(write, is_write=True))
