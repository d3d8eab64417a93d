# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sources that can be read only once: streams, and FIFOs."""

from __future__ import annotations

import os
import threading
from io import BytesIO
from pathlib import Path

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._errors import SourceError
from ansible_collections.imagestore.swift.plugins.module_utils._source import path as _path_source
from ansible_collections.imagestore.swift.plugins.module_utils._source import stream as _stream
from ansible_collections.imagestore.swift.plugins.module_utils._source.file import OpenFile
from ansible_collections.imagestore.swift.plugins.module_utils._source.path import open_path
from ansible_collections.imagestore.swift.plugins.module_utils._source.stream import Stream
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def stream_of(content: bytes, size: int | None, folder: Path) -> Stream:
    return Stream(BytesIO(content).read, "url 'x'", size, str(folder))


def bytes_of(file: OpenFile) -> bytes:
    return b"".join(file.whole().chunks())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=80), st.booleans(), st.tuples(st.integers(1, 40), st.integers(1, 90), st.integers(1, 30)))
def test_a_stream_is_a_single_file_or_parts_of_equal_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, is_told: bool, sizes: tuple[int, int, int]
) -> None:
    segment_size, large, chunk = sizes
    monkeypatch.setattr(_stream, "_CHUNK", chunk)
    with stream_of(content, len(content) if is_told else None, tmp_path) as stream:
        whole = stream.short_one(large, segment_size)
        assert (whole is not None) == (len(content) <= large)
        if whole is not None:
            assert bytes_of(whole) == content
            return
        cut, came = [], b""
        for part in stream.cut(segment_size):
            cut.append(part.size)
            came += b"".join(part.chunks())
            part.release()
        assert came == content
        assert all(size == segment_size for size in cut[:-1]) and all(0 < size <= segment_size for size in cut)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("size", "sentence"), [(50, "more than the 50 bytes"), (150, "ended after 100 of 150 bytes")])
@pytest.mark.parametrize("large", [10, 1000])
def test_a_stream_of_unexpected_size_is_refused(tmp_path: Path, size: int, sentence: str, large: int) -> None:
    with stream_of(bytes(100), size, tmp_path) as stream, pytest.raises(SourceError, match=sentence):
        stream.short_one(large, 10)
        for part in stream.cut(10):
            part.release()


def test_an_unusable_buffer_dir_is_reported() -> None:
    # Linux has a full device, but no full folder. In a process's own folder in /proc, no file can be made.
    with stream_of(b"x", None, Path("/proc/self")) as stream, pytest.raises(SourceError, match="buffer_dir"):
        stream.short_one(10, 10)


def test_a_fifo_is_awaited_and_read_to_its_end(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    begun = threading.Event()

    def write() -> None:
        begun.wait(10)
        (tmp_path / "fifo").write_bytes(b"x" * 200000)

    writer = threading.Thread(target=write)
    writer.start()
    source = open_path(str(tmp_path / "fifo"), None, lambda: str(tmp_path))
    assert isinstance(source, Stream) and source.size is None
    begun.set()
    with source:
        whole = source.short_one(10**6, 10**6)
        writer.join(10)
        assert whole is not None and bytes_of(whole) == b"x" * 200000


def test_a_fifo_without_a_writer_times_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_path_source, "_SILENCE_SECONDS", 0.01)
    os.mkfifo(tmp_path / "fifo")
    source = open_path(str(tmp_path / "fifo"), None, lambda: str(tmp_path))
    assert isinstance(source, Stream)
    with source, pytest.raises(SourceError, match="has sent no data for"):
        source.short_one(10, 10)


def test_a_file_of_unexpected_size_is_refused(tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(bytes(10))
    with pytest.raises(SourceError, match="has 10 bytes, but size is 11"):
        open_path(str(tmp_path / "image"), 11, lambda: str(tmp_path))
    with open_path(str(tmp_path / "image"), 10, lambda: str(tmp_path)) as source:
        assert isinstance(source, OpenFile)


def test_buffered_parts_are_unlinked_and_private(tmp_path: Path) -> None:
    with stream_of(b"x" * 100, None, tmp_path) as stream:
        for part in stream.cut(30):
            state = os.fstat(part.file.descriptor)
            assert state.st_mode & 0o777 == 0o600 and state.st_nlink == 0
            assert list(tmp_path.iterdir()) == []
            part.release()
