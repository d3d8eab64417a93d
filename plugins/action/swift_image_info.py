# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shows how far the module of the same name is."""

from __future__ import annotations

from ansible_collections.imagestore.swift.plugins.plugin_utils._progress_action import WatchedAction


class ActionModule(WatchedAction):
    """Nothing of its own."""
