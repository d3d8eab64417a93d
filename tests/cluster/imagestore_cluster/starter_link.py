# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two pipes between the supervisor and whoever started it.

What the supervisor says goes to its standard output. Its standard input says nothing but whether the
starter is still there: when it ends without a `KEEP` before, the starter is gone and nobody would
ever stop the cluster.
"""

from __future__ import annotations

import json
import os
import sys

KEEP = b"keep\n"


class StarterLink:
    """The supervisor's side."""

    def __init__(self) -> None:
        # What to wait on for news of the starter; None once it has left the cluster to itself.
        self.lifeline: int | None = sys.stdin.fileno()

    def is_cut(self) -> bool:
        """Read the news; tell whether the starter is gone and left the cluster to nobody."""
        if os.read(sys.stdin.fileno(), len(KEEP)) != KEEP:
            return True
        self.lifeline = None
        return False

    def say(self, text: str) -> None:
        """Tell the user what is going on."""
        self._send({"say": text})

    def ready(self) -> None:
        """Tell the starter that everything answers."""
        self._send({"ready": True})

    def failed(self, message: str, log: str | None) -> None:
        """Tell the starter why there is no cluster."""
        self._send({"failed": message, "log": log})

    def _send(self, message: dict[str, object]) -> None:
        if self.lifeline is None:
            return
        try:
            os.write(sys.stdout.fileno(), json.dumps(message).encode() + b"\n")
        except BrokenPipeError:
            # It was killed; the lifeline, which is cut as well, decides what that means.
            print(f"not heard by the starter: {message}", file=sys.stderr)
