# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An image's source before it is opened, which reads a FIFO and asks a server."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

from ._path_source import open_path
from ._reading import Source
from ._url_source import UrlSource


class Supply(Protocol):
    """What ``src`` or ``url`` names."""

    def mark(self) -> str | None:
        """What stands for the state of it, where somebody else than its bytes tells that."""

    def known_size(self) -> int | None:
        """Its size in bytes, where it is a file; None where only reading it tells, or it can't be had."""

    def is_repeatable(self) -> bool:
        """Whether all of it can be read another time."""

    def open(self) -> AbstractContextManager[tuple[Source, str | None]]:
        """The source, and its mark."""


@dataclass(frozen=True)
class PathSupply:
    """``src``.

    :param path: on the host that runs the task
    :param size: how many bytes there have to be; None for as many as there are
    :param folder: gives where a stream's bytes are kept until they are sent
    """

    path: str
    size: int | None
    folder: Callable[[], str]

    def mark(self) -> str | None:
        return None

    def known_size(self) -> int | None:
        with suppress(OSError, ValueError):
            status = os.stat(self.path)
            return status.st_size if stat.S_ISREG(status.st_mode) else None
        return None

    def is_repeatable(self) -> bool:
        mode = os.stat(self.path).st_mode
        return stat.S_ISREG(mode) or stat.S_ISBLK(mode)

    @contextmanager
    def open(self) -> Iterator[tuple[Source, str | None]]:
        with open_path(self.path, self.size, self.folder) as source:
            yield source, None


@dataclass(frozen=True)
class UrlSupply:
    """``url``; the rest as in :class:`PathSupply`."""

    url: UrlSource
    size: int | None
    folder: Callable[[], str]

    def mark(self) -> str | None:
        return self.url.mark()

    def known_size(self) -> int | None:
        return None

    def is_repeatable(self) -> bool:
        return True

    @contextmanager
    def open(self) -> Iterator[tuple[Source, str | None]]:
        stream, mark = self.url.stream(self.size, self.folder())
        with stream:
            yield stream, mark
