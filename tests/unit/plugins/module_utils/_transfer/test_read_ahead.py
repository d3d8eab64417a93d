# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading of ranges in parallel, with one bound on memory for all images."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import cast

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._concurrency import parallel_map
from ansible_collections.imagestore.swift.plugins.module_utils._errors import (
    UnreachableError,
)
from ansible_collections.imagestore.swift.plugins.module_utils._transfer.ranges import (
    Range,
    RangeReader,
    ReadAhead,
)

PATH = ("c", "image")


@dataclass
class Shelf:
    """A fake reader of ranges, whose bytes are the number of their range.

    :param together: the number of fetches that have to be under way before one of them returns
    :param broken: numbers of ranges that can't be read
    """

    together: int = 1
    broken: tuple[int, ...] = ()
    under_way: int = 0
    most: int = 0

    def __post_init__(self) -> None:
        self.lock = threading.Lock()
        self.meeting = threading.Barrier(self.together)

    def read(self, wanted: Range) -> Iterator[bytes]:
        with self.lock:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
        self.meeting.wait(timeout=60)
        with self.lock:
            self.under_way -= 1
        if wanted.offset in self.broken:
            raise UnreachableError("broken")
        yield bytes([wanted.offset])


def ranges(*numbers: int) -> Iterator[Range]:
    return (Range(number, 1, PATH, number, None) for number in numbers)


@pytest.fixture(name="pool")
def _pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def test_small_images_are_read_in_parallel(pool: ThreadPoolExecutor) -> None:
    shelf = Shelf(together=3)
    ahead = ReadAhead(cast(RangeReader, shelf), pool, 3)
    assert parallel_map(lambda number: b"".join(ahead.read(ranges(number))), range(3), 3) == [b"\0", b"\1", b"\2"]


def test_ranges_of_an_image_are_read_ahead_in_order(pool: ThreadPoolExecutor) -> None:
    shelf = Shelf(together=4)
    assert b"".join(ReadAhead(cast(RangeReader, shelf), pool, 4).read(ranges(*range(8)))) == bytes(range(8))
    assert shelf.most == 4


@pytest.mark.parametrize("images", [1, 2, 7])
def test_buffered_ranges_are_bounded(pool: ThreadPoolExecutor, images: int) -> None:
    steps: list[int] = []

    class Counting(Shelf):
        def read(self, wanted: Range) -> Iterator[bytes]:
            steps.append(1)
            yield b"x"

    ahead = ReadAhead(cast(RangeReader, Counting()), pool, 3)

    def consume(_image: int) -> None:
        for _data in ahead.read(ranges(*range(20))):
            steps.append(-1)

    parallel_map(consume, range(images), images)
    in_memory = list(itertools.accumulate(steps))
    assert in_memory[-1] == 0
    # A slot is free a moment before this test counts it, once for each image.
    assert max(in_memory) <= 3 + images


def test_a_failed_range_releases_its_slot(pool: ThreadPoolExecutor) -> None:
    ahead = ReadAhead(cast(RangeReader, Shelf(broken=(1,))), pool, 2)
    for _try in range(5):
        with pytest.raises(UnreachableError):
            list(ahead.read(ranges(0, 1, 2, 3)))
    assert list(ahead.read(ranges(5, 6, 7))) == [b"\5", b"\6", b"\7"]


def test_a_closed_reader_releases_its_slots(pool: ThreadPoolExecutor) -> None:
    ahead = ReadAhead(cast(RangeReader, Shelf()), pool, 2)
    for _try in range(5):
        reading = ahead.read(ranges(*range(9)))
        assert next(reading) == b"\0"
        reading.close()
    assert list(ahead.read(ranges(5, 6))) == [b"\5", b"\6"]
