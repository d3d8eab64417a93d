# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Differences of Ceph RGW from OpenStack Swift: manifests that it does not return, expiry, ACLs, names."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imagestore.swift.tests.support.clients import SEGMENT, Sdk, SwiftCli
from ansible_collections.imagestore.swift.tests.support.fifo import fifo_of
from ansible_collections.imagestore.swift.tests.support.web import serving_files
from ansible_collections.imagestore.swift.tests.support.writers import MANIFEST, Place, store_slo

pytestmark = pytest.mark.rgw


# The choice of the manifest.


def test_large_images_are_stored_as_dlos(place: Place, image: Path) -> None:
    result = place.change(name="img", src=str(image), segment_size=str(SEGMENT))
    assert result["image"]["manifest"] == "dlo"
    assert place.read("img") == image.read_bytes()


def test_storing_an_slo_is_refused(place: Place, image: Path) -> None:
    with place.store.watch(place.container) as watched:
        failed = place.modules.try_to(
            "swift_image", name="img", src=str(image), segment_size=str(SEGMENT), manifest="slo"
        )
    assert failed["failed"] and failed["msg"].endswith("set manifest to dlo.")
    assert watched.changing == []


# An existing SLO.


def test_an_slo_is_compared_by_its_recorded_digests(place: Place, slo: bytes, image: Path) -> None:
    place.keep(name="img", src=str(image), segment_size=str(SEGMENT))
    info = place.modules("swift_image_info", name="img")["images"][0]
    assert (info["manifest"], info["segments"], info["size"]) == ("slo", 3, len(slo))
    assert info["metadata"] == {}


def test_an_unverifiable_slo_causes_a_warning(place: Place, slo: bytes, image: Path) -> None:
    checksum = f"md5:{hashlib.md5(slo, usedforsecurity=False).hexdigest()}"
    done = place.modules("swift_image", name="img", src=str(image), checksum=checksum, verify=True)
    assert not done.changed
    assert "swift_image_info with verify: content" in done.warned


def test_repeated_uploads_from_a_fifo_are_idempotent(place: Place, slo: bytes, tmp_path: Path) -> None:
    for _time in range(2):
        fifo = fifo_of(tmp_path, slo)
        result = place.modules("swift_image", name="img", src=str(fifo), segment_size=str(SEGMENT), size=str(len(slo)))
        assert place.read("img") == slo
    assert not result.changed


def test_an_slo_is_intact_after_the_last_modified_of_its_url_changes(place: Place, slo: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "web"
    folder.mkdir()
    (folder / "img").write_bytes(slo)
    with serving_files(folder) as address:
        for date in (1_700_000_000, 1_700_000_100, 1_700_000_200):
            os.utime(folder / "img", (date, date))
            place.modules("swift_image", name="img", url=f"{address}/img", segment_size=str(SEGMENT))
            assert place.read("img") == slo


def killed_everywhere(place: Place, prepare: Callable[[], None], **options: Any) -> Iterator[None]:
    """Run swift_image on a new image, and kill it before each request that changes something; yield after each kill."""
    request = 1
    while True:
        place.modules("swift_image", name="img", state="absent")
        prepare()
        if not place.modules.kill_before(request, "swift_image", name="img", **options):
            assert request > 1
            return
        yield
        request += 1


def test_a_killed_replacement_loses_no_data(place: Place, image: Path, other_image: Path) -> None:
    old, new = image.read_bytes(), other_image.read_bytes()
    options = {"src": str(other_image), "segment_size": str(SEGMENT)}
    for _kill in killed_everywhere(place, lambda: store_slo(place, "img", old), **options):
        assert place.read("img") in (old, new)
        place.modules("swift_image", name="img", **options)
        assert place.read("img") == new
        place.keep(name="img", **options)
        # Nothing of the SLO is left.
        assert len(place.names()) == 1 + 3


def test_a_killed_expiry_update_loses_no_data(place: Place, image: Path) -> None:
    options = {"delete_at": str(int(time.time()) + 100_000)}
    data = image.read_bytes()
    for _kill in killed_everywhere(place, lambda: store_slo(place, "img", data), **options, src=str(image)):
        assert place.read("img") == data
        place.modules("swift_image", name="img", src=str(image), **options)
        assert place.read("img") == data
        place.keep(name="img", src=str(image), **options)


def test_concurrent_uploads_leave_a_complete_image(
    place: Place, slo: bytes, other_image: Path, third_image: Path
) -> None:
    sources = (other_image, third_image)
    running = [
        place.modules.start("swift_image", name="img", src=str(source), segment_size=str(SEGMENT)) for source in sources
    ]
    for process in running:
        process.wait()
    assert place.read("img") in [source.read_bytes() for source in sources]


@pytest.mark.parametrize("elsewhere", [False, True])
def test_an_slo_is_deleted_with_its_segments(place: Place, image: Path, apart: str, elsewhere: bool) -> None:
    store_slo(place, "img", image.read_bytes(), apart if elsewhere else None)
    predicted = place.modules.predict("swift_image", name="img", state="absent")
    done = place.modules("swift_image", name="img", state="absent")
    assert done["diff"] == predicted["diff"]
    assert place.names() == []


@pytest.mark.parametrize("elsewhere", [False, True])
def test_an_slo_is_replaced_without_leaving_segments(
    place: Place, image: Path, other_image: Path, apart: str, elsewhere: bool
) -> None:
    store_slo(place, "img", image.read_bytes(), apart if elsewhere else None)
    place.change(name="img", src=str(other_image), segment_size=str(SEGMENT))
    assert place.read("img") == other_image.read_bytes()
    assert len(place.names()) == 1 + 3


def test_an_slo_is_downloaded(place: Place, slo: bytes, tmp_path: Path) -> None:
    dest = tmp_path / "dest"
    assert place.modules("swift_image_download", name="img", dest=str(dest)).changed
    assert dest.read_bytes() == slo
    assert not place.modules("swift_image_download", name="img", dest=str(dest)).changed


@pytest.mark.parametrize("client", [SwiftCli, Sdk])
@pytest.mark.parametrize("state", ["present", "absent"])
def test_an_slo_of_another_client_leaves_no_segments(
    place: Place, image: Path, other_image: Path, client: Any, state: str
) -> None:
    client(place.cloud, place.container, place.folder).put("img", image, "slo")
    if state == "absent":
        place.modules("swift_image", name="img", state="absent")
        assert place.names() == []
    else:
        place.keep(name="img", src=str(image))
        place.change(name="img", src=str(other_image), segment_size=str(SEGMENT))
        assert place.read("img") == other_image.read_bytes()
        assert len(place.names()) == 1 + 3


def test_unproven_segments_are_kept_with_a_warning(place: Place) -> None:
    place.store.do("PUT", place.container, "golden", data=b"golden")
    body = json.dumps([{"path": f"/{place.container}/golden"}])
    place.store.do("PUT", place.container, "img", params=MANIFEST, data=body)
    done = place.modules("swift_image", name="img", state="absent")
    assert "does not return the manifest of 'img'" in done.warned
    assert place.read("golden") == b"golden"


def test_stale_segments_are_not_mistaken_for_those_of_an_slo(place: Place, slo: bytes, image: Path) -> None:
    """Another client's segments with the same ETags are not taken for those of the SLO."""
    SwiftCli(place.cloud, place.container, place.folder).put("other", image, "slo")
    place.modules("swift_image", name="img", src=str(image), delete_at=str(int(time.time()) + 100_000))
    assert place.read("img") == slo


def test_segments_of_an_older_upload_are_not_mistaken_for_newer_ones(place: Place, image: Path, tmp_path: Path) -> None:
    """Both have the time and the size of the same file in their names."""
    client = SwiftCli(place.cloud, place.container, place.folder)
    client.put("img", image, "slo")
    stale = {path for path in place.names() if "_segments/" in path}
    # On RGW, the swift CLI can't replace an SLO.
    place.store.do("DELETE", place.container, "img")
    client.cut("img", image, 2 * SEGMENT)
    dest = tmp_path / "dest"
    place.modules("swift_image_download", name="img", dest=str(dest))
    assert dest.read_bytes() == image.read_bytes()
    place.keep(name="img", src=str(image))
    place.modules("swift_image", name="img", state="absent")
    assert set(place.names()) <= stale


@pytest.mark.parametrize("is_proved", [False, True])
def test_prune_keeps_the_segments_of_an_slo(place: Place, image: Path, is_proved: bool) -> None:
    if is_proved:
        Sdk(place.cloud, place.container, place.folder).put("win", image, "slo")
    else:
        place.store.do("PUT", place.container, "part", data=image.read_bytes())
        body = json.dumps([{"path": f"/{place.container}/part"}])
        place.store.do("PUT", place.container, "win", params=MANIFEST, data=body)
    place.store.do("PUT", place.container, "gone", data=b"gone")
    images = [{"name": "kept", "src": str(image)}]
    options = {"images": images, "prune": True, "prune_exclude": ["win"]}
    predicted = place.modules.predict("swift_images", **options)
    done = place.modules("swift_images", **options)
    assert done["summary"] == predicted["summary"]
    assert place.read("win") == image.read_bytes()
    assert (place.read("gone") is None) == is_proved


# A broken SLO.


@pytest.mark.parametrize("is_noted", [False, True])
def test_a_broken_slo_is_reported_and_repaired(place: Place, image: Path, tmp_path: Path, is_noted: bool) -> None:
    store_slo(place, "img", image.read_bytes())
    if not is_noted:
        # A POST of another client drops RGW's note that the object is an SLO.
        place.store.do("POST", place.container, "img", headers={"X-Object-Meta-Other": "1"})
    delete_segment(place, image.read_bytes()[:SEGMENT])
    info = place.modules("swift_image_info", name="img", verify=True)["images"][0]
    assert info["exists"] and info["complete"] is False
    assert "Segments of the static large object are missing" in info["problems"][0]
    failed = place.modules.try_to("swift_image_download", name="img", dest=str(tmp_path / "dest"))
    assert failed["failed"] and not (tmp_path / "dest").exists()
    kept = place.keep(name="img", src=str(image), force=False)
    assert "is not repaired because force is false" in kept.warned
    place.change(name="img", src=str(image), segment_size=str(SEGMENT))
    assert place.read("img") == image.read_bytes()
    assert len(place.names()) == 1 + 3


def delete_segment(place: Place, part: bytes) -> None:
    """Delete the segment that holds a part of the image."""
    sha256 = hashlib.sha256(part).hexdigest()
    segment = next(path for path in place.names() if sha256 in path)
    place.store.do("DELETE", *segment.split("/", 1))


def test_a_missing_later_segment_is_found_only_by_reading_the_content(place: Place, slo: bytes, tmp_path: Path) -> None:
    delete_segment(place, slo[SEGMENT : 2 * SEGMENT])
    # RGW still shows the image as if it were whole, and does not return its manifest.
    assert place.modules("swift_image_info", name="img", verify=True)["images"][0]["complete"] is None
    info = place.modules("swift_image_info", name="img", verify="content", retries=0, api_timeout=5)["images"][0]
    assert info["complete"] is False and "can't be read" in info["problems"][0]
    failed = place.modules.try_to(
        "swift_image_download", name="img", dest=str(tmp_path / "dest"), retries=0, api_timeout=5
    )
    assert failed["failed"] and not (tmp_path / "dest").exists()


# Catalogues and clean-ups.


def test_a_catalogue_is_idempotent_alongside_foreign_objects(place: Place, image: Path) -> None:
    # RGW lists it without a content type.
    place.store.do("PUT", place.container, "other", data=b"x", headers={"Content-Type": ""})
    options = {"images": [{"name": "img", "src": str(image)}], "segment_size": str(SEGMENT)}
    assert place.modules("swift_images", **options).changed
    assert not place.modules("swift_images", **options).changed


@pytest.mark.parametrize("is_noted", [False, True])
def test_cleanup_deletes_nothing_in_a_container_with_an_slo(
    place: Place, slo: bytes, image: Path, is_noted: bool
) -> None:
    if not is_noted:
        # A POST of another client drops RGW's note of what it is.
        kept = {"X-Object-Meta-Image-Segments": "3", "X-Object-Meta-Image-Size": str(len(slo))}
        place.store.do("POST", place.container, "img", headers=kept)
    options = {"src": str(image), "segment_size": str(SEGMENT), "concurrency": 1}
    place.modules.kill_before(3, "swift_image", name="other", **options)
    before = place.names()
    done = place.modules("swift_image_cleanup", min_age="0")
    assert not done.changed
    assert f"{place.container}/img" in done.warned
    assert place.names() == before
    # A report deletes nothing, so it shows the orphans of the other image.
    orphans = place.modules("swift_image_info", orphans=True, orphan_age=0)["orphans"]
    assert [orphan["name"].split("/")[1] for orphan in orphans] == ["other", "other"]


def test_cleanup_deletes_no_segment_that_a_foreign_slo_may_need(place: Place, image: Path, apart: str) -> None:
    """The SLO is in another container, and what it is made of is called as a segment of an image that is gone."""
    place.modules("swift_image", name="img", src=str(image), segment_size=str(SEGMENT))
    part = next(path for path in place.names() if path.endswith("00000001"))
    place.store.do("DELETE", place.container, "img")
    place.store.do("PUT", apart, "other", params=MANIFEST, data=json.dumps([{"path": f"/{part}"}]))
    done = place.modules("swift_image_cleanup", min_age="0")
    assert not done.changed and apart in done.warned
    assert place.store.read(apart, "other") == image.read_bytes()[:SEGMENT]


# Names.


@pytest.mark.parametrize("length", [2, 256])
def test_an_invalid_container_name_is_refused(place: Place, image: Path, length: int) -> None:
    failed = place.modules.try_to(
        "swift_image", name="img", container="c" * length, src=str(image), create_container=True
    )
    # From release 18 on, two letters are enough.
    assert "at most 255 bytes" in failed["msg"] if failed.get("failed") else length == 2
