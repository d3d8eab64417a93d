# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Uploads under unusual names and over images of each kind, and interrupted uploads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imagestore.swift.tests.support.processes import Process
from ansible_collections.imagestore.swift.tests.support.writers import OURS, Place

CUT = {"segment_size": "150KiB"}
LARGE = 2_500_000
# The number of such segments in an image of that size.
PARTS = 17
KINDS = ["slo", "dlo"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("with space", "dlo"),
        ("per%cent%20and%2Fmore", "dlo"),
        ("what?is#this&that+those=1", "slo"),
        ("größe/Ελλάδα/画像.img", "slo"),
        ("'quotes\" and ; semicolons", "dlo"),
        ("/slash//first", "slo"),
    ],
)
def test_unusual_image_names_are_preserved(place: Place, name: str, kind: str, image: Path) -> None:
    """An image keeps its name, even if a URL, a header or a listing could spoil it."""
    place.change(name=name, src=str(image), manifest=kind, segment_size="1MiB")
    assert place.read(name) == image.read_bytes()
    found = place.modules("swift_image_info")
    assert [one["name"] for one in found["images"]] == [name]
    place.change(name=name, state="absent")
    assert place.names() == []


def test_a_slash_before_a_name_causes_a_warning(place: Place, small: list[Path]) -> None:
    stored = place.change(name="/img", src=str(small[0]))
    assert f"clients show the image as {place.container}//img" in stored.warned
    assert not place.change(name="img", src=str(small[0])).warned


@pytest.mark.slo
def test_an_image_of_any_kind_is_replaced_by_any_other_kind(
    place: Place, tmp_path: Path, image: Path, other_image: Path
) -> None:
    small, empty = tmp_path / "small", tmp_path / "empty"
    small.write_bytes(b"small")
    empty.touch()
    steps = [
        (image, "slo", "slo", 4),
        (other_image, "slo", "slo", 4),
        (image, "dlo", "dlo", 4),
        (other_image, "dlo", "dlo", 4),
        (small, "auto", "none", 1),
        (empty, "slo", "none", 1),
        (image, "dlo", "dlo", 4),
        (other_image, "auto", "slo", 4),
        (small, "dlo", "none", 1),
        (image, "auto", "slo", 4),
    ]
    for path, manifest, kind, objects in steps:
        done = place.change(name="image", src=str(path), manifest=manifest, segment_size="1MiB")
        assert done["image"]["manifest"] == kind
        assert place.read("image") == path.read_bytes()
        assert len(place.names()) == objects


def test_nested_image_names_are_independent(place: Place, image: Path, other_image: Path) -> None:
    place.change(name="a", src=str(image), manifest="dlo", **CUT)
    place.change(name="a/b", src=str(other_image), manifest=OURS.lower(), **CUT)
    place.change(name="a", state="absent")
    assert place.read("a/b") == other_image.read_bytes()
    place.change(name="a/b", state="absent")
    assert place.names() == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_next_run_resumes_a_killed_upload(
    place: Place, kind: str, image: Path, other_image: Path, third_image: Path
) -> None:
    options: dict[str, Any] = {"name": "image", "manifest": kind, **CUT}
    kill(place, "PUT", src=str(image), **options)
    assert place.read("image") is None
    check_taken_over(place.change(src=str(image), **options))
    assert place.read("image") == image.read_bytes()
    # The replacement is interrupted, too. Then another image with the same size and segment size replaces it.
    kill(place, "PUT", src=str(other_image), **options)
    assert place.read("image") == image.read_bytes()
    place.change(src=str(third_image), **options)
    assert place.read("image") == third_image.read_bytes()
    # If a run is killed while it deletes the replaced segments, the next run finishes that and sends nothing.
    kill(place, "DELETE", src=str(image), **options)
    assert place.read("image") == image.read_bytes()
    done = place.change(src=str(image), **options)
    assert done["transfer"]["bytes_uploaded"] == 0
    assert done["diff"]["before"]["leftover_segments"] > 0
    assert len(place.names()) == PARTS + 1


@pytest.mark.parametrize("kind", KINDS)
def test_segments_without_a_manifest_are_reused_or_deleted(place: Place, kind: str, image: Path) -> None:
    """A run reuses or deletes the segments of an upload that was interrupted just before the manifest."""
    options = {"name": "image", "src": str(image), "manifest": kind, **CUT}
    place.modules("swift_image", **options)
    place.store.do("DELETE", place.container, "image")
    again = place.modules("swift_image", **options)
    assert again["transfer"]["segments_uploaded"] == 0
    assert again["transfer"]["bytes_reused"] == LARGE
    assert place.read("image") == image.read_bytes()
    place.store.do("DELETE", place.container, "image")
    gone = place.change(name="image", state="absent")
    assert gone["diff"]["before"]["leftover_segments"] == PARTS
    assert place.names() == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_modified_during_the_upload_is_refused(place: Place, kind: str, tmp_path: Path, image: Path) -> None:
    path = tmp_path / "growing"
    path.write_bytes(image.read_bytes())

    def write(_process: Process) -> None:
        with path.open("ab") as file:
            file.write(b"more")

    process = place.amid("PUT", PARTS // 3, write, name="image", src=str(path), manifest=kind, **CUT)
    assert process.wait() == 1
    message = json.loads(process.output.splitlines()[-1])["msg"]
    assert "was written to while it was read" in message
    assert "segments" not in message
    assert place.names() == []


def test_a_segment_prefix_produces_glance_segment_names(place: Place, image: Path, other_image: Path) -> None:
    options = {"name": "image", "manifest": "dlo", "segment_size": "1MiB", "segment_prefix": "image-"}
    done = place.change(src=str(image), **options)
    assert done["image"]["segment_prefix"] == "image-"
    own = [f"{place.container}/image{end}" for end in ("", "-00001", "-00002", "-00003")]
    assert place.names() == own
    assert place.read("image") == image.read_bytes()
    place.change(src=str(other_image), **options)
    assert place.read("image") == other_image.read_bytes()
    # The segments that readers used were not overwritten.
    assert [path.removeprefix(place.container)[:17] for path in place.names()] == ["/.segments/image/"] * 3 + ["/image"]


def test_a_killed_upload_with_a_segment_prefix_is_resumed(place: Place, image: Path, other_image: Path) -> None:
    options: dict[str, Any] = {"name": "image", "manifest": "dlo", "segment_prefix": "image-"}
    kill(place, "PUT", src=str(image), **options, **CUT)
    check_taken_over(place.change(src=str(image), **options, **CUT))
    assert place.read("image") == image.read_bytes()
    place.change(name="image", state="absent")
    kill(place, "PUT", src=str(image), **options, **CUT)
    # With another segment size, none of the existing segments can be reused.
    place.change(src=str(other_image), segment_size="1MiB", **options)
    assert place.read("image") == other_image.read_bytes()
    place.change(name="image", state="absent")
    kill(place, "PUT", src=str(image), **options, **CUT)
    gone = place.change(name="image", segment_prefix="image-", state="absent")
    assert gone["diff"]["before"]["leftover_segments"] > 1
    assert place.names() == []


def test_old_segments_are_deleted_after_the_new_manifest_is_stored(
    place: Place, image: Path, other_image: Path
) -> None:
    place.modules("swift_image", name="image", src=str(image), segment_size="1MiB")
    options = {"src": str(other_image), "segment_size": "1MiB", "manifest": "dlo", "segment_prefix": "image-"}
    with place.store.watch(place.container) as watched:
        place.modules("swift_image", name="image", **options)
    done = [(request["method"], request["path"].rpartition("/")[2]) for request in watched.changing]
    deleted = [number for number, (method, _name) in enumerate(done) if method == "DELETE"]
    assert len(deleted) == 3
    assert deleted[0] > done.index(("PUT", "image"))


@pytest.mark.parametrize("prefix", ["shared/", "first-"])
def test_a_segment_prefix_in_use_is_refused(place: Place, prefix: str, image: Path, other_image: Path) -> None:
    cut = {"segment_size": "1MiB", "manifest": "dlo", "segment_prefix": prefix}
    place.modules("swift_image", name="first", src=str(image), **cut)
    with place.store.watch(place.container) as watched:
        refused = place.modules.try_to("swift_image", name="second", src=str(other_image), **cut)
    assert refused["msg"].startswith(f"'{prefix}0") and f"begins with segment_prefix {prefix!r}" in refused["msg"]
    assert watched.changing == []
    place.keep(name="third", segment_prefix=prefix, state="absent")
    place.keep(name="first", src=str(image), **cut)


def kill(place: Place, method: str, **options: Any) -> None:
    """Kill the module, as kill -9 does, when the store has received a third of the requests with *method*."""
    process = place.amid(method, PARTS // 3, Process.kill, **options)
    assert process.wait() < 0


def check_taken_over(done: Any) -> None:
    """Check that a run resumed a killed upload."""
    transfer = done["transfer"]
    assert transfer["segments_reused"] >= PARTS // 3 - 1
    assert transfer["segments_uploaded"] == PARTS - transfer["segments_reused"]
    assert transfer["bytes_uploaded"] == LARGE - transfer["bytes_reused"]


def test_a_diff_does_not_claim_that_a_missing_container_exists(place: Place, image: Path) -> None:
    container = f"{place.container}-new"
    options = {"container": container, "create_container": True}
    nothing = {"exists": False}
    predicted = place.modules.predict("swift_image", name="img", src=str(image), **options)["diff"]
    assert predicted["before"] == nothing
    assert predicted["after"]["created_containers"] == [container]
    images = [{"name": "img", "src": str(image)}]
    plan, one = place.modules.predict("swift_images", images=images, **options)["diff"]
    assert (plan["before"], one["before"]) == ({}, nothing)
    gone = place.modules.predict("swift_image", name="img", state="absent", container=container)
    assert not gone.changed and gone["diff"]["before"] == gone["diff"]["after"] == nothing
    own = place.modules.predict("swift_image", name="img", state="absent", multi_tenant=True, container=container)
    assert not own.changed and own["diff"]["before"] == own["diff"]["after"] == nothing
    assert place.modules("swift_image", name="img", src=str(image), **options)["diff"] == predicted
