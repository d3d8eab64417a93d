# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Metadata, media type and expiry, which are updated without sending the image again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imagestore.swift.tests.support.writers import Place

KINDS = ["slo", "dlo"]
CUT = {"segment_size": "500KB"}
# The number of segments of the image, and of one that is shorter by less than a segment.
PARTS = 5
DAY = 86400


@pytest.fixture
def shorter_image(tmp_path: Path, image: Path) -> Path:
    """The image without its end."""
    path = tmp_path / "shorter"
    path.write_bytes(image.read_bytes()[:-100_000])
    return path


@pytest.mark.parametrize("kind", ["none", *KINDS])
def test_metadata_is_set_updated_kept_and_removed(place: Place, kind: str, image: Path, other_image: Path) -> None:
    cut: dict[str, Any] = {"large_object_size": "1GiB"} if kind == "none" else {"manifest": kind, **CUT}
    same = {"name": "image", "src": str(image), **cut}
    told = {"OS-Distro": "debian", "percent": "100%25 é", "number": 12}
    kept = {"os-distro": "debian", "percent": "100%25 é", "number": "12"}
    done = place.change(**same, metadata=told, content_type="application/x-raw-disk-image")
    assert done["image"]["manifest"] == kind
    assert done["image"]["metadata"] == kept
    assert done["image"]["content_type"] == "application/x-raw-disk-image"
    # Without the option, the metadata stays.
    assert place.keep(**same)["image"]["metadata"] == kept
    done = place.change(**same, metadata={"os-distro": "ubuntu"})
    assert done["transfer"]["bytes_uploaded"] == 0
    assert done["image"]["metadata"] == {"os-distro": "ubuntu"}
    assert done["image"]["content_type"] == "application/x-raw-disk-image"
    assert "md5" in done["image"]["checksums"]
    assert place.read("image") == image.read_bytes()
    # A replacement keeps what is not given, and an empty dict removes it.
    other = {"name": "image", "src": str(other_image), **cut}
    done = place.change(**other)
    assert done["image"]["metadata"] == {"os-distro": "ubuntu"}
    assert done["image"]["content_type"] == "application/x-raw-disk-image"
    done = place.change(**other, metadata={})
    assert done["image"]["metadata"] == {}
    assert done["transfer"]["bytes_uploaded"] == 0


@pytest.mark.parametrize("kind", KINDS)
def test_an_expiry_is_set_and_removed_on_image_and_segments(
    place: Place, kind: str, image: Path, shorter_image: Path
) -> None:
    """Segments expire a day after their image."""
    same = {"name": "image", "src": str(image), "manifest": kind, **CUT}
    goes = place.change(**same, delete_after=3600)["image"]["delete_at"]
    assert abs(goes - time.time() - 3600) < 100
    assert set(expiries(place)) == {str(goes + DAY)}
    done = place.change(**same, delete_after=7200)
    later = done["image"]["delete_at"]
    assert later > goes
    assert done["transfer"]["bytes_uploaded"] == 0
    assert set(expiries(place)) == {str(later + DAY)}
    place.change(**same, delete_at=goes)
    # Without an option, the expiry stays.
    assert place.keep(**same)["image"]["delete_at"] == goes
    # A replacement that does not expire removes the expiry of the segments that it reuses.
    done = place.change(**{**same, "src": str(shorter_image)}, delete_at=0)
    assert done["image"]["delete_at"] is None
    assert done["transfer"]["segments_uploaded"] == 1
    assert done["transfer"]["segments_reused"] == PARTS - 1
    assert set(expiries(place)) == {""}


@pytest.mark.parametrize("kind", KINDS)
def test_reused_segments_lose_their_expiry(place: Place, kind: str, image: Path) -> None:
    same = {"name": "image", "src": str(image), "manifest": kind, **CUT}
    place.modules("swift_image", **same, delete_after=3600)
    place.store.do("DELETE", place.container, "image")
    done = place.modules("swift_image", **same)
    assert done["transfer"]["segments_reused"] == PARTS
    assert set(expiries(place)) == {""}


@pytest.mark.parametrize("kind", KINDS)
def test_an_expired_image_is_deleted_with_its_segments(place: Place, kind: str, image: Path) -> None:
    same = {"name": "image", "src": str(image), "manifest": kind, **CUT}
    place.modules("swift_image", **same, delete_after=5)
    deadline = time.monotonic() + 60
    while place.modules("swift_image_info", name="image")["images"][0]["exists"]:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert place.modules("swift_image", name="image", state="absent").changed
    # No expirer runs in this cluster, so the name was listed until the deletion.
    assert place.names() == []


@pytest.mark.parametrize("kind", KINDS)
def test_segments_lose_an_expiry_that_the_manifest_has_already_lost(place: Place, kind: str, image: Path) -> None:
    same = {"name": "image", "src": str(image), "manifest": kind, **CUT}
    place.modules("swift_image", **same, delete_after=3600)
    manifest = place.store.do("HEAD", place.container, "image").headers.get("X-Object-Manifest")
    place.store.do("POST", place.container, "image", headers={"X-Object-Manifest": manifest} if manifest else {})
    place.change(**same, delete_at=0)
    assert set(expiries(place)) == {""}
    assert len(list(expiries(place))) == PARTS


def expiries(place: Place) -> Iterator[str]:
    """Yield the expiry of each segment in seconds since the epoch; empty if it does not expire."""
    for path in place.names():
        container, _slash, name = path.partition("/")
        if name.startswith(".segments/"):
            yield place.store.do("HEAD", container, name).headers.get("X-Delete-At", "")
