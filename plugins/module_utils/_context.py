# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The context that the parts of a run share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ._progress import Progress


@dataclass(frozen=True)
class RunContext:
    """The settings of a module's run, for everything that works on its images.

    :param check_mode: whether nothing may be changed
    :param warn: shows the user a warning
    :param progress: counts bytes and segments
    :param concurrency: how many requests for one image may be in flight
    """

    check_mode: bool
    warn: Callable[[str], None]
    progress: Progress
    concurrency: int
