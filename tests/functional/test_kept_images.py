# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images that need each other's objects: a kept image stays whole, whatever else is deleted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from ansible_collections.imagestore.swift.tests.support.clients import SEGMENT
from ansible_collections.imagestore.swift.tests.support.writers import OURS, WRITERS, Place, write_slo

PART = b"x" * 1024


def put(place: Place, name: str, data: bytes = PART, container: str | None = None) -> str:
    """Put a plain object, and return the path of a file with its bytes."""
    place.store.do("PUT", container or place.container, name, data=data)
    path = place.folder / name.replace("/", "_")
    path.write_bytes(data)
    return str(path)


def dlo(place: Place, name: str, prefix: str, container: str | None = None) -> None:
    """Put a DLO's manifest."""
    header = f"{quote(container or place.container)}/{quote(prefix)}"
    place.store.do("PUT", place.container, name, headers={"X-Object-Manifest": header})


def slo(place: Place, container: str, name: str, *paths: str) -> None:
    """Put an SLO's manifest that names objects by container and name."""
    body = json.dumps([{"path": path} for path in paths])
    place.store.do("PUT", container, name, params="multipart-manifest=put", data=body)


@pytest.mark.parametrize("how", ["prune", "prune with force", "absent", "absent with force"])
@pytest.mark.parametrize(
    "manifest", ["an SLO names it", "a DLO reads it", pytest.param("a link leads to it", marks=pytest.mark.slo)]
)
def test_a_kept_image_is_not_deleted_as_a_segment(place: Place, how: str, manifest: str) -> None:
    name = "x-00001" if manifest == "a DLO reads it" else "kept"
    path = put(place, name)
    if manifest == "a DLO reads it":
        dlo(place, "x", "x-")
    else:
        write_slo(place, "x", [name])
    kept = name
    if manifest == "a link leads to it":
        kept = "link"
        place.store.do("PUT", place.container, kept, headers={"X-Symlink-Target": f"{place.container}/{name}"})
    images: list[dict[str, Any]] = [{"name": kept, "src": path}]
    options: dict[str, Any] = {"prune": how.startswith("prune"), "force_segments": how.endswith("force")}
    if how.startswith("absent"):
        images.append({"name": "x", "state": "absent"})
    predicted = place.modules.predict("swift_images", images=images, **options)
    result = place.modules("swift_images", images=images, **options)
    assert predicted.get("diff") == result.get("diff")
    assert place.read(kept) == PART
    assert not place.modules("swift_images", images=images, **options).changed


@pytest.mark.slo
def test_prune_does_not_break_a_kept_image_in_another_container(place: Place) -> None:
    first, second = f"{place.container}_a", f"{place.container}_b"
    for container in (first, second):
        place.store.create(container)
    path = put(place, "part", container=second)
    slo(place, second, "b1", f"/{second}/part")
    slo(place, first, "a1", f"/{second}/part")
    images = [{"name": "a1", "src": path}]
    place.modules("swift_images", images=images, prune=True, containers_seed=1)
    assert place.store.read(first, "a1") == PART


@pytest.mark.slo
def test_an_updated_image_of_another_client_keeps_its_segments(place: Place, image: Path) -> None:
    WRITERS["nested SLO"](place, "img", image)
    images = [{"name": "img", "src": str(image), "segment_size": str(SEGMENT), "delete_after": 36000}]
    place.modules("swift_images", images=images)
    result = place.modules("swift_images", images=images, prune=True)
    assert not result.changed
    assert place.read("img") == image.read_bytes()


@pytest.mark.slo
def test_segments_under_the_prefix_of_another_dlo_are_kept(place: Place) -> None:
    put(place, "roll-a", b"one, ")
    put(place, "roll-b", b"two")
    dlo(place, "img", "roll-")
    write_slo(place, "x", ["roll-a"])
    result = place.modules("swift_image", name="x", state="absent")
    assert "img" in result.warned
    assert place.read("img") == b"one, two"


@pytest.mark.parametrize("concurrency", [1, 8])
@pytest.mark.parametrize("kind", ["Glance's DLO", "SLO", "the swift CLI's SLO"])
@pytest.mark.parametrize("how", ["prune", "absent"])
def test_images_sharing_segments_are_deleted_together(
    place: Place, image: Path, kind: str, concurrency: int, how: str
) -> None:
    WRITERS[kind](place, "x", image)
    if kind == "Glance's DLO":
        dlo(place, "y", "x-")
    else:
        entries = place.store.do("GET", place.container, "x", params="multipart-manifest=get").json()
        slo(place, place.container, "y", *(entry["name"] for entry in entries))
    images: list[dict[str, Any]] = [{"name": "kept", "src": put(place, "kept")}]
    if how == "absent":
        images += [{"name": name, "state": "absent"} for name in ("x", "y")]
    options: dict[str, Any] = {"images": images, "prune": how == "prune", "concurrency": concurrency}
    predicted = place.modules.predict("swift_images", **options)
    result = place.modules("swift_images", **options)
    assert predicted.get("diff") == result.get("diff")
    left = [path for path in place.names() if not path.endswith("/kept")]
    # In the swift CLI's segment container the names say that the segments are those of x, and y may be deleted last.
    assert left == [] or kind == "the swift CLI's SLO"
    assert not place.modules("swift_images", **options).changed


@pytest.mark.parametrize("how", ["absent", "replace", "expire"])
@pytest.mark.slo
def test_a_nested_manifest_in_another_container_is_not_trusted(place: Place, image: Path, how: str) -> None:
    here, apart = place.container, f"{place.container}_segments"
    place.store.create(apart)
    put(place, "part", container=apart)
    inner = f".segments/x/{here}:{'a' * 64}-1024"
    slo(place, apart, inner, f"/{apart}/part")
    slo(place, here, "x", f"/{apart}/{inner}")
    put(place, "golden", b"golden")
    # An attacker who may write to the segment container replaces the inner manifest.
    slo(place, apart, inner, f"/{here}/golden")
    options: dict[str, Any] = {"state": "absent"} if how == "absent" else {"src": str(image)}
    options.update({"force": False, "delete_after": 3600} if how == "expire" else {})
    place.modules("swift_image", name="x", **options)
    assert place.read("golden") == b"golden"
    assert "X-Delete-At" not in place.store.do("HEAD", here, "golden").headers


@pytest.mark.parametrize("how", ["absent", "prune", "expire"])
def test_the_content_type_of_a_segment_determines_its_owner(place: Place, image: Path, how: str) -> None:
    other, apart = f"{place.container}-other", f"{place.container}-apart"
    for container in (other, apart):
        place.store.create(container)
    cut = {"segment_size": str(SEGMENT), "manifest": "dlo", "segment_prefix": "x-", "segment_container": apart}
    place.modules("swift_image", container=other, name="x", src=str(image), **cut)
    dlo(place, "x", "x-", apart)
    if how == "prune":
        images = [{"name": "kept", "src": put(place, "kept")}]
        place.modules("swift_images", images=images, prune=True, segment_container=apart)
    else:
        options: dict[str, Any] = {"state": "absent"}
        if how == "expire":
            options = {"src": str(image), "force": False, "delete_after": 3600}
        place.modules("swift_image", name="x", segment_container=apart, **options)
    assert place.store.read(other, "x") == image.read_bytes()
    for path in place.store.names(apart):
        assert "X-Delete-At" not in place.store.do("HEAD", apart, path.partition("/")[2]).headers


@pytest.mark.parametrize("request_number", [4, 5, 6])
def test_an_interrupted_deletion_under_a_custom_prefix_is_finished(
    place: Place, image: Path, request_number: int
) -> None:
    apart = f"{place.container}-apart"
    place.store.create(apart)
    options = {"name": "img", "segment_container": apart}
    cut = {"segment_size": str(SEGMENT), "manifest": "dlo", "segment_prefix": "p/"}
    place.modules("swift_image", src=str(image), **cut, **options)
    assert place.modules.kill_before(request_number, "swift_image", state="absent", concurrency=1, **options)
    result = place.modules("swift_image", state="absent", **options)
    assert place.names() == [] and not result.warned


@pytest.mark.parametrize("target", ["va%00ult/x", "%ff%ff/x", "a%00b/x"])
@pytest.mark.swift_only("it takes a manifest that can't be decoded for one of the whole container")
def test_an_undecodable_manifest_is_deleted_or_replaced(place: Place, image: Path, target: str) -> None:
    for options in ({"state": "absent"}, {"src": str(image)}):
        place.store.do("PUT", place.container, "img", headers={"X-Object-Manifest": target})
        told = place.modules("swift_image_info", container=place.container)["images"][0]
        assert told["problems"]
        place.change(name="img", **options)
        place.modules("swift_image", name="img", state="absent")
        assert place.names() == []


def test_a_repeated_journal_entry_is_requested_once(place: Place, image: Path) -> None:
    WRITERS[OURS](place, "img", image)
    put(place, "y")
    entry = {"container": place.container, "name": "y", "bytes": 5, "hash": "e"}
    strange = [{**entry, "name": name} for name in ("", "a\0b", "x" * 5000)]
    body = json.dumps([*[entry] * 3000, *strange])
    place.store.do("PUT", place.container, ".segments/img/journal-0000000000000000-00000000", data=body)
    with place.store.watch(place.container) as watched:
        place.modules("swift_image", name="img", state="absent")
    assert len([seen for seen in watched.seen if seen["path"].endswith("/y")]) <= 2
    assert place.names() == [f"{place.container}/y"]


@pytest.mark.slo
def test_the_manifest_of_another_image_is_read_at_most_twice(place: Place, image: Path, other_image: Path) -> None:
    WRITERS["the swift CLI's SLO"](place, "kept", image)
    WRITERS[OURS](place, "replaced", image)
    WRITERS["nested SLO"](place, "pruned", other_image)
    images = [
        {"name": "kept", "src": str(image)},
        {"name": "replaced", "src": str(other_image), "segment_size": str(SEGMENT)},
    ]
    with place.store.watch(place.container) as watched:
        result = place.modules("swift_images", images=images, prune=True)
    assert result.changed
    assert result["summary"]["pruned"] == 1
    requests = [
        request["path"].rpartition("/")[2] for request in watched.seen if request["query"] == "multipart-manifest=get"
    ]
    # Once for the image itself, and once as an image that may need the segments of deleted images.
    assert requests.count("kept") <= 2
    assert requests.count("pruned") <= 2


def test_an_image_whose_segments_a_kept_alias_reads_is_not_pruned(place: Place, image: Path) -> None:
    WRITERS["DLO"](place, "debian-12.5", image)
    header = place.store.do("HEAD", place.container, "debian-12.5").headers["X-Object-Manifest"]
    place.store.do("PUT", place.container, "debian-12", headers={"X-Object-Manifest": header})
    images = [{"name": "debian-12", "src": str(image), "segment_size": str(SEGMENT)}]
    result = place.modules("swift_images", images=images, prune=True)
    assert [one["name"] for one in result["not_pruned"]] == ["debian-12.5"]
    assert place.read("debian-12") == place.read("debian-12.5") == image.read_bytes()
