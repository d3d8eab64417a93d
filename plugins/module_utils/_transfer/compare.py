# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Comparison of an image with a file, without a download, and of all its bytes with its ETags, names and digests."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

from .._concurrency import parallel_map
from .._errors import ImageStoreError
from .._model.checksum import Checksum
from .._model.image import Image, ManifestKind, Path, Segment
from .._model.location import Location
from .._model.names import named_content
from .._progress import Progress
from .._source.digest import Digests, RunningDigests, digest, digest_segment, digest_zeros
from .._source.file import OpenFile, Part, zeros
from .._storage.verify import Findings, describe_segment, spans_of
from .ranges import Range, ReadAhead

# hashlib lets other threads run while it works, so each core can have a part.
_WORKERS = os.cpu_count() or 1

# The bytes that one request fetches to check every byte.
_RANGE_BYTES = 4 * 1024 * 1024


def has_same_content(file: OpenFile, location: Location, image: Image, progress: Progress) -> bool:
    """Return whether *image* holds the bytes of *file*.

    A plain image is compared by its ETag, and a large one segment by segment, whichever client wrote it. The ETags
    decide, because Swift computes them from the bytes. The SHA-256 in the names of this collection's segments must
    match, too. If the segments do not identify all of the content, the recorded digests are compared, if there are any.
    This concerns an SLO with ranges or inline data, a DLO with other objects under its prefix, and an SLO on Ceph RGW.

    :param location: of the image
    :param progress: counts what was compared
    """
    if file.size != image.size or not image.is_readable:
        return False
    progress.begin("comparing", location.label, file.size)
    if image.kind is ManifestKind.NONE:
        return digest(file.whole(), ["md5"], progress=progress)["md5"] == image.etag
    if image.is_comparable_by_segments:
        return _has_same_segments(file, location, image, progress)
    checksums = dict(image.checksums)
    return bool(checksums) and digest(file.whole(), checksums, progress=progress) == checksums


def check_unrecorded(file: OpenFile, image: Image, checksum: Checksum | None, label: str) -> None:
    """Check the digest of *file*, which has the bytes of *image*, unless the image has a record of that digest.

    :param label: the name of the bytes for the message
    :raises ImageStoreError: the file has another digest
    """
    if checksum and image.checksums.get(checksum.algorithm) != checksum.hex:
        checksum.check(digest(file.whole(), [checksum.algorithm]), label)


def _has_same_segments(file: OpenFile, location: Location, image: Image, progress: Progress) -> bool:
    """Compare segments on all cores, and stop at the first difference."""
    different = threading.Event()

    def compare(expected: tuple[Part, Digests]) -> None:
        part, digests = expected
        if not different.is_set():
            found = digest_segment(part, tuple(digests))
            if any(found[algorithm] != value for algorithm, value in digests.items()):
                different.set()
        progress.add(part.size)

    parallel_map(compare, _expected_parts(file, location, image), _WORKERS)
    return not different.is_set()


def _expected_parts(file: OpenFile, location: Location, image: Image) -> Iterator[tuple[Part, Digests]]:
    """Yield the file's parts, each with its expected digests."""
    offset = 0
    for segment in image.pieces:
        sha256 = named_content(location, segment.name)
        digests = {"md5": segment.etag} if sha256 is None else {"md5": segment.etag, "sha256": sha256}
        yield Part(file, offset, segment.size), digests
        offset += segment.size


class ContentCheck:
    """A check of every byte of an image; the bytes are not stored.

    :param ahead: reads the image
    :param image: with its segments
    :param progress: counts the bytes read
    """

    def __init__(self, ahead: ReadAhead, location: Location, image: Image, progress: Progress) -> None:
        self._ahead = ahead
        self._location = location
        self._image = image
        self._progress = progress
        self._spans = spans_of(image)
        # The objects that have been read, each with whether its bytes are correct.
        self._checked: dict[Path, bool] = {}

    def problems(self, known: Findings) -> Iterator[str]:
        """Read the image, and yield a sentence for each difference from its ETags, names and digests.

        :param known: problems that are known without reading it; the objects concerned are not read
        """
        self._progress.begin("verifying", self._location.label, self._image.size)
        whole = RunningDigests(self._image.checksums)
        is_whole = not known.problems
        for piece in self._pieces():
            problem = None if piece.path in known.paths else self._check(piece, whole)
            if problem is not None:
                is_whole = False
                yield problem
        found = whole.hex()
        for algorithm, expected in self._image.checksums.items():
            if is_whole and found[algorithm] != expected:
                yield f"The content has the {algorithm} {found[algorithm]}, but the recorded {algorithm} is {expected}."

    def _pieces(self) -> Iterator[Segment]:
        """Yield the objects that the image is read from, in its order: its segments, or its own object."""
        image = self._image
        is_told = image.kind is not ManifestKind.NONE and (image.is_comparable_by_segments or image.strangers)
        if not is_told:
            # Only a plain object's ETag is the MD5 of its bytes.
            is_plain = image.kind is ManifestKind.NONE
            yield Segment(*self._location.path, image.size, str(image.etag), whole=is_plain)
        elif image.kind is ManifestKind.DLO:
            yield from image.read_segments
        else:
            yield from image.pieces

    def _check(self, piece: Segment, whole: RunningDigests) -> str | None:
        """Read one piece; return a sentence about its problem, or None."""
        if self._checked.get(piece.path) and not self._image.checksums:
            self._progress.add(piece.size)
            return None
        named = describe_segment(piece, self._spans) if piece.path in self._spans else "The object"
        sha256 = named_content(self._location, piece.name)
        running = RunningDigests([*(["md5"] if piece.whole else []), *(["sha256"] if sha256 else [])])
        try:
            for data in self._read(piece):
                running.add([data])
                whole.add([data])
        except (ImageStoreError, OSError) as error:
            return f"{named} can't be read: {error}"
        found = running.hex()
        self._checked[piece.path] = found.get("md5", piece.etag) == piece.etag and found.get("sha256") == sha256
        if found.get("md5", piece.etag) != piece.etag:
            return f"{named} has content with the MD5 {found['md5']}, but its ETag is {piece.etag}."
        if found.get("sha256") != sha256:
            return f"{named} has content with the SHA-256 {found['sha256']}, which does not match its name."
        return None

    def _read(self, piece: Segment) -> Iterator[bytes]:
        """Yield the bytes of a piece, reading several ranges ahead; a piece of zeros is read only once."""
        if self._checked.get(piece.path) and piece.etag == digest_zeros(piece.size, ("md5",))["md5"]:
            yield from zeros(piece.size)
            return
        ranges = (
            Range(offset, min(_RANGE_BYTES, piece.size - offset), piece.path, offset, piece.etag)
            for offset in range(0, piece.size, _RANGE_BYTES)
        )
        for data in self._ahead.read(ranges):
            self._progress.add(len(data))
            yield data
