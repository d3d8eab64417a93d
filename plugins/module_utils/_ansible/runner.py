# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runner of modules: options, secrets, login, and the one place where an error becomes ``fail_json``."""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from .._concurrency import WORKERS
from .._context import RunContext
from .._errors import ImageStoreError, MissingLibraryError, printable
from .._progress import Progress, telling
from .._swift.client import SwiftClient
from .._swift.dry_run import DryRunClient
from .._swift.session import open_session
from .dest_file import place_file, set_attributes
from .options import CONNECTION, MAX_CONCURRENCY, ArgumentSpec, check_at_least, check_between
from .redact import hide_values, secrets_of, short_secrets_of

Result = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """The task that runs a module.

    :param params: the options, checked by Ansible
    :param context: the settings that the parts of the run share
    :param hide: keeps the secrets in an ``auth`` mapping out of the result
    :param temporary_folder: returns a folder that is deleted with the task
    :param place: replaces a file by another one, with the attributes that the options name; returns the backup's path
    :param set_attributes: sets the attributes that the options name; returns whether that changes the file, and writes
        the changes into a diff
    """

    params: Mapping[str, Any]
    context: RunContext
    hide: Callable[[Mapping[str, Any]], None]
    temporary_folder: Callable[[], str]
    place: Callable[[str, int, str], str | None]
    set_attributes: Callable[[str, dict[str, Any]], bool]

    def connect(self, most: int | None = None) -> SwiftClient:
        """Return a client with the task's credentials; nothing is sent yet. In check mode the client changes nothing.

        :param most: how many requests may be in flight; None for as many as there are threads
        """
        retries = check_at_least("retries", self.params["retries"], 0)
        client_class = DryRunClient if self.context.check_mode else SwiftClient
        return client_class(open_session(self.params, self.hide), retries, most)


def run(spec: ArgumentSpec, job: Callable[[Task], Result], writes_file: bool = False) -> None:
    """Run *job* as an Ansible module, and end the process with its result.

    :param spec: the module's own options; those for the login are added
    :param job: returns the module's result
    :param writes_file: whether the module has Ansible's common file options
    """
    # The next run resumes what an interrupted one left, so Ctrl-C need not wait for requests in flight.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    module = _Module(supports_check_mode=True, add_file_common_args=writes_file, **(CONNECTION + spec).to_kwargs())
    module.find_secrets()
    try:
        with telling(os.environ) as progress:
            result = job(_task_of(module, progress))
    except MissingLibraryError as error:
        module.fail_json(msg=missing_required_lib(error.package), exception=traceback.format_exc())
    except ImageStoreError as error:
        module.fail_json(msg=str(error), **error.result)
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "thread" not in str(error):
            raise
        # A limit of the process, or of its container, refuses more memory or another thread.
        module.fail_json(msg=f"There is not enough memory ({type(error).__name__}): reduce concurrency.")
    else:
        module.exit_json(**result)


def _task_of(module: _Module, progress: Progress) -> Task:
    concurrency = module.params.get("concurrency")
    context = RunContext(
        check_mode=module.check_mode,
        warn=lambda sentence: module.warn(printable(sentence)),
        progress=progress,
        concurrency=WORKERS if concurrency is None else check_between("concurrency", concurrency, 1, MAX_CONCURRENCY),
    )
    return Task(
        params=module.params,
        context=context,
        hide=module.hide,
        temporary_folder=lambda: module.tmpdir,
        place=partial(place_file, module),
        set_attributes=partial(set_attributes, module),
    )


class _Module(AnsibleModule):  # type: ignore[misc] # ansible-core has no types.
    """AnsibleModule that hides the secrets among the values of ``no_log`` options, and not all of these values."""

    # None until the options are checked: ansible-core may end the module before that.
    short_secrets: set[str] | None = None

    def find_secrets(self) -> None:
        """Find the secrets among the options."""
        self.no_log_values = secrets_of(self.params)
        self.short_secrets = short_secrets_of(self.params)

    def hide(self, auth: Mapping[str, Any]) -> None:
        """Hide the secrets in an ``auth`` mapping, too."""
        self.no_log_values.update(secrets_of({"auth": auth}))
        self.short_secrets = {*(self.short_secrets or ()), *short_secrets_of({"auth": auth})}

    def exit_json(self, **facts: Any) -> None:
        """End the module with a result."""
        super().exit_json(**hide_values(facts, self.short_secrets or ()))

    def fail_json(self, msg: str, **facts: Any) -> None:
        """End the module with a message."""
        if self.short_secrets is None and isinstance(self.params, Mapping):
            self.find_secrets()
        super().fail_json(msg, **hide_values(facts, self.short_secrets or ()))
