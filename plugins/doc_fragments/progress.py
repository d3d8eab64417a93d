# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The option for the progress of a transfer."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  progress:
    description:
      - Whether to print the progress of a long transfer, with a line every few seconds.
      - The lines are written to the standard error of Ansible, if the task runs on the control node
        (C(connection=local)). There are no lines in check mode, and none with C(async).
      - To disable them for all tasks, set the environment variable E(ANSIBLE_SWIFT_PROGRESS) to V(false) on the control
        node.
    type: bool
    default: true
    version_added: 0.1.0
"""
