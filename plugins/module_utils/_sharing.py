# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Segments that more than one manifest names: whoever copies a manifest makes such ones."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ._connection import Connection
from ._errors import NotFoundError
from ._image import Path
from ._listing import list_entries
from ._location import Location
from ._manifest import slo_segments
from ._parallel import WORKERS, for_each
from ._segment_names import is_numbered, parse_manifest_header

# Objects, each with the name of an image that is made of it.
Named = Mapping[Path, str]


def named_by_others(connection: Connection, location: Location, paths: Collection[Path]) -> Named:
    """Those of *paths* that are named by manifests in the image's container other than its own.

    Takes a listing, and a request for each of its manifests. Ceph RGW's listings do not tell static large objects
    from others, nor does it give their manifests, so there only dynamic ones are found.

    :param paths: objects that are to go
    """
    container = location.container
    others = (
        entry
        for entry in list_entries(connection, container, "")
        if entry["name"] != location.name and (container, entry["name"]) not in paths
    )
    found: dict[Path, str] = {}
    for answer in for_each(lambda entry: _named_by(connection, container, entry, paths), others, WORKERS):
        found.update(answer)
    return found


def _named_by(connection: Connection, container: str, entry: Mapping[str, Any], paths: Collection[Path]) -> Named:
    """What one of the container's objects is made of, where that is what its listing shows it may be."""
    name: str = entry["name"]
    if "slo_etag" in entry:
        named = set(_in_static(connection, container, name)).intersection(paths)
    elif entry["bytes"] == 0 and "symlink_path" not in entry:
        named = set(_in_dynamic(connection, container, name, paths))
    else:
        return {}
    return dict.fromkeys(named, name)


def _in_static(connection: Connection, container: str, name: str) -> Iterator[Path]:
    try:
        for segment in slo_segments(connection, container, name):
            yield from (found.path for found in segment.objects())
    except NotFoundError:
        # It went since the listing.
        return


def _in_dynamic(connection: Connection, container: str, name: str, paths: Collection[Path]) -> Iterator[Path]:
    headers = connection.head_object(container, name, manifest=True)
    if headers and "x-object-manifest" in headers:
        yield from _under(*parse_manifest_header(headers["x-object-manifest"]), paths)


def _under(container: str, prefix: str, paths: Collection[Path]) -> Iterator[Path]:
    """Those that a DLO is read with, but not what only begins as its segments do: ``a-b-00001`` is none of ``a-``."""
    for path in paths:
        is_under = path[0] == container and path[1].startswith(prefix)
        if is_under and (prefix.endswith("/") or is_numbered(prefix, path[1])):
            yield path
