# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Placement of a finished file at ``dest``, with the options of ansible.builtin.copy.

AnsibleModule.atomic_move is not used: it sets a new file's mode after the rename, so that for a moment others may read
the file.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .._errors import DestinationError

# Errors of rename() for a mount point, another file system, and a folder or file that may not be changed. In these
# cases ansible.builtin.copy writes to the file itself if unsafe_writes allows that.
_NOT_RENAMED = frozenset({errno.EPERM, errno.EXDEV, errno.EACCES, errno.ETXTBSY, errno.EBUSY})
# Errors on a file system without owners or modes, or in a container without that user.
_NOT_SET = frozenset({errno.EPERM, errno.EINVAL, errno.ENOTSUP})

_READ_WRITE_ALL = 0o666


def place_file(module: AnsibleModule, path: str, descriptor: int, dest: str) -> str | None:
    """Set a file's owner, mode and SELinux context, and then rename it to *dest*.

    :param path: of the file; the path no longer exists afterwards
    :param descriptor: of the same file, whose content has been verified
    :returns: the path of the backup of the old file; None if there is none
    :raises DestinationError: the file can't be renamed; it keeps its own path
    """
    exists = os.path.exists(dest)
    try:
        # The backup takes as long as a copy, so it is made before the last check of the file.
        backup = module.backup_local(dest) if exists and module.params["backup"] else None
        with _moved_aside(path, descriptor) as aside:
            _set_inherited(module, aside, dest, exists)
            _set_desired(module, aside, dest)
            _rename(module, aside, dest, exists)
    except OSError as error:
        raise DestinationError(
            f"The downloaded image can't be moved to {dest!r}: {error.strerror}. If a single file is mounted there, "
            "as in a container, set unsafe_writes to true."
        ) from error
    # The attributes of lsattr are set last, because an immutable file can't be renamed.
    wanted = module.load_file_common_arguments(module.params, path=dest)
    module.set_attributes_if_different(dest, wanted["attributes"], False)
    return backup or None


def set_attributes(module: AnsibleModule, path: str, diff: dict[str, Any]) -> bool:
    """Set the owner, group, mode and other attributes that the options name; return whether that changes the file.

    :param diff: receives the changes
    """
    wanted = module.load_file_common_arguments(module.params, path=path)
    return bool(module.set_fs_attributes_if_different(wanted, False, diff=diff))


@contextmanager
def _moved_aside(path: str, descriptor: int) -> Iterator[str]:
    """Move a file to a private folder, and yield its path there.

    The path stays valid if another user moves that folder. If the block fails, the file is moved back.

    :param path: of the file, in a folder that others may write to
    :param descriptor: of the same file
    :raises DestinationError: another user replaced the file or the private folder
    """
    folder = tempfile.mkdtemp(dir=os.path.dirname(path), prefix=".")
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        state = os.fstat(opened)
        if state.st_uid != os.geteuid() or state.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise DestinationError(
                f"The temporary folder {folder!r} was replaced by another user's folder: find out who writes to its "
                "parent folder."
            )
        aside = f"/proc/self/fd/{opened}/{os.path.basename(path)}"
        os.rename(path, aside)
        try:
            if not os.path.samestat(os.lstat(aside), os.fstat(descriptor)):
                raise DestinationError(
                    f"{path!r} was moved or replaced while the image was written to it: find out who writes to its "
                    "folder, and run again."
                )
            yield aside
        except BaseException:
            os.rename(aside, path)
            raise
    finally:
        os.close(opened)
        with suppress(OSError):
            os.rmdir(folder)


def _rename(module: AnsibleModule, path: str, dest: str, exists: bool) -> None:
    try:
        os.rename(path, dest)
    except OSError as error:
        if not (exists and error.errno in _NOT_RENAMED and module.params["unsafe_writes"]):
            raise
        _write_over(path, dest)
        _set_desired(module, dest, dest)


def _set_inherited(module: AnsibleModule, path: str, dest: str, exists: bool) -> None:
    """Set the attributes that a file has without any options: those of the old file, or of a new one in that folder."""
    if exists:
        old = os.stat(dest)
        with _as_far_as_possible():
            # Only root may change the owner of a file.
            os.chown(path, old.st_uid, old.st_gid)
        with _as_far_as_possible():
            shutil.copystat(dest, path)
        os.utime(path)
    else:
        umask = os.umask(0)
        os.umask(umask)
        folder = os.stat(os.path.dirname(dest))
        with _as_far_as_possible():
            if folder.st_mode & stat.S_ISGID:
                os.chown(path, -1, folder.st_gid)
            os.chmod(path, _READ_WRITE_ALL & ~umask)
    if module.selinux_enabled():
        context = module.selinux_context(dest) if exists else module.selinux_default_context(dest)
        module.set_context_if_different(path, context, False)


@contextmanager
def _as_far_as_possible() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _NOT_SET:
            raise


def _set_desired(module: AnsibleModule, path: str, dest: str) -> None:
    """Set the attributes that the options name for *dest*, except those of lsattr."""
    wanted = module.load_file_common_arguments(module.params, path=dest)
    module.set_fs_attributes_if_different({**wanted, "path": path, "attributes": None}, False)


def _write_over(path: str, dest: str) -> None:
    try:
        with open(path, "rb") as source, open(dest, "wb") as target:
            shutil.copyfileobj(source, target, 1024 * 1024)
            target.flush()
            os.fsync(target.fileno())
    except OSError as error:
        raise DestinationError(
            f"{dest!r} can't be written to: {error.strerror}. The file may hold only a part of the image now: fix the "
            "cause, and run again."
        ) from error
    os.unlink(path)
