# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is found out once, whoever asks first."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeVar

Answer = TypeVar("Answer")


class Once:
    """Answers that are kept, for any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._answers: dict[str, Any] = {}

    def ask(self, question: str, find_out: Callable[[], Answer]) -> Answer:
        """What *find_out* returned when it was first called for *question*; who asks meanwhile waits for it."""
        with self._lock:
            lock = self._locks[question]
        with lock:
            if question not in self._answers:
                self._answers[question] = find_out()
            answer: Answer = self._answers[question]
            return answer
