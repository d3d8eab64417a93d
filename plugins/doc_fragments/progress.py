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
      - Whether a line every few seconds tells how far a transfer is that takes longer than that.
      - The lines go to Ansible's standard error output, where the task runs on the host that Ansible itself runs on
        (C(connection=local)). There are none in check mode, and none with C(async).
      - The environment variable E(ANSIBLE_SWIFT_PROGRESS), V(false) where Ansible runs, turns them off for all tasks.
    type: bool
    default: true
    version_added: 0.1.0
"""
