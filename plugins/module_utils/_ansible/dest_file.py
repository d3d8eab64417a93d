# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Put a finished file in the place of ``dest``, with the options of ansible.builtin.copy.

AnsibleModule.atomic_move gives a new file its mode after the rename, so that for a moment anybody could read it.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from contextlib import suppress
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .._errors import DestinationError

# What rename() answers for a mount point, another file system, and a folder or file that may not be changed: here
# ansible.builtin.copy writes to the file itself if unsafe_writes allows that.
_NOT_RENAMED = frozenset({errno.EPERM, errno.EXDEV, errno.EACCES, errno.ETXTBSY, errno.EBUSY})

_READ_WRITE_ALL = 0o666


def place_file(module: AnsibleModule, path: str, dest: str) -> str | None:
    """Give a file its owner, mode and SELinux context, and then the name *dest*.

    :param path: of the file, which is gone afterwards
    :returns: the path of the backup of the old file; None if there is none
    :raises DestinationError: the file can't have that name; it still has its own
    """
    exists = os.path.exists(dest)
    backup = module.backup_local(dest) if exists and module.params["backup"] else None
    _set_inherited(module, path, dest, exists)
    _set_desired(module, path, dest)
    try:
        os.rename(path, dest)
    except OSError as error:
        if not (exists and error.errno in _NOT_RENAMED and module.params["unsafe_writes"]):
            raise DestinationError(
                f"The image can't have the name {dest!r}: {error.strerror}. If that is a mount of a single file, as "
                "containers have them, set unsafe_writes to true."
            ) from error
        _write_over(path, dest)
        _set_desired(module, dest, dest)
    return backup or None


def set_attributes(module: AnsibleModule, path: str, diff: dict[str, Any]) -> bool:
    """Give a file the owner, group, mode and so on that the options name; return whether that changes it.

    :param diff: what changes is written into it
    """
    wanted = module.load_file_common_arguments(module.params, path=path)
    return bool(module.set_fs_attributes_if_different(wanted, False, diff=diff))


def _set_inherited(module: AnsibleModule, path: str, dest: str, exists: bool) -> None:
    """Give a file what it has without any options: all that the old one has, or what a new one gets there."""
    if exists:
        old = os.stat(dest)
        with suppress(PermissionError):
            # Only root may give a file away.
            os.chown(path, old.st_uid, old.st_gid)
        with suppress(PermissionError):
            shutil.copystat(dest, path)
        os.utime(path)
    else:
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(path, _READ_WRITE_ALL & ~umask)
        folder = os.stat(os.path.dirname(dest))
        if folder.st_mode & stat.S_ISGID:
            with suppress(PermissionError):
                os.chown(path, -1, folder.st_gid)
    if module.selinux_enabled():
        context = module.selinux_context(dest) if exists else module.selinux_default_context(dest)
        module.set_context_if_different(path, context, False)


def _set_desired(module: AnsibleModule, path: str, dest: str) -> None:
    """Give a file what the options name for *dest*."""
    wanted = module.load_file_common_arguments(module.params, path=dest)
    module.set_fs_attributes_if_different({**wanted, "path": path}, False)


def _write_over(path: str, dest: str) -> None:
    try:
        shutil.copyfile(path, dest)
    except OSError as error:
        raise DestinationError(
            f"{dest!r} can't be written to, and may hold a part of the image now: {error.strerror}. Mend that, and run "
            "again."
        ) from error
    os.unlink(path)
