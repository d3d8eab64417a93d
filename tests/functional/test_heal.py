# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Damaged images: the next run finds the damage and sends again what is missing, and nothing else."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imagestore.swift.tests.support.clients import SEGMENT
from ansible_collections.imagestore.swift.tests.support.fifo import fifo_of
from ansible_collections.imagestore.swift.tests.support.modules import Result
from ansible_collections.imagestore.swift.tests.support.processes import Process
from ansible_collections.imagestore.swift.tests.support.web import serving_files
from ansible_collections.imagestore.swift.tests.support.writers import OURS, WRITERS, Place, write_slo

LARGE = [name for name in WRITERS if name != "plain"]
DLOS = [name for name in LARGE if "DLO" in name]
SLOS = [name for name in LARGE if "SLO" in name]


# Glance names images and their segments by UUIDs. The name of an openstacksdk segment may also be an image's.
NAMES = {"Glance's DLO": "5f0c7e0e-4a36-4b9e-9d5b-0d5f6a1c2b3d"}
UNPROVED = "openstacksdk's DLO"


def left_behind_a_gap(place: Place, kind: str) -> list[str]:
    """Return the paths of segments that stay, because they lie behind a gap and nothing proves them."""
    return [f"{place.container}/img/000002"] if kind == UNPROVED else []


def segments_of(place: Place, name: str = "img") -> list[str]:
    """Return the paths of an image's segments, in order."""
    result = place.modules("swift_image_info", name=name, segments=True)
    return [f"{piece['container']}/{piece['name']}" for piece in result["images"][0]["segment_list"]]


def damage(place: Place, path: str, how: str) -> None:
    container, _slash, name = path.partition("/")
    if how == "deleted":
        place.store.do("DELETE", container, name)
    else:
        place.store.do("PUT", container, name, data=b"x" * SEGMENT)


def heal(place: Place, image: Path, name: str = "img", **options: Any) -> Result:
    """Run swift_image, which has to repair the image and to change nothing in a second run; return the result."""
    result = place.change(name=name, src=str(image), **options)
    assert place.read(name) == image.read_bytes()
    return result


@pytest.mark.parametrize("how", ["deleted", "damaged"])
@pytest.mark.parametrize("number", [0, 2])
@pytest.mark.parametrize("kind", SLOS)
def test_a_missing_or_damaged_slo_segment_is_repaired(
    place: Place, image: Path, kind: str, number: int, how: str
) -> None:
    WRITERS[kind](place, "img", image)
    before = place.names()
    pieces = segments_of(place)
    damage(place, pieces[number], how)
    # The segment size of this run does not matter.
    result = heal(place, image, segment_size="700KiB")
    if kind == "nested SLO" and how == "damaged":
        # No name proves that the damaged object is a segment, so the image is stored anew.
        assert len(place.names()) == 1 + 4
    else:
        size = min(SEGMENT, image.stat().st_size - number * SEGMENT)
        assert result["transfer"]["bytes_uploaded"] == size
        assert result["transfer"]["segments_uploaded"] == 1
        assert result["transfer"]["segments_reused"] == len(pieces) - 1
        assert result["diff"]["before"]["damaged_segments"] == 1
        assert place.names() == before
    complete = place.modules("swift_image_info", name="img", verify=True)
    assert complete["images"][0]["complete"] is True


@pytest.mark.parametrize("kind", DLOS)
def test_a_missing_dlo_segment_is_repaired(place: Place, image: Path, kind: str) -> None:
    WRITERS[kind](place, "img", image)
    before = place.names()
    pieces = segments_of(place)
    damage(place, pieces[1], "deleted")
    result = heal(place, image, segment_size="700KiB")
    assert result["transfer"]["bytes_uploaded"] == SEGMENT
    assert result["transfer"]["segments_reused"] == len(pieces) - 1
    assert result["diff"]["before"]["damaged_segments"] == 1
    assert place.names() == before


@pytest.mark.parametrize("number", [0, 2])
@pytest.mark.parametrize("kind", DLOS)
def test_a_dlo_without_its_first_or_last_segment_is_restored(place: Place, image: Path, kind: str, number: int) -> None:
    WRITERS[kind](place, "img", image)
    damage(place, segments_of(place)[number], "deleted")
    heal(place, image, segment_size=str(SEGMENT))
    # The image is repaired, or stored anew with nothing of the old one left.
    pieces = segments_of(place)
    assert sorted(place.names()) == sorted([f"{place.container}/img", *pieces])


@pytest.mark.parametrize("kind", LARGE)
def test_a_damaged_image_is_replaced_completely(place: Place, image: Path, other_image: Path, kind: str) -> None:
    name = NAMES.get(kind, "img")
    WRITERS[kind](place, name, image)
    damage(place, segments_of(place, name)[1], "deleted")
    result = heal(place, other_image, name, segment_size=str(SEGMENT))
    assert len(place.names()) == 1 + 3 + len(left_behind_a_gap(place, kind))
    assert ("not provably segments" in result.warned) == (kind == UNPROVED)


@pytest.mark.parametrize("kind", LARGE)
def test_a_damaged_image_is_deleted_completely(place: Place, image: Path, kind: str) -> None:
    name = NAMES.get(kind, "img")
    WRITERS[kind](place, name, image)
    damage(place, segments_of(place, name)[1], "deleted")
    result = place.change(name=name, state="absent")
    assert place.names() == left_behind_a_gap(place, kind)
    assert ("not provably segments" in result.warned) == (kind == UNPROVED)


@pytest.mark.parametrize("kind", LARGE)
@pytest.mark.parametrize("source", ["fifo", "url"])
def test_a_damaged_image_is_repaired_from_a_stream(place: Place, image: Path, kind: str, source: str) -> None:
    name = NAMES.get(kind, "img")
    WRITERS[kind](place, name, image)
    damage(place, segments_of(place, name)[1], "deleted")
    options: dict[str, Any] = {"name": name, "segment_size": str(SEGMENT)}
    if source == "fifo":
        fifo = fifo_of(place.folder, image.read_bytes())
        assert place.modules("swift_image", src=str(fifo), **options).changed
    else:
        with serving_files(image.parent) as address:
            assert place.modules("swift_image", url=f"{address}/{image.name}", **options).changed
    assert place.read(name) == image.read_bytes()
    assert len(place.names()) == 1 + 3 + len(left_behind_a_gap(place, kind))
    place.keep(src=str(image), **options)


@pytest.mark.parametrize("how", ["deleted", "damaged"])
@pytest.mark.slo
def test_a_matching_checksum_skips_the_repair_unless_verify_is_set(place: Place, image: Path, how: str) -> None:
    checksum = f"sha256:{hashlib.sha256(image.read_bytes()).hexdigest()}"
    options = {"name": "img", "src": str(image), "segment_size": str(SEGMENT), "checksum": checksum}
    place.modules("swift_image", **options)
    damage(place, segments_of(place)[1], how)
    with place.store.watch(place.container) as watched:
        assert not place.modules("swift_image", **options).changed
    assert [request["method"] for request in watched.seen] == ["HEAD"]
    kept = place.keep(force=False, verify=True, **options)
    assert "is damaged" in kept.warned
    heal(place, image, verify=True, **{name: options[name] for name in ("segment_size", "checksum")})


@pytest.mark.parametrize("manifest", ["slo", "dlo"])
def test_verify_does_not_read_the_source_of_an_intact_image(place: Place, image: Path, manifest: str) -> None:
    source = place.folder / "source"
    source.write_bytes(image.read_bytes())
    checksum = f"sha256:{hashlib.sha256(image.read_bytes()).hexdigest()}"
    options = {"name": "img", "src": str(source), "checksum": checksum, "manifest": manifest}
    options["segment_size"] = str(SEGMENT)
    place.modules("swift_image", **options)
    source.unlink()
    place.keep(verify=True, **options)


@pytest.mark.slo
def test_a_catalogue_repairs_damaged_images(place: Place, image: Path, other_image: Path) -> None:
    checksum = f"md5:{hashlib.md5(other_image.read_bytes()).hexdigest()}"
    images: list[dict[str, Any]] = [
        {"name": "one", "src": str(image)},
        {"name": "two", "src": str(other_image), "checksum": checksum},
    ]
    options = {"segment_size": str(SEGMENT), "images": images}
    place.modules("swift_images", **options)
    for name in ("one", "two"):
        damage(place, segments_of(place, name)[1], "deleted")
    first = place.modules("swift_images", **options)
    assert [found["changed"] for found in first["images"]] == [True, False]
    predicted = place.modules.predict("swift_images", verify=True, **options)
    second = place.modules("swift_images", verify=True, **options)
    assert [found["action"] for found in second["images"]] == ["unchanged", "changed"]
    assert predicted["diff"] == second["diff"]
    assert place.read("one") == image.read_bytes() and place.read("two") == other_image.read_bytes()
    images[0]["verify"] = True
    damage(place, segments_of(place, "one")[0], "deleted")
    assert place.modules("swift_images", **options).changed


@pytest.mark.parametrize("kind", ["the swift CLI's SLO", "SLO"])
def test_a_deleted_segment_container_is_restored(place: Place, image: Path, kind: str) -> None:
    apart = f"{place.container}_segments"
    options: dict[str, Any] = {"segment_size": str(SEGMENT)}
    if kind == "SLO":
        options |= {"segment_container": apart, "create_container": True}
        place.modules("swift_image", name="img", src=str(image), **options)
    else:
        WRITERS[kind](place, "img", image)
    place.store.remove(apart)
    heal(place, image, **options)


@pytest.mark.parametrize("kind", ["SLO", "DLO", "Glance's DLO"])
def test_expired_segments_of_a_current_image_are_repaired(place: Place, image: Path, kind: str) -> None:
    WRITERS[kind](place, "img", image)
    container, _slash, name = segments_of(place)[1].partition("/")
    place.store.do("POST", container, name, headers={"X-Delete-After": "1"})
    threading.Event().wait(2)
    # A listing shows expired objects until Swift's expirer has run.
    heal(place, image, segment_size=str(SEGMENT), verify=True)
    assert place.read("img") == image.read_bytes()


def test_a_foreign_object_under_a_dlo_prefix_is_reported_and_kept(place: Place, image: Path) -> None:
    WRITERS["Glance's DLO"](place, "img", image)
    place.store.do("PUT", place.container, "img-zzz", data=b"stranger")
    result = place.change(name="img", src=str(image), segment_size=str(SEGMENT))
    assert "img-zzz" in result.warned
    assert place.read("img") == image.read_bytes()
    assert place.store.read(place.container, "img-zzz") == b"stranger"


def test_an_interrupted_repair_is_resumed(place: Place, image: Path) -> None:
    WRITERS[OURS](place, "img", image)
    for path in segments_of(place):
        damage(place, path, "deleted")
    options = {"name": "img", "src": str(image), "segment_size": str(SEGMENT)}
    assert place.amid("PUT", 1, Process.kill, **options).wait() < 0
    result = heal(place, image, segment_size=str(SEGMENT))
    assert 0 < result["transfer"]["segments_uploaded"] <= 3


def test_a_repair_writes_no_unproven_segment_to_another_container(place: Place, image: Path) -> None:
    """A repair does not write an object in another container just because a manifest names it.

    An attacker could otherwise have objects written with the operator's rights.
    """
    vault = f"{place.container}_vault"
    place.store.create(vault)
    data = image.read_bytes()
    entries = []
    for number, offset in enumerate(range(0, len(data), SEGMENT)):
        part = data[offset : offset + SEGMENT]
        place.store.do("PUT", vault, f"victim-{number}", data=part)
        entries.append({"path": f"/{vault}/victim-{number}"})
    place.store.do("PUT", place.container, "img", params="multipart-manifest=put", data=json.dumps(entries))
    place.store.do("DELETE", vault, "victim-1")
    heal(place, image, segment_size=str(SEGMENT))
    assert [name for name in place.names() if name.startswith(f"{vault}/")] == [
        f"{vault}/victim-0",
        f"{vault}/victim-2",
    ]


def test_a_repair_does_not_overwrite_another_image(place: Place, tmp_path: Path) -> None:
    old = {}
    for name in ("a", "b", "c"):
        old[name] = tmp_path / name
        old[name].write_bytes(name.encode() * SEGMENT)
    both = tmp_path / "both"
    both.write_bytes(old["a"].read_bytes() + old["b"].read_bytes())
    for name in ("a", "b"):
        place.modules("swift_image", name=name, src=str(old[name]))
    write_slo(place, "img", ["a", "b"])
    place.modules("swift_image", name="b", src=str(old["c"]))
    heal(place, both)
    assert place.read("b") == old["c"].read_bytes()


def test_a_repair_does_not_overwrite_segments_of_another_image(place: Place, image: Path, other_image: Path) -> None:
    uuid, data = NAMES["Glance's DLO"], other_image.read_bytes()
    WRITERS["Glance's DLO"](place, uuid, image)
    write_slo(place, "img", [f"{uuid}-0000{number}" for number in (1, 2, 3)])
    for number in (1, 2, 3):
        part = data[(number - 1) * SEGMENT : number * SEGMENT]
        place.store.do("PUT", place.container, f"{uuid}-0000{number}", data=part)
    heal(place, image)
    assert place.read(uuid) == data


@pytest.mark.parametrize("number", [1, 2])
def test_a_dlo_is_not_repaired_with_content_of_another_image(
    place: Place, image: Path, tmp_path: Path, number: int
) -> None:
    data = image.read_bytes()
    options = {"segment_size": str(SEGMENT), "manifest": "dlo"}
    place.modules("swift_image", name="img", src=str(image), **options)
    damage(place, segments_of(place)[number], "deleted")
    other = tmp_path / "other"
    first = number * SEGMENT
    size = len(data[first : first + SEGMENT])
    other.write_bytes(data[:first] + b"z" * size + data[first + size :])
    heal(place, other, **options)
    found = place.modules("swift_image_info", name="img", verify="content")["images"][0]
    assert found["complete"] is True
    assert found["checksums"]["md5"] == hashlib.md5(other.read_bytes()).hexdigest()


def test_a_repair_verifies_the_checksum_first(place: Place, image: Path) -> None:
    place.modules("swift_image", name="img", src=str(image), segment_size=str(SEGMENT), manifest="dlo")
    damage(place, segments_of(place)[1], "deleted")
    before = place.names()
    refused = place.modules.try_to("swift_image", name="img", src=str(image), checksum="sha256:" + "0" * 64)
    assert refused["failed"] and "checksum requires" in refused["msg"]
    assert place.names() == before


@pytest.mark.parametrize("manifest", ["slo", "dlo"])
def test_a_repaired_segment_expires_with_the_others(place: Place, image: Path, manifest: str) -> None:
    options = {"segment_size": str(SEGMENT), "manifest": manifest}
    place.modules("swift_image", name="img", src=str(image), delete_after="7d", **options)
    pieces = segments_of(place)
    damage(place, pieces[1], "deleted")
    place.modules("swift_image", name="img", src=str(image), **options)
    times = {place.store.do("HEAD", *piece.split("/", 1)).headers["X-Delete-At"] for piece in pieces}
    assert len(times) == 1


def test_a_damaged_slo_with_a_range_is_uploaded_again(place: Place, tmp_path: Path) -> None:
    first, second = os.urandom(SEGMENT), os.urandom(SEGMENT)
    for name, data in (("first", first), ("second", second)):
        place.store.do("PUT", place.container, name, data=data)
    entries = [
        {"path": f"/{place.container}/first", "range": "0-1023"},
        {"path": f"/{place.container}/second"},
    ]
    place.store.do("PUT", place.container, "img", params="multipart-manifest=put", data=json.dumps(entries))
    source = tmp_path / "source"
    source.write_bytes(first[:1024] + second)
    headers = {"X-Object-Meta-Image-Sha256": hashlib.sha256(source.read_bytes()).hexdigest()}
    place.store.do("POST", place.container, "img", headers=headers)
    place.store.do("DELETE", place.container, "second")
    heal(place, source)


@pytest.mark.slo
def test_unlistable_segments_are_not_treated_as_damaged(place: Place, image: Path) -> None:
    WRITERS["the swift CLI's SLO"](place, "img", image)
    reader = place.cloud.told["projects"]["reader"]["project_id"]
    grants = {"X-Container-Read": f"{reader}:*", "X-Container-Write": f"{reader}:*"}
    place.store.do("POST", place.container, headers=grants)
    place.store.do("POST", f"{place.container}_segments", headers={"X-Container-Read": ".r:*"})
    auth = {"endpoint": place.store.storage_url, "token": replace(place.cloud, project_name="reader").token()}
    assert not place.modules("swift_image", name="img", src=str(image), auth=auth).changed


@pytest.mark.slo
def test_bytes_overwritten_by_a_repair_are_counted_as_deleted(place: Place, image: Path) -> None:
    WRITERS[OURS](place, "img", image)
    damage(place, segments_of(place)[1], "damaged")
    result = place.modules("swift_images", images=[{"name": "img", "src": str(image)}])
    assert result["summary"]["bytes_deleted"] == SEGMENT
