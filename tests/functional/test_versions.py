# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Containers that keep older versions of objects."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import requests
from ansible_collections.imagestore.swift.tests.support.clients import SEGMENT
from ansible_collections.imagestore.swift.tests.support.writers import Place

_ONE_WAY = pytest.mark.swift_only("it keeps versions by X-Versions-Location alone")
VERSIONS = [
    "X-Versions-Location",
    pytest.param("X-History-Location", marks=_ONE_WAY),
    pytest.param("X-Versions-Enabled", marks=_ONE_WAY),
]


@pytest.fixture(params=VERSIONS)
def versioned(request: pytest.FixtureRequest, place: Place) -> str:
    """The header by which the container keeps versions."""
    archive = f"{place.container}-archive"
    place.store.create(archive)
    header: str = request.param
    value = "true" if header == "X-Versions-Enabled" else archive
    place.store.do("POST", place.container, headers={header: value})
    return header


def test_absent_reports_the_restored_version(place: Place, image: Path, other_image: Path, versioned: str) -> None:
    for path in (image, other_image):
        place.modules("swift_image", name="img", src=str(path), segment_size="1GiB")
    predicted = place.modules.predict("swift_image", name="img", state="absent")
    result = place.modules("swift_image", name="img", state="absent")
    assert predicted.get("diff") == result.get("diff")
    comes_back = versioned == "X-Versions-Location"
    assert result["image"]["exists"] is comes_back
    assert ("becomes the current image" in result.warned) is comes_back
    assert place.read("img") == (image.read_bytes() if comes_back else None)
    last = place.modules("swift_image", name="img", state="absent")
    assert last.changed is comes_back and not last["image"]["exists"]
    assert place.read("img") is None


@pytest.mark.parametrize("kind", ["slo", "dlo"])
def test_segments_of_older_versions_are_kept(
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


@_ONE_WAY
def test_segments_of_versions_are_kept_while_versioning_is_suspended(
    place: Place, image: Path, other_image: Path
) -> None:
    place.store.do("POST", place.container, headers={"X-Versions-Enabled": "true"})
    options = {"name": "img", "segment_size": str(SEGMENT)}
    place.modules("swift_image", src=str(image), **options)
    version = place.store.do("HEAD", place.container, "img").headers["X-Object-Version-Id"]
    place.store.do("POST", place.container, headers={"X-Versions-Enabled": "false"})
    result = place.modules("swift_image", src=str(other_image), **options)
    assert "keeps versions" in result.warned
    old = place.store.do("GET", place.container, "img", params={"version-id": version})
    assert old.content == image.read_bytes()


@pytest.mark.swift_only("an expired version stays readable until it is deleted")
def test_an_expired_version_does_not_hide_the_restored_version(place: Place) -> None:
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


def test_a_versioned_multi_tenant_container_is_kept(place: Place, image: Path) -> None:
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
