# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The counts of a transfer, and the file that reports them."""

from __future__ import annotations

import os
import select
import threading
from pathlib import Path

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils import _progress
from ansible_collections.imagestore.swift.plugins.module_utils._progress import (
    VARIABLE,
    Progress,
    State,
    last_state,
    telling,
)


def test_nothing_is_counted_before_the_transfer_begins() -> None:
    progress = Progress()
    progress.add(5)
    progress.reuse(5)
    assert progress.state is None


def test_counting_is_thread_safe() -> None:
    progress = Progress()
    progress.begin("uploading", "c/i", 80000)

    def work() -> None:
        for _number in range(1000):
            progress.add(8)
            progress.reuse(2)

    threads = [threading.Thread(target=work) for _number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert progress.state == State("uploading", "c/i", 80000, 80000, 16000, 8000)


def test_the_progress_file_contains_the_counts(tmp_path: Path) -> None:
    path = tmp_path / "progress"
    path.touch()
    with telling({VARIABLE: str(path)}) as progress:
        progress.begin("uploading", "c/ä\n", None)
        progress.add(5)
    assert last_state(path.read_bytes()) == State("uploading", "c/ä\n", None, 5)


def test_the_progress_file_size_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_progress, "_SECONDS", 0.0001)
    monkeypatch.setattr(_progress, "LARGEST", 1000)
    path = tmp_path / "progress"
    path.touch()
    largest = 0
    with telling({VARIABLE: str(path)}) as progress:
        progress.begin("uploading", "c/i", 10**6)
        for _number in range(3000):
            progress.add(1)
            largest = max(largest, path.stat().st_size)
            threading.Event().wait(0.0001)
    assert 500 < largest < 1200
    state = last_state(path.read_bytes())
    assert state is not None and state.done == 3000


def _folder(path: Path) -> None:
    path.mkdir()


def _link(path: Path) -> None:
    (path.parent / "other").touch()
    path.symlink_to("other")


@pytest.mark.parametrize("make", [lambda path: None, _folder, os.mkfifo, _link], ids=["none", "folder", "FIFO", "link"])
def test_an_invalid_progress_file_is_ignored(tmp_path: Path, make: object) -> None:
    path = tmp_path / "progress"
    assert callable(make)
    make(path)
    with telling({VARIABLE: str(path)}) as progress:
        progress.begin("uploading", "c/i", 5)
    assert not (tmp_path / "other").exists() or (tmp_path / "other").stat().st_size == 0


def test_nothing_is_written_to_a_device() -> None:
    master, slave = os.openpty()
    with telling({VARIABLE: os.ttyname(slave)}) as progress:
        progress.begin("uploading", "c/i", 5)
    written, _writable, _failed = select.select([master], [], [], 0)
    assert not written
    assert progress.state == State("uploading", "c/i", 5)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"{}\n",
        b"[]\n",
        b"\xff\n",
        b'{"doing": "uploading", "image": "i", "size": "many", "done": 1, "reused": 0, "segments_reused": 0}\n',
    ],
)
def test_invalid_content_has_no_state(content: bytes) -> None:
    assert last_state(content) is None


def test_a_truncated_line_is_ignored() -> None:
    line = State("uploading", "i", 5, 1).to_line()
    assert last_state(line + line[:-5]) == State("uploading", "i", 5, 1)


def test_the_first_unfinished_image_is_reported() -> None:
    progress = Progress()
    progress.begin_many(2)
    assert progress.state is None
    with progress.of_one() as first:
        first.begin("uploading", "c/first", 10)
        with progress.of_one() as second:
            second.begin("uploading", "c/second", 20)
            assert progress.state == State("uploading", "c/first", 10, images=2)
        assert progress.state == State("uploading", "c/first", 10, images_done=1, images=2)
        first.add(10)
    assert progress.state == State("uploading", "c/first", 10, 0, images_done=2, images=2)
