# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Expiry on Ceph RGW: a POST keeps it unless a header removes it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import requests
from ansible_collections.imagestore.swift.tests.support.clients import SEGMENT, Sdk, SwiftCli
from ansible_collections.imagestore.swift.tests.support.writers import Place, store_slo

pytestmark = pytest.mark.rgw


def expiries(place: Place) -> set[str | None]:
    """Return the expiries of all objects."""
    found = (place.store.do("HEAD", *path.split("/", 1), params="multipart-manifest=get") for path in place.names())
    return {headers.headers.get("X-Delete-At") for headers in found}


@pytest.mark.parametrize("kind", ["plain", "dlo", "slo"])
def test_an_expiry_is_set_and_removed(place: Place, image: Path, kind: str) -> None:
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


def test_reused_segments_do_not_expire(place: Place, image: Path) -> None:
    options = {"src": str(image), "segment_size": str(SEGMENT)}
    expiry = str(int(time.time()) + 100_000)
    place.modules.kill_before(4, "swift_image", name="img", delete_at=expiry, concurrency=1, **options)
    place.change(name="img", **options)
    assert expiries(place) == {None}


def test_an_expired_image_does_not_exist(place: Place, image: Path) -> None:
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
