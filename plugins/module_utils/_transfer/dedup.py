# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deduplication within a task: Swift copies content that the task has stored once, so that it is not sent again."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from .._errors import SwiftError
from .._model.image import Path
from .._swift.client import SwiftClient


class Content(NamedTuple):
    """The identity of bytes; an MD5 is not enough, because different bytes with the same MD5 can be made."""

    sha256: str
    size: int


@dataclass
class _Claim:
    """Content that a thread stores, or has stored."""

    path: Path
    ended: threading.Event = field(default_factory=threading.Event)
    is_stored: bool = False


class DedupIndex:
    """A thread-safe index of the objects that one task has stored, by content.

    :param sizes: of the source files of the task's images, in bytes, one for each image
    """

    def __init__(self, sizes: Iterable[int] = ()) -> None:
        self._sizes = Counter(sizes)
        self._lock = threading.Lock()
        self._claims: dict[Content, _Claim] = {}

    def may_repeat(self, size: int) -> bool:
        """Return whether two files may have the same content, so that it makes sense to compute its SHA-256."""
        return self._sizes[size] > 1

    @contextmanager
    def claim(self, content: Content, path: Path) -> Iterator[Path | None]:
        """Let the block store *content* at *path*, after waiting for another thread that stores the same content.

        :returns: the path at which the task has stored the content; None if the block must send it
        """
        own = _Claim(path)
        with self._lock:
            claim = self._claims.setdefault(content, own)
        if claim is not own:
            claim.ended.wait()
            yield claim.path if claim.is_stored else None
            return
        try:
            yield None
            own.is_stored = True
        finally:
            # If this one failed, the others send the content themselves.
            own.ended.set()


def copy_if_same(client: SwiftClient, source: Path, target: Path, etag: str, headers: Mapping[str, str]) -> bool:
    """Have Swift copy an object that has *etag*.

    :param headers: of the copy, which has no others
    :returns: False if the object has another ETag by now, is gone, or can't be copied
    """
    try:
        # If-Match is about the source here (Swift's server-side copy middleware).
        return client.copy_object(source, target, {**headers, "If-Match": etag}) == etag
    except SwiftError:
        return False
