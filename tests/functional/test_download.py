# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Downloads on a host that others share: what is resumed, planted, written by two, and put in place."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from unittest.mock import patch

import pytest
from clients import SEGMENT
from modules import Result, result_of
from writers import WRITERS, Place, write_slo

NOBODY = 65534

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user, and mount")


def end_after(signal_number: int, ranges: int) -> None:
    """Have this process get a signal when so many ranges are noted in its part."""
    from ansible_collections.imagestore.swift.plugins.module_utils._transfer.part_file import PartFile

    note, noted = PartFile.note, 0

    def counted(part: PartFile, offset: int) -> None:
        nonlocal noted
        note(part, offset)
        noted += 1
        if noted == ranges:
            os.kill(os.getpid(), signal_number)

    patch.object(PartFile, "note", counted).start()


def parts_in(folder: Path) -> list[Path]:
    return sorted(folder.glob(".*.part"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the file; others may write to it."""
    path = tmp_path / "shared"
    path.mkdir()
    path.chmod(0o1777)
    return path


class Downloads:
    """Downloads of one image to one file."""

    def __init__(self, place: Place, folder: Path) -> None:
        self.place = place
        self.folder = folder
        self.dest = folder / "image"

    def __call__(self, **options: object) -> Result:
        return self.place.modules("swift_image_download", name="img", dest=str(self.dest), **options)

    def fail(self, **options: object) -> str:
        result = self.place.modules.try_to("swift_image_download", name="img", dest=str(self.dest), **options)
        assert result["failed"]
        assert "Traceback" not in str(result)
        return str(result["msg"])

    def kill_after(self, ranges: int) -> None:
        """Kill a download when so many ranges have come."""
        options = {"name": "img", "dest": str(self.dest), "concurrency": 1}
        process = self.place.modules.start(
            "swift_image_download", partial(end_after, signal.SIGKILL, ranges), **options
        )
        assert process.wait() == -signal.SIGKILL


@pytest.fixture
def download(place: Place, folder: Path) -> Downloads:
    return Downloads(place, folder)


@pytest.mark.parametrize("kind", ["Glance's DLO", "the swift CLI's SLO", "nested SLO", "openstacksdk's DLO", "SLO"])
def test_killed_again_and_again_it_is_resumed(download: Downloads, place: Place, image: Path, kind: str) -> None:
    WRITERS[kind](place, "img", image)
    download.kill_after(1)
    download.kill_after(1)
    result = download()
    assert result["transfer"]["bytes_reused"] == 2 * SEGMENT
    assert download.dest.read_bytes() == image.read_bytes()
    assert os.listdir(download.folder) == ["image"]
    assert not download().changed


@pytest.mark.parametrize("kind", ["Glance's DLO", "SLO"])
def test_a_part_that_went_tells_nothing_of_the_next_one(
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
def test_what_was_changed_in_a_part_is_fetched_again(download: Downloads, place: Place, image: Path, kind: str) -> None:
    WRITERS[kind](place, "img", image)
    download.kill_after(3)
    (part,) = parts_in(download.folder)
    with part.open("r+b") as file:
        file.seek(SEGMENT + 5)
        file.write(b"damaged")
    result = download()
    assert result["transfer"]["bytes_downloaded"] == SEGMENT
    assert download.dest.read_bytes() == image.read_bytes()


def as_nobody(*command: str) -> None:
    """Do something as another user of the host."""
    subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command], check=True)


@needs_root
@pytest.mark.parametrize("what", ["link", "part", "fifo"])
def test_what_another_user_planted_is_not_used(download: Downloads, place: Place, image: Path, what: str) -> None:
    WRITERS["SLO"](place, "img", image)
    download.kill_after(1)
    (part,) = parts_in(download.folder)
    left = part.read_bytes()
    part.unlink()
    victim = download.folder.parent / "victim"
    victim.write_text("victim")
    planted = download.folder.parent / "planted"
    planted.write_bytes(left)
    planted.chmod(0o644)
    download.folder.parent.chmod(0o755)
    commands = {
        "link": ["ln", "-s", str(victim), str(part)],
        "part": ["cp", str(planted), str(part)],
        "fifo": ["mkfifo", str(part)],
    }
    for path in download.folder.parents:
        # pytest's own folders are closed to others.
        if path.stat().st_uid == os.geteuid() and path != Path("/"):
            path.chmod(path.stat().st_mode | stat.S_IXOTH)
    as_nobody(*commands[what])
    result = download()
    assert "can't be resumed" in result.warned
    assert result["transfer"]["bytes_reused"] == 0
    assert download.dest.read_bytes() == image.read_bytes()
    assert download.dest.stat().st_uid == os.geteuid()
    assert victim.read_text() == "victim"
    assert sorted(os.listdir(download.folder)) == sorted(["image", part.name])


@needs_root
def test_a_link_of_another_user_is_not_followed(download: Downloads, place: Place, image: Path) -> None:
    WRITERS["plain"](place, "img", image)
    victim = download.folder / "victim"
    victim.write_text("victim")
    download.dest.symlink_to(victim)
    os.chown(download.dest, NOBODY, NOBODY, follow_symlinks=False)
    assert "a link that belongs to another user" in download.fail()
    os.chown(download.dest, 0, 0, follow_symlinks=False)
    assert download().changed
    assert victim.read_bytes() == image.read_bytes()
    assert download.dest.is_symlink()


def test_two_downloads_of_one_file(download: Downloads, place: Place, image: Path) -> None:
    WRITERS["SLO"](place, "img", image)
    options = {"name": "img", "dest": str(download.dest), "concurrency": 1}
    first = place.modules.start("swift_image_download", partial(end_after, signal.SIGSTOP, 2), **options)
    first.await_stop()
    second = place.modules.start("swift_image_download", **options)
    third = place.modules.start("swift_image_download", **options)
    first.go_on()
    results = []
    for process in (first, second, third):
        assert process.wait() == 0, process.output
        results.append(result_of(process))
    assert [result.changed for result in results] == [True, False, False]
    assert [result["transfer"]["bytes_downloaded"] for result in results] == [image.stat().st_size, 0, 0]
    assert download.dest.read_bytes() == image.read_bytes()
    assert os.listdir(download.folder) == ["image"]


def test_a_download_that_waited_for_a_killed_one(download: Downloads, place: Place, image: Path) -> None:
    WRITERS["SLO"](place, "img", image)
    options = {"name": "img", "dest": str(download.dest), "concurrency": 1}
    first = place.modules.start("swift_image_download", partial(end_after, signal.SIGSTOP, 2), **options)
    first.await_stop()
    second = place.modules.start("swift_image_download", **options)
    first.kill()
    assert second.wait() == 0, second.output
    assert result_of(second)["transfer"]["bytes_reused"] == 2 * SEGMENT
    assert download.dest.read_bytes() == image.read_bytes()


def test_two_images_for_one_file(download: Downloads, place: Place, image: Path, other_image: Path) -> None:
    WRITERS["SLO"](place, "img", image)
    WRITERS["SLO"](place, "other", other_image)
    options = {"dest": str(download.dest), "concurrency": 1}
    prepare = partial(end_after, signal.SIGSTOP, 2)
    first = place.modules.start("swift_image_download", prepare, name="img", **options)
    first.await_stop()
    second = place.modules.start("swift_image_download", name="other", **options)
    first.go_on()
    assert first.wait() == 0 and second.wait() == 0, second.output
    assert result_of(first).changed and result_of(second).changed
    assert download.dest.read_bytes() == other_image.read_bytes()


def test_the_longest_name(download: Downloads, place: Place, image: Path) -> None:
    WRITERS["plain"](place, "img", image)
    download.dest = download.folder / ("x" * 255)
    assert download().changed
    assert download.dest.read_bytes() == image.read_bytes()


def show_mode_at_rename() -> None:
    """Have this process write the mode that a file has when it gets its last name."""
    rename = os.rename

    def shown(source: str, target: str) -> None:
        Path(f"{target}.mode").write_text(oct(os.stat(source).st_mode & 0o777), "ascii")
        rename(source, target)

    patch.object(os, "rename", shown).start()


@pytest.mark.parametrize(
    ("options", "mode"), [({}, 0o640), ({"mode": "0600"}, 0o600), ({"mode": "u=r,go="}, 0o400)], ids=str
)
def test_a_new_file_has_its_mode_from_the_beginning(
    download: Downloads, place: Place, image: Path, options: dict[str, str], mode: int
) -> None:
    WRITERS["plain"](place, "img", image)
    options = {"name": "img", "dest": str(download.dest), **options}

    process = place.modules.start("swift_image_download", Prepared(0o027), **options)
    assert process.wait() == 0, process.output
    assert (download.folder / "image.mode").read_text("ascii") == oct(mode)
    assert stat.S_IMODE(download.dest.stat().st_mode) == mode


class Prepared:
    """Prepares a process: its umask, and that it shows the mode of its file."""

    def __init__(self, umask: int) -> None:
        self._umask = umask

    def __call__(self) -> None:
        os.umask(self._umask)
        show_mode_at_rename()


def test_a_file_that_is_replaced_keeps_its_attributes(download: Downloads, place: Place, image: Path) -> None:
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
    """A file that is a mount of another, as containers have their files."""
    inside = download.folder.parent / "inside"
    inside.write_text("old")
    download.dest.touch()
    done = subprocess.run(["mount", "--bind", str(inside), str(download.dest)], check=False)
    if done.returncode:
        pytest.skip("mounting is not allowed here")
    yield inside
    subprocess.run(["umount", str(download.dest)], check=True)


@needs_root
def test_a_mounted_file_is_written_over_if_that_is_allowed(
    download: Downloads, place: Place, image: Path, mounted: Path
) -> None:
    WRITERS["SLO"](place, "img", image)
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


def become_nobody() -> None:
    """Have this process be another user's before it writes anything; that user could not read Python's libraries."""
    from ansible_collections.imagestore.swift.plugins.module_utils._operations.download import ImageDownload

    run = ImageDownload._run_once

    def run_as_nobody(download: ImageDownload) -> object:
        download._read_image()
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        return run(download)

    patch.object(ImageDownload, "_run_once", run_as_nobody).start()


@needs_root
def test_a_file_in_a_folder_that_can_not_be_written_to(download: Downloads, place: Place, image: Path) -> None:
    WRITERS["SLO"](place, "img", image)
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


@pytest.mark.parametrize("number", [0, 2])
@pytest.mark.parametrize("how", ["missing", "damaged"])
def test_a_segment_that_is_missing_or_damaged_is_named(
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
    # Mended, it is resumed.
    first = number * SEGMENT
    place.store.do("PUT", place.container, names[number], data=data[first : first + SEGMENT])
    assert download()["transfer"]["bytes_reused"] >= number * SEGMENT
    assert download.dest.read_bytes() == data


def test_digests_are_computed_once(download: Downloads, place: Place, image: Path) -> None:
    """Only what a large object's segments do not tell is digested as a whole."""
    place.modules(
        "swift_image", name="img", src=str(image), segment_size=str(SEGMENT), hash_algorithms=["sha512", "sha256"]
    )
    process = place.modules.start("swift_image_download", count_digests, name="img", dest=str(download.dest))
    assert process.wait() == 0, process.output
    assert (download.folder.parent / "digested").read_text("ascii").split() == ["md5"]


def count_digests() -> None:
    """Have this process write the algorithms that it digests anything with, each once."""
    import hashlib

    new, seen = hashlib.new, set()

    def counted(name: str, *arguments: object, **options: object) -> object:
        if name not in seen:
            seen.add(name)
            with open("digested", "a", encoding="ascii") as file:
                file.write(f"{name}\n")
        return new(name, *arguments, **options)  # type: ignore[arg-type]

    patch.object(hashlib, "new", counted).start()


@needs_root
def test_a_part_that_is_swapped_during_the_backup_is_noticed(download: Downloads, place: Place, image: Path) -> None:
    WRITERS["SLO"](place, "img", image)
    victim = download.folder.parent / "victim"
    victim.write_text("secret")
    victim.chmod(0o600)
    download.folder.chmod(0o777)
    download.dest.write_text("old")
    os.chown(download.dest, NOBODY, NOBODY)
    download.dest.chmod(0o666)
    (download.folder.parent / "target").write_text(str(victim))
    options = {"name": "img", "dest": str(download.dest), "backup": True}
    process = place.modules.start("swift_image_download", swap_after_backup, **options)
    assert process.wait() == 1
    assert "was moved or replaced" in result_of(process)["msg"]
    assert victim.read_text() == "secret"
    assert stat.S_IMODE(victim.stat().st_mode) == 0o600 and victim.stat().st_uid == 0
    assert download.dest.read_text() == "old"


def swap_after_backup() -> None:
    """Have this process find another user's link in the part's place when the old file is backed up."""
    from ansible.module_utils.basic import AnsibleModule

    backup = AnsibleModule.backup_local

    def swapped(module: AnsibleModule, path: str) -> object:
        done = backup(module, path)
        (part,) = parts_in(Path(path).parent)
        part.rename(part.with_suffix(".away"))
        part.symlink_to(Path("target").read_text())
        return done

    patch.object(AnsibleModule, "backup_local", swapped).start()


@needs_root
def test_a_folder_behind_another_users_link_is_not_used(download: Downloads, place: Place, image: Path) -> None:
    WRITERS["plain"](place, "img", image)
    private = download.folder.parent / "private"
    private.mkdir()
    link = download.folder / "link"
    link.symlink_to(private)
    os.chown(link, NOBODY, NOBODY, follow_symlinks=False)
    for dest in (link, link / "img"):
        download.dest = dest
        assert "a link that belongs to another user" in download.fail()
    own = download.folder / "own"
    own.symlink_to("link")
    download.dest = own
    assert "a link that belongs to another user" in download.fail()
    assert list(private.iterdir()) == []
    os.chown(link, 0, 0, follow_symlinks=False)
    assert download().changed
    assert (private / "img").read_bytes() == image.read_bytes()


def test_a_plain_image_whose_part_was_changed_is_fetched_anew(download: Downloads, place: Place, image: Path) -> None:
    WRITERS["plain"](place, "img", image)
    place.modules.start(
        "swift_image_download", partial(end_after, signal.SIGKILL, 1), name="img", dest=str(download.dest)
    ).wait()
    (part,) = parts_in(download.folder)
    with part.open("r+b") as file:
        file.write(b"rotten")
    assert download()["transfer"]["bytes_downloaded"] == image.stat().st_size
    assert download.dest.read_bytes() == image.read_bytes()


@needs_root
def test_parts_that_no_run_finds_are_not_left(download: Downloads, place: Place, image: Path) -> None:
    WRITERS["SLO"](place, "img", image)
    download.kill_after(1)
    (part,) = parts_in(download.folder)
    os.chown(part, NOBODY, NOBODY)
    path = place.modules("swift_image_info", name="img", segments=True)["images"][0]["segment_list"][2]
    place.store.do("DELETE", path["container"], path["name"])
    download.fail(retries=0)
    assert parts_in(download.folder) == [part]


@needs_root
def test_attributes_are_set_when_the_file_is_in_its_place(download: Downloads, place: Place, image: Path) -> None:
    WRITERS["plain"](place, "img", image)
    result = place.modules.try_to("swift_image_download", name="img", dest=str(download.dest), attributes="+i")
    try:
        if result.get("failed"):
            pytest.skip(f"NOT TESTED here, because this file system has no attributes: {result['msg']}")
        assert download.dest.read_bytes() == image.read_bytes()
        assert os.listdir(download.folder) == ["image"]
    finally:
        subprocess.run(["chattr", "-i", str(download.dest)], check=False, capture_output=True)
