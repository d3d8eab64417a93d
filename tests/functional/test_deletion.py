# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deletion of images: deleted objects, objects that stay, and leftovers of interrupted runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ansible_collections.imagestore.swift.tests.support.clients import SEGMENT
from ansible_collections.imagestore.swift.tests.support.cloud import IS_RGW, Cloud
from ansible_collections.imagestore.swift.tests.support.writers import OURS, WRITERS, Place, Writer

# The kinds of images for tests that take long, unless --all is given.
COMMON = (OURS, "Glance's DLO", "the swift CLI's SLO")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes ``write`` with each way to write an image."""
    if "write" in metafunc.fixturenames:
        is_long = metafunc.definition.get_closest_marker("long") is not None
        names = COMMON if is_long and not metafunc.config.getoption("all") else tuple(WRITERS)
        metafunc.parametrize("write", [WRITERS[name] for name in names], ids=names)


def test_check_mode_predicts_a_complete_deletion(place: Place, write: Writer, image: Path) -> None:
    write(place, "image", image)
    before = place.names()
    with place.store.watch(place.container) as watched:
        predicted = place.modules.predict("swift_image", name="image", state="absent")
    assert watched.changing == []
    done = place.modules("swift_image", name="image", state="absent")
    assert predicted.changed and done.changed
    assert done["diff"] == predicted["diff"]
    assert sorted(done["diff"]["before"]["objects"]) == sorted(before)
    assert place.names() == []
    with place.store.watch(place.container) as watched:
        again = place.modules("swift_image", name="image", state="absent")
    assert not again.changed
    assert watched.changing == []


@pytest.fixture
def stride(pytestconfig: pytest.Config) -> int:
    """The step from one request at which a run is killed to the next one."""
    return 1 if pytestconfig.getoption("all") else 2


@pytest.mark.long
def test_an_interrupted_deletion_is_finished_by_the_next_run(
    place: Place, write: Writer, image: Path, stride: int
) -> None:
    whole = image.read_bytes()
    for _request in cut_off_everywhere(place, stride, lambda: write(place, "image", image), state="absent"):
        assert place.read("image") in (whole, None)
        place.modules("swift_image", name="image", state="absent")
        assert place.names() == []


@pytest.mark.long
def test_an_interrupted_replacement_is_finished_by_the_next_run(
    place: Place, write: Writer, image: Path, other_image: Path, stride: int
) -> None:
    old, new = image.read_bytes(), other_image.read_bytes()
    options = {"src": str(other_image), "segment_size": str(SEGMENT), "manifest": OURS.lower()}
    for _request in cut_off_everywhere(place, stride, lambda: write(place, "image", image), **options):
        assert place.read("image") in (old, new)
        place.modules("swift_image", name="image", **options)
        assert place.read("image") == new
        again = place.modules("swift_image", name="image", **options)
        assert not again.changed
        # Only the new image's manifest and segments are left.
        assert len(place.names()) == 1 + 3
        assert all(path.startswith(f"{place.container}/.segments/image/") for path in place.names()[:-1])
        place.modules("swift_image", name="image", state="absent")
        assert place.names() == []


def cut_off_everywhere(place: Place, stride: int, write: Callable[[], None], **options: str) -> Iterator[int]:
    """Kill the module before requests that change something, one by one, each time with the image written anew.

    :param stride: the step from one such request to the next one
    :returns: the number of each request at which the module was killed
    """
    request = 1
    write()
    while place.modules.kill_before(request, "swift_image", name="image", **options):
        yield request
        request += stride
        write()
    assert request > 1


@pytest.mark.parametrize("kind", ["plain", "SLO", "DLO"])
def test_images_with_similar_names_are_kept(place: Place, kind: str, image: Path) -> None:
    names = ["a", "a-b", "a-00001", "a-b-00001"]
    for name in names:
        WRITERS[kind](place, name, image)
    while names:
        result = place.modules("swift_image", name=names.pop(0), state="absent")
        assert not result.warned
        assert all(place.read(name) == image.read_bytes() for name in names)
    assert place.names() == []


@pytest.mark.parametrize("kind", ["plain", "SLO", "DLO"])
def test_images_under_a_segment_prefix_are_kept(place: Place, kind: str, image: Path) -> None:
    """An image stays even if its name begins like those of Glance's segments, or is such a name."""
    WRITERS["Glance's DLO"](place, "a", image)
    names = ["a-b", "a-00004", "a-b-00001"]
    for name in names:
        WRITERS[kind](place, name, image)
    result = place.modules("swift_image", name="a", state="absent")
    assert all(name in result.warned for name in names)
    assert all(place.read(name) == image.read_bytes() for name in names)
    left = [path for path in place.names() if "/.segments/" not in path]
    assert sorted(left) == sorted(f"{place.container}/{name}" for name in names)


def test_a_segment_prefix_that_covers_another_image_is_refused(place: Place, image: Path) -> None:
    WRITERS["plain"](place, "a-00001", image)
    options = {"name": "a", "src": str(image), "manifest": "dlo", "segment_size": str(SEGMENT), "segment_prefix": "a-"}
    with place.store.watch(place.container) as watched:
        refused = place.modules.try_to("swift_image", **options)
    assert "a-00001" in refused["msg"]
    assert watched.changing == []


@pytest.mark.parametrize("kind", ["SLO", "DLO", "the swift CLI's SLO", "Glance's DLO"])
def test_segments_of_a_copied_manifest_are_kept(place: Place, kind: str, image: Path, other_image: Path) -> None:
    WRITERS[kind](place, "image", image)
    copy_manifest(place, "image", "copied")
    first = place.modules("swift_image", name="image", state="absent")
    assert first.changed
    assert "copied" in first.warned
    assert place.read("image") is None
    assert place.read("copied") == image.read_bytes()
    # The segments that are left do not belong to it any more.
    again = place.modules("swift_image", name="image", state="absent")
    assert not again.changed
    assert place.read("copied") == image.read_bytes()
    last = place.modules("swift_image", name="copied", state="absent")
    left = [path for path in place.names() if f"{place.container}_segments/image/" in path]
    assert place.names() == left
    # In another container only the name shows which image a segment belongs to, and these are named after "image".
    assert bool(last.warned) is bool(left) is (kind == "the swift CLI's SLO")


@pytest.mark.parametrize("kind", ["SLO", "DLO"])
def test_a_copied_manifest_is_deleted_without_the_segments(place: Place, kind: str, image: Path) -> None:
    WRITERS[kind](place, "image", image)
    before = place.names()
    copy_manifest(place, "image", "copied")
    copied = place.change(name="copied", state="absent")
    assert "written for another image" in copied.warned
    assert place.names() == before
    assert place.read("image") == image.read_bytes()


def test_segments_of_a_copied_manifest_survive_a_replacement(place: Place, image: Path, other_image: Path) -> None:
    WRITERS[OURS](place, "image", image)
    copy_manifest(place, "image", "copied")
    options = {"name": "image", "src": str(other_image), "segment_size": str(SEGMENT), "manifest": OURS.lower()}
    assert "copied" in place.modules("swift_image", **options).warned
    assert place.read("copied") == image.read_bytes()
    assert place.read("image") == other_image.read_bytes()
    assert not place.modules("swift_image", **options).changed
    forced = {"force_segments": True, "state": "absent"}
    place.modules("swift_image", name="image", **forced)
    assert [path for path in place.names() if "/.segments/" in path] == []


@pytest.mark.slo
def test_a_segment_named_by_another_manifest_is_kept(place: Place, image: Path) -> None:
    WRITERS["the swift CLI's SLO"](place, "image", image)
    segments = [path for path in place.names() if "_segments/" in path]
    body = f'[{{"path": "/{segments[0]}"}}]'
    place.store.do("PUT", place.container, "begin", params="multipart-manifest=put", data=body)
    result = place.modules("swift_image", name="image", state="absent")
    assert "begin" in result.warned
    assert place.read("begin") == image.read_bytes()[:SEGMENT]
    assert sorted(place.names()) == sorted([f"{place.container}/begin", segments[0]])
    # The segment is named after the other image.
    last = place.modules("swift_image", name="begin", state="absent")
    assert segments[0] in last.warned
    assert place.names() == [segments[0]]


def test_force_segments_deletes_shared_segments(place: Place, image: Path) -> None:
    WRITERS[OURS](place, "image", image)
    copy_manifest(place, "image", "copied")
    result = place.modules("swift_image", name="image", state="absent", force_segments=True)
    assert not result.warned
    assert place.names() == [f"{place.container}/copied"]


def test_segments_rewritten_since_the_journal_are_kept(place: Place, image: Path) -> None:
    """A journal covers the segments that existed, not the objects that others write under their names later."""
    WRITERS["Glance's DLO"](place, "image", image)
    # Killed after the journal, the manifest and one segment, so two segments are left.
    assert place.modules.kill_before(4, "swift_image", name="image", state="absent", concurrency=1)
    name = "image-00003"
    bytes_of_segment = place.read(name)
    assert bytes_of_segment
    place.store.do("PUT", place.container, name, data=bytes_of_segment)
    assert place.modules("swift_image", name="image", state="absent").changed
    assert place.names() == [f"{place.container}/{name}"]
    assert not place.modules("swift_image", name="image", state="absent").changed


def test_an_image_with_undeletable_segments_is_kept(place: Place, image: Path) -> None:
    WRITERS["the swift CLI's SLO"](place, "image", image)
    other = Cloud(place.cloud.told, "other")
    grant = f"{other.project['project_id']}:*"
    for container in place.store.containers(place.container):
        place.store.do("POST", container, headers={"X-Container-Read": grant})
    place.store.do("POST", place.container, headers={"X-Container-Write": grant})
    before = place.names()
    cloud = {
        "auth": {
            "auth_url": other.auth_url,
            "username": other.project["user_name"],
            "password": other.project["password"],
            "project_name": other.project["project_name"],
            "user_domain_id": "default",
            "project_domain_id": "default",
        },
        "object_store_endpoint_override": place.store.storage_url,
    }
    way_in = {"cloud": cloud, "auth": None, "auth_type": None}
    refused = place.modules.try_to("swift_image", name="image", state="absent", **way_in)
    assert f"{place.container}_segments" in refused["msg"]
    assert place.names() == before
    assert place.read("image") == image.read_bytes()


def test_a_repeatedly_interrupted_replacement_is_completed(place: Place, image: Path, other_image: Path) -> None:
    options = {"name": "image", "src": str(other_image), "segment_size": str(SEGMENT), "concurrency": 1}

    def cut_off_at(last: int) -> None:
        WRITERS["the swift CLI's SLO"](place, "image", image)
        # Killed after three segments, the journal, the manifest, and the deletion of one old segment.
        assert place.modules.kill_before(7, "swift_image", **options)
        if last:
            assert place.modules.kill_before(last, "swift_image", **options)

    # The rest of the work: two segments, the journal, and the note that the image is pending.
    for last in range(5):
        cut_off_at(last)
        assert place.read("image") == other_image.read_bytes()
        done = place.modules("swift_image", **options)
        assert done.changed
        assert done["transfer"]["bytes_uploaded"] == 0
        assert all(f"{place.container}/" in path for path in place.names())
        assert not place.modules("swift_image", **options).changed
        place.modules("swift_image", name="image", state="absent")
        assert place.names() == []


def test_a_segment_prefix_used_by_a_copied_manifest_is_refused(place: Place, image: Path, other_image: Path) -> None:
    options = {"name": "image", "manifest": "dlo", "segment_size": str(SEGMENT), "segment_prefix": "image-"}
    place.modules("swift_image", src=str(image), **options)
    copy_manifest(place, "image", "copied")
    place.modules("swift_image", name="image", state="absent")
    refused = place.modules.try_to("swift_image", src=str(other_image), **options)
    assert "'copied'" in refused["msg"]
    assert place.read("copied") == image.read_bytes()


def test_an_image_is_deleted_from_a_full_container(place: Place, image: Path) -> None:
    WRITERS["the swift CLI's SLO"](place, "image", image)
    place.store.do("POST", place.container, headers={"X-Container-Meta-Quota-Bytes": "1"})
    result = place.modules("swift_image", name="image", state="absent")
    assert "has no room for a journal" in result.warned
    assert place.names() == []


def test_an_image_with_missing_segments_is_deleted(place: Place, image: Path) -> None:
    WRITERS[OURS](place, "image", image)
    segment = next(path for path in place.names() if "/.segments/" in path)
    place.store.do("DELETE", place.container, segment.partition("/")[2])
    assert place.modules("swift_image", name="image", state="absent").changed
    assert place.names() == []


def test_a_dlo_without_its_segment_container_is_deleted(place: Place) -> None:
    headers = {"X-Object-Manifest": f"{place.container}-gone/stranded-"}
    place.store.do("PUT", place.container, "stranded", headers=headers)
    place.change(name="stranded", state="absent")
    assert place.names() == []


def test_a_symlink_is_deleted_without_its_target(place: Place, image: Path) -> None:
    WRITERS[OURS](place, "image", image)
    place.store.do("PUT", place.container, "link", headers={"X-Symlink-Target": f"{place.container}/image"})
    assert place.modules("swift_image", name="link", state="absent").changed
    assert place.read("link") is None
    assert place.read("image") == image.read_bytes()


def test_many_segments_are_deleted(place: Place, pytestconfig: pytest.Config) -> None:
    """All of an image's many segments are deleted; 12000 of them (``--segments``) fill more than a listing's page."""
    count: int = pytestconfig.getoption("segments")

    def put(number: int) -> None:
        place.store.do("PUT", place.container, f"many-{number:05d}", data=b"x")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, range(1, count + 1)))
    place.store.do("PUT", place.container, "many", headers={"X-Object-Manifest": f"{place.container}/many-"})
    with place.store.watch("") as watched:
        result = place.modules("swift_image", name="many", state="absent")
    assert result["diff"]["before"]["objects"][50:] == [f"and {count + 1 - 50} more"]
    assert place.names() == []
    # Ceph RGW 16 and 18 do not report how many objects a bulk deletion may have.
    assert IS_RGW or any(request["query"] == "bulk-delete" for request in watched.seen)


def copy_manifest(place: Place, name: str, copy: str) -> None:
    """Copy an image's manifest to another name."""
    headers = {"Destination": f"{place.container}/{copy}"}
    place.store.do("COPY", place.container, name, params="multipart-manifest=get", headers=headers)
