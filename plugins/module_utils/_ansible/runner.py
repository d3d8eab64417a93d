# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a module: options, secrets, login, and the one place where an error becomes ``fail_json``."""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from .._errors import ImageStoreError, MissingLibraryError
from .._progress import Progress, telling
from .._swift.client import SwiftClient
from .._swift.session import open_session
from .options import CONNECTION, ArgumentSpec, check_at_least
from .redact import name_of_cloud, secrets_of

Result = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """What a module's job needs to know of the task that runs it.

    :param params: the options, checked by Ansible
    :param check_mode: whether nothing may be changed
    :param warn: shows the user a warning
    :param hide: keeps the secrets in an ``auth`` mapping out of the result
    :param temporary_folder: gives a folder that goes with the task
    :param move: puts a file in another's place, which keeps the other's owner and mode
    :param progress: counts what is transferred
    :param set_attributes: gives a file the owner, group, mode and so on that the options name; whether that changes it,
        with what it changes written into a diff
    """

    params: Mapping[str, Any]
    check_mode: bool
    warn: Callable[[str], None]
    hide: Callable[[Mapping[str, Any]], None]
    temporary_folder: Callable[[], str]
    move: Callable[[str, str], None]
    progress: Progress
    set_attributes: Callable[[str, bool, dict[str, Any]], bool]

    def connect(self, most: int | None = None) -> SwiftClient:
        """A connection for the task's credentials; nothing is sent yet.

        :param most: how many requests there are at once; None for as many as there are threads
        """
        retries = check_at_least("retries", self.params["retries"], 0)
        return SwiftClient(open_session(self.params, self.hide), retries, most)


def run(spec: ArgumentSpec, job: Callable[[Task], Result], writes_file: bool = False) -> None:
    """Run *job* as an Ansible module and leave the process with its result.

    :param spec: the module's own options; those of the connection come with it
    :param writes_file: whether Ansible's own options of files belong to it
    :param job: returns what ``exit_json`` is given
    """
    # The next run goes on with what is left of one that is killed: who interrupts one need not wait for what it sends.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    module = _Module(supports_check_mode=True, add_file_common_args=writes_file, **(CONNECTION + spec).to_kwargs())
    module.no_log_values = secrets_of(module.params)
    try:
        with telling(os.environ) as progress:
            result = job(
                Task(
                    params=module.params,
                    check_mode=module.check_mode,
                    warn=module.warn,
                    hide=lambda auth: module.no_log_values.update(secrets_of({"auth": auth})),
                    temporary_folder=lambda: module.tmpdir,
                    move=module.atomic_move,
                    progress=progress,
                    set_attributes=partial(_set_attributes, module),
                )
            )
    except MissingLibraryError as error:
        module.fail_json(msg=missing_required_lib(error.package), exception=traceback.format_exc())
    except ImageStoreError as error:
        module.fail_json(msg=str(error), **error.result)
    else:
        module.exit_json(**result)


class _Module(AnsibleModule):  # type: ignore[misc] # ansible-core has no types.
    """Ansible's, which refuses options before it is known what of them is secret."""

    def fail_json(self, msg: str, **facts: Any) -> None:
        """End with a message; a cloud that is called as a word of it does not blank that out."""
        self.no_log_values.discard(name_of_cloud(self.params))
        super().fail_json(msg, **facts)


def _set_attributes(module: AnsibleModule, path: str, changed: bool, diff: dict[str, Any]) -> bool:
    wanted = module.load_file_common_arguments(module.params, path=path)
    return bool(module.set_fs_attributes_if_different(wanted, changed, diff=diff))
