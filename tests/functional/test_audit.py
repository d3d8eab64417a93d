# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Audits, which find missing, overwritten, corrupted and forged data."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imagestore.swift.tests.support.clients import SEGMENT
from ansible_collections.imagestore.swift.tests.support.cloud import IS_RGW
from ansible_collections.imagestore.swift.tests.support.foreign_objects import write_glance_dlo
from ansible_collections.imagestore.swift.tests.support.writers import WRITERS, Place


def audit(place: Place, verify: Any = "content", **options: Any) -> dict[str, Any]:
    """Verify the image, and return its entry in the module's result."""
    result = place.modules("swift_image_info", name="img", verify=verify, **options)
    found: dict[str, Any] = result["images"][0]
    return found


@pytest.mark.parametrize("kind", WRITERS)
def test_an_intact_image_is_complete(place: Place, image: Path, kind: str) -> None:
    WRITERS[kind](place, "img", image)
    for verify in ("content", True, "true"):
        assert audit(place, verify)["complete"] is True
    assert "complete" not in audit(place, False)


@pytest.mark.parametrize("kind", ["plain", "SLO", "DLO", "the swift CLI's SLO"])
def test_verify_content_reads_every_byte_once(place: Place, image: Path, kind: str) -> None:
    WRITERS[kind](place, "img", image)
    with place.store.watch(place.container) as watched:
        audit(place)
    assert watched.changing == []
    assert len(watched.fetching) == (1 if kind == "plain" else 3)
    with place.store.watch(place.container) as watched:
        audit(place, True)
    assert watched.fetching == []


@pytest.mark.slo
def test_repeated_zero_segments_are_read_once(place: Place, tmp_path: Path) -> None:
    sparse = tmp_path / "sparse"
    sparse.write_bytes(bytes(20 * SEGMENT) + b"end")
    place.modules("swift_image", name="img", src=str(sparse), segment_size=str(SEGMENT), hash_algorithms=["sha256"])
    with place.store.watch(place.container) as watched:
        assert audit(place, concurrency=1)["complete"] is True
    assert len(watched.fetching) == 2


@pytest.mark.slo
def test_a_segment_name_with_a_wrong_digest_is_reported(place: Place) -> None:
    """An audit finds a segment whose name has another digest than its content, even if the manifest fits."""
    sha256 = hashlib.sha256(b"right").hexdigest()
    name = f".segments/img/{sha256}-5"
    place.store.do("PUT", place.container, name, data=b"wrong")
    body = json.dumps([{"path": f"/{place.container}/{name}"}])
    place.store.do("PUT", place.container, "img", params="multipart-manifest=put", data=body)
    assert audit(place, True)["complete"] is True
    found = audit(place)
    assert found["complete"] is False
    assert found["problems"] == [
        f"Segment {place.container}/{name} (bytes 0 to 4) has content with the SHA-256 "
        f"{hashlib.sha256(b'wrong').hexdigest()}, which does not match its name."
    ]


@pytest.mark.parametrize("kind", ["plain", "SLO", "DLO"])
def test_a_recorded_checksum_mismatch_is_reported(place: Place, image: Path, kind: str) -> None:
    WRITERS[kind](place, "img", image)
    headers = dict(place.store.do("HEAD", place.container, "img").headers)
    kept = {name: value for name, value in headers.items() if name.lower().startswith(("x-object-m", "content-type"))}
    kept["X-Object-Meta-Image-Sha1"] = "a" * 40
    place.store.do("POST", place.container, "img", headers=kept)
    found = audit(place)
    assert found["complete"] is False
    assert f"but the recorded sha1 is {'a' * 40}" in found["problems"][0]


@pytest.mark.parametrize("kind", ["plain", "SLO", "DLO", "Glance's DLO"])
def test_bit_rot_is_found_only_by_reading_the_content(place: Place, tmp_path: Path, kind: str) -> None:
    # Bytes that no other test stores in the cluster.
    image = tmp_path / "image"
    image.write_bytes(os.urandom(2 * SEGMENT + 5))
    WRITERS[kind](place, "img", image)
    pieces = place.modules("swift_image_info", name="img", segments=True)["images"][0]["segment_list"]
    assert rot(place, image.read_bytes()[SEGMENT : 2 * SEGMENT] if pieces else image.read_bytes())
    # Only reading finds the damage: Swift compares the bytes with their ETag when it has sent them.
    assert audit(place, True)["complete"] is True
    assert audit(place)["complete"] is False


def rot(place: Place, data: bytes) -> int:
    """Change a bit in each file of the cluster that holds these bytes, and return the number of such files."""
    if IS_RGW:
        pytest.skip("NOT TESTED on Ceph RGW, which has no file for each object that a test could damage: bit rot")
    found = 0
    for path in Path(place.cloud.requests_log).parent.rglob("*.data"):
        if path.stat().st_size == len(data) and path.read_bytes() == data:
            with path.open("r+b") as file:
                file.seek(len(data) // 2)
                file.write(bytes([data[len(data) // 2] ^ 1]))
            found += 1
    return found


@pytest.mark.slo
def test_damage_is_reported_with_the_segment_and_byte_range(place: Place, image: Path) -> None:
    WRITERS["Glance's DLO"](place, "other", image)
    WRITERS["the swift CLI's SLO"](place, "img", image)
    pieces = place.modules("swift_image_info", name="img", segments=True)["images"][0]["segment_list"]
    place.store.do("DELETE", pieces[1]["container"], pieces[1]["name"])
    problem = f"Segment {pieces[1]['container']}/{pieces[1]['name']} (bytes {SEGMENT} to {2 * SEGMENT - 1}) is missing."
    for verify in (True, "content"):
        assert audit(place, verify)["problems"] == [problem]
        failed = place.modules.try_to("swift_image_info", verify=verify, fail_on_damage=True)
        assert failed["failed"] and "1 of 2 images are damaged: img." in failed["msg"] and problem in failed["msg"]
        assert [found["complete"] for found in failed["images"]] == [False, True]
    assert place.modules("swift_image_info", name="other", verify="content", fail_on_damage=True)


@pytest.mark.parametrize("kind", ["SLO", "Glance's DLO", "the swift CLI's SLO"])
def test_a_missing_segment_does_not_hide_other_damage(place: Place, tmp_path: Path, kind: str) -> None:
    image = tmp_path / "image"
    image.write_bytes(os.urandom(3 * SEGMENT))
    WRITERS[kind](place, "img", image)
    pieces = place.modules("swift_image_info", name="img", segments=True)["images"][0]["segment_list"]
    assert rot(place, image.read_bytes()[SEGMENT : 2 * SEGMENT])
    place.store.do("DELETE", pieces[0]["container"], pieces[0]["name"])
    missing, rotten = audit(place)["problems"]
    assert "no segment numbered 1" in missing if kind == "Glance's DLO" else pieces[0]["name"] in missing
    assert pieces[1]["name"] in rotten and "has content with the MD5" in rotten


@pytest.mark.slo
def test_each_damaged_segment_of_an_slo_is_reported(place: Place, image: Path) -> None:
    WRITERS["SLO"](place, "img", image)
    pieces = place.modules("swift_image_info", name="img", segments=True)["images"][0]["segment_list"]
    names = [piece["name"] for piece in pieces]
    place.store.do("DELETE", place.container, names[0])
    place.store.do("PUT", place.container, names[1], data=b"short")
    place.store.do("PUT", place.container, names[2], data=b"x" * pieces[2]["size"])
    found = audit(place, True)
    assert found["complete"] is False
    missing, short, changed = found["problems"]
    assert missing == f"Segment {place.container}/{names[0]} (bytes 0 to {SEGMENT - 1}) is missing."
    assert short.endswith(f"has 5 bytes, but the manifest says {SEGMENT}.")
    assert re.search(r"has the ETag [0-9a-f]{32}, but the manifest says [0-9a-f]{32}\.$", changed)


def test_each_problem_of_a_dlo_is_reported(place: Place, image: Path) -> None:
    store_numbered(place, image)
    place.store.do("DELETE", place.container, "img-00002")
    place.store.do("PUT", place.container, "img-notes", data=b"text")
    found, missing = place.modules("swift_image_info", names=["img", "none"], verify=True)["images"]
    assert found["complete"] is False
    gap, foreign, size = found["problems"]
    assert gap == "There is no segment numbered 2, but there are later segments."
    assert foreign.startswith(f"{place.container}/img-notes begins with the manifest's prefix")
    assert size == f"The image has {2_500_000 - SEGMENT + 4} bytes, but had 2500000 when it was stored."
    assert missing["exists"] is False and "complete" not in missing


def test_a_missing_last_dlo_segment_is_found_by_the_recorded_size(place: Place, image: Path) -> None:
    store_numbered(place, image)
    place.store.do("DELETE", place.container, "img-00003")
    found = audit(place, True)
    assert found["complete"] is False
    assert found["problems"] == [f"The image has {2 * SEGMENT} bytes, but had 2500000 when it was stored."]
    assert (found["segments"], found["size"]) == (2, 2 * SEGMENT)


def store_numbered(place: Place, image: Path) -> None:
    """Store a DLO with the segments ``img-00001`` to ``img-00003``."""
    options = {"src": str(image), "segment_size": str(SEGMENT), "manifest": "dlo", "segment_prefix": "img-"}
    place.modules("swift_image", name="img", **options)


def test_foreign_objects_under_the_prefix_of_a_dlo_are_reported(place: Place) -> None:
    write_glance_dlo(place, "img", [b"1", b"2"])
    for name in ("img-12", "img-20240"):
        place.store.do("PUT", place.container, name, data=b"an image")
    images = place.modules("swift_image_info", verify=True)["images"]
    assert [(image["name"], image["complete"]) for image in images] == [
        ("img", False),
        ("img-12", True),
        ("img-20240", True),
    ]
    gap, foreign = images[0]["problems"]
    assert gap == "There is no segment numbered 3 to 20239, but there are later segments."
    assert foreign.startswith(f"{place.container}/img-12 begins with the manifest's prefix")


def test_fail_on_damage_requires_verify(place: Place) -> None:
    refused = place.modules.try_to("swift_image_info", fail_on_damage=True)
    assert refused["failed"] and "set verify to true or content" in refused["msg"]


@pytest.mark.parametrize(
    "question",
    [{"verify": True}, {"verify": "content", "prefix": "a"}, {"orphans": True}, {"names": ["a"]}, {"names": []}],
)
def test_a_missing_container_fails_an_audit(place: Place, question: dict[str, Any]) -> None:
    container = f"{place.container}-none"
    failed = place.modules.try_to("swift_image_info", container=container, **question)
    assert failed["failed"] and container in failed["msg"]


@pytest.mark.parametrize("question", [{}, {"name": "img"}, {"prefix": "a"}, {"name": "img", "verify": True}])
def test_a_missing_container_causes_a_warning(place: Place, question: dict[str, Any]) -> None:
    container = f"{place.container}-none"
    assert container in place.modules("swift_image_info", container=container, **question).warned


@pytest.mark.parametrize("manifest", ["slo", "dlo"])
def test_an_image_with_repeated_segments_is_complete(place: Place, tmp_path: Path, manifest: str) -> None:
    source = tmp_path / "source"
    source.write_bytes(bytes(SEGMENT) + b"x" * SEGMENT + bytes(SEGMENT))
    place.modules("swift_image", name="img", src=str(source), segment_size=str(SEGMENT), manifest=manifest)
    assert audit(place)["complete"] is True


def test_a_plain_image_is_verified_by_its_etag(place: Place, tmp_path: Path) -> None:
    data = os.urandom(5000)
    place.store.do("PUT", place.container, "img", data=data)
    assert rot(place, data)
    assert audit(place)["complete"] is False
