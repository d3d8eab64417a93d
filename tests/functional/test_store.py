# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The result of an upload for each kind of image: its description, its transfer, and the bytes that readers get."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from ansible_collections.imagestore.swift.tests.support.writers import Place

LARGE = 2_500_000
SEGMENT = 100 * 1024


def digest(path: Path, algorithm: str = "md5") -> str:
    """Return a digest of a file in hex."""
    return hashlib.new(algorithm, path.read_bytes()).hexdigest()


def test_a_plain_image_is_stored_and_described(place: Place, small: list[Path]) -> None:
    path = small[0]
    done = place.change(name="plain", src=str(path))
    stored, transfer = done["image"], done["transfer"]
    assert (stored["name"], stored["container"]) == ("plain", place.container)
    assert stored["uri"] == f"swift+{place.store.storage_url}/{place.container}/plain"
    assert stored["size"] == path.stat().st_size
    assert (stored["manifest"], stored["segments"]) == ("none", 0)
    assert stored["etag"] == stored["checksums"]["md5"] == digest(path)
    assert (transfer["bytes_uploaded"], transfer["segments_uploaded"]) == (path.stat().st_size, 0)
    assert place.read("plain") == path.read_bytes()


def test_a_new_modification_time_changes_nothing(place: Place, small: list[Path]) -> None:
    options = {"name": "plain", "src": str(small[0])}
    place.modules("swift_image", **options)
    os.utime(small[0], (1, 1))
    assert place.keep(**options)["transfer"]["bytes_uploaded"] == 0


def test_force_is_needed_to_replace_an_image_of_the_same_size(place: Place, small: list[Path]) -> None:
    first, second = small[:2]
    place.modules("swift_image", name="plain", src=str(first))
    kept = place.keep(name="plain", src=str(second), force=False)
    assert kept["transfer"]["bytes_uploaded"] == 0
    assert place.read("plain") == first.read_bytes()
    done = place.change(name="plain", src=str(second))
    assert done["transfer"]["bytes_uploaded"] == second.stat().st_size == first.stat().st_size
    assert place.read("plain") == second.read_bytes()


@pytest.mark.parametrize("kind", ["slo", "dlo"])
def test_a_large_image_is_stored_and_described(place: Place, kind: str, image: Path) -> None:
    options = {"name": "large", "src": str(image)}
    algorithms = ["md5", "sha512"]
    done = place.change(manifest=kind, segment_size="1MiB", hash_algorithms=algorithms, **options)
    stored, transfer = done["image"], done["transfer"]
    assert (stored["manifest"], stored["segments"], stored["size"]) == (kind, 3, LARGE)
    assert stored["segment_container"] == place.container
    assert (stored["segment_prefix"] is None) == (kind == "slo")
    assert {name: stored["checksums"][name] for name in algorithms} == {
        name: digest(image, name) for name in algorithms
    }
    assert (transfer["bytes_uploaded"], transfer["segments_uploaded"]) == (LARGE, 3)
    assert place.read("large") == image.read_bytes()
    # The segment size of a later run does not matter.
    for size in ("700000", "200MiB"):
        assert place.keep(segment_size=size, **options)["transfer"]["bytes_uploaded"] == 0


@pytest.mark.slo
def test_holes_and_equal_segments_are_stored_once(place: Place, tmp_path: Path, image: Path, other_image: Path) -> None:
    path = tmp_path / "sparse"
    options = {"name": "sparse", "src": str(path), "segment_size": str(SEGMENT), "manifest": "slo"}
    path.touch()
    os.truncate(path, 40 * SEGMENT)
    for number in (17, 33):
        write_segment(path, number, image)
    done = place.change(**options)
    assert (done["image"]["size"], done["image"]["segments"]) == (40 * SEGMENT, 40)
    assert done["image"]["checksums"]["md5"] == digest(path)
    # The two segments with data are equal, and so are the 38 others.
    check_transfer(done["transfer"], sent=2)
    assert place.read("sparse") == path.read_bytes()
    write_segment(path, 20, other_image)
    check_transfer(place.change(**options)["transfer"], sent=1)
    assert place.read("sparse") == path.read_bytes()
    assert len(place.names()) == 3 + 1


def write_segment(path: Path, number: int, source: Path) -> None:
    """Overwrite one segment of a file with the begin of another file."""
    with path.open("r+b") as file:
        file.seek(number * SEGMENT)
        file.write(source.read_bytes()[:SEGMENT])


def check_transfer(transfer: dict[str, int], sent: int) -> None:
    """Check that an upload of 40 segments sent so many of them."""
    assert transfer["segments_uploaded"] == sent
    assert transfer["bytes_uploaded"] == sent * SEGMENT
    assert transfer["segments_reused"] == 40 - sent
    assert transfer["bytes_reused"] == (40 - sent) * SEGMENT
