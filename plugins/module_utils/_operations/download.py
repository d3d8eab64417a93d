# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lets a file hold what an image does: finds out whether it does, and downloads the image where it does not."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from .._errors import DestinationError, IntegrityError, NotFoundError, SourceError
from .._model.checksum import Checksum
from .._model.image import Image, ManifestKind
from .._model.location import Location
from .._progress import Progress
from .._source.digest import digest
from .._source.file import OpenFile
from .._source.path import open_path
from .._storage.manifest import read_all_segments, read_summary
from .._swift.client import SwiftClient
from .._transfer.compare import same_content
from .._transfer.download import Download, Received
from .._transfer.part_file import PartFile
from .._transfer.ranges import RangeReader, Replaced, ranges_of

# How often it is begun anew where the image is replaced again and again.
_BEGINNINGS = 3


@dataclass(frozen=True)
class DownloadSpec:
    """What is wished.

    :param target: the file
    :param checksum: what the image's digest has to be
    :param force: whether a file with other content is replaced
    :param resume: whether what a run that was cut off left is gone on with, and left
    :param concurrency: requests at once
    :param retries: how often each is gone on with at the same byte
    """

    target: str
    checksum: Checksum | None
    force: bool
    resume: bool
    concurrency: int
    retries: int


@dataclass(frozen=True)
class Outcome:
    """What became of it.

    :param image: that the file holds now, or is to hold
    :param is_there: whether the file held it before, or was left as it is
    :param old_size: of the file before, None where there was none
    """

    image: Image
    is_there: bool
    old_size: int | None
    received: Received

    def diff(self, target: str) -> dict[str, Any]:
        """Ansible's before and after; a file with another content is told by its size and what is known of the new."""
        after = {"exists": True, "size": self.image.size, "checksums": dict(self.image.checksums)}
        before: dict[str, Any] = {"exists": self.old_size is not None}
        if self.old_size is not None:
            before = dict(after) if self.is_there else {"exists": True, "size": self.old_size, "checksums": "others"}
        if self.is_there:
            after = dict(before)
        return {"before_header": target, "after_header": target, "before": before, "after": after}


def target_of(dest: str, name: str) -> str:
    """The file that *dest* names: itself, or one in that folder that is called as the image's last part.

    :raises DestinationError: there is no folder for it, or something that is no file in its place
    """
    target = os.path.join(dest, name.rpartition("/")[2]) if os.path.isdir(dest) or dest.endswith("/") else dest
    target = os.path.realpath(target)
    if not os.path.isdir(os.path.dirname(target)):
        raise DestinationError(
            f"There is no folder {os.path.dirname(target)!r} on this host: make it, or correct dest."
        )
    if os.path.exists(target) and not os.path.isfile(target):
        raise DestinationError(f"dest {target!r} is no regular file, and is not written over: name another one.")
    return target


class ImageDownload:
    """Lets the file hold the image.

    :param check_mode: whether nothing may be written
    :param move: puts the whole part in the file's place
    :param progress: counts what is compared, and what comes
    """

    def __init__(
        self,
        client: SwiftClient,
        location: Location,
        spec: DownloadSpec,
        check_mode: bool,
        move: Callable[[str, str], None],
        progress: Progress,
    ) -> None:
        self._client = client
        self._progress = progress
        self._location = location
        self._spec = spec
        self._check_mode = check_mode
        self._move = move

    def run(self) -> Outcome:
        """Do it, and begin anew where the image is replaced meanwhile.

        :raises ImageStoreError: it can't be done; the file is as it was
        """
        beginnings = 1
        while True:
            try:
                return self._run_once()
            except Replaced:
                if beginnings == _BEGINNINGS:
                    raise
            beginnings += 1

    def _run_once(self) -> Outcome:
        told = read_summary(self._client, self._location)
        image = told and read_all_segments(self._client, self._location, told)
        if image is None:
            raise NotFoundError(
                f"There is no image {self._location.name!r} in container {self._location.container!r}: correct name or "
                "container.",
                404,
            )
        if image.kind is ManifestKind.DLO and not image.objects and not image.strangers:
            raise IntegrityError(
                f"Image {self._location.name!r} has a manifest and no segments, which lay under "
                f"{image.segment_prefix!r} in container {image.segment_container!r}: store it anew."
            )
        target = self._spec.target
        old_size = os.path.getsize(target) if os.path.exists(target) else None
        if old_size is not None and (not self._spec.force or self._is_there(image)):
            return Outcome(image, True, old_size, Received(0, image.size))
        expected = _expected(image, self._spec.checksum)
        received = Received(0, 0) if self._check_mode else self._download(image, expected)
        return Outcome(image, False, old_size, received)

    def _is_there(self, image: Image) -> bool:
        """Whether the file holds the image's bytes."""
        target = self._spec.target
        try:
            source = open_path(target, None, partial(os.path.dirname, target))
        except SourceError as error:
            raise DestinationError(f"dest {target!r} can't be read: correct its mode, or use become.") from error
        with source as file:
            return isinstance(file, OpenFile) and _holds(
                file, self._location, image, self._spec.checksum, self._progress
            )

    def _download(self, image: Image, expected: Mapping[str, str]) -> Received:
        spec = self._spec
        part = PartFile(spec.target, self._identity(image), image.size, spec.resume)
        try:
            reader = RangeReader(self._client, spec.retries)
            ranges = ranges_of(self._location, image)
            self._progress.begin("downloading", self._location.label, image.size)
            received = Download(reader, part, ranges, expected, spec.concurrency, self._progress).run()
            self._move(str(part.path), spec.target)
            part.remove_note()
            return received
        except (IntegrityError, DestinationError, Replaced):
            # What is wrong stays wrong, and a full disk is no place to keep it.
            part.remove()
            raise
        finally:
            part.close()
            if not spec.resume:
                part.remove()

    def _identity(self, image: Image) -> str:
        """What tells an image from the one that was there before it."""
        uri = self._location.uri(self._client.storage_url)
        return f"{uri} {image.size} {image.effective_etag} {image.last_modified}"


def _holds(file: OpenFile, location: Location, image: Image, checksum: Checksum | None, progress: Progress) -> bool:
    is_same = same_content(file, location, image, progress)
    if is_same and checksum and image.checksums.get(checksum.algorithm) != checksum.hex:
        checksum.check(digest(file.whole(), [checksum.algorithm]), f"image {location.name!r}")
    return is_same


def _expected(image: Image, checksum: Checksum | None) -> Mapping[str, str]:
    """What digests of the whole have to be.

    :raises IntegrityError: what is recorded is not what the user expects
    """
    expected = dict(image.checksums)
    if checksum is None:
        return expected
    recorded = expected.setdefault(checksum.algorithm, checksum.hex)
    if recorded != checksum.hex:
        raise IntegrityError(
            f"The image's {checksum.algorithm} is {recorded}, and checksum says {checksum.hex}: correct one of them."
        )
    return expected
