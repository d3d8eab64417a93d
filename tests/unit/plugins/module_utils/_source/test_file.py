# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files as sources, and their digests."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path
from socket import AF_UNIX, socket
from tempfile import NamedTemporaryFile
from typing import Any

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._errors import SourceError
from ansible_collections.imagestore.swift.plugins.module_utils._source.digest import Stopped, digest, digest_segment
from ansible_collections.imagestore.swift.plugins.module_utils._source.file import OpenFile, Part, PartReader
from ansible_collections.imagestore.swift.plugins.module_utils._source.path import open_path
from hypothesis import given
from hypothesis import strategies as st

CONTENT = bytes(range(256)) * 40

# Holes consist of a file system's whole blocks; this is a multiple of the usual block size.
BLOCK = 1024 * 1024


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    path = tmp_path / "image"
    path.write_bytes(CONTENT)
    return path


def _open(path: Path) -> OpenFile:
    source = open_path(str(path), None, lambda: str(path.parent))
    assert isinstance(source, OpenFile)
    return source


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def test_digests_of_a_part(path: Path) -> None:
    with _open(path) as source:
        assert digest(Part(source, 0, 3000), ["md5", "sha256"]) == {
            "md5": _md5(CONTENT[:3000]),
            "sha256": hashlib.sha256(CONTENT[:3000]).hexdigest(),
        }
        assert digest(Part(source, 5, 3), ["md5"]) == {"md5": _md5(CONTENT[5:8])}
        assert digest(source.whole(), []) == {}


def test_a_stopped_digest_ends(path: Path) -> None:
    stop = threading.Event()
    stop.set()
    with _open(path) as source, pytest.raises(Stopped):
        digest(source.whole(), ["md5"], stop)


def test_holes_are_digested_without_being_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.truncate(5 * BLOCK)
        file.seek(2 * BLOCK)
        file.write(b"x" * BLOCK)
    read: list[tuple[int, int]] = []

    def note(source: OpenFile, offset: int, size: int, read_at: Any = OpenFile.read_at) -> bytes:
        read.append((offset, size))
        return read_at(source, offset, size)

    monkeypatch.setattr(OpenFile, "read_at", note)
    with _open(path) as source:
        assert digest(Part(source, 0, 5 * BLOCK), ["md5"])["md5"] == _md5(path.read_bytes())
        assert sum(size for _offset, size in read) == BLOCK
        assert Part(source, 0, 2 * BLOCK).is_hole() and Part(source, 3 * BLOCK, 2 * BLOCK).is_hole()
        assert not Part(source, BLOCK, 2 * BLOCK).is_hole() and not Part(source, 2 * BLOCK, 1).is_hole()
        read.clear()
        zeros = digest_segment(Part(source, 3 * BLOCK, 2 * BLOCK), ("md5", "sha256"))
        assert zeros == digest_segment(Part(source, 0, 2 * BLOCK), ("md5", "sha256"))
        assert zeros["md5"] == _md5(bytes(2 * BLOCK)) and read == []
        os.truncate(path, 4 * BLOCK)
        with pytest.raises(SourceError, match="was truncated"):
            digest_segment(Part(source, 3 * BLOCK + 1, 2 * BLOCK - 1), ("md5",))


def test_a_part_is_digested_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_bytes(CONTENT)
    with _open(path) as source:
        part = Part(source, 10, 1000)
        assert digest_segment(part, ("sha256",))["sha256"] == hashlib.sha256(CONTENT[10:1010]).hexdigest()
        assert digest_segment(part, ("sha256", "md5"))["md5"] == _md5(CONTENT[10:1010])
        monkeypatch.setattr(OpenFile, "read_at", lambda *_arguments: pytest.fail("it is read again"))
        assert digest_segment(Part(source, 10, 1000), ("md5", "sha256"))["md5"] == _md5(CONTENT[10:1010])


def test_a_part_reader_is_rewound_and_read_again(path: Path) -> None:
    with _open(path) as source:
        counted: list[int] = []
        reader = PartReader(Part(source, 100, 50), counted.append)
        assert reader.read(20) + reader.read() == CONTENT[100:150]
        assert reader.read(1) == b""
        reader.seek(0)
        assert reader.read(10**6) == CONTENT[100:150] and reader.tell() == 50
        assert sum(counted) == 50 and sum(map(abs, counted)) == 150


def test_a_modified_or_truncated_file_is_refused(path: Path) -> None:
    with _open(path) as source:
        source.check_unchanged()
        os.truncate(path, 5)
        with pytest.raises(SourceError, match="was truncated"):
            digest(source.whole(), ["md5"])
        with pytest.raises(SourceError, match="written to"):
            source.check_unchanged()


def test_invalid_image_file(tmp_path: Path) -> None:
    with socket(AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
    (tmp_path / "loop").symlink_to("loop")
    for name, sentence in (
        ("", "a folder"),
        ("none", "no file"),
        ("socket", "can't be opened"),
        ("loop", "symbolic"),
        # This is a regular file, but without an end.
        ("/proc/self/mem", "name an image file"),
    ):
        with pytest.raises(SourceError, match=sentence):
            open_path(str(tmp_path / name), None, lambda: str(tmp_path))


@given(st.binary(max_size=60), st.integers(1, 70))
def test_parts_cover_the_file_exactly_once(content: bytes, size: int) -> None:
    with NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        with _open(Path(file.name)) as source:
            parts = list(source.cut(size))
            assert b"".join(b"".join(part.chunks()) for part in parts) == content
            assert all(part.size == size for part in parts[:-1]) and all(part.size for part in parts)
