# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Symlinks: under images' names, under segments' names, and broken ones."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imagestore.swift.tests.support.catalogues import change
from ansible_collections.imagestore.swift.tests.support.clients import SEGMENT
from ansible_collections.imagestore.swift.tests.support.downloads import Downloads
from ansible_collections.imagestore.swift.tests.support.writers import MANIFEST, WRITERS, Place

pytestmark = pytest.mark.swift_only("it has no symlinks")

BROKEN = ("dangling", "loop", "other account", "static")


def link(place: Place, name: str, target: str, **headers: str) -> None:
    """Put a symlink."""
    place.store.do("PUT", place.container, name, headers={"X-Symlink-Target": target, **headers})


def put_slo(place: Place, container: str, name: str, segments: list[str]) -> None:
    """Put an SLO whose segments lie in the test's container."""
    body = json.dumps([{"path": f"/{place.container}/{segment}"} for segment in segments])
    place.store.do("PUT", container, name, params=MANIFEST, data=body)


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
def test_a_broken_symlink_is_reported_not_downloaded_and_deleted(place: Place, tmp_path: Path, kind: str) -> None:
    break_link(place, kind)
    place.store.do("PUT", place.container, "other", data=b"x")
    told = place.modules("swift_image_info", container=place.container, name="img")["images"][0]
    assert told["exists"] and not told["complete"]
    assert "symlink to" in told["problems"][0]
    assert told["symlink"]["name"] in ("back", "o", "target", "nothing")
    assert told["symlink"]["account"] == ("AUTH_somebody" if kind == "other account" else None)
    listed = place.modules("swift_image_info", container=place.container, verify=True, orphans=True)["images"]
    assert {image["name"] for image in listed} >= {"img", "other"}
    result = place.modules.try_to("swift_image_download", name="img", dest=str(tmp_path / "file"))
    assert "symlink to" in result["msg"]
    assert not (tmp_path / "file").exists()
    place.change(name="img", state="absent")
    assert place.store.request("HEAD", place.container, "img", params="symlink=get").status_code == 404
    assert place.read("other") == b"x"


@pytest.mark.parametrize("kind", BROKEN)
@pytest.mark.parametrize("force", [True, False])
def test_a_broken_symlink_is_replaced(place: Place, image: Path, kind: str, force: bool) -> None:
    break_link(place, kind)
    place.change(name="img", src=str(image), segment_size=str(SEGMENT), force=force)
    assert place.read("img") == image.read_bytes()


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_symlink_is_pruned(place: Place, image: Path, kind: str) -> None:
    break_link(place, kind)
    images = [{"name": "kept", "src": str(image)}]
    result = place.modules("swift_images", images=images, prune=True)
    assert ("img", "pruned") in [(one["name"], one["action"]) for one in result["pruned"]]
    assert not place.modules("swift_images", images=images, prune=True).changed
    assert place.read("kept") == image.read_bytes()


@pytest.mark.parametrize("kind", ["plain", "SLO", "DLO"])
def test_a_symlink_to_identical_content_is_unchanged_and_downloaded(
    place: Place, download: Downloads, image: Path, kind: str
) -> None:
    WRITERS[kind](place, "target", image)
    link(place, "img", f"{place.container}/target")
    result = place.keep(name="img", src=str(image), segment_size=str(SEGMENT))
    assert result["image"]["symlink"] == {"container": place.container, "name": "target", "account": None}
    told = place.modules("swift_image_info", container=place.container)["images"]
    assert [image["name"] for image in told] == ["img", "target"]
    download.change()
    assert download.dest.read_bytes() == image.read_bytes()


@pytest.mark.parametrize("kind", ["plain", "SLO", "DLO"])
@pytest.mark.parametrize(
    "changes", [{"src": "other"}, {"metadata": {"os": "x"}}, {"delete_after": 3600}, {"content_type": "a/b"}], ids=repr
)
def test_a_differing_symlink_is_replaced_by_an_image(
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


@pytest.mark.parametrize("multi_tenant", [False, True])
def test_the_targets_of_a_kept_symlink_are_not_pruned(place: Place, small: list[Path], multi_tenant: bool) -> None:
    paths = {name: f"{place.container}{f'_{name}' if multi_tenant else ''}/{name}" for name in ("12", "stable", "12.5")}
    data = small[0].read_bytes()
    for name, target in (("12.5", None), ("stable", "12.5"), ("12", "stable")):
        container = paths[name].partition("/")[0]
        place.store.create(container)
        headers = {"X-Symlink-Target": paths[target]} if target else {}
        place.store.do("PUT", container, name, headers=headers, data=b"" if target else data)
    images = [{"name": "12", "src": str(small[0])}]
    result = place.modules("swift_images", images=images, prune=True, multi_tenant=multi_tenant)
    assert not result.changed
    assert {one["name"] for one in result["not_pruned"]} == {"stable", "12.5"}
    assert "12.5" in result.warned
    assert place.store.read(*paths["12"].split("/")) == data


@pytest.mark.parametrize("kind", ["DLO", "SLO"])
def test_segments_behind_a_symlink_to_another_container_are_not_pruned(place: Place, apart: str, kind: str) -> None:
    here, data = place.container, b"x" * 1024
    names = [f"x-{number:05}" for number in (1, 2)]
    for name in names:
        place.store.do("PUT", here, name, data=data)
    if kind == "DLO":
        place.store.do("PUT", apart, "target", headers={"X-Object-Manifest": f"{here}/x-"})
    else:
        put_slo(place, apart, "target", names)
    link(place, "x", f"{apart}/target")
    path = place.folder / "kept"
    path.write_bytes(data)
    place.modules("swift_images", images=[{"name": "kept", "src": str(path)}], prune=True)
    assert place.store.read(apart, "target") == 2 * data


def test_prune_uses_the_age_of_a_symlink_not_of_its_target(place: Place, small: list[Path]) -> None:
    images = [{"name": "kept", "src": str(small[0])}]
    for name, target in (("link", "kept"), ("broken", "none")):
        link(place, name, f"{place.container}/{target}")
    threading.Event().wait(3)
    place.modules("swift_images", images=images)
    result = change(place, images, prune=True, prune_older_than="2s")
    assert [one["name"] for one in result["pruned"]] == ["broken", "link"]


@pytest.mark.parametrize("is_suspended", [False, True])
@pytest.mark.parametrize("how", ["absent", "absent with force", "replace"])
def test_a_symlink_in_a_versioned_container_is_deleted_or_replaced_without_its_target(
    place: Place, image: Path, apart: str, is_suspended: bool, how: str
) -> None:
    here = place.container
    names = [f"seg-{number}" for number in range(2)]
    for name in names:
        place.store.do("PUT", here, name, data=b"x" * 1024)
    put_slo(place, apart, "target", names)
    place.store.do("POST", here, headers={"X-Versions-Enabled": "true"})
    link(place, "img", f"{apart}/target")
    told = place.modules("swift_image_info", container=here, name="img")["images"][0]
    assert told["symlink"] == {"container": apart, "name": "target", "account": None}
    if is_suspended:
        place.store.do("POST", here, headers={"X-Versions-Enabled": "false"})
    if how == "replace":
        place.change(name="img", src=str(image), segment_size=str(SEGMENT), metadata={"os": "x"})
        assert place.read("img") == image.read_bytes()
    else:
        place.modules("swift_image", name="img", state="absent", force_segments=how.endswith("force"))
    assert place.store.read(apart, "target") == b"x" * 2048
