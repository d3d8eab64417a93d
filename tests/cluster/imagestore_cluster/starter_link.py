# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two pipes between the supervisor and its starter, the process that started it.

The supervisor writes its reports to its standard output. Its standard input only shows whether the starter still
exists. If the input ends without a `KEEP`, the starter is gone, and the cluster has to stop by itself.
"""

from __future__ import annotations

import json
import os
import sys

KEEP = b"keep\n"


class StarterLink:
    """The supervisor's end of the pipes."""

    def __init__(self) -> None:
        # The descriptor to wait on for news of the starter; None once the starter has let the cluster go.
        self.lifeline: int | None = sys.stdin.fileno()

    def is_cut(self) -> bool:
        """Read the news; return whether the starter is gone without having let the cluster go."""
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
            # The starter was killed. The lifeline is cut as well, and decides what happens next.
            print(f"not heard by the starter: {message}", file=sys.stderr)
