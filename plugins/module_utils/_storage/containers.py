# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What there is to say of a container."""

from __future__ import annotations

from collections.abc import Container, Iterable

from .._concurrency import WORKERS, parallel_map
from .._errors import ConflictError, ForbiddenError, LoginError
from .._model.acl import options_of, parse_acl
from .._retry import listing_agrees
from .._swift.client import Headers, SwiftClient

Facts = dict[str, object]


def read_containers(client: SwiftClient, containers: Iterable[str], with_acl: bool) -> dict[str, Facts]:
    """Look at containers side by side; those that are not there, or may not be looked at, are left out.

    :param with_acl: whether *acl* is among the facts: the options of swift_image_acl, or None where these credentials
        are not shown it
    """
    names = sorted(set(containers))
    found = zip(names, parallel_map(lambda name: _read(client, name, with_acl), names, WORKERS))
    return {name: facts for name, facts in found if facts}


def _read(client: SwiftClient, name: str, with_acl: bool) -> Facts | None:
    try:
        headers = client.head_container(name)
    except (ForbiddenError, LoginError):
        # Whoever may read an image need not be allowed to look at its container.
        return None
    if headers is None:
        return None
    acl = {"acl": _acl(client, headers)} if with_acl else {}
    return {**_shown(name, headers), **acl}


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


def _acl(client: SwiftClient, headers: Headers) -> Facts | None:
    """Swift shows an ACL to those who may change it, and to others none, as if there were none."""
    read, write = headers.get("x-container-read", ""), headers.get("x-container-write", "")
    if not read and not write and not client.owns_account:
        return None
    return options_of(parse_acl(read), parse_acl(write, is_write=True))


def name_beside(client: SwiftClient, container: str, ours: Container[str]) -> str | None:
    """The first name in *container* that is none of *ours*, and so keeps it from being deleted."""
    return next((entry["name"] for entry in client.list_objects(container) if entry["name"] not in ours), None)


def delete_emptied_container(client: SwiftClient, container: str) -> bool:
    """Delete a container that all objects have just been deleted from.

    :returns: False when there is still something in it
    """
    return listing_agrees(lambda: _delete_if_empty(client, container))


def _delete_if_empty(client: SwiftClient, container: str) -> bool:
    try:
        client.delete_container(container)
    except ConflictError:
        return False
    return True
