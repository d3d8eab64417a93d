# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clean-ups, which delete what no image refers to, and nothing that an image consists of."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from ansible_collections.imagestore.swift.tests.support.clients import SEGMENT
from ansible_collections.imagestore.swift.tests.support.cloud import IS_RGW, Cloud
from ansible_collections.imagestore.swift.tests.support.modules import Result, result_of, stop_at
from ansible_collections.imagestore.swift.tests.support.store import Store
from ansible_collections.imagestore.swift.tests.support.writers import OURS, WRITERS, Place, write_slo

UUID = "5f0c7e0e-4a36-4b9e-9d5b-0d5f6a1c2b3d"
# The number of random stores that are cleaned up; CLEANUPS=100 makes a long campaign.
CLEANUPS = int(os.environ.get("CLEANUPS", "3"))


# Of images in a random store. On Ceph RGW, nothing is deleted beside an SLO.
KINDS = [kind for kind in WRITERS if kind != "nested SLO" and not (IS_RGW and "SLO" in kind)]


@pytest.fixture(scope="module")
def cloud(cloud: Cloud) -> Cloud:
    """A project of its own, because a clean-up reads all containers of an account, and other tests count requests."""
    return replace(cloud, project_name="cleaner")


@pytest.fixture(scope="module")
def store(cloud: Cloud) -> Store:
    """The store, accessed with plain requests."""
    return Store(cloud.storage_url, cloud.token(), Path(cloud.requests_log))


def clean(place: Place, **options: Any) -> Result:
    """Run the module, which has to do what check mode predicts, and nothing in a second run."""
    options = {"min_age": "0", **options}
    with place.store.watch(place.container) as watched:
        predicted = place.modules.predict("swift_image_cleanup", **options)
    assert watched.changing == []
    result = place.modules("swift_image_cleanup", **options)
    for name in ("changed", "objects_deleted", "bytes_freed"):
        assert predicted[name] == result[name]
    assert predicted.get("diff") == result.get("diff")
    again = place.modules("swift_image_cleanup", **options)
    assert not again.changed and again["objects_deleted"] == 0 and "diff" not in again
    return result


def orphan(place: Place, image: Path, kind: str, name: str = "gone") -> None:
    """Store an image, and delete only its manifest, so that its segments are orphans."""
    WRITERS[kind](place, name, image)
    place.store.do("DELETE", place.container, name)


@pytest.mark.parametrize("kind", ["SLO", "DLO", "the swift CLI's SLO", "the swift CLI's DLO", "Glance's DLO"])
def test_orphans_of_each_client_are_deleted(place: Place, image: Path, other_image: Path, kind: str) -> None:
    WRITERS[kind](place, "kept", other_image)
    before = place.names()
    orphan(place, image, kind, UUID if kind == "Glance's DLO" else "gone")
    result = clean(place)
    assert (result["objects_deleted"], result["bytes_freed"]) == (3, image.stat().st_size)
    assert len(result["diff"]["before"]["objects"]) == 3
    assert place.names() == before
    assert place.read("kept") == other_image.read_bytes()


def test_objects_indistinguishable_from_images_are_kept(place: Place, image: Path) -> None:
    orphan(place, image, "openstacksdk's DLO")
    orphan(place, image, "Glance's DLO", "no-uuid")
    place.store.do("PUT", place.container, f"{UUID}-1", data=b"image")
    before = place.names()
    assert not clean(place).changed
    assert place.names() == before


def test_leftover_segments_and_finished_journals_are_deleted(place: Place, image: Path) -> None:
    options = {"name": "img", "src": str(image), "segment_size": str(SEGMENT), "concurrency": 1}
    assert place.modules.kill_before(3, "swift_image", **options)
    noted = [{"container": place.container, "name": ".segments/img/x", "bytes": 1, "hash": "a" * 32}]
    journal = ".segments/img/journal-0000000000000001-00000000"
    place.store.do("PUT", place.container, journal, data=json.dumps(noted))
    result = clean(place)
    assert result["objects_deleted"] == 3 and result["bytes_freed"] == 2 * SEGMENT
    assert place.names() == []


def test_an_unfinished_journal_is_kept(place: Place, image: Path) -> None:
    """A journal stays while an object that it lists exists, even if the object's name is not a segment's.

    The next run for that image finishes the work.
    """
    place.store.do("PUT", place.container, "noted", data=b"noted")
    etag = place.store.do("HEAD", place.container, "noted").headers["ETag"]
    noted = [{"container": place.container, "name": "noted", "bytes": 5, "hash": etag}]
    journal = ".segments/img/journal-0000000000000001-00000000"
    place.store.do("PUT", place.container, journal, data=json.dumps(noted))
    assert not clean(place).changed
    place.store.do("DELETE", place.container, "noted")
    assert clean(place)["objects_deleted"] == 1


def test_orphans_younger_than_min_age_are_kept(place: Place, image: Path) -> None:
    orphan(place, image, OURS)
    assert not clean(place, min_age="1h").changed
    assert not place.modules("swift_image_cleanup").changed
    assert len(place.names()) == 3


def test_names_and_prefix_limit_the_cleanup(place: Place, image: Path, other_image: Path) -> None:
    orphan(place, image, OURS, "a-1")
    orphan(place, other_image, "the swift CLI's SLO", "b-1")
    assert not clean(place, names=["a"]).changed
    assert not clean(place, prefix="c").changed
    assert clean(place, prefix="b-")["objects_deleted"] == 3
    assert clean(place, names=["a-1", "other"])["objects_deleted"] == 3
    assert [name for name in place.names() if name.startswith(f"{place.container}/")] == []


@pytest.mark.parametrize("how", ["SLO", "DLO", "DLO with bytes", "link"])
def test_segments_named_by_a_manifest_in_another_container_are_kept(place: Place, image: Path, how: str) -> None:
    WRITERS[how if how == "SLO" else "DLO"](place, "gone", image)
    segments = place.modules("swift_image_info", name="gone", segments=True)["images"][0]["segment_list"]
    prefix = segments[0]["name"].rpartition("/")[0] + "/"
    place.store.do("DELETE", place.container, "gone")
    other = f"{place.container}_other"
    place.store.create(other)
    if how == "SLO":
        body = json.dumps([{"path": f"/{place.container}/{segment['name']}"} for segment in segments])
        place.store.do("PUT", other, "copy", params="multipart-manifest=put", data=body)
    else:
        data = b"bytes of its own" if how == "DLO with bytes" else b""
        headers = {"X-Object-Manifest": quote(f"{place.container}/{prefix}")}
        place.store.do("PUT", other, "copy", headers=headers, data=data)
    if how == "link":
        place.store.do("PUT", place.container, "link", headers={"X-Symlink-Target": f"{other}/copy"})
    assert not clean(place).changed
    assert place.store.read(other, "copy") == image.read_bytes()
    place.store.do("DELETE", other, "copy")
    assert clean(place)["objects_deleted"] == 3


def test_a_recorded_image_named_like_a_segment_is_kept(place: Place, image: Path) -> None:
    name = f"{UUID}-00001"
    place.modules("swift_image", name=name, src=str(image))
    assert not clean(place).changed
    assert place.read(name) == image.read_bytes()


def test_without_account_access_only_the_images_container_is_cleaned(place: Place, image: Path) -> None:
    orphan(place, image, OURS)
    orphan(place, image, "the swift CLI's SLO", "apart")
    projects = place.cloud.told["projects"]
    images = projects["images"]["project_id"]
    apart = f"{place.container}_segments"
    for container in (place.container, apart):
        grants = {"X-Container-Read": f"{images}:*", "X-Container-Write": f"{images}:*"}
        place.store.do("POST", container, headers=grants)
    token = replace(place.cloud, project_name="images").token()
    auth = {"endpoint": place.store.storage_url, "token": token}
    result = clean(place, auth=auth)
    assert "3 segments outside their images' containers are not deleted" in result.warned
    assert result["objects_deleted"] == 3
    assert len(place.store.names(apart)) == 3 and place.store.names(place.container) == []


def test_an_unreadable_manifest_does_not_stop_the_cleanup(place: Place, image: Path) -> None:
    orphan(place, image, OURS, "a")
    orphan(place, image, OURS, "b")
    other = f"{place.container}_other"
    place.store.create(other)
    for container in (place.container, other):
        place.store.do("PUT", container, "a", headers={"X-Object-Manifest": f"{container}/x"})
        place.store.do("PUT", container, "loop", headers={"X-Symlink-Target": f"{container}/loop2"})
        place.store.do("PUT", container, "loop2", headers={"X-Symlink-Target": f"{container}/loop"})
    assert clean(place)["objects_deleted"] == 6


@pytest.mark.parametrize("way", ["X-Versions-Enabled", "X-History-Location"])
@pytest.mark.swift_only("there are no versions that X-Versions-Enabled or X-History-Location keep")
def test_segments_that_an_older_version_may_need_are_kept(
    place: Place, image: Path, other_image: Path, way: str
) -> None:
    archive = f"{place.container}-archive"
    place.store.create(archive)
    place.store.do("POST", place.container, headers={way: "true" if way == "X-Versions-Enabled" else archive})
    for source in (image, other_image):
        place.modules("swift_image", name="img", src=str(source), segment_size=str(SEGMENT))
    result = clean(place)
    assert not result.changed
    assert "older versions of manifests" in result.warned


def test_a_missing_container_is_reported(place: Place) -> None:
    result = place.modules.try_to("swift_image_cleanup", container=f"{place.container}-none")
    assert result["failed"] and "There is no container" in result["msg"]


def test_an_upload_resends_reused_segments_that_a_cleanup_deleted(place: Place, image: Path, other_image: Path) -> None:
    orphan(place, image, OURS, "img")
    options = {"name": "img", "src": str(image), "segment_size": str(SEGMENT), "concurrency": 1}
    # All segments exist, so the upload's first request that changes something stores the manifest.
    upload = place.modules.start("swift_image", partial(stop_at, (1,), ()), **options)
    upload.await_stop()
    assert clean(place)["objects_deleted"] == 3
    upload.go_on()
    assert upload.wait() == 0 or place.modules("swift_image", **options).changed
    assert place.read("img") == image.read_bytes()


@pytest.mark.parametrize("kind", ["plain", "DLO", "SLO", "the swift CLI's SLO", "the swift CLI's DLO"])
def test_an_image_named_like_a_segment_keeps_its_segments(place: Place, image: Path, kind: str) -> None:
    name = f"{UUID}-00001"
    WRITERS[kind](place, name, image)
    assert not clean(place).changed
    assert place.read(name) == image.read_bytes()


def test_an_slo_manifest_named_like_a_segment_is_kept(place: Place, image: Path) -> None:
    data = image.read_bytes()
    for number in range(3):
        place.store.do("PUT", place.container, f"p-{number}", data=data[number * SEGMENT : (number + 1) * SEGMENT])
    write_slo(place, f"{UUID}-00001", [f"p-{number}" for number in range(3)])
    assert not clean(place).changed
    assert place.read(f"{UUID}-00001") == data


def test_an_image_copied_from_a_segment_is_kept(place: Place, image: Path) -> None:
    """A copy of a segment stays: it has the segment's media type, but another name."""
    WRITERS[OURS](place, "img", image)
    segment = next(name for name in place.names() if ".segments" in name)
    place.store.do("PUT", place.container, "boot.raw", headers={"X-Copy-From": segment})
    place.store.do(
        "PUT", place.container, "typed", headers={"Content-Type": "application/swiftclient-segment"}, data=b"x"
    )
    assert not clean(place).changed


def test_segments_behind_a_directory_manifest_are_kept(place: Place, image: Path) -> None:
    WRITERS["DLO"](place, "gone", image)
    segments = place.modules("swift_image_info", name="gone", segments=True)["images"][0]["segment_list"]
    place.store.do("DELETE", place.container, "gone")
    prefix = segments[0]["name"].rpartition("/")[0] + "/"
    headers = {"X-Object-Manifest": quote(f"{place.container}/{prefix}"), "Content-Type": "application/directory"}
    place.store.do("PUT", place.container, "kept", headers=headers)
    assert not clean(place).changed
    assert place.read("kept") == image.read_bytes()


@pytest.mark.swift_only("it has no symlinks")
def test_segments_behind_symlinks_are_kept_and_loops_are_skipped(place: Place, image: Path) -> None:
    WRITERS[OURS](place, "gone", image)
    segments = place.modules("swift_image_info", name="gone", segments=True)["images"][0]["segment_list"]
    place.store.do("DELETE", place.container, "gone")
    orphan(place, image, OURS, "orphaned")
    links = {f"link-{number}": segment["name"] for number, segment in enumerate(segments)}
    one, two = (f".segments/x/{digit * 64}-1" for digit in "ab")
    for name, target in {**links, one: two, two: one, "l1": "l2", "l2": "l1"}.items():
        place.store.do("PUT", place.container, name, headers={"X-Symlink-Target": quote(f"{place.container}/{target}")})
    write_slo(place, "kept", list(links))
    noted = [{"container": place.container, "name": "l1", "bytes": 5, "hash": "a" * 32}]
    journal = ".segments/img/journal-0000000000000001-00000000"
    place.store.do("PUT", place.container, journal, data=json.dumps(noted))
    assert clean(place)["objects_deleted"] == 3
    assert not any("/orphaned/" in path for path in place.names())
    assert f"{place.container}/{journal}" in place.names()
    assert place.read("kept") == image.read_bytes()


def test_an_image_broken_by_a_concurrent_cleanup_is_reported(place: Place, image: Path) -> None:
    orphan(place, image, OURS, "img")
    options = {"name": "img", "src": str(image), "segment_size": str(SEGMENT), "concurrency": 1}
    cleanup = place.modules.start("swift_image_cleanup", partial(stop_at, (1,), ()), min_age="0")
    cleanup.await_stop()
    # The clean-up has checked for the last time, and deletes now: Swift has no locks.
    assert place.modules("swift_image", **options).changed
    cleanup.go_on()
    assert cleanup.wait() == 1
    assert "lack these segments now: img." in result_of(cleanup)["msg"]
    assert place.modules("swift_image", **options).changed
    assert place.read("img") == image.read_bytes()


@pytest.mark.parametrize("seed", range(1, CLEANUPS + 1))
def test_a_cleanup_keeps_all_images_of_a_random_store_intact(place: Place, tmp_path: Path, seed: int) -> None:
    """Images of all writers stay whole after killed uploads and deletions, and a clean-up beside an upload."""
    chance = random.Random(seed)
    images = {f"image-{number}": chance.randbytes(2 * SEGMENT + chance.randrange(SEGMENT)) for number in range(6)}
    sources = {}
    for name, data in images.items():
        sources[name] = tmp_path / name
        sources[name].write_bytes(data)
        WRITERS[chance.choice(KINDS)](place, name, sources[name])
    pieces = _own_pieces(place, "image-0")
    if pieces:
        write_slo(place, "shares", pieces)
    shared = place.read("shares")
    cut = {"segment_size": str(SEGMENT), "concurrency": 1}
    for _number in range(4):
        _interrupt(place, chance, sources, images, cut)
    running = sources["image-1"]
    upload = place.modules.start(
        "swift_image", partial(stop_at, (chance.randint(1, 3),), ()), name="running", src=str(running), **cut
    )
    upload.await_stop()
    place.modules("swift_image_cleanup", min_age="0", prefix=chance.choice(["", "running", "image-"]))
    upload.go_on()
    if upload.wait():
        # The upload fails if another run is faster, and the next run stores the image.
        place.modules("swift_image", name="running", src=str(running), **cut)
    place.modules("swift_image_cleanup", min_age="0")
    for name, data in {**images, "running": running.read_bytes()}.items():
        assert place.read(name) == data, (seed, name)
    assert shared is None or place.read("shares") == shared, seed
    assert not clean(place).changed


def _own_pieces(place: Place, name: str) -> list[str]:
    pieces = place.modules("swift_image_info", name=name, segments=True)["images"][0].get("segment_list", [])
    return [piece["name"] for piece in pieces if piece["container"] == place.container]


def _interrupt(
    place: Place, chance: random.Random, sources: dict[str, Path], images: dict[str, bytes], cut: dict[str, Any]
) -> None:
    """Kill an upload of a new image, a replacement or a deletion at some request."""
    name = chance.choice(["new-1", "new-2", "image-2", "image-3"])
    source = chance.choice(list(sources.values()))
    state: dict[str, Any] = {"state": "absent"} if chance.random() < 0.3 else {"src": str(source), **cut}
    was_killed = place.modules.kill_before(chance.randint(1, 5), "swift_image", name=name, **state)
    current: Sequence[str] = place.names()
    if f"{place.container}/{name}" not in current:
        images.pop(name, None)
        return
    data = place.read(name)
    assert data is not None, (name, was_killed)
    images[name] = data
