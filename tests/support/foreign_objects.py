# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Large objects under names of the test's choice, written with plain requests."""

from __future__ import annotations

from collections.abc import Iterable

from ansible_collections.imagestore.swift.tests.support.writers import MANIFEST, Place, write_slo


def write_glance_dlo(place: Place, name: str, parts: Iterable[bytes], prefix: str = "") -> None:
    """Store a DLO with segments that are numbered as Glance's.

    :param prefix: of the segments; by default Glance's
    """
    prefix = prefix or f"{name}-"
    for number, part in enumerate(parts, 1):
        place.store.do("PUT", place.container, f"{prefix}{number:05d}", data=part)
    place.store.do("PUT", place.container, name, headers={"X-Object-Manifest": f"{place.container}/{prefix}"})


def write_named_slo(place: Place, name: str, segments: list[str]) -> None:
    """Store an SLO with segments of any names, each of which holds its own name."""
    for segment in segments:
        place.store.do("PUT", place.container, segment, data=segment.encode())
    write_slo(place, name, segments)


def rename_manifest(place: Place, name: str, new_name: str) -> None:
    """Move the manifest of a large object to another name; its segments keep their names."""
    prefix = place.store.do("HEAD", place.container, name).headers.get("X-Object-Manifest")
    if prefix:
        place.store.do("PUT", place.container, new_name, headers={"X-Object-Manifest": prefix})
    else:
        raw = {"multipart-manifest": "get", "format": "raw"}
        manifest = place.store.do("GET", place.container, name, params=raw).content
        place.store.do("PUT", place.container, new_name, params=MANIFEST, data=manifest)
    place.store.do("DELETE", place.container, name)
