# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Comparison of a file with an image in the store, without a download."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

from .._concurrency import parallel_map
from .._model.checksum import Checksum
from .._model.image import Image, ManifestKind
from .._model.location import Location
from .._model.names import named_content
from .._progress import Progress
from .._source.digest import Digests, digest, digest_segment
from .._source.file import OpenFile, Part

# hashlib lets other threads run while it works, so each core can have a part.
_WORKERS = os.cpu_count() or 1


def has_same_content(file: OpenFile, location: Location, image: Image, progress: Progress) -> bool:
    """Return whether *image* holds the bytes of *file*.

    A plain image is compared by its ETag, a large one segment by segment, whoever wrote it. What counts is the ETag,
    which is Swift's word of the bytes; the SHA-256 in the names that this collection gives has to agree. If segments do
    not tell all of the content, the recorded digests are compared, if there are any. That is so for an SLO with ranges
    or inline data, for a DLO with other objects under its prefix, and for an SLO on Ceph RGW.

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
    """Digest *file*, which has the bytes of *image*, unless the digest that it has to have is recorded with them.

    :param label: what the message calls the bytes
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
    """Yield the file's parts, each with the digests that it has to have."""
    offset = 0
    for segment in image.pieces:
        sha256 = named_content(location, segment.name)
        digests = {"md5": segment.etag} if sha256 is None else {"md5": segment.etag, "sha256": sha256}
        yield Part(file, offset, segment.size), digests
        offset += segment.size
