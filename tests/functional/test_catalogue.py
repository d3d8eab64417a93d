# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Catalogues, which are many images in one task: requests, uploads, pruning and failures."""

from __future__ import annotations

import hashlib
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imagestore.swift.tests.support.catalogues import Images, actions, change, keep
from ansible_collections.imagestore.swift.tests.support.clients import SEGMENT
from ansible_collections.imagestore.swift.tests.support.cloud import IS_RGW
from ansible_collections.imagestore.swift.tests.support.writers import OURS, Place


def test_a_catalogue_stores_images_of_each_kind(
    place: Place, image: Path, other_image: Path, small: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "empty").touch()
    images: list[dict[str, Any]] = [
        {"name": "slo", "src": str(image)},
        {"name": "dlo", "src": str(other_image), "manifest": "dlo", "segment_size": "500KiB"},
        {"name": "with space/größe?#%20", "src": str(small[0]), "metadata": {"os": "x"}},
        {"name": "empty", "src": str(tmp_path / "empty"), "content_type": "text/plain"},
        {"name": "gone", "state": "absent"},
        {"image_id": "summed", "src": str(small[1]), "checksum": f"sha256:{_sha256(small[1])}"},
    ]
    done = change(place, images, segment_size="1MiB", metadata={"kept": "for-all"})
    assert [action for _name, action in actions(done)] == ["added"] * 4 + ["unchanged", "added"]
    assert [one.get("image", {}).get("manifest") for one in done["images"]] == [
        OURS.lower(),
        "dlo",
        "none",
        "none",
        None,
        "none",
    ]
    assert done["images"][2]["image"]["metadata"] == {"os": "x"}
    assert done["images"][0]["image"]["metadata"] == {"kept": "for-all"}
    for one in images:
        if "src" in one:
            assert place.read(str(one.get("name", one.get("image_id")))) == Path(str(one["src"])).read_bytes()
    again = place.modules("swift_image", name="slo", src=str(image), segment_size="1MiB")
    assert not again.changed


def test_each_image_is_replaced_changed_removed_or_unchanged(
    place: Place, image: Path, other_image: Path, small: list[Path]
) -> None:
    cut = {"segment_size": "1MiB"}
    images: list[dict[str, Any]] = [{"name": f"image-{number}", "src": str(path)} for number, path in enumerate(small)]
    images += [{"name": "large", "src": str(image)}, {"name": "old", "src": str(image)}]
    change(place, images, **cut)
    images[0]["src"] = str(small[1])
    images[1]["metadata"] = {"new": "1"}
    images[5]["src"] = str(other_image)
    images[6] = {"name": "old", "state": "absent"}
    done = change(place, images, **cut)
    assert dict(actions(done)) == {
        "image-0": "replaced",
        "image-1": "changed",
        "image-2": "unchanged",
        "image-3": "unchanged",
        "image-4": "unchanged",
        "large": "replaced",
        "old": "removed",
    }
    assert done["summary"]["replaced"] == 2
    assert done["diff"][0]["after"] == {"replaced": ["image-0", "large"], "changed": ["image-1"], "removed": ["old"]}
    assert place.read("large") == other_image.read_bytes()


def test_an_unchanged_small_image_costs_one_head_request(place: Place, small: list[Path]) -> None:
    """An unchanged image costs one HEAD, because the module does not rely on the listing alone."""
    images = [{"name": f"image-{number}", "src": str(path)} for number, path in enumerate(small)]
    images[0]["checksum"] = f"md5:{hashlib.md5(small[0].read_bytes(), usedforsecurity=False).hexdigest()}"
    place.modules("swift_images", images=images)
    small[0].unlink()
    with place.store.watch(place.container) as watched:
        result = place.modules("swift_images", images=images)
    assert not result.changed
    for number in range(len(small)):
        about = [request["method"] for request in watched.seen if request["path"].endswith(f"/image-{number}")]
        assert about == ["HEAD"]
    # The container, its listing before and after the segments, and the folders of segments: each page and the next.
    assert len(watched.seen) <= 6 + len(small)
    assert result["images"][1]["image"]["checksums"] == {"md5": hashlib.md5(small[1].read_bytes()).hexdigest()}
    assert result["images"][1]["image"]["metadata"] == {}


def test_a_new_image_costs_one_head_before_and_after_its_upload(place: Place, small: list[Path]) -> None:
    """A new image costs one HEAD before its upload and one after it, because the listing lacks it."""
    images = [{"name": f"image-{number}", "src": str(path)} for number, path in enumerate(small)]
    with place.store.watch(place.container) as watched:
        result = place.modules("swift_images", images=images)
    assert result["summary"]["added"] == len(small)
    about = [request["method"] for request in watched.seen if request["path"].endswith("/image-1")]
    # Ceph RGW ignores If-None-Match, so the module looks for an image just before the PUT, and for a broken SLO.
    looks = ["HEAD", "HEAD"] if IS_RGW else []
    assert about == ["HEAD", *looks, "PUT", "HEAD"]
    # The rest are requests for the container and for its listing.
    assert len(watched.seen) <= len(about) * len(small) + 8


@pytest.mark.slo
def test_identical_content_is_uploaded_once(place: Place, image: Path, small: list[Path], tmp_path: Path) -> None:
    twin = tmp_path / "twin"
    twin.write_bytes(image.read_bytes())
    images: list[dict[str, Any]] = [
        {"name": "one", "src": str(image)},
        {"name": "two", "src": str(twin)},
        {"name": "three", "src": str(small[0])},
        {"name": "four", "src": str(small[0]), "metadata": {"os": "x"}},
        {"name": "five", "src": str(small[1])},
    ]
    done = place.modules("swift_images", images=images, segment_size="1MiB")
    sent = [one["transfer"]["bytes_uploaded"] for one in done["images"]]
    reused = [one["transfer"]["bytes_reused"] for one in done["images"]]
    # Each image may send some of the segments, because both are stored at the same time.
    assert sum(sent[:2]) == 2_500_000
    assert sorted(sent[2:4]) == [0, 1000]
    assert sent[4] == 1000
    assert [up + there for up, there in zip(sent, reused)] == [2_500_000, 2_500_000, 1000, 1000, 1000]
    for one in images:
        assert place.read(str(one["name"])) == Path(str(one["src"])).read_bytes()
    found = place.modules("swift_image_info", names=["three", "four"])
    assert [one["metadata"] for one in found["images"]] == [{}, {"os": "x"}]
    keep(place, images, segment_size="1MiB")
    place.modules("swift_image", name="one", state="absent")
    assert place.read("two") == image.read_bytes()


def test_a_failed_image_does_not_stop_the_others(place: Place, small: list[Path]) -> None:
    images = [
        {"name": "first", "src": str(small[0])},
        {"name": "second", "src": "/no/such/file"},
        {"name": "third", "src": str(small[1]), "checksum": f"md5:{'0' * 32}"},
        {"name": "fourth", "src": str(small[2])},
    ]
    place.store.do("PUT", place.container, "other", data=b"x")
    result = place.modules.try_to("swift_images", images=images, prune=True)
    assert result["failed"]
    assert result.changed
    assert "2 images failed ('second', 'third')" in result["msg"]
    assert "/no/such/file" in result["msg"]
    assert [one["failed"] for one in result["images"]] == [False, True, True, False]
    assert "/no/such/file" in result["images"][1]["msg"]
    assert "md5" in result["images"][2]["msg"]
    assert place.read("fourth") == small[2].read_bytes()
    # An image that is not in the list may be needed until all images in the list are stored.
    assert place.read("other") == b"x"
    assert "Nothing was pruned" in result.warned
    images[1]["src"] = str(small[3])
    del images[2]["checksum"]
    rest = place.modules("swift_images", images=images, prune=True)
    assert [action for _name, action in actions(rest)] == ["unchanged", "added", "added", "unchanged"]
    assert actions(rest, "pruned") == [("other", "pruned")]


def test_fail_fast_starts_no_image_after_a_failure(place: Place, small: list[Path]) -> None:
    images = [{"name": "bad", "src": "/no/such/file"}]
    images += [{"name": f"image-{number}", "src": str(path)} for number, path in enumerate(small)]
    result = place.modules.try_to("swift_images", images=images, fail_fast=True, concurrency=1, segment_size="20")
    left_out = [name for name, action in actions(result) if action == "left_out"]
    assert left_out
    assert f"{len(left_out)} more images were not started" in result["msg"]
    assert all(place.read(name) is None for name in left_out)


@pytest.mark.parametrize(
    ("images", "says"),
    [
        (
            [{"name": "a", "src": "/etc/hostname"}, {"name": "a", "src": "/etc/hostname"}],
            "images[0] and images[1] are both",
        ),
        (
            [{"name": "a", "src": "/etc/hostname"}, {"name": "b"}],
            "images[1] ('b'): state is present, but neither",
        ),
        (
            [{"name": "a", "src": "/etc/hostname"}, {"name": ".segments/b", "state": "absent"}],
            "images[1] ('.segments/b')",
        ),
        ([{"name": "a", "src": "/etc/hostname", "url": "http://127.0.0.1:9/"}], "mutually exclusive"),
        ([{"name": "a", "src": "/etc/hostname", "checksum": "md5:1"}], "images[0] ('a'): checksum has 1 characters"),
        ([{"name": "a", "src": "/etc/hostname", "segment_size": "many"}], "images[0] ('a'): segment_size 'many'"),
        ([{"src": "/etc/hostname"}], "name"),
    ],
)
def test_an_invalid_catalogue_is_refused_before_anything_is_sent(place: Place, images: Images, says: str) -> None:
    with place.store.watch(place.container) as watched:
        result = place.modules.try_to("swift_images", images=images)
    assert result["failed"]
    assert says in result["msg"]
    assert watched.seen == []


def test_each_container_is_created_once_as_predicted(place: Place, image: Path, small: list[Path]) -> None:
    """Check mode predicts the containers that are created, each once, whichever image comes first."""
    images = [{"name": f"image-{number}", "src": str(path)} for number, path in enumerate(small)]
    images += [{"name": f"large-{number}", "src": str(image)} for number in range(2)]
    new, apart = f"{place.container}-new", f"{place.container}-apart"
    refused = place.modules.try_to("swift_images", images=images, container=new)
    assert refused["summary"]["failed"] == 7
    assert "create_container" in refused["msg"]
    options = {"container": new, "segment_container": apart, "create_container": True, "segment_size": "1MiB"}
    done = change(place, images, **options)
    assert done["diff"][0]["after"]["created_containers"] == [apart, new]


def test_an_interrupt_does_not_wait_for_all_images(place: Place, image: Path, other_image: Path) -> None:
    images = [
        {"name": f"image-{number}", "src": str(path)}
        for number, path in enumerate([image, other_image, image, other_image])
    ]
    begin = place.store.log.stat().st_size
    process = place.modules.start(
        "swift_images", interruptible, images=images, segment_size="20KiB", manifest="dlo", concurrency=2
    )
    place.store.await_requests(begin, place.container, "PUT", 10)
    with place.store.watch(place.container) as watched:
        process.interrupt()
        assert process.wait() != 0
    assert len(watched.changing) < 60
    place.modules("swift_images", images=images, segment_size="1MiB")
    assert place.read("image-3") == other_image.read_bytes()


def interruptible() -> None:
    """Make Ctrl-C interrupt this process, even if the tests run where SIGINT is ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_an_interrupted_replacement_is_finished_by_the_next_run(place: Place, image: Path, small: list[Path]) -> None:
    place.modules("swift_image", name="image", src=str(image), segment_size="1MiB")
    images = [{"name": "image", "src": str(small[0])}, {"name": "new", "src": str(image), "segment_size": "1MiB"}]
    # The new image is stored, and the segments of the old one still exist.
    assert place.modules.kill_before(2, "swift_images", images=images[:1])
    assert place.read("image") == small[0].read_bytes()
    done = place.modules("swift_images", images=images)
    assert done.changed
    assert not any(".segments/image/" in path for path in place.names())
    keep(place, images)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("options", [{"prune_older_than": "soon"}, {"delete_after": "-5"}, {"delete_after": "1 year"}])
def test_an_invalid_duration_is_refused(place: Place, small: list[Path], options: dict[str, str]) -> None:
    result = place.modules.try_to("swift_images", images=[{"name": "a", "src": str(small[0])}], prune=True, **options)
    assert result["failed"] and "is not a duration" in result["msg"]


@pytest.mark.parametrize("manifest", ["slo", "dlo"])
def test_check_mode_predicts_transferred_and_deleted_bytes(
    place: Place, image: Path, other_image: Path, manifest: str
) -> None:
    place.modules("swift_image", name="replaced", src=str(image), segment_size=str(SEGMENT), manifest=manifest)
    place.modules("swift_image", name="pruned", src=str(image), segment_size=str(SEGMENT), manifest=manifest)
    place.modules("swift_image", name="plain", src=str(image))
    images = [
        {"name": "replaced", "src": str(other_image), "segment_size": str(SEGMENT)},
        {"name": "plain", "src": str(other_image)},
    ]
    options = {"images": images, "prune": True, "manifest": manifest}
    predicted = place.modules.predict("swift_images", **options)
    done = place.modules("swift_images", **options)
    size = image.stat().st_size
    assert predicted["summary"] == done["summary"]
    assert done["summary"]["bytes_uploaded"] == 2 * size
    assert done["summary"]["bytes_deleted"] == 3 * size
    for before, after in zip(predicted["images"], done["images"]):
        for name in ("bytes_uploaded", "bytes_reused", "segments_uploaded", "segments_reused"):
            assert before["transfer"][name] == after["transfer"][name]


def test_a_long_object_list_in_a_diff_is_truncated(place: Place, image: Path) -> None:
    place.modules("swift_image", name="img", src=str(image), segment_size="20000")
    objects = len(place.names())
    result = place.modules("swift_image", name="img", state="absent")
    shown = result["diff"]["before"]["objects"]
    assert len(shown) == 51 and shown[-1] == f"and {objects - 50} more"


def test_an_expired_but_still_listed_image_is_uploaded_again(place: Place, image: Path) -> None:
    """A catalogue stores an expired image anew, although Swift lists it until its expirer runs."""
    images = [{"name": "img", "src": str(image), "segment_size": "1GiB"}]
    place.modules("swift_images", images=images)
    headers = place.store.do("HEAD", place.container, "img").headers
    kept = {key: value for key, value in headers.items() if key.lower().startswith("x-object-meta-")}
    place.store.do("POST", place.container, "img", headers={**kept, "X-Delete-After": "1"})
    for _second in range(10):
        if place.read("img") is None:
            break
        time.sleep(0.5)
    assert f"{place.container}/img" in place.names()
    result = place.modules("swift_images", images=images)
    assert result.changed
    assert place.read("img") == image.read_bytes()
