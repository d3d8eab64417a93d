# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Containers: their description, ACLs, listing, creation, and deletion once they are empty."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any
from urllib.parse import unquote

from .._concurrency import WORKERS, parallel_map
from .._errors import ConflictError, ForbiddenError, LoginError, NotFoundError, OptionError
from .._model.acl import Acl, Dialect, options_of, parse_acl
from .._model.headers import number_of
from .._model.image import ManifestKind
from .._model.layout import Layout
from .._model.location import RESERVED_PREFIX, Location, can_be_requested, has_dot_segment
from .._model.spec import ImageSpec
from .._retry import wait_for_listing
from .._swift.account import Headers
from .._swift.client import SwiftClient
from .image_object import ImageObject

READ_HEADER = "X-Container-Read"
WRITE_HEADER = "X-Container-Write"

# Sorts after every other character.
LAST = "\U0010ffff"

Facts = Mapping[str, object]


def describe_containers(client: SwiftClient, containers: Iterable[str], with_acl: bool) -> dict[str, Facts]:
    """Return descriptions of containers by name, without those that are missing or may not be read.

    :param with_acl: whether to include *acl*: the options of swift_image_acl, or None if Swift does not show it
    """
    names = sorted(set(containers))
    found = zip(names, parallel_map(lambda name: _describe(client, name, with_acl), names, WORKERS))
    return {name: facts for name, facts in found if facts}


def _describe(client: SwiftClient, name: str, with_acl: bool) -> Facts | None:
    try:
        headers = client.head_container(name)
    except (ForbiddenError, LoginError):
        # The right to read an image does not include a HEAD of its container.
        return None
    if headers is None:
        return None
    facts: dict[str, object] = {
        "name": name,
        "object_count": number_of(headers, "x-container-object-count"),
        "bytes_used": number_of(headers, "x-container-bytes-used"),
        "storage_policy": headers.get("x-storage-policy"),
        "quota_bytes": number_of(headers, "x-container-meta-quota-bytes"),
        "quota_count": number_of(headers, "x-container-meta-quota-count"),
    }
    if with_acl:
        acls = read_acls(client, headers)
        facts["acl"] = acls and options_of(*acls, acl_dialect(client))
    return facts


def acl_dialect(client: SwiftClient) -> Dialect:
    """Return the dialect of the store's ACLs, for the kind of login that *client* has."""
    if not client.capabilities.is_rgw:
        return Dialect.SWIFT
    return Dialect.RGW_V1 if client.has_v1_login else Dialect.RGW


def read_acls(client: SwiftClient, headers: Headers) -> tuple[Acl, Acl] | None:
    """Return a container's ACLs, for reading and for writing; None if Swift does not show them.

    Swift shows an ACL only to users who may change it. Other users see an empty one.

    :param headers: the container's
    """
    read, write = headers.get(READ_HEADER.lower(), ""), headers.get(WRITE_HEADER.lower(), "")
    if not read and not write and not client.owns_account:
        return None
    return parse_acl(read), parse_acl(write, is_write=True)


def missing_containers(target: ImageObject, layout: Layout, spec: ImageSpec) -> tuple[str, ...]:
    """Return the containers that must be created before an upload.

    :raises NotFoundError: one is missing, and *spec* does not say that it may be created
    :raises OptionError: the cluster does not have the storage policy
    """
    needed = {target.location.container: None}
    if layout.kind is not ManifestKind.NONE:
        needed[target.location.segment_container] = None
    missing = tuple(name for name in needed if not target.client.has_container(name))
    if missing and not spec.create_container:
        raise NotFoundError(
            f"There is no container {missing[0]!r} in this account: create it, or set create_container to true.",
            404,
        )
    if missing:
        _check_policy(spec.storage_policy, target.client.capabilities.policies)
    return missing


def _check_policy(policy: str | None, offered: Sequence[str]) -> None:
    if policy and offered and policy.lower() not in (name.lower() for name in offered):
        raise OptionError(
            f"storage_policy {policy!r} does not exist in this cluster: choose one of {', '.join(offered)}."
        )


def create_containers(client: SwiftClient, names: Iterable[str], policy: str | None) -> None:
    """Create containers with a storage policy, or the cluster's default one."""
    for name in names:
        client.put_container(name, {"X-Storage-Policy": policy} if policy else {})


def first_other_name(client: SwiftClient, container: str, ours: Container[str]) -> str | None:
    """Return the first name in *container* that is not one of *ours*; None if there is no other."""
    return next((entry["name"] for entry in client.list_objects(container) if entry["name"] not in ours), None)


def keeps_versions(headers: Headers) -> bool:
    """Return whether a container keeps versions of deleted or replaced objects, by any of Swift's three ways.

    :param headers: the container's
    """
    # A container whose versioning is suspended (X-Versions-Enabled: false) still has its older versions.
    return not {"x-versions-enabled", "x-versions-location", "x-history-location"}.isdisjoint(headers)


def list_older_versions(target: ImageObject, headers: Headers) -> list[ImageObject]:
    """List the versions of an image that Swift may restore when the current one is deleted, the newest first.

    Only a container with ``X-Versions-Location`` has such versions. Their names consist of the length of the image's
    name in three hex digits, that name, and a time (versioned_writes middleware).

    :param headers: of the image's container
    """
    container = unquote(headers.get("x-versions-location", "")).strip("/")
    if not can_be_requested(container):
        return []
    name = target.location.name
    prefix = f"{len(name.encode('utf-8')):03x}{name}/"
    names = [entry["name"] for entry in target.client.list_objects(container, prefix)]
    return [ImageObject(target.client, Location(container, name, container)) for name in reversed(names)]


def delete_emptied_container(client: SwiftClient, container: str) -> bool:
    """Delete a container whose objects have just been deleted; return False if it still is not empty."""
    return wait_for_listing(lambda: _delete_if_empty(client, container))


def _delete_if_empty(client: SwiftClient, container: str) -> bool:
    try:
        client.delete_container(container)
    except ConflictError:
        return False
    return True


def list_entries(
    client: SwiftClient, container: str, prefix: str, with_folders: bool = False
) -> Iterator[dict[str, Any]]:
    """List a container without ``.segments/``, folder markers, and names that no HTTP client can request.

    :param with_folders: whether folder markers are listed, which may be manifests
    :returns: entries as :meth:`SwiftClient.list_objects` yields them
    """
    pages: list[Iterator[dict[str, Any]]] = []
    # A range is requested only if the prefix allows names in it.
    if prefix < RESERVED_PREFIX:
        pages.append(client.list_objects(container, prefix, end_marker=RESERVED_PREFIX))
    if RESERVED_PREFIX.startswith(prefix) or (prefix > RESERVED_PREFIX and not prefix.startswith(RESERVED_PREFIX)):
        pages.append(client.list_objects(container, prefix, marker=RESERVED_PREFIX + LAST))
    requestable = (entry for entry in chain.from_iterable(pages) if not has_dot_segment(entry["name"]))
    return (entry for entry in requestable if with_folders or not _is_folder(entry))


def _is_folder(entry: Mapping[str, Any]) -> bool:
    """Return whether an entry is what the swift CLI and rclone store for an empty folder."""
    return not entry["bytes"] and entry.get("content_type") == "application/directory"
