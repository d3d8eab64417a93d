# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong with a cluster, said in one sentence."""

from __future__ import annotations


class ClusterError(Exception):
    """The cluster cannot do what was asked; `log` names the file in DIR/logs that says more."""

    def __init__(self, message: str, log: str | None = None) -> None:
        super().__init__(message)
        self.log = log


class StopRequested(Exception):
    """Somebody asked the supervisor to stop, or its starter is gone."""
