# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Put a finished file in the place of ``dest``, with the options of ansible.builtin.copy.

AnsibleModule.atomic_move gives a new file its mode after the rename, so that for a moment others may read it.
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

# What rename() answers for a mount point, another file system, and a folder or file that may not be changed: here
# ansible.builtin.copy writes to the file itself if unsafe_writes allows that.
_NOT_RENAMED = frozenset({errno.EPERM, errno.EXDEV, errno.EACCES, errno.ETXTBSY, errno.EBUSY})
# What a file system answers that has no owners or modes, or a container without that user.
_NOT_SET = frozenset({errno.EPERM, errno.EINVAL, errno.ENOTSUP})

_READ_WRITE_ALL = 0o666


def place_file(module: AnsibleModule, path: str, descriptor: int, dest: str) -> str | None:
    """Give a file its owner, mode and SELinux context, and then the name *dest*.

    :param path: of the file, which is gone afterwards
    :param descriptor: of the same file, which is what has been verified
    :returns: the path of the backup of the old file; None if there is none
    :raises DestinationError: the file can't have that name; it still has its own
    """
    exists = os.path.exists(dest)
    try:
        # Takes as long as a copy, and so comes before anything is looked at for the last time.
        backup = module.backup_local(dest) if exists and module.params["backup"] else None
        with _moved_aside(path, descriptor) as aside:
            _set_inherited(module, aside, dest, exists)
            _set_desired(module, aside, dest)
            _rename(module, aside, dest, exists)
    except OSError as error:
        raise DestinationError(
            f"The image can't have the name {dest!r}: {error.strerror}. If that is a mount of a single file, as "
            "containers have them, set unsafe_writes to true."
        ) from error
    # An immutable file could not have been renamed.
    wanted = module.load_file_common_arguments(module.params, path=dest)
    module.set_attributes_if_different(dest, wanted["attributes"], False)
    return backup or None


def set_attributes(module: AnsibleModule, path: str, diff: dict[str, Any]) -> bool:
    """Give a file the owner, group, mode and so on that the options name; return whether that changes it.

    :param diff: what changes is written into it
    """
    wanted = module.load_file_common_arguments(module.params, path=path)
    return bool(module.set_fs_attributes_if_different(wanted, False, diff=diff))


@contextmanager
def _moved_aside(path: str, descriptor: int) -> Iterator[str]:
    """Yield the path of a file in a folder that no other user can look into, wherever somebody moves that folder.

    If the block fails, the file has its own path again.

    :param path: of the file, in a folder that others may write to
    :param descriptor: of the same file
    :raises DestinationError: something else has its path
    """
    folder = tempfile.mkdtemp(dir=os.path.dirname(path), prefix=".")
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        state = os.fstat(opened)
        if state.st_uid != os.geteuid() or state.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise DestinationError(f"{folder!r} was replaced by another user's folder: find out who writes there.")
        aside = f"/proc/self/fd/{opened}/{os.path.basename(path)}"
        os.rename(path, aside)
        try:
            if not os.path.samestat(os.lstat(aside), os.fstat(descriptor)):
                raise DestinationError(
                    f"{path!r} was moved or replaced while the image was written to it: find out who writes to that "
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
    """Give a file what it has without any options: all that the old one has, or what a new one gets there."""
    if exists:
        old = os.stat(dest)
        with _as_far_as_possible():
            # Only root may give a file away.
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
    """Give a file what the options name for *dest*, but for the attributes of lsattr."""
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
            f"{dest!r} can't be written to, and may hold a part of the image now: {error.strerror}. Mend that, and run "
            "again."
        ) from error
    os.unlink(path)
