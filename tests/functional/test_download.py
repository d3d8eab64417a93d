# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Downloads: the file, resumption, ranges that are fetched again, the digests that are computed, and refusals."""

from __future__ import annotations

import hashlib
import os
import signal
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from ansible_collections.imagestore.swift.tests.support.clients import SEGMENT
from ansible_collections.imagestore.swift.tests.support.downloads import Downloads, end_after, parts_in
from ansible_collections.imagestore.swift.tests.support.foreign_objects import write_glance_dlo
from ansible_collections.imagestore.swift.tests.support.writers import WRITERS, Place, write_slo

MIB = 1024 * 1024


@pytest.mark.parametrize("kind", WRITERS)
def test_an_image_of_any_kind_is_downloaded(download: Downloads, place: Place, image: Path, kind: str) -> None:
    WRITERS[kind](place, "img", image)
    (told,) = [one for one in place.modules("swift_image_info")["images"] if one["name"] == "img"]
    done = download.change()
    assert download.dest.read_bytes() == image.read_bytes()
    assert {key: done[key] for key in ("size", "checksums", "uri")} == {
        key: told[key] for key in ("size", "checksums", "uri")
    }
    assert done["transfer"]["bytes_downloaded"] == done["size"] == image.stat().st_size
    assert done["transfer"]["bytes_reused"] == 0


def test_an_empty_image_is_downloaded(download: Downloads, place: Place, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    WRITERS["plain"](place, "img", empty)
    done = download.change()
    assert (done["size"], done["transfer"]["bytes_downloaded"]) == (0, 0)
    assert download.dest.read_bytes() == b""


def test_a_download_has_the_foreign_objects_under_the_prefix_of_a_dlo(
    download: Downloads, place: Place, small: list[Path]
) -> None:
    """The file has the bytes that Swift reads, including those of other objects."""
    write_glance_dlo(place, "img", [path.read_bytes() for path in small[:2]])
    place.store.do("PUT", place.container, "img-notes", data=b"not a segment")
    download.change()
    expected = small[0].read_bytes() + small[1].read_bytes() + b"not a segment"
    assert download.dest.read_bytes() == expected == place.read("img")


def test_holes_of_a_sparse_image_are_not_fetched(
    download: Downloads, place: Place, image: Path, tmp_path: Path
) -> None:
    sparse = tmp_path / "sparse"
    with sparse.open("wb") as file:
        file.truncate(30 * MIB)
        file.seek(17 * MIB)
        file.write(image.read_bytes()[:MIB])
    place.modules("swift_image", name="img", src=str(sparse), segment_size="2MiB")
    done = download.change()
    assert download.dest.read_bytes() == sparse.read_bytes()
    # The data is in one segment.
    assert done["transfer"]["bytes_downloaded"] == 2 * MIB
    assert done["transfer"]["bytes_reused"] == 28 * MIB
    assert download.dest.stat().st_blocks * 512 < 3 * MIB


@pytest.mark.parametrize("kind", ["plain", "SLO", "DLO"])
def test_a_public_image_is_downloaded_without_credentials(
    download: Downloads, place: Place, image: Path, kind: str
) -> None:
    WRITERS[kind](place, "img", image)
    # Swift lets a client read a DLO only if the client may list the container.
    place.modules("swift_image_acl", public=True)
    download.place = replace(place, modules=replace(place.modules, defaults={"auth_type": "none"}))
    download.change(uri=f"swift+{place.store.storage_url}/{place.container}/img")
    assert download.dest.read_bytes() == image.read_bytes()


@pytest.mark.parametrize("kind", ["Glance's DLO", "the swift CLI's SLO", "nested SLO", "openstacksdk's DLO", "SLO"])
def test_a_repeatedly_killed_download_is_resumed(download: Downloads, place: Place, image: Path, kind: str) -> None:
    WRITERS[kind](place, "img", image)
    download.kill_after(1)
    download.kill_after(1)
    assert [path.name for path in parts_in(download.folder)] == os.listdir(download.folder)
    result = download.change()
    assert result["transfer"]["bytes_reused"] == 2 * SEGMENT
    assert download.dest.read_bytes() == image.read_bytes()


@pytest.mark.parametrize("kind", ["Glance's DLO", "SLO", "DLO"])
def test_a_part_file_of_a_replaced_image_is_not_used(
    download: Downloads, place: Place, image: Path, other_image: Path, kind: str
) -> None:
    WRITERS[kind](place, "img", image)
    download.kill_after(2)
    WRITERS[kind](place, "img", other_image)
    assert download.change()["transfer"]["bytes_reused"] == 0
    assert download.dest.read_bytes() == other_image.read_bytes()


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


ZEROS = "md5:" + "0" * 32


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "none"}, "There is no image 'none'"),
        ({"dest": "/dev/null"}, "is not a regular file"),
        ({"dest": "/proc/image"}, "can't be written to"),
        ({"checksum": ZEROS}, f"but checksum requires {'0' * 32}"),
        ({"checksum": "md5:0"}, "32 hex digits"),
        ({"concurrency": 0}, "concurrency is 0"),
        ({"name": "unrecorded", "checksum": ZEROS}, f"{'0' * 32} is expected"),
        ({"name": "stranded"}, "names no segments"),
    ],
)
def test_a_refused_download_leaves_the_file_as_it_is(
    download: Downloads, place: Place, small: list[Path], options: dict[str, object], message: str
) -> None:
    WRITERS["plain"](place, "img", small[0])
    write_glance_dlo(place, "unrecorded", [b"one", b"two"])
    gone = {"X-Object-Manifest": f"{place.container}-gone/stranded-"}
    place.store.do("PUT", place.container, "stranded", headers=gone)
    download.dest.write_text("old")
    assert message in download.fail(**options)
    assert download.dest.read_text() == "old"
    assert os.listdir(download.folder) == ["image"]


def test_an_overwritten_dlo_segment_is_detected(download: Downloads, place: Place, image: Path) -> None:
    WRITERS["DLO"](place, "img", image)
    download.dest.write_text("old")
    container, _slash, name = place.names()[1].partition("/")
    place.store.do("PUT", container, name, data=b"x" * SEGMENT)
    assert "is expected" in download.fail(retries=0)
    assert download.dest.read_text() == "old"
