# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Part files: those that are resumed, and other files of their name in a folder that others write to."""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._errors import DestinationError, NoRoomError
from ansible_collections.imagestore.swift.plugins.module_utils._transfer import part_file
from ansible_collections.imagestore.swift.plugins.module_utils._transfer.part_file import PartFile, PartSpec, open_part

SIZE = 1000


def spec_for(folder: Path, name: str = "image", **changed: Any) -> PartSpec:
    options = {"identity": "i", "size": SIZE, "resume": True, **changed}
    return PartSpec(str(folder / name), str(folder), **options)


def opened(folder: Path, warn: Callable[[str], None] = pytest.fail, **options: Any) -> PartFile:
    part = open_part(spec_for(folder, **options), warn)
    part.begin()
    return part


def leave(folder: Path, **options: Any) -> Path:
    """Make a part with one range, as an interrupted download leaves it; return its path."""
    part = opened(folder, **options)
    part.write_at(0, b"x" * 10)
    part.note(0)
    part.close()
    return part.path


def test_a_part_file_is_resumed_from_its_notes(tmp_path: Path) -> None:
    leave(tmp_path)
    part = opened(tmp_path)
    assert not part.is_new and 0 in part and 10 not in part
    part.note(10)
    part.close()
    again = opened(tmp_path)
    assert 0 in again and 10 in again
    again.finish()
    assert again.path.read_bytes() == b"x" * 10 + bytes(SIZE - 10)
    again.close()


@pytest.mark.parametrize("changed", [{"identity": "other"}, {"size": SIZE + 1}, {"size": 5}, {"resume": False}])
def test_a_mismatched_or_unwanted_part_file_is_emptied(tmp_path: Path, changed: dict[str, Any]) -> None:
    leave(tmp_path)
    part = opened(tmp_path, **changed)
    assert part.is_new and 0 not in part
    part.finish()
    assert part.path.read_bytes() == bytes(changed.get("size", SIZE))
    part.close()


def test_notes_are_deleted_with_their_part_file(tmp_path: Path) -> None:
    """Notes are deleted with their part; in a file of their own they once claimed ranges that the next part lacked."""
    leave(tmp_path).unlink()
    part = opened(tmp_path)
    assert part.is_new and 0 not in part
    part.close()
    assert [path.name for path in tmp_path.iterdir()] == [part.path.name]


@pytest.mark.parametrize("cut", range(1, 5))
def test_a_truncated_note_is_ignored(tmp_path: Path, cut: int) -> None:
    part = opened(tmp_path)
    part.note(0)
    part.note(500)
    part.close()
    os.truncate(part.path, part.path.stat().st_size - cut)
    again = opened(tmp_path)
    assert 0 in again and 500 not in again and 50 not in again
    again.note(500)
    again.close()
    last = opened(tmp_path)
    assert 0 in last and 500 in last
    last.close()


def test_image_data_is_not_mistaken_for_notes(tmp_path: Path) -> None:
    """The bytes of an image may look like the notes of a smaller one."""
    victim = opened(tmp_path, size=100)
    victim.note(0)
    victim.close()
    notes = victim.path.read_bytes()[100:]
    victim.path.unlink()
    part = opened(tmp_path, identity="evil")
    part.write_at(100, notes)
    part.note(0)
    part.close()
    again = opened(tmp_path, size=100)
    assert again.is_new and 0 not in again
    again.close()


def plant_link(path: Path) -> None:
    path.symlink_to(path.parent / "victim")


def plant_hard_link(path: Path) -> None:
    os.link(path.parent / "victim", path)


def plant_folder(path: Path) -> None:
    path.mkdir()


def plant_fifo(path: Path) -> None:
    os.mkfifo(path)


def plant_writable(path: Path) -> None:
    path.write_bytes(b"evil")
    path.chmod(0o666)


@pytest.mark.parametrize("plant", [plant_link, plant_hard_link, plant_folder, plant_fifo, plant_writable])
def test_a_planted_file_is_not_used_as_the_part_file(tmp_path: Path, plant: Callable[[Path], None]) -> None:
    (tmp_path / "victim").write_bytes(b"victim")
    path = leave(tmp_path)
    path.unlink()
    plant(path)
    before = os.lstat(path)
    warnings: list[str] = []
    part = opened(tmp_path, warnings.append)
    part.write_at(0, b"image")
    part.finish()
    assert part.path != path and part.path.stat().st_mode & 0o777 == 0o600 and not part.can_be_resumed
    assert (tmp_path / "victim").read_bytes() == b"victim"
    assert os.path.samestat(before, os.lstat(path))
    assert len(warnings) == 1 and str(path) in warnings[0]
    part.remove()
    part.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_part_file_of_another_user_is_not_used(tmp_path: Path) -> None:
    path = leave(tmp_path)
    os.chown(path, 65534, 65534)
    warnings: list[str] = []
    part = opened(tmp_path, warnings.append)
    assert part.path != path and part.is_new and warnings
    part.remove()
    part.close()


def test_a_replaced_part_file_is_refused_and_kept(tmp_path: Path) -> None:
    part = opened(tmp_path)
    part.path.rename(tmp_path / "moved")
    part.path.write_bytes(b"evil")
    with pytest.raises(DestinationError, match="was moved or replaced"):
        part.finish()
    part.remove()
    assert part.path.read_bytes() == b"evil"
    part.close()


def test_a_second_download_waits_for_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = opened(tmp_path)
    has_begun = threading.Event()
    monkeypatch.setattr(part_file.time, "sleep", lambda _seconds: (has_begun.set(), threading.Event().wait(0.01)))
    found: list[PartFile] = []
    second = threading.Thread(target=lambda: found.append(open_part(spec_for(tmp_path), pytest.fail)))
    second.start()
    assert has_begun.wait(60) and not found
    first.path.rename(tmp_path / "image")
    first.close()
    second.join(60)
    assert found[0].has_waited
    found[0].begin()
    assert found[0].is_new and (tmp_path / "image").exists()
    found[0].close()


def test_waiting_for_a_stalled_download_times_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = opened(tmp_path)
    now = [0.0]
    monkeypatch.setattr(part_file.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(part_file.time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    with pytest.raises(DestinationError, match="has made no progress for 600 seconds"):
        opened(tmp_path)
    assert 600 < now[0] < 610
    first.close()


def test_an_idle_download_keeps_touching_its_part_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part_file, "_BEAT_SECONDS", 0.01)
    part = opened(tmp_path)
    os.utime(part.path, (0, 0))
    for _beat in range(6000):
        if part.path.stat().st_mtime:
            break
        threading.Event().wait(0.01)
    assert part.path.stat().st_mtime
    part.close()


def test_a_part_file_can_be_restarted(tmp_path: Path) -> None:
    leave(tmp_path)
    part = opened(tmp_path)
    part.begin(anew=True)
    assert part.is_new and 0 not in part and part.can_be_resumed
    part.finish()
    assert part.path.read_bytes() == bytes(SIZE)
    part.close()


def test_a_file_system_without_locks_is_supported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "no locks")

    monkeypatch.setattr(fcntl, "flock", refuse)
    leave(tmp_path)
    part = opened(tmp_path)
    assert 0 in part
    part.close()


@pytest.mark.parametrize("name", ["x" * 255, "é" * 127, "a"])
def test_a_name_of_any_length_has_a_part_file(tmp_path: Path, name: str) -> None:
    part = open_part(spec_for(tmp_path, name), pytest.fail)
    assert part.path.name.startswith(f".{name[:24]}.")
    part.close()


def test_different_names_have_different_part_files(tmp_path: Path) -> None:
    parts = [open_part(spec_for(tmp_path, "x" * 200 + end), pytest.fail) for end in "ab"]
    assert parts[0].path != parts[1].path
    for part in parts:
        part.close()


@pytest.mark.parametrize(("number", "error"), [(errno.ENOSPC, NoRoomError), (errno.EIO, DestinationError)])
def test_disk_errors_are_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, error: type[Exception]
) -> None:
    part = opened(tmp_path)

    def refuse(*_arguments: object) -> int:
        raise OSError(number, os.strerror(number))

    for name, act in [
        ("pwrite", lambda: part.write_at(0, b"x")),
        ("fdatasync", lambda: part.note(0)),
        ("fsync", part.finish),
    ]:
        with monkeypatch.context() as patched:
            patched.setattr(os, name, refuse)
            with pytest.raises(error, match=str(tmp_path)):
                act()
    assert 0 not in part
    part.close()


def test_a_missing_directory_is_reported(tmp_path: Path) -> None:
    with pytest.raises(DestinationError, match="can't be written to"):
        opened(tmp_path / "none")
