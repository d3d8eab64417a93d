# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file of a download: its name, mode, backup, a file that is a mount, and a full disk."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from ansible_collections.imagestore.swift.tests.support.downloads import NOBODY, Downloads, needs_root, parts_in
from ansible_collections.imagestore.swift.tests.support.modules import result_of
from ansible_collections.imagestore.swift.tests.support.writers import OURS, WRITERS, Place


def test_a_file_name_of_maximum_length(download: Downloads, place: Place, image: Path) -> None:
    WRITERS["plain"](place, "img", image)
    download.dest = download.folder / ("x" * 255)
    assert download().changed
    assert download.dest.read_bytes() == image.read_bytes()


def test_a_file_in_a_dest_folder_has_the_last_part_of_the_images_name(
    download: Downloads, place: Place, image: Path
) -> None:
    name = "a/b c%25#é"
    WRITERS[OURS](place, name, image)
    folder = str(download.folder)
    download.dest = download.folder / "b c%25#é"
    checksum = f"sha256:{hashlib.sha256(image.read_bytes()).hexdigest()}"
    download.change(name=name, dest=folder, mode="0604", checksum=checksum)
    assert download.dest.read_bytes() == image.read_bytes()
    assert stat.S_IMODE(download.dest.stat().st_mode) == 0o604


def test_a_different_file_is_replaced_only_with_force(
    download: Downloads, place: Place, image: Path, other_image: Path
) -> None:
    WRITERS[OURS](place, "img", image)
    download.dest.write_bytes(other_image.read_bytes())
    download.dest.chmod(0o640)
    download.keep(force=False)
    download.change()
    assert download.dest.read_bytes() == image.read_bytes()
    assert stat.S_IMODE(download.dest.stat().st_mode) == 0o640


def test_a_new_mode_is_a_change_that_fetches_nothing(download: Downloads, place: Place, image: Path) -> None:
    WRITERS[OURS](place, "img", image)
    download()
    done = download(mode="0600")
    assert done.changed
    assert done["transfer"]["bytes_downloaded"] == 0
    assert stat.S_IMODE(download.dest.stat().st_mode) == 0o600
    download.keep(mode="0600")


def show_mode_at_rename() -> None:
    """Make this process record the mode of a file that it renames, at that moment."""
    rename = os.rename

    def shown(source: str, target: str) -> None:
        Path(f"{target}.mode").write_text(oct(os.stat(source).st_mode & 0o777), "ascii")
        rename(source, target)

    patch.object(os, "rename", shown).start()


@pytest.mark.parametrize(
    ("options", "mode"), [({}, 0o640), ({"mode": "0600"}, 0o600), ({"mode": "u=r,go="}, 0o400)], ids=str
)
def test_a_new_file_is_created_with_its_final_mode(
    download: Downloads, place: Place, image: Path, options: dict[str, str], mode: int
) -> None:
    WRITERS["plain"](place, "img", image)
    options = {"name": "img", "dest": str(download.dest), **options}

    process = place.modules.start("swift_image_download", Prepared(0o027), **options)
    assert process.wait() == 0, process.output
    assert (download.folder / "image.mode").read_text("ascii") == oct(mode)
    assert stat.S_IMODE(download.dest.stat().st_mode) == mode


class Prepared:
    """Preparation of a process that sets its umask and records the mode of its file."""

    def __init__(self, umask: int) -> None:
        self._umask = umask

    def __call__(self) -> None:
        os.umask(self._umask)
        show_mode_at_rename()


def test_a_replaced_file_keeps_its_mode_and_is_backed_up(download: Downloads, place: Place, image: Path) -> None:
    WRITERS["plain"](place, "img", image)
    download.dest.write_text("old")
    download.dest.chmod(0o604)
    result = download(backup=True)
    assert stat.S_IMODE(download.dest.stat().st_mode) == 0o604
    backup = Path(result["backup_file"])
    assert backup.read_text() == "old" and stat.S_IMODE(backup.stat().st_mode) == 0o604
    again = download(backup=True)
    assert not again.changed and "backup_file" not in again
    assert sorted(os.listdir(download.folder)) == sorted(["image", backup.name])


def test_a_new_file_has_no_backup(download: Downloads, place: Place, image: Path) -> None:
    WRITERS["plain"](place, "img", image)
    assert "backup_file" not in download(backup=True)
    assert os.listdir(download.folder) == ["image"]


@pytest.fixture
def mounted(download: Downloads) -> Iterator[Path]:
    """The file that is mounted on the destination, as files in a container may be."""
    inside = download.folder.parent / "inside"
    inside.write_text("old")
    download.dest.touch()
    done = subprocess.run(["mount", "--bind", str(inside), str(download.dest)], check=False)
    if done.returncode:
        pytest.skip("NOT TESTED here, because this user may not mount: a file that is mounted on dest")
    yield inside
    subprocess.run(["umount", str(download.dest)], check=True)


@needs_root
def test_a_bind_mounted_file_is_overwritten_only_with_unsafe_writes(
    download: Downloads, place: Place, image: Path, mounted: Path
) -> None:
    WRITERS[OURS](place, "img", image)
    sentence = download.fail()
    assert "set unsafe_writes to true" in sentence
    assert mounted.read_text() == "old"
    assert len(parts_in(download.folder)) == 1
    result = download(unsafe_writes=True, mode="0600")
    assert result["transfer"]["bytes_reused"] == image.stat().st_size
    assert mounted.read_bytes() == image.read_bytes()
    assert stat.S_IMODE(mounted.stat().st_mode) == 0o600
    assert parts_in(download.folder) == []
    assert not download(unsafe_writes=True).changed


@pytest.fixture
def full_disk(download: Downloads) -> Iterator[None]:
    """A disk of one megabyte, in place of the folder of the downloaded file."""
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(download.folder)]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("NOT TESTED here, because this user may not mount: a download to a full disk")
    yield
    subprocess.run(["umount", str(download.folder)], check=True)


@needs_root
@pytest.mark.usefixtures("full_disk")
@pytest.mark.parametrize("kind", ["plain", OURS])
def test_a_download_to_a_full_disk_leaves_the_file_as_it_is(
    download: Downloads, place: Place, image: Path, kind: str
) -> None:
    WRITERS[kind](place, "img", image)
    download.dest.write_text("old")
    assert "There is no room in" in download.fail()
    assert download.dest.read_text() == "old"
    assert os.listdir(download.folder) == ["image"]


def become_nobody() -> None:
    """Make this process switch to another user before it writes anything.

    The process can't start as that user, who could not read Python's libraries.
    """
    from ansible_collections.imagestore.swift.plugins.module_utils._operations.download import ImageDownload

    run = ImageDownload._run_once

    def run_as_nobody(download: ImageDownload) -> object:
        download.plan()
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        return run(download)

    patch.object(ImageDownload, "_run_once", run_as_nobody).start()


@needs_root
def test_a_file_in_an_unwritable_directory_requires_unsafe_writes(
    download: Downloads, place: Place, image: Path
) -> None:
    WRITERS[OURS](place, "img", image)
    download.folder.chmod(0o755)
    download.dest.write_text("old")
    os.chown(download.dest, NOBODY, NOBODY)
    for path in (download.folder, *download.folder.parents):
        if path.stat().st_uid == os.geteuid() and path != Path("/"):
            path.chmod(path.stat().st_mode | stat.S_IXOTH | stat.S_IROTH)
    remote = download.folder.parent / "remote"
    remote.mkdir()
    os.chown(remote, NOBODY, NOBODY)
    options = {"name": "img", "dest": str(download.dest), "_ansible_remote_tmp": str(remote)}
    results = []
    for unsafe_writes in (False, True):
        process = place.modules.start("swift_image_download", become_nobody, unsafe_writes=unsafe_writes, **options)
        process.wait()
        results.append(result_of(process))
    refused, done = results
    assert "can't be written to" in refused["msg"]
    assert done.changed
    assert download.dest.read_bytes() == image.read_bytes()


@needs_root
def test_file_attributes_are_set_after_the_file_is_in_place(download: Downloads, place: Place, image: Path) -> None:
    WRITERS["plain"](place, "img", image)
    result = place.modules.try_to("swift_image_download", name="img", dest=str(download.dest), attributes="+i")
    try:
        if result.get("failed"):
            pytest.skip(f"NOT TESTED here, because this file system has no attributes: {result['msg']}")
        assert download.dest.read_bytes() == image.read_bytes()
        assert os.listdir(download.folder) == ["image"]
    finally:
        subprocess.run(["chattr", "-i", str(download.dest)], check=False, capture_output=True)
