# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task has stored, by content: what another of its images needs, too, Swift copies, and nobody sends again.

The containers that are there are kept in mind as well, so that they are asked for once.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from .._errors import SwiftError
from .._model.image import Path
from .._swift.client import SwiftClient


class Content(NamedTuple):
    """What tells bytes from all others: an MD5 does not, where somebody wants two to have the same."""

    sha256: str
    size: int


@dataclass
class _Claim:
    """Content that somebody stores, or has stored."""

    path: Path
    ended: threading.Event
    is_stored: bool = False


class DedupIndex:
    """The objects that one task has stored, for any number of threads.

    :param sizes: in bytes, of the files that its images come from, one for each
    """

    def __init__(self, sizes: Iterable[int] = ()) -> None:
        self._sizes = Counter(sizes)
        self._lock = threading.Lock()
        self._claims: dict[Content, _Claim] = {}
        self._containers: set[str] = set()

    def may_have(self, size: int) -> bool:
        """Whether two of the files may have the same content, so that it is worth while to know it."""
        return self._sizes[size] > 1

    def has_container(self, name: str, look: Callable[[], bool]) -> bool:
        """Whether a container is there.

        :param look: asks Swift, until it is
        """
        if name not in self._containers and look():
            self._containers.add(name)
        return name in self._containers

    def store(self, content: Content, path: Path, send: Callable[[], None], copy: Callable[[Path], bool]) -> bool:
        """Store content at *path*, after whoever is about to store the same.

        :param send: stores it
        :param copy: has Swift copy what is at another path; whether it did
        :returns: whether it was sent
        """
        own = _Claim(path, threading.Event())
        with self._lock:
            claim = self._claims.setdefault(content, own)
        if claim is own:
            self._send_first(own, send)
            return True
        claim.ended.wait()
        if claim.is_stored and copy(claim.path):
            return False
        send()
        return True

    @staticmethod
    def _send_first(claim: _Claim, send: Callable[[], None]) -> None:
        try:
            send()
            claim.is_stored = True
        finally:
            # Whoever waits sends it itself where this failed.
            claim.ended.set()


def copy_if_same(client: SwiftClient, source: Path, target: Path, etag: str, headers: Mapping[str, str]) -> bool:
    """Have Swift copy an object that has *etag*.

    :param headers: of the copy, which has no others
    :returns: False where it has another by now, or is gone, or is not copied
    """
    try:
        # It is the source that has to match (Swift's server-side copy middleware).
        return client.copy_object(source, target, {**headers, "If-Match": etag}) == etag
    except SwiftError:
        return False
