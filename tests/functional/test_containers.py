# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The containers of images: created, refused, one for each image, or chosen by the image's name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.imagestore.swift.tests.support.clients import SEGMENT
from ansible_collections.imagestore.swift.tests.support.cloud import IS_RGW
from ansible_collections.imagestore.swift.tests.support.modules import Result
from ansible_collections.imagestore.swift.tests.support.writers import Place

OWN: dict[str, Any] = {"multi_tenant": True, "name": "own"}


def test_check_mode_refuses_a_missing_container_too(place: Place, small: list[Path]) -> None:
    options = {"container": f"{place.container}-new", "name": "img", "src": str(small[0])}
    refused = place.modules.try_to("swift_image", **options)
    assert refused["failed"] and "create_container" in refused["msg"]
    assert place.modules.try_to("swift_image", _ansible_check_mode=True, **options)["msg"] == refused["msg"]
    assert place.store.containers(place.container) == [place.container]


def test_an_unknown_storage_policy_is_refused(place: Place, small: list[Path]) -> None:
    options = {"container": f"{place.container}-new", "create_container": True, "storage_policy": "platinum"}
    with place.store.watch(place.container) as watched:
        refused = place.modules.try_to("swift_image", name="img", src=str(small[0]), **options)
    assert refused["failed"] and "'platinum'" in refused["msg"]
    # Ceph RGW does not list its storage policies, and refuses an unknown one itself.
    assert IS_RGW or watched.changing == []
    assert place.store.containers(place.container) == [place.container]


def test_a_multi_tenant_image_has_its_own_container(place: Place, image: Path) -> None:
    done = place.change(src=str(image), segment_size=str(SEGMENT), create_container=True, **OWN)
    container = f"{place.container}_own"
    assert done["image"]["container"] == done["image"]["segment_container"] == container
    assert done["diff"]["after"]["created_containers"] == [container]
    assert {path.partition("/")[0] for path in place.names()} == {container}
    (found,) = images(place, multi_tenant=True)
    assert found["name"] == "own"
    assert images(place, **OWN) == [found]
    assert images(place, uri=done["image"]["uri"]) == [found]
    assert images(place, multi_tenant=True, prefix="ot") == []


def test_a_multi_tenant_container_is_kept_while_it_has_other_objects(place: Place, image: Path) -> None:
    container = f"{place.container}_own"
    place.modules("swift_image", src=str(image), segment_size=str(SEGMENT), create_container=True, **OWN)
    place.store.do("PUT", container, "stranger", data=b"x")
    absent = {"state": "absent", **OWN}
    predicted, done = place.modules.predict("swift_image", **absent), place.modules("swift_image", **absent)
    assert predicted.changed and done.changed
    assert "'stranger' in it does not belong to image 'own'" in done.warned
    assert (done["diff"], done["warnings"]) == (predicted["diff"], predicted["warnings"])
    assert "removed_containers" not in done["diff"]["after"]
    place.keep(**absent)
    assert place.names() == [f"{container}/stranger"]
    place.store.do("DELETE", container, "stranger")
    check_removed(place, place.change(**absent))


def test_a_multi_tenant_image_is_stored_and_deleted_by_its_uri(place: Place, image: Path) -> None:
    uri = f"swift+{place.store.storage_url}/{place.container}_own/own"
    cut = {"manifest": "dlo", "segment_size": str(SEGMENT), "create_container": True}
    assert place.change(uri=uri, src=str(image), **cut)["image"]["uri"] == uri
    assert images(place, **OWN)[0]["exists"]
    check_removed(place, place.change(uri=uri, multi_tenant=True, state="absent"))


def check_removed(place: Place, done: Result) -> None:
    """Check that a deletion removed the image's own container."""
    assert done["diff"]["after"]["removed_containers"] == [f"{place.container}_own"]
    assert place.store.containers(place.container) == [place.container]


def test_containers_seed_places_images_as_glance_does(place: Place, small: list[Path]) -> None:
    # Glance uses the first characters of the name, in lower case; dashes do not count.
    begins = {
        "0dae39a1-bac5-4238-aba4-69bcc726e848": "0dae39a1-ba",
        "FDAE39A1-bac5-4238-aba4-69bcc726e848": "fdae39a1-ba",
    }
    seeded: dict[str, Any] = {"containers_seed": 10}
    chosen = {name: f"{place.container}_{begin}" for name, begin in begins.items()}
    for name, container in chosen.items():
        done = place.modules("swift_image", name=name, src=str(small[0]), create_container=True, **seeded)
        assert done["image"]["container"] == container
    first, second = chosen
    # An image in a container that the seed does not choose for it is not listed.
    place.modules("swift_image", container=chosen[first], name="elsewhere", src=str(small[0]))
    assert {one["name"]: one["container"] for one in images(place, **seeded)} == chosen
    (found,) = images(place, name=second, **seeded)
    assert found["exists"] and found["container"] == chosen[second]
    place.change(name=second, state="absent", **seeded)
    assert sorted(place.names()) == [f"{chosen[first]}/{first}", f"{chosen[first]}/elsewhere"]


def images(place: Place, **options: Any) -> list[dict[str, Any]]:
    """Return the images that swift_image_info finds."""
    found: list[dict[str, Any]] = place.modules("swift_image_info", **options)["images"]
    return found
