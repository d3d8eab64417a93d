# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Facts about images and their containers, and the requests that a listing sends."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imagestore.swift.tests.support.modules import Modules, Result
from ansible_collections.imagestore.swift.tests.support.writers import OURS, Place

SIZE = 2_500_000


def test_images_are_described_as_they_were_stored(place: Place, image: Path, small: list[Path]) -> None:
    # One name sorts before those of the segments.
    images = {
        "!before segments": {"src": str(small[0])},
        "dynamic": {"src": str(image), "manifest": "dlo"},
        "plain": {"src": str(small[1])},
        "static": {"src": str(image), "manifest": OURS.lower()},
    }
    stored = {name: store(place, name, metadata={"kind": name}, **options) for name, options in images.items()}
    with place.store.watch(place.container) as watched:
        listed = place.modules("swift_image_info", segments=True)
        again = place.modules.predict("swift_image_info", segments=True)
    assert watched.changing == []
    assert again["images"] == listed["images"]
    segments = {found["name"]: found.pop("segment_list") for found in listed["images"]}
    assert listed["images"] == list(stored.values())
    assert [found["metadata"] for found in listed["images"]] == [{"kind": name} for name in images]
    assert listed["images"][1]["size"] == SIZE
    for name in ("dynamic", "static"):
        assert [segment["size"] for segment in segments[name]] == [2**20, 2**20, SIZE - 2**21]
        assert all(segment["name"].startswith(f".segments/{name}/") for segment in segments[name])

    assert place.modules("swift_image_info", prefix="sta")["images"] == [stored["static"]]
    one, missing = place.modules("swift_image_info", names=["static", "none"])["images"]
    assert one == stored["static"]
    assert (missing["name"], missing["exists"]) == ("none", False)
    assert "size" not in missing


def store(place: Place, name: str, **options: Any) -> dict[str, Any]:
    """Store an image, and return its description."""
    stored: dict[str, Any] = place.modules("swift_image", name=name, segment_size="1MiB", **options)["image"]
    return stored


def test_a_listing_sends_one_request_per_image(place: Place, image: Path) -> None:
    for name in ("!before segments", "plain"):
        place.store.do("PUT", place.container, name, data=b"bytes")
    store(place, "dynamic", src=str(image), manifest="dlo")
    store(place, "static", src=str(image), manifest=OURS.lower())
    with place.store.watch(place.container) as watched:
        listed = place.modules("swift_image_info")
    assert len(listed["images"]) == 4
    methods = [request["method"] for request in watched.seen]
    # One of these requests is for the container.
    assert methods.count("HEAD") == 5
    assert set(methods) == {"HEAD", "GET"}
    # The names before and after the segments are two ranges, each with a page and an empty page that ends it.
    assert methods.count("GET") <= 4


def test_a_missing_container_has_no_images(place: Place) -> None:
    options = {"container": f"{place.container}-none"}
    assert place.modules("swift_image_info", **options)["images"] == []
    (image,) = place.modules("swift_image_info", name="none", **options)["images"]
    assert (image["name"], image["exists"]) == ("none", False)
    assert "size" not in image


NO_GRANTS = {"public": False, "read_tenants": [], "read_acl": [], "write_tenants": [], "write_acl": []}
NO_QUOTAS = {"quota_bytes": None, "quota_count": None}
QUOTAS = {"quota_bytes": 100_000_000_000, "quota_count": 1000}


def container_of(result: Result) -> dict[str, Any]:
    """Return the description of the only container, without the counts, which the store updates with a delay."""
    (container,) = result["containers"]
    return {name: value for name, value in container.items() if name not in ("object_count", "bytes_used")}


def test_a_new_container_has_no_grants_and_no_quotas(place: Place) -> None:
    place.store.do("PUT", place.container, "img", data=b"bytes")
    result = place.modules("swift_image_info", name="img", acl=True)
    assert result["images"][0]["acl"] == NO_GRANTS
    policy = container_of(result)["storage_policy"]
    assert container_of(result) == {
        "name": place.container,
        "storage_policy": policy,
        **NO_QUOTAS,
        "acl": NO_GRANTS,
    }
    assert policy == place.store.do("HEAD", place.container).headers.get("X-Storage-Policy")


@pytest.mark.swift_only("its ACLs name existing projects, and it shows no quotas of a container")
def test_each_user_sees_the_facts_of_a_container_that_swift_shows(place: Place) -> None:
    other = place.cloud.told["projects"]["other"]["project_id"]
    grants = {
        "public": True,
        "read_tenants": sorted(["one", other]),
        "read_acl": ["two:user"],
        "write_tenants": ["four", "three"],
        "write_acl": ["five:user"],
    }
    place.store.do("PUT", place.container, "img", data=b"bytes")
    headers = {
        "X-Container-Read": f".r:*,.rlistings,one:*,two:user,{other}:*",
        "X-Container-Write": "four:*,three:*,five:user",
        "X-Container-Meta-Quota-Bytes": "100000000000",
        "X-Container-Meta-Quota-Count": "1000",
    }
    place.store.do("POST", place.container, headers=headers)
    uri = f"swift+{place.store.storage_url}/{place.container}/img"
    foreign = replace(place.modules, defaults={"uri": uri, "cloud": "other", "acl": True})
    anonymous = replace(place.modules, defaults={"uri": uri, "auth_type": "none", "acl": True})
    facts = {"name": place.container, "storage_policy": "Policy-0", **QUOTAS}

    found, missing = place.modules("swift_image_info", names=["img", "none"], acl=True)["images"]
    assert found["acl"] == grants
    assert missing["exists"] is False
    alone = place.modules("swift_image_info", names=[], acl=True)
    assert alone["images"] == []
    assert container_of(alone) == {**facts, "acl": grants}
    for modules in (foreign, anonymous):
        check_hidden_acl(modules, facts)

    # Without the right to list the container.
    place.store.do("POST", place.container, headers={"X-Container-Read": ".r:*,.r:-bad.example.com"})
    unlisted = anonymous("swift_image_info")
    assert (unlisted["images"][0]["size"], unlisted["images"][0]["acl"]) == (5, None)
    assert unlisted["containers"] == []
    exception = {"public": False, "read_tenants": [], "read_acl": [".r:*", ".r:-bad.example.com"]}
    assert place.modules("swift_image_info", name="img", acl=True)["images"][0]["acl"] == {**grants, **exception}


def check_hidden_acl(modules: Modules, facts: dict[str, Any]) -> None:
    """Check that a user who may only read the container gets its facts without the ACL."""
    result = modules("swift_image_info")
    assert (result["images"][0]["size"], result["images"][0]["acl"]) == (5, None)
    assert container_of(result) == {**facts, "acl": None}
