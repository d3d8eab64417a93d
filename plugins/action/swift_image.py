# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action plugin that shows the progress of the module of the same name."""

from __future__ import annotations

from ansible_collections.imagestore.swift.plugins.plugin_utils._progress_action import WatchedAction


class ActionModule(WatchedAction):
    """The action of this module, without code of its own."""
