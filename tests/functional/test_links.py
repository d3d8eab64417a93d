# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Symlinks under images' names, whole and broken, and containers that keep versions."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import requests
from ansible_collections.imagestore.swift.tests.support.clients import SEGMENT
from ansible_collections.imagestore.swift.tests.support.writers import OURS, WRITERS, Place

pytestmark = pytest.mark.swift_only("there are no symlinks, and versions of objects are kept in another way")

BROKEN = ("dangling", "loop", "other account", "static")


def link(place: Place, name: str, target: str, **headers: str) -> None:
    """Put a symlink."""
    place.store.do("PUT", place.container, name, headers={"X-Symlink-Target": target, **headers})


def break_link(place: Place, kind: str) -> None:
    """Put a symlink ``img`` whose target can't be read."""
    here = place.container
    if kind == "loop":
        link(place, "back", f"{here}/img")
        link(place, "img", f"{here}/back")
    elif kind == "other account":
        link(place, "img", "c/o", **{"X-Symlink-Target-Account": "AUTH_somebody"})
    elif kind == "static":
        answer = place.store.do("PUT", here, "target", data=b"x")
        link(place, "img", f"{here}/target", **{"X-Symlink-Target-Etag": answer.headers["ETag"].strip('"')})
        place.store.do("PUT", here, "target", data=b"y")
    else:
        link(place, "img", f"{here}/nothing")


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_link_is_told_and_deleted(place: Place, kind: str) -> None:
    break_link(place, kind)
    place.store.do("PUT", place.container, "other", data=b"x")
    told = place.modules("swift_image_info", container=place.container, name="img")["images"][0]
    assert told["exists"] and not told["complete"]
    assert "symlink to" in told["problems"][0]
    assert told["symlink"]["name"] in ("back", "o", "target", "nothing")
    assert told["symlink"]["account"] == ("AUTH_somebody" if kind == "other account" else None)
    listed = place.modules("swift_image_info", container=place.container, verify=True, orphans=True)["images"]
    assert {image["name"] for image in listed} >= {"img", "other"}
    place.change(name="img", state="absent")
    assert place.store.request("HEAD", place.container, "img", params="symlink=get").status_code == 404
    assert place.read("other") == b"x"


@pytest.mark.parametrize("kind", BROKEN)
@pytest.mark.parametrize("force", [True, False])
def test_a_broken_link_is_replaced(place: Place, image: Path, kind: str, force: bool) -> None:
    break_link(place, kind)
    place.change(name="img", src=str(image), segment_size=str(SEGMENT), force=force)
    assert place.read("img") == image.read_bytes()


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_link_is_not_downloaded(place: Place, tmp_path: Path, kind: str) -> None:
    break_link(place, kind)
    result = place.modules.try_to("swift_image_download", name="img", dest=str(tmp_path / "file"))
    assert "symlink to" in result["msg"]
    assert not (tmp_path / "file").exists()


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_link_is_pruned_and_spoils_no_catalogue(place: Place, image: Path, kind: str) -> None:
    break_link(place, kind)
    images = [{"name": "kept", "src": str(image)}]
    result = place.modules("swift_images", images=images, prune=True)
    assert {"name": "img", "action": "pruned"}.items() <= result["pruned"][-1].items() or any(
        one["name"] == "img" for one in result["pruned"]
    )
    assert not place.modules("swift_images", images=images, prune=True).changed
    assert place.read("kept") == image.read_bytes()


@pytest.mark.parametrize("kind", ["plain", "SLO", "DLO"])
def test_a_healthy_link_to_the_wished_content_is_unchanged(place: Place, image: Path, kind: str) -> None:
    WRITERS[kind](place, "target", image)
    link(place, "img", f"{place.container}/target")
    result = place.keep(name="img", src=str(image), segment_size=str(SEGMENT))
    assert result["image"]["symlink"] == {"container": place.container, "name": "target", "account": None}
    told = place.modules("swift_image_info", container=place.container)["images"]
    assert [image["name"] for image in told] == ["img", "target"]


@pytest.mark.parametrize("kind", ["plain", "SLO", "DLO"])
@pytest.mark.parametrize(
    "changes", [{"src": "other"}, {"metadata": {"os": "x"}}, {"delete_after": 3600}, {"content_type": "a/b"}], ids=repr
)
def test_a_link_that_is_otherwise_is_replaced_by_an_image(
    place: Place, image: Path, other_image: Path, kind: str, changes: dict[str, Any]
) -> None:
    WRITERS[kind](place, "target", image)
    before = [path for path in place.names() if not path.endswith("/img")]
    link(place, "img", f"{place.container}/target")
    path = other_image if "src" in changes else image
    options = {"name": "img", "segment_size": str(SEGMENT), **changes, "src": str(path)}
    place.change(**options)
    assert place.read("img") == path.read_bytes()
    assert place.read("target") == image.read_bytes()
    assert set(before) <= set(place.names())
    shown = place.store.do("HEAD", place.container, "img", params="symlink=get").headers
    assert "X-Symlink-Target" not in shown


def test_the_target_of_a_kept_link_is_not_pruned(place: Place, image: Path) -> None:
    WRITERS[OURS](place, "debian-12.5", image)
    link(place, "debian-stable", f"{place.container}/debian-12.5")
    link(place, "debian-12", f"{place.container}/debian-stable")
    images = [{"name": "debian-12", "src": str(image), "segment_size": str(SEGMENT)}]
    result = place.modules("swift_images", images=images, prune=True)
    assert not result.changed
    assert {one["name"] for one in result["not_pruned"]} == {"debian-stable", "debian-12.5"}
    assert "debian-12.5" in result.warned
    assert place.read("debian-12") == image.read_bytes()


def test_what_a_kept_alias_reads_is_not_pruned(place: Place, image: Path) -> None:
    WRITERS["DLO"](place, "debian-12.5", image)
    header = place.store.do("HEAD", place.container, "debian-12.5").headers["X-Object-Manifest"]
    place.store.do("PUT", place.container, "debian-12", headers={"X-Object-Manifest": header})
    images = [{"name": "debian-12", "src": str(image), "segment_size": str(SEGMENT)}]
    result = place.modules("swift_images", images=images, prune=True)
    assert [one["name"] for one in result["not_pruned"]] == ["debian-12.5"]
    assert place.read("debian-12") == place.read("debian-12.5") == image.read_bytes()


VERSIONS = ("X-Versions-Location", "X-History-Location", "X-Versions-Enabled")


@pytest.fixture(params=VERSIONS)
def versioned(request: pytest.FixtureRequest, place: Place) -> str:
    """The header by which the container keeps versions."""
    archive = f"{place.container}-archive"
    place.store.create(archive)
    header: str = request.param
    value = "true" if header == "X-Versions-Enabled" else archive
    place.store.do("POST", place.container, headers={header: value})
    return header


def test_absent_tells_what_comes_back(place: Place, image: Path, other_image: Path, versioned: str) -> None:
    for path in (image, other_image):
        place.modules("swift_image", name="img", src=str(path), segment_size="1GiB")
    predicted = place.modules.predict("swift_image", name="img", state="absent")
    result = place.modules("swift_image", name="img", state="absent")
    assert predicted.get("diff") == result.get("diff")
    comes_back = versioned == "X-Versions-Location"
    assert result["image"]["exists"] is comes_back
    assert ("comes back" in result.warned) is comes_back
    assert place.read("img") == (image.read_bytes() if comes_back else None)
    last = place.modules("swift_image", name="img", state="absent")
    assert last.changed is comes_back and not last["image"]["exists"]
    assert place.read("img") is None


@pytest.mark.parametrize("kind", ["slo", "dlo"])
def test_segments_that_a_version_needs_stay(
    place: Place, image: Path, other_image: Path, versioned: str, kind: str
) -> None:
    options = {"name": "img", "segment_size": str(SEGMENT), "manifest": kind}
    place.modules("swift_image", src=str(image), **options)
    segments = [path for path in place.names() if "/.segments/img/" in path]
    result = place.modules("swift_image", src=str(other_image), **options)
    assert "keeps versions" in result.warned
    assert set(segments) <= set(place.names())
    again = place.modules("swift_image", src=str(other_image), **options)
    assert not again.changed
    deleted = place.modules("swift_image", name="img", state="absent")
    assert "keeps versions" in deleted.warned
    if versioned == "X-Versions-Location":
        assert place.read("img") == image.read_bytes()


@pytest.mark.parametrize("is_suspended", [False, True])
@pytest.mark.parametrize("force", [False, True])
def test_a_link_in_a_container_with_versions_is_deleted_alone(place: Place, is_suspended: bool, force: bool) -> None:
    here, apart = place.container, f"{place.container}-apart"
    place.store.create(apart)
    for number in range(2):
        place.store.do("PUT", here, f"seg-{number}", data=b"x" * 1024)
    body = json.dumps([{"path": f"/{here}/seg-{number}"} for number in range(2)])
    place.store.do("PUT", apart, "target", params="multipart-manifest=put", data=body)
    place.store.do("POST", here, headers={"X-Versions-Enabled": "true"})
    link(place, "img", f"{apart}/target")
    told = place.modules("swift_image_info", container=here, name="img")["images"][0]
    assert told["symlink"] == {"container": apart, "name": "target", "account": None}
    if is_suspended:
        place.store.do("POST", here, headers={"X-Versions-Enabled": "false"})
    place.modules("swift_image", name="img", state="absent", force_segments=force)
    assert place.store.read(apart, "target") == b"x" * 2048


def test_a_link_in_a_container_with_versions_is_replaced(place: Place, image: Path) -> None:
    WRITERS[OURS](place, "target", image)
    place.store.do("POST", place.container, headers={"X-Versions-Enabled": "true"})
    link(place, "img", f"{place.container}/target")
    place.change(name="img", src=str(image), segment_size=str(SEGMENT), metadata={"os": "x"})
    assert place.read("img") == image.read_bytes()


def test_segments_of_versions_stay_if_versioning_is_suspended(place: Place, image: Path, other_image: Path) -> None:
    place.store.do("POST", place.container, headers={"X-Versions-Enabled": "true"})
    options = {"name": "img", "segment_size": str(SEGMENT)}
    place.modules("swift_image", src=str(image), **options)
    version = place.store.do("HEAD", place.container, "img").headers["X-Object-Version-Id"]
    place.store.do("POST", place.container, headers={"X-Versions-Enabled": "false"})
    result = place.modules("swift_image", src=str(other_image), **options)
    assert "keeps versions" in result.warned
    old = place.store.do("GET", place.container, "img", params={"version-id": version})
    assert old.content == image.read_bytes()


def test_an_expired_version_does_not_hide_the_one_that_comes_back(place: Place) -> None:
    archive = f"{place.container}-archive"
    place.store.create(archive)
    place.store.do("POST", place.container, headers={"X-Versions-Location": archive})
    for data, headers in ((b"one", {}), (b"two", {"X-Delete-After": "1"}), (b"three", {})):
        place.store.do("PUT", place.container, "img", data=data, headers=headers)
    time.sleep(2.1)
    predicted = place.modules.predict("swift_image", name="img", state="absent")
    result = place.modules("swift_image", name="img", state="absent")
    assert predicted.get("diff") == result.get("diff")
    assert result["image"]["exists"] and place.read("img") == b"one"


def test_a_versioned_container_of_one_image_stays_at_once(place: Place, image: Path) -> None:
    own = f"{place.container}_img"
    place.modules("swift_image", name="img", src=str(image), multi_tenant=True, create_container=True)
    archive = f"{place.container}-archive"
    place.store.create(archive)
    place.store.do("POST", own, headers={"X-Versions-Location": archive})
    with place.store.watch(own) as watched:
        result = place.modules("swift_image", name="img", multi_tenant=True, state="absent")
    assert "keeps versions" in result.warned
    assert [seen["method"] for seen in watched.seen if seen["path"].endswith(own)].count("DELETE") == 0
    assert place.store.request("HEAD", own).status_code == requests.codes.no_content


def test_a_listed_object_that_has_expired_is_stored_anew(place: Place, image: Path) -> None:
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
