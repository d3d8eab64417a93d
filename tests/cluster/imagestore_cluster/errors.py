# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of a cluster, each with a text of one sentence."""

from __future__ import annotations


class ClusterError(Exception):
    """The cluster cannot do what was asked; `log` names the file in DIR/logs with details."""

    def __init__(self, message: str, log: str | None = None) -> None:
        super().__init__(message)
        self.log = log


class StopRequested(Exception):
    """The supervisor was asked to stop, or its starter is gone."""
