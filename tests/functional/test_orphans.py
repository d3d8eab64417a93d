# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of orphans: segments that no manifest refers to."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imagestore.swift.tests.support.clients import SEGMENT, Rclone, SwiftCli
from ansible_collections.imagestore.swift.tests.support.foreign_objects import rename_manifest, write_glance_dlo
from ansible_collections.imagestore.swift.tests.support.writers import OURS, WRITERS, Place

UUID = "6b1e5a36-63b1-4f2c-9a0e-0c0d5f1f2a22"


def orphans_of(place: Place, **options: Any) -> list[str]:
    """Return the paths of the orphans of any age."""
    found = place.modules("swift_image_info", orphans=True, orphan_age=0, **options)["orphans"]
    return [f"{orphan['container']}/{orphan['name']}" for orphan in found]


def test_new_segments_are_not_orphans(place: Place) -> None:
    """The segments of a running upload have no manifest yet, as those of Glance here."""
    names = [f"{UUID}-{number:05d}" for number in (1, 2)]
    for name in names:
        place.store.do("PUT", place.container, name, data=b"12345")
    assert place.modules("swift_image_info", orphans=True)["orphans"] == []
    found = place.modules("swift_image_info", orphans=True, orphan_age=0)["orphans"]
    assert [(orphan["container"], orphan["name"], orphan["size"]) for orphan in found] == [
        (place.container, name, 5) for name in names
    ]
    for orphan in found:
        assert orphan["age"] >= 0
        assert re.fullmatch(r"20[0-9-]+T[0-9:]+Z", orphan["last_modified"])


@pytest.fixture
def lost(place: Place, image: Path) -> dict[str, list[str]]:
    """The paths of the segments of images whose manifests were deleted, by the images' names."""
    swift = SwiftCli(place.cloud, place.container, place.folder)
    rclone = Rclone(place.cloud, place.container, place.folder)
    own = {"src": str(image), "segment_size": str(SEGMENT)}
    apart = {"segment_container": f"{place.container}_segments", "create_container": True}
    glance = {"manifest": "dlo", "segment_prefix": "own-glance-"}
    writers: dict[str, Callable[[str], object]] = {
        "kept": lambda name: WRITERS[OURS](place, name, image),
        "own": lambda name: place.modules("swift_image", name=name, **own, **apart),
        "own-glance": lambda name: place.modules("swift_image", name=name, **own, **glance),
        "inside": lambda name: place.modules("swift_image", name=name, **own),
        "cli": lambda name: swift.put_with_segments(name, image, OURS.lower()),
        "rclone apart": lambda name: rclone.put(name, image, "dlo"),
        "rclone/inside": lambda name: rclone.put_with_segments(name, image),
        UUID: lambda name: write_glance_dlo(place, name, [b"1", b"2", b"3"]),
    }
    segments = {}
    for name, write in writers.items():
        before = set(place.names())
        write(name)
        if name != "kept":
            place.store.do("DELETE", place.container, name)
            segments[name] = sorted(set(place.names()) - before)
            assert len(segments[name]) == 3
    return segments


def test_segments_without_a_manifest_are_orphans(place: Place, lost: dict[str, list[str]]) -> None:
    container = place.container
    assert orphans_of(place) == sorted(
        (path for paths in lost.values() for path in paths), key=lambda path: path.split("/", 1)
    )
    assert orphans_of(place, prefix="cli") == lost["cli"]
    assert orphans_of(place, names=["own", "own-glance"]) == sorted(lost["own"] + lost["own-glance"])
    for name in ("kept", "nothing"):
        assert orphans_of(place, name=name) == []
    other = {"container": f"{container}-none", "segment_container": f"{container}_segments"}
    assert orphans_of(place, name="own", **other) == []


def test_orphans_of_an_image_are_found_by_its_uri(place: Place, image: Path) -> None:
    WRITERS[OURS](place, "img", image)
    WRITERS[OURS](place, "other", image)
    segments = [path for path in place.names() if "/.segments/img/" in path]
    for name in ("img", "other"):
        place.store.do("DELETE", place.container, name)
    login = {name: value for name, value in place.modules.defaults.items() if name != "container"}
    by_uri = replace(place, modules=replace(place.modules, defaults=login))
    assert orphans_of(by_uri, uri=f"swift+{place.store.storage_url}/{place.container}/img") == segments
    assert len(segments) == 3


@pytest.mark.parametrize("kind", ["SLO", "DLO"])
def test_segments_of_a_renamed_image_are_not_orphans(place: Place, image: Path, kind: str) -> None:
    WRITERS[kind](place, "img", image)
    rename_manifest(place, "img", "renamed")
    assert place.read("renamed") == image.read_bytes()
    for options in ({}, {"name": "img"}, {"prefix": "img"}):
        assert orphans_of(place, **options) == []
