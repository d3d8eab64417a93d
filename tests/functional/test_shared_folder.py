# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Downloads to a folder that other users share: planted files and links, and two downloads of one file."""

from __future__ import annotations

import os
import signal
import stat
from functools import partial
from pathlib import Path
from unittest.mock import patch

import pytest
from ansible_collections.imagestore.swift.tests.support.clients import SEGMENT
from ansible_collections.imagestore.swift.tests.support.downloads import (
    NOBODY,
    Downloads,
    as_nobody,
    end_after,
    needs_root,
    parts_in,
)
from ansible_collections.imagestore.swift.tests.support.modules import result_of
from ansible_collections.imagestore.swift.tests.support.writers import OURS, WRITERS, Place


@needs_root
@pytest.mark.parametrize("what", ["link", "part", "fifo"])
def test_a_part_file_planted_by_another_user_is_not_used(
    download: Downloads, place: Place, image: Path, what: str
) -> None:
    WRITERS[OURS](place, "img", image)
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
def test_a_symlink_of_another_user_is_not_followed(download: Downloads, place: Place, image: Path) -> None:
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


def test_concurrent_downloads_to_the_same_file_fetch_the_image_once(
    download: Downloads, place: Place, image: Path
) -> None:
    WRITERS[OURS](place, "img", image)
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


def test_a_waiting_download_resumes_a_killed_download(download: Downloads, place: Place, image: Path) -> None:
    WRITERS[OURS](place, "img", image)
    options = {"name": "img", "dest": str(download.dest), "concurrency": 1}
    first = place.modules.start("swift_image_download", partial(end_after, signal.SIGSTOP, 2), **options)
    first.await_stop()
    second = place.modules.start("swift_image_download", **options)
    first.kill()
    assert second.wait() == 0, second.output
    assert result_of(second)["transfer"]["bytes_reused"] == 2 * SEGMENT
    assert download.dest.read_bytes() == image.read_bytes()


def test_concurrent_downloads_of_two_images_to_the_same_file(
    download: Downloads, place: Place, image: Path, other_image: Path
) -> None:
    WRITERS[OURS](place, "img", image)
    WRITERS[OURS](place, "other", other_image)
    options = {"dest": str(download.dest), "concurrency": 1}
    prepare = partial(end_after, signal.SIGSTOP, 2)
    first = place.modules.start("swift_image_download", prepare, name="img", **options)
    first.await_stop()
    second = place.modules.start("swift_image_download", name="other", **options)
    first.go_on()
    assert first.wait() == 0 and second.wait() == 0, second.output
    assert result_of(first).changed and result_of(second).changed
    assert download.dest.read_bytes() == other_image.read_bytes()


@needs_root
def test_a_part_file_replaced_during_the_backup_is_detected(download: Downloads, place: Place, image: Path) -> None:
    WRITERS[OURS](place, "img", image)
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
    """Make this process replace its part file with a link, as another user could, after the backup."""
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
def test_a_directory_behind_another_users_symlink_is_refused(download: Downloads, place: Place, image: Path) -> None:
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


@needs_root
def test_a_failed_download_leaves_no_unresumable_part_file(download: Downloads, place: Place, image: Path) -> None:
    WRITERS[OURS](place, "img", image)
    download.kill_after(1)
    (part,) = parts_in(download.folder)
    os.chown(part, NOBODY, NOBODY)
    path = place.modules("swift_image_info", name="img", segments=True)["images"][0]["segment_list"][2]
    place.store.do("DELETE", path["container"], path["name"])
    download.fail(retries=0)
    assert parts_in(download.folder) == [part]
