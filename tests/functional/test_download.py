# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Downloads: resumption, ranges that are fetched again, and the digests that are computed."""

from __future__ import annotations

import os
import signal
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from ansible_collections.imagestore.swift.tests.support.clients import SEGMENT
from ansible_collections.imagestore.swift.tests.support.downloads import Downloads, end_after, parts_in
from ansible_collections.imagestore.swift.tests.support.writers import WRITERS, Place, write_slo


@pytest.mark.parametrize("kind", ["Glance's DLO", "the swift CLI's SLO", "nested SLO", "openstacksdk's DLO", "SLO"])
def test_a_repeatedly_killed_download_is_resumed(download: Downloads, place: Place, image: Path, kind: str) -> None:
    WRITERS[kind](place, "img", image)
    download.kill_after(1)
    download.kill_after(1)
    result = download()
    assert result["transfer"]["bytes_reused"] == 2 * SEGMENT
    assert download.dest.read_bytes() == image.read_bytes()
    assert os.listdir(download.folder) == ["image"]
    assert not download().changed


@pytest.mark.parametrize("kind", ["Glance's DLO", "SLO"])
def test_a_new_part_file_ignores_the_progress_of_a_deleted_one(
    download: Downloads, place: Place, image: Path, kind: str
) -> None:
    WRITERS[kind](place, "img", image)
    download.kill_after(3)
    for part in parts_in(download.folder):
        part.unlink()
    download.kill_after(1)
    result = download()
    assert result["transfer"]["bytes_reused"] == SEGMENT
    assert download.dest.read_bytes() == image.read_bytes()


@pytest.mark.parametrize("kind", ["Glance's DLO", "SLO"])
def test_a_damaged_range_of_a_part_file_is_fetched_again(
    download: Downloads, place: Place, image: Path, kind: str
) -> None:
    WRITERS[kind](place, "img", image)
    download.kill_after(3)
    (part,) = parts_in(download.folder)
    with part.open("r+b") as file:
        file.seek(SEGMENT + 5)
        file.write(b"damaged")
    result = download()
    assert result["transfer"]["bytes_downloaded"] == SEGMENT
    assert download.dest.read_bytes() == image.read_bytes()


@pytest.mark.parametrize("number", [0, 2])
@pytest.mark.parametrize("how", ["missing", "damaged"])
@pytest.mark.slo
def test_a_missing_or_damaged_segment_is_reported(
    download: Downloads, place: Place, image: Path, number: int, how: str
) -> None:
    data = image.read_bytes()
    names = []
    for offset in range(0, len(data), SEGMENT):
        names.append(f"img_{offset}")
        place.store.do("PUT", place.container, names[-1], data=data[offset : offset + SEGMENT])
    write_slo(place, "img", names)
    if how == "missing":
        place.store.do("DELETE", place.container, names[number])
    else:
        place.store.do("PUT", place.container, names[number], data=b"x" * SEGMENT)
    sentence = download.fail(retries=1)
    assert f"Swift can't read {place.container}/img: a segment is missing or damaged (409)." in sentence
    assert "run again" not in sentence
    # The download resumes when the segment is restored.
    first = number * SEGMENT
    place.store.do("PUT", place.container, names[number], data=data[first : first + SEGMENT])
    assert download()["transfer"]["bytes_reused"] >= number * SEGMENT
    assert download.dest.read_bytes() == data


@pytest.mark.slo
def test_an_slo_is_verified_by_segment_md5_alone(download: Downloads, place: Place, image: Path) -> None:
    """An SLO is not digested as a whole if its manifest proves each segment by MD5."""
    place.modules(
        "swift_image", name="img", src=str(image), segment_size=str(SEGMENT), hash_algorithms=["sha512", "sha256"]
    )
    process = place.modules.start("swift_image_download", count_digests, name="img", dest=str(download.dest))
    assert process.wait() == 0, process.output
    assert (download.folder.parent / "digested").read_text("ascii").split() == ["md5"]


def count_digests() -> None:
    """Make this process record the algorithms of its digests, each once."""
    import hashlib

    new, seen = hashlib.new, set()

    def counted(name: str, *arguments: Any, **options: Any) -> Any:
        if name not in seen:
            seen.add(name)
            with open("digested", "a", encoding="ascii") as file:
                file.write(f"{name}\n")
        return new(name, *arguments, **options)

    patch.object(hashlib, "new", counted).start()


def test_a_plain_image_with_a_damaged_part_file_is_fetched_again(
    download: Downloads, place: Place, image: Path
) -> None:
    WRITERS["plain"](place, "img", image)
    place.modules.start(
        "swift_image_download", partial(end_after, signal.SIGKILL, 1), name="img", dest=str(download.dest)
    ).wait()
    (part,) = parts_in(download.folder)
    with part.open("r+b") as file:
        file.write(b"rotten")
    assert download()["transfer"]["bytes_downloaded"] == image.stat().st_size
    assert download.dest.read_bytes() == image.read_bytes()
