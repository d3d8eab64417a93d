# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Differences of Ceph RGW from OpenStack Swift: manifests that it does not return, expiry, ACLs, names."""

from __future__ import annotations

import hashlib
import json
import os
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import requests
from clients import SEGMENT, Sdk, SwiftCli
from cloud import Cloud
from modules import Modules
from proxy import QuietServer
from store import Store
from writers import MANIFEST, Place, store_slo

pytestmark = pytest.mark.rgw


@pytest.fixture
def slo(place: Place, image: Path) -> bytes:
    """The bytes of an SLO that is stored as ``img``."""
    store_slo(place, "img", image.read_bytes())
    return image.read_bytes()


@pytest.fixture
def apart(place: Place) -> Iterator[str]:
    """Another container, for segments."""
    name = f"{place.container}-apart"
    place.store.create(name)
    yield name
    place.store.remove(name)


def fifo_of(tmp_path: Path, data: bytes) -> Path:
    """Return a FIFO that gives *data* to its reader."""
    path = tmp_path / f"fifo-{time.monotonic_ns()}"
    os.mkfifo(path)
    threading.Thread(target=path.write_bytes, args=(data,), daemon=True).start()
    return path


# The choice of the manifest.


def test_large_images_become_dlos(place: Place, image: Path) -> None:
    result = place.change(name="img", src=str(image), segment_size=str(SEGMENT))
    assert result["image"]["manifest"] == "dlo"
    assert place.read("img") == image.read_bytes()


def test_an_slo_is_refused(place: Place, image: Path) -> None:
    with place.store.watch(place.container) as watched:
        failed = place.modules.try_to(
            "swift_image", name="img", src=str(image), segment_size=str(SEGMENT), manifest="slo"
        )
    assert failed["failed"] and failed["msg"].endswith("choose dlo.")
    assert watched.changing == []


# An existing SLO.


def test_an_slo_is_compared_by_its_recorded_digests(place: Place, slo: bytes, image: Path) -> None:
    place.keep(name="img", src=str(image), segment_size=str(SEGMENT))
    info = place.modules("swift_image_info", name="img")["images"][0]
    assert (info["manifest"], info["segments"], info["size"]) == ("slo", 3, len(slo))
    assert info["metadata"] == {}


def test_an_slo_that_can_not_be_verified_is_warned_of(place: Place, slo: bytes, image: Path) -> None:
    checksum = f"md5:{hashlib.md5(slo, usedforsecurity=False).hexdigest()}"
    done = place.modules("swift_image", name="img", src=str(image), checksum=checksum, verify=True)
    assert not done.changed
    assert "verify: content of swift_image_info" in done.warned


def test_the_same_bytes_from_a_fifo_twice(place: Place, slo: bytes, tmp_path: Path) -> None:
    for _time in range(2):
        fifo = fifo_of(tmp_path, slo)
        result = place.modules("swift_image", name="img", src=str(fifo), segment_size=str(SEGMENT), size=str(len(slo)))
        assert place.read("img") == slo
    assert not result.changed


def test_a_url_whose_date_changed(place: Place, slo: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "web"
    folder.mkdir()
    (folder / "img").write_bytes(slo)
    server = QuietServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        for date in (1_700_000_000, 1_700_000_100, 1_700_000_200):
            os.utime(folder / "img", (date, date))
            url = f"http://127.0.0.1:{server.server_port}/img"
            place.modules("swift_image", name="img", url=url, segment_size=str(SEGMENT))
            assert place.read("img") == slo
    finally:
        server.shutdown()
        server.server_close()


def killed_everywhere(place: Place, prepare: Callable[[], None], **options: Any) -> Iterator[None]:
    """Run swift_image on a new image, and kill it before each request that changes something; yield after each kill."""
    request = 1
    while True:
        place.modules("swift_image", name="img", state="absent")
        prepare()
        if not place.modules.kill_before(request, "swift_image", name="img", **options):
            assert request > 1
            return
        yield
        request += 1


def test_a_replacement_that_is_killed_loses_nothing(place: Place, image: Path, other_image: Path) -> None:
    old, new = image.read_bytes(), other_image.read_bytes()
    options = {"src": str(other_image), "segment_size": str(SEGMENT)}
    for _kill in killed_everywhere(place, lambda: store_slo(place, "img", old), **options):
        assert place.read("img") in (old, new)
        place.modules("swift_image", name="img", **options)
        assert place.read("img") == new
        place.keep(name="img", **options)
        # Nothing of the SLO is left.
        assert len(place.names()) == 1 + 3


def test_an_expiry_that_is_killed_loses_nothing(place: Place, image: Path) -> None:
    options = {"delete_at": str(int(time.time()) + 100_000)}
    data = image.read_bytes()
    for _kill in killed_everywhere(place, lambda: store_slo(place, "img", data), **options, src=str(image)):
        assert place.read("img") == data
        place.modules("swift_image", name="img", src=str(image), **options)
        assert place.read("img") == data
        place.keep(name="img", src=str(image), **options)


def test_two_uploads_at_once(place: Place, slo: bytes, other_image: Path, third_image: Path) -> None:
    sources = (other_image, third_image)
    running = [
        place.modules.start("swift_image", name="img", src=str(source), segment_size=str(SEGMENT)) for source in sources
    ]
    for process in running:
        process.wait()
    assert place.read("img") in [source.read_bytes() for source in sources]


@pytest.mark.parametrize("elsewhere", [False, True])
def test_an_slo_is_deleted_whole(place: Place, image: Path, apart: str, elsewhere: bool) -> None:
    store_slo(place, "img", image.read_bytes(), apart if elsewhere else None)
    predicted = place.modules.predict("swift_image", name="img", state="absent")
    done = place.modules("swift_image", name="img", state="absent")
    assert done["diff"] == predicted["diff"]
    assert place.names() == []


@pytest.mark.parametrize("elsewhere", [False, True])
def test_an_slo_is_replaced_whole(place: Place, image: Path, other_image: Path, apart: str, elsewhere: bool) -> None:
    store_slo(place, "img", image.read_bytes(), apart if elsewhere else None)
    place.change(name="img", src=str(other_image), segment_size=str(SEGMENT))
    assert place.read("img") == other_image.read_bytes()
    assert len(place.names()) == 1 + 3


def test_an_slo_is_downloaded(place: Place, slo: bytes, tmp_path: Path) -> None:
    dest = tmp_path / "dest"
    assert place.modules("swift_image_download", name="img", dest=str(dest)).changed
    assert dest.read_bytes() == slo
    assert not place.modules("swift_image_download", name="img", dest=str(dest)).changed


@pytest.mark.parametrize("client", [SwiftCli, Sdk])
@pytest.mark.parametrize("state", ["present", "absent"])
def test_an_slo_of_another_client_leaves_nothing(
    place: Place, image: Path, other_image: Path, client: Any, state: str
) -> None:
    client(place.cloud, place.container, place.folder).put("img", image, "slo")
    if state == "absent":
        place.modules("swift_image", name="img", state="absent")
        assert place.names() == []
    else:
        place.keep(name="img", src=str(image))
        place.change(name="img", src=str(other_image), segment_size=str(SEGMENT))
        assert place.read("img") == other_image.read_bytes()
        assert len(place.names()) == 1 + 3


def test_segments_that_nothing_proves_stay_and_are_named(place: Place) -> None:
    place.store.do("PUT", place.container, "golden", data=b"golden")
    body = json.dumps([{"path": f"/{place.container}/golden"}])
    place.store.do("PUT", place.container, "img", params=MANIFEST, data=body)
    done = place.modules("swift_image", name="img", state="absent")
    assert "does not return the manifest of 'img'" in done.warned
    assert place.read("golden") == b"golden"


def test_stale_segments_of_another_client_do_not_stand_for_an_slos(place: Place, slo: bytes, image: Path) -> None:
    """Another client's segments with the same ETags are not taken for those of the SLO."""
    SwiftCli(place.cloud, place.container, place.folder).put("other", image, "slo")
    place.modules("swift_image", name="img", src=str(image), delete_at=str(int(time.time()) + 100_000))
    assert place.read("img") == slo


@pytest.mark.parametrize("client", [SwiftCli, Sdk])
def test_an_slo_of_another_client_expires_with_its_segments(place: Place, image: Path, client: Any) -> None:
    client(place.cloud, place.container, place.folder).put("img", image, "slo")
    options = {"name": "img", "src": str(image)}
    place.change(delete_at=str(int(time.time()) + 100_000), **options)
    assert None not in expiries(place)
    place.change(delete_at="0", **options)
    assert expiries(place) == {None}
    place.modules("swift_image", name="img", state="absent")
    assert place.names() == []


def test_segments_of_an_older_upload_do_not_stand_for_the_newer_ones(place: Place, image: Path, tmp_path: Path) -> None:
    """Both have the time and the size of the same file in their names."""
    client = SwiftCli(place.cloud, place.container, place.folder)
    client.put("img", image, "slo")
    stale = {path for path in place.names() if "_segments/" in path}
    # On RGW, the swift CLI can't replace an SLO.
    place.store.do("DELETE", place.container, "img")
    client.cut("img", image, 2 * SEGMENT)
    dest = tmp_path / "dest"
    place.modules("swift_image_download", name="img", dest=str(dest))
    assert dest.read_bytes() == image.read_bytes()
    place.keep(name="img", src=str(image))
    place.modules("swift_image", name="img", state="absent")
    assert set(place.names()) <= stale


@pytest.mark.parametrize("is_proved", [False, True])
def test_a_prune_leaves_the_segments_of_an_slo(place: Place, image: Path, is_proved: bool) -> None:
    if is_proved:
        Sdk(place.cloud, place.container, place.folder).put("win", image, "slo")
    else:
        place.store.do("PUT", place.container, "part", data=image.read_bytes())
        body = json.dumps([{"path": f"/{place.container}/part"}])
        place.store.do("PUT", place.container, "win", params=MANIFEST, data=body)
    place.store.do("PUT", place.container, "gone", data=b"gone")
    images = [{"name": "kept", "src": str(image)}]
    options = {"images": images, "prune": True, "prune_exclude": ["win"]}
    predicted = place.modules.predict("swift_images", **options)
    done = place.modules("swift_images", **options)
    assert done["summary"] == predicted["summary"]
    assert place.read("win") == image.read_bytes()
    assert (place.read("gone") is None) == is_proved


# A broken SLO.


@pytest.mark.parametrize("is_noted", [False, True])
def test_a_broken_slo_is_damaged_and_healed(place: Place, image: Path, tmp_path: Path, is_noted: bool) -> None:
    store_slo(place, "img", image.read_bytes())
    if not is_noted:
        # A POST of another client drops RGW's note that the object is an SLO.
        place.store.do("POST", place.container, "img", headers={"X-Object-Meta-Other": "1"})
    delete_segment(place, image.read_bytes()[:SEGMENT])
    info = place.modules("swift_image_info", name="img", verify=True)["images"][0]
    assert info["exists"] and info["complete"] is False
    assert "Segments of the static large object are missing" in info["problems"][0]
    failed = place.modules.try_to("swift_image_download", name="img", dest=str(tmp_path / "dest"))
    assert failed["failed"] and not (tmp_path / "dest").exists()
    kept = place.keep(name="img", src=str(image), force=False)
    assert "is damaged, and force is false" in kept.warned
    place.change(name="img", src=str(image), segment_size=str(SEGMENT))
    assert place.read("img") == image.read_bytes()
    assert len(place.names()) == 1 + 3


def delete_segment(place: Place, part: bytes) -> None:
    """Delete the segment that holds a part of the image."""
    sha256 = hashlib.sha256(part).hexdigest()
    segment = next(path for path in place.names() if sha256 in path)
    place.store.do("DELETE", *segment.split("/", 1))


def test_a_segment_that_is_missing_further_on_is_found_by_reading(place: Place, slo: bytes, tmp_path: Path) -> None:
    delete_segment(place, slo[SEGMENT : 2 * SEGMENT])
    # RGW still shows the image as if it were whole, and does not return its manifest.
    assert place.modules("swift_image_info", name="img", verify=True)["images"][0]["complete"] is None
    info = place.modules("swift_image_info", name="img", verify="content", retries=0, api_timeout=5)["images"][0]
    assert info["complete"] is False and "can't be read" in info["problems"][0]
    failed = place.modules.try_to(
        "swift_image_download", name="img", dest=str(tmp_path / "dest"), retries=0, api_timeout=5
    )
    assert failed["failed"] and not (tmp_path / "dest").exists()


# Expiry.


def expiries(place: Place) -> set[str | None]:
    """Return the expiries of all objects."""
    found = (place.store.do("HEAD", *path.split("/", 1), params="multipart-manifest=get") for path in place.names())
    return {headers.headers.get("X-Delete-At") for headers in found}


@pytest.mark.parametrize("kind", ["plain", "dlo", "slo"])
def test_an_expiry_is_set_and_taken_off(place: Place, image: Path, kind: str) -> None:
    if kind == "slo":
        store_slo(place, "img", image.read_bytes())
    else:
        large = "1GiB" if kind == "plain" else str(SEGMENT)
        place.modules("swift_image", name="img", src=str(image), segment_size=str(SEGMENT), large_object_size=large)
    place.change(name="img", src=str(image), delete_at=str(int(time.time()) + 100_000))
    assert None not in expiries(place)
    place.change(name="img", src=str(image), delete_at="0")
    assert expiries(place) == {None}
    assert place.read("img") == image.read_bytes()


def test_segments_that_are_used_again_do_not_expire(place: Place, image: Path) -> None:
    options = {"src": str(image), "segment_size": str(SEGMENT)}
    expiry = str(int(time.time()) + 100_000)
    place.modules.kill_before(4, "swift_image", name="img", delete_at=expiry, concurrency=1, **options)
    place.change(name="img", **options)
    assert expiries(place) == {None}


def test_an_image_that_has_expired_is_gone(place: Place, image: Path) -> None:
    options = {"src": str(image), "segment_size": str(SEGMENT)}
    place.modules("swift_image", name="img", delete_at=str(int(time.time()) + 4), **options)
    time.sleep(6)
    # Ceph RGW shows the object until its expirer runs.
    assert place.store.request("HEAD", place.container, "img").status_code == requests.codes.ok
    assert place.modules("swift_image_info", name="img")["images"][0]["exists"] is False
    assert place.modules("swift_image_info")["images"] == []
    place.change(name="img", delete_at="0", **options)
    assert place.read("img") == image.read_bytes()
    assert expiries(place) == {None}


# Access.


@pytest.fixture
def reader(cloud: Cloud) -> Store:
    """The store as another project's user sees it."""
    token = replace(cloud, project_name="reader").token()
    return Store(cloud.storage_url, token, Path(cloud.requests_log))


def test_a_project_is_let_in(place: Place, reader: Store, cloud: Cloud, image: Path) -> None:
    place.modules("swift_image", name="img", src=str(image), segment_size=str(SEGMENT))
    assert reader.request("GET", place.container, "img").status_code == requests.codes.forbidden
    options = {"read_tenants": [cloud.told["projects"]["reader"]["project_id"]]}
    assert place.modules("swift_image_acl", **options).changed
    assert reader.read(place.container, "img") == image.read_bytes()
    assert not place.modules("swift_image_acl", **options).changed
    assert place.modules("swift_image_acl", state="absent", **options).changed
    assert reader.request("GET", place.container, "img").status_code == requests.codes.forbidden


def test_a_public_image_is_read_without_credentials(place: Place, image: Path, tmp_path: Path) -> None:
    place.modules("swift_image", name="img", src=str(image), segment_size=str(SEGMENT))
    place.modules("swift_image_acl", public=True)
    anonymous = replace(
        place.modules,
        defaults={"auth_type": "none", "auth": {"endpoint": place.store.storage_url}, "container": place.container},
    )
    assert anonymous("swift_image_info")["images"][0]["size"] == image.stat().st_size
    anonymous("swift_image_download", name="img", dest=str(tmp_path / "dest"))
    assert (tmp_path / "dest").read_bytes() == image.read_bytes()


def test_segments_elsewhere_are_nobody_elses_to_read(place: Place, image: Path, apart: str) -> None:
    options = {"segment_size": str(SEGMENT), "segment_container": apart}
    place.modules("swift_image", name="img", src=str(image), **options)
    with place.store.watch(place.container) as watched:
        warned = place.modules("swift_image_acl", public=True, _ansible_check_mode=True).warned
    assert "only its own project can read it" in warned
    assert watched.changing == []


@pytest.mark.parametrize("element", ["*:*", "*", ".r:*"])
def test_an_element_without_its_effect_is_refused(place: Place, element: str) -> None:
    with place.store.watch(place.container) as watched:
        failed = place.modules.try_to("swift_image_acl", read_acl=[element])
    assert failed["failed"] and "Ceph RGW" in failed["msg"]
    assert watched.changing == []


# Users of RGW's own authentication.


@pytest.fixture
def v1(cloud: Cloud, tmp_path: Path) -> Iterator[Modules]:
    """The modules with a user of RGW's own authentication, for images in a container of their own."""
    told = cloud.told["v1"]
    user = told["users"]["test:tester"]
    auth = {"auth_url": told["auth_url"], "username": "test:tester", "password": user["key"]}
    container = f"v1-{uuid.uuid4().hex[:8]}"
    yield Modules(tmp_path, {"auth_type": "v1password", "auth": auth, "container": container})
    v1_store(cloud, "test:tester").remove(container)


def v1_store(cloud: Cloud, user: str) -> Store:
    """Return the account of ``test``, accessed by a user of RGW's own authentication."""
    told = cloud.told["v1"]
    key = told["users"][user]["key"].encode()
    answer = requests.get(told["auth_url"], headers={"X-Auth-User": user, "X-Auth-Key": key}, timeout=60)
    answer.raise_for_status()
    url = told["users"]["test:tester"]["storage_url"]
    return Store(url, answer.headers["X-Auth-Token"], Path(cloud.requests_log))


def test_a_v1_user_stores_grants_and_deletes(v1: Modules, cloud: Cloud, image: Path) -> None:
    options = {"name": "img", "src": str(image), "segment_size": str(SEGMENT), "create_container": True}
    assert v1("swift_image", **options).changed
    assert not v1("swift_image", **options).changed
    container = v1.defaults["container"]
    other = v1_store(cloud, "other:tester")
    assert other.request("GET", container, "img").status_code == requests.codes.forbidden
    done = v1("swift_image_acl", read_tenants=["other"])
    assert done.changed and done["acl"]["read_tenants"] == ["other"]
    assert other.read(container, "img") == image.read_bytes()
    assert not v1("swift_image_acl", read_tenants=["other"]).changed
    failed = v1.try_to("swift_image_acl", read_acl=["other:tester"])
    assert failed["failed"] and "lets nobody in" in failed["msg"]
    # A token of the gateway's own users, however it came.
    store = v1_store(cloud, "test:tester")
    ready = {"auth_type": "admin_token", "auth": {"endpoint": store.storage_url, "token": store.token}}
    again = replace(v1, defaults={**ready, "container": container})
    assert not again("swift_image_acl", read_tenants=["other"]).changed
    v1("swift_image", name="img", state="absent")
    assert v1_store(cloud, "test:tester").names(container) == []


# Catalogues and clean-ups.


def test_a_catalogue_beside_objects_of_others(place: Place, image: Path) -> None:
    # RGW lists it without a content type.
    place.store.do("PUT", place.container, "other", data=b"x", headers={"Content-Type": ""})
    options = {"images": [{"name": "img", "src": str(image)}], "segment_size": str(SEGMENT)}
    assert place.modules("swift_images", **options).changed
    assert not place.modules("swift_images", **options).changed


@pytest.mark.parametrize("is_noted", [False, True])
def test_a_clean_up_deletes_nothing_beside_an_slo(place: Place, slo: bytes, image: Path, is_noted: bool) -> None:
    if not is_noted:
        # A POST of another client drops RGW's note of what it is.
        kept = {"X-Object-Meta-Image-Segments": "3", "X-Object-Meta-Image-Size": str(len(slo))}
        place.store.do("POST", place.container, "img", headers=kept)
    options = {"src": str(image), "segment_size": str(SEGMENT), "concurrency": 1}
    place.modules.kill_before(3, "swift_image", name="other", **options)
    before = place.names()
    done = place.modules("swift_image_cleanup", min_age="0")
    assert not done.changed
    assert f"{place.container}/img" in done.warned
    assert place.names() == before
    # A report deletes nothing, so it shows the orphans of the other image.
    orphans = place.modules("swift_image_info", orphans=True, orphan_age=0)["orphans"]
    assert [orphan["name"].split("/")[1] for orphan in orphans] == ["other", "other"]


def test_a_clean_up_deletes_nothing_that_another_clients_slo_may_need(place: Place, image: Path, apart: str) -> None:
    """The SLO is in another container, and what it is made of is called as a segment of an image that is gone."""
    place.modules("swift_image", name="img", src=str(image), segment_size=str(SEGMENT))
    part = next(path for path in place.names() if path.endswith("00000001"))
    place.store.do("DELETE", place.container, "img")
    place.store.do("PUT", apart, "other", params=MANIFEST, data=json.dumps([{"path": f"/{part}"}]))
    done = place.modules("swift_image_cleanup", min_age="0")
    assert not done.changed and apart in done.warned
    assert place.store.read(apart, "other") == image.read_bytes()[:SEGMENT]


# Names.


@pytest.mark.parametrize("length", [2, 256])
def test_a_container_that_can_not_be(place: Place, image: Path, length: int) -> None:
    failed = place.modules.try_to(
        "swift_image", name="img", container="c" * length, src=str(image), create_container=True
    )
    # From release 18 on, two letters are enough.
    assert "at most 255 bytes" in failed["msg"] if failed.get("failed") else length == 2


# Features that the guide promises, and the tests that prove them: in this file, or in those that run on both stores.
FEATURES = {
    "Plain images": ["test_rgw.py::test_an_expiry_is_set_and_taken_off", "test_upload.py::test_names"],
    "Dynamic large objects (DLO)": ["test_rgw.py::test_large_images_become_dlos"],
    "Static large objects (SLO), to store": ["test_rgw.py::test_an_slo_is_refused"],
    "SLOs that are there, to read, replace and delete": [
        "test_rgw.py::test_an_slo_is_downloaded",
        "test_rgw.py::test_an_slo_is_replaced_whole",
        "test_rgw.py::test_an_slo_is_deleted_whole",
    ],
    "Equal segments stored once": ["test_audit.py::test_segments_that_come_twice_are_in_their_places"],
    "Interrupted uploads and downloads, to resume": [
        "test_upload.py::test_a_killed_upload_is_gone_on_with",
        "test_download.py::test_killed_again_and_again_it_is_resumed",
    ],
    "Metadata and content type": ["test_attributes.py::test_metadata"],
    "Expiry": [
        "test_rgw.py::test_an_expiry_is_set_and_taken_off",
        "test_rgw.py::test_an_image_that_has_expired_is_gone",
    ],
    "Access for projects and for everybody": [
        "test_rgw.py::test_a_project_is_let_in",
        "test_rgw.py::test_a_public_image_is_read_without_credentials",
    ],
    "Access for roles and for any user": ["test_rgw.py::test_an_element_without_its_effect_is_refused"],
    "v1 authentication": ["test_rgw.py::test_a_v1_user_stores_grants_and_deletes"],
    "Access without credentials": ["test_rgw.py::test_a_public_image_is_read_without_credentials"],
    "Catalogues and ``prune``": [
        "test_rgw.py::test_a_catalogue_beside_objects_of_others",
        "test_catalogue.py::test_images_of_each_kind",
    ],
    "``verify: true``, which looks at each segment": [
        "test_audit.py::test_a_whole_image_passes",
        "test_rgw.py::test_a_broken_slo_is_damaged_and_healed",
    ],
    "``verify: content``, which reads every byte": [
        "test_rgw.py::test_a_segment_that_is_missing_further_on_is_found_by_reading",
        "test_audit.py::test_a_whole_image_passes",
    ],
    "Repair of damaged images": [
        "test_heal.py::test_a_dlo_gets_the_segment_that_it_lacks",
        "test_rgw.py::test_a_broken_slo_is_damaged_and_healed",
    ],
    "Clean-up": [
        "test_rgw_cleanup.py::test_a_clean_up_deletes_what_no_image_refers_to",
        "test_rgw.py::test_a_clean_up_deletes_nothing_beside_an_slo",
    ],
    "Symlinks": ["test_links.py::test_a_broken_link_is_told_and_deleted"],
    "Containers that keep versions": ["test_cleanup.py::test_segments_that_a_version_may_need_stay"],
    "Images of Glance, the swift CLI, rclone and openstacksdk": [
        "test_clients.py::test_theirs_is_unchanged_and_deleted",
        "test_rgw.py::test_an_slo_of_another_client_leaves_nothing",
    ],
}


def test_the_guide_promises_what_tests_prove() -> None:
    guide = Path(__file__).resolve().parents[2] / "docs" / "docsite" / "rst" / "guide_rgw.rst"
    table = guide.read_text("utf-8").partition("What works")[2].partition("What differs")[0]
    assert re.findall(r"^   \* - (.+)$", table, re.MULTILINE)[1:] == list(FEATURES)
    for tests in FEATURES.values():
        for test in tests:
            file, _colons, function = test.partition("::")
            assert f"def {function}(" in Path(__file__).with_name(file).read_text("utf-8"), test
