# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Downloads of images to files, which appear whole and verified, or not at all."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from .._concurrency import parallel_map
from .._context import RunContext
from .._errors import IntegrityError
from .._source.digest import RunningDigests, digest, digest_zeros
from .._source.file import OpenFile, Part
from .part_file import PartFile
from .ranges import Range, RangeReader

# How often a range is fetched whose bytes do not match the manifest: they may have been damaged in transit.
_TRIES = 2


class WrongContentError(IntegrityError):
    """Error for an image with another digest than the expected one, if all of its ranges seem to be correct."""


@dataclass(frozen=True)
class Received:
    """The bytes that a download fetched, and those that it reused: from an interrupted download, or zeros."""

    bytes_downloaded: int
    bytes_reused: int


class Download:
    """The download of an image into a part file.

    :param part: the file that it is written to
    :param expected: digests of the whole image in hex, by algorithm
    """

    def __init__(
        self,
        reader: RangeReader,
        part: PartFile,
        ranges: Sequence[Range],
        expected: Mapping[str, str],
        context: RunContext,
    ) -> None:
        self._reader = reader
        self._progress = context.progress
        self._part = part
        self._ranges = ranges
        self._expected = expected
        self._concurrency = context.concurrency
        self._zeros = _zeros_of(ranges)
        self._there = {wanted: threading.Event() for wanted in ranges}
        self._stop = threading.Event()

    def run(self) -> Received:
        """Fetch the missing ranges, and compare the whole image.

        :raises IntegrityError: the image in the store does not match the records of it, or of its segments
        :raises WrongContentError: the whole image does not match, so that there is nothing to resume
        :raises Replaced: the image was replaced meanwhile
        """
        with self._part.reader() as file, ThreadPoolExecutor(max_workers=1) as beside:
            whole = beside.submit(self._digest_whole, file)
            try:
                fetched = sum(parallel_map(partial(self._fetch_if_missing, file), self._ranges, self._concurrency))
                self._compare(whole)
            finally:
                self._stop.set()
                for event in self._there.values():
                    event.set()
        return Received(fetched, sum(wanted.size for wanted in self._ranges) - fetched)

    def _fetch_if_missing(self, file: OpenFile, wanted: Range) -> int:
        """Fetch a range unless it is there already; return the number of bytes fetched."""
        fetched = 0
        if not self._is_there(file, wanted):
            fetched = self._fetch(wanted)
            self._part.note(wanted.offset)
        if not fetched:
            self._progress.reuse(wanted.size)
        self._there[wanted].set()
        return fetched

    def _is_there(self, file: OpenFile, wanted: Range) -> bool:
        """Return whether an interrupted download has fetched a range, and its bytes are correct."""
        if wanted.offset not in self._part:
            return False
        return wanted.md5 is None or digest(_part_of(file, wanted), ["md5"], self._stop)["md5"] == wanted.md5

    def _fetch(self, wanted: Range) -> int:
        if self._part.is_new and (wanted.size, wanted.md5) in self._zeros:
            return 0
        for number in range(_TRIES):
            running = RunningDigests(["md5"] if wanted.md5 else [])
            for chunk in self._written(wanted, stays_hole=self._part.is_new and not number):
                running.add([chunk])
            if wanted.md5 is None or running.hex()["md5"] == wanted.md5:
                return wanted.size
            self._progress.add(-wanted.size)
        raise IntegrityError(
            f"The {wanted.size} bytes of the image from byte {wanted.offset} do not match its manifest: check the "
            "image with swift_image_info and verify: true, then store it again."
        )

    def _written(self, wanted: Range, stays_hole: bool) -> Iterator[bytes]:
        """Yield the bytes of a range, after writing them to the part.

        :param stays_hole: whether zeros need not be written, because nothing was written there before
        """
        offset = wanted.offset
        for chunk in self._reader.read(wanted):
            if not stays_hole or any(chunk[:16]) or chunk.count(0) != len(chunk):
                self._part.write_at(offset, chunk)
            offset += len(chunk)
            self._progress.add(len(chunk))
            yield chunk

    def _digest_whole(self, file: OpenFile) -> Mapping[str, str]:
        """Return the digests of the whole image; digest each range as soon as it and all before it are there."""
        running = RunningDigests(self._expected)
        if self._expected:
            for wanted in self._ranges:
                self._there[wanted].wait()
                running.add(_part_of(file, wanted).chunks(), self._stop)
        return running.hex()

    def _compare(self, whole: Future[Mapping[str, str]]) -> None:
        found = whole.result()
        for algorithm, expected in self._expected.items():
            if found[algorithm] != expected:
                raise WrongContentError(
                    f"The image has the {algorithm} {found[algorithm]}, but {expected} is expected: store the image "
                    "again, or correct checksum."
                )


def _part_of(file: OpenFile, wanted: Range) -> Part:
    return Part(file, wanted.offset, wanted.size)


def _zeros_of(ranges: Collection[Range]) -> set[tuple[int, str]]:
    """Return the sizes and MD5s of repeated ranges of zeros, of which a sparse image has many."""
    counted = Counter((wanted.size, wanted.md5) for wanted in ranges if wanted.md5)
    return {
        (size, md5)
        for (size, md5), count in counted.items()
        if count > 1 and digest_zeros(size, ("md5",))["md5"] == md5
    }
