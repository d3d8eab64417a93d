# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Listings of containers with images of many clients: they show images, and no segments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.imagestore.swift.tests.support.clients import SEGMENT, Rclone, SwiftCli
from ansible_collections.imagestore.swift.tests.support.cloud import IS_RGW
from ansible_collections.imagestore.swift.tests.support.foreign_objects import write_glance_dlo, write_named_slo
from ansible_collections.imagestore.swift.tests.support.writers import Place

UUID = "6b1e5a36-63b1-4f2c-9a0e-0c0d5f1f2a11"
# The image of an upload that was interrupted before its manifest.
INTERRUPTED = "6b1e5a36-63b1-4f2c-9a0e-0c0d5f1f2a22"


def names_in(place: Place, **options: Any) -> list[str]:
    """Return the names of the images that a listing shows."""
    return [image["name"] for image in place.modules("swift_image_info", **options)["images"]]


def test_a_listing_shows_images_of_all_clients_without_segments(place: Place, image: Path) -> None:
    swift = SwiftCli(place.cloud, place.container, place.folder)
    rclone = Rclone(place.cloud, place.container, place.folder)
    swift.put_with_segments("cli-dlo", image, "dlo")
    if not IS_RGW:
        swift.put_with_segments("cli-slo", image, "slo")
    rclone.put("rclone apart", image, "dlo")
    rclone.put_with_segments("rclone/inside", image)
    apart = f"{place.container}_segments"
    own = {"src": str(image), "segment_size": str(SEGMENT)}
    place.modules("swift_image", name="own", segment_container=apart, **own)
    place.modules("swift_image", name="own-glance", manifest="dlo", segment_prefix="own-glance-", **own)

    listed = place.modules("swift_image_info")["images"]
    static = [] if IS_RGW else ["cli-slo"]
    names = ["cli-dlo", *static, "own", "own-glance", "rclone apart", "rclone/inside"]
    facts = [(one["name"], one["size"], one["segments"]) for one in listed]
    assert facts == [(name, image.stat().st_size, 3) for name in names]

    assert names_in(place, prefix="rclone") == ["rclone apart", "rclone/inside"]
    for prefix in (".file-segments/", ".segments/", ".seg", "nothing"):
        assert names_in(place, prefix=prefix) == []
    # The segments of rclone and of "own".
    assert len(place.store.names(apart)) == 6
    other = place.modules("swift_image_info", container=apart)
    assert other["images"] == []
    assert other["containers"][0]["object_count"] == 6


def test_a_listing_distinguishes_segments_from_images_with_similar_names(place: Place) -> None:
    write_glance_dlo(place, UUID, [b"1", b"2", b"3"])
    for number in (1, 2):
        place.store.do("PUT", place.container, f"{INTERRUPTED}-{number:05d}", data=b"without a manifest")
    write_glance_dlo(place, "debian", [b"debian 1", b"debian 2"])
    place.store.do("PUT", place.container, "debian-12", data=b"an image")
    place.store.do("PUT", place.container, "debian-20240", data=b"an image that is named like a segment")
    write_glance_dlo(place, "renamed", [b"1", b"2"], prefix="moved-")
    sizes = {
        UUID: 3,
        # Swift reads all objects with the prefix of a DLO.
        "debian": 16 + 8 + 37,
        "debian-12": 8,
        "debian-20240": 37,
        "renamed": 2,
    }
    counts = {UUID: 3, "debian": 2, "debian-12": 0, "debian-20240": 0, "renamed": 2}
    if not IS_RGW:
        write_named_slo(place, "sdk", ["sdk/000000", "sdk/000001"])
        write_named_slo(place, "odd", ["odd one", "even one"])
        sizes.update(sdk=20, odd=15)
        counts.update(sdk=2, odd=2)

    listed = place.modules("swift_image_info")["images"]
    assert [image["name"] for image in listed] == sorted(sizes)
    assert {image["name"]: image["size"] for image in listed} == sizes
    assert {image["name"]: image["segments"] for image in listed} == counts

    assert names_in(place, prefix="debian") == ["debian", "debian-12", "debian-20240"]
    assert names_in(place, prefix="debian-") == ["debian-12", "debian-20240"]
    # The manifests of these segments do not begin with the prefix.
    for prefix in ("moved", "sdk/", INTERRUPTED[:-1]):
        assert names_in(place, prefix=prefix) == []
