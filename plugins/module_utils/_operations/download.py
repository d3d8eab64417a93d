# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Download of an image to a file, if a comparison shows that the file differs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from http import HTTPStatus
from typing import Any

from .._context import RunContext
from .._errors import (
    DestinationError,
    IntegrityError,
    NoRoomError,
    NotFoundError,
    ReadOnlyFolderError,
    SourceError,
)
from .._model.checksum import Checksum
from .._model.image import Image, ManifestKind
from .._model.location import Location
from .._source.file import OpenFile
from .._source.path import open_path
from .._storage.image_object import ImageObject
from .._storage.manifest import read_all_segments, read_summary
from .._transfer.compare import check_unrecorded, has_same_content
from .._transfer.download import Download, Received, WrongContentError
from .._transfer.part_file import PartFile, PartSpec, open_part
from .._transfer.ranges import Range, RangeReader, Replaced, ranges_of

# How often a download starts, at most, if the image is replaced again and again.
_BEGINNINGS = 3

_ROOT = 0
# The maximum number of parts of a path, including those of the links in it.
_MAX_HOPS = 1000


@dataclass(frozen=True)
class DownloadSpec:
    """The desired state of a file.

    :param target: the file's path
    :param checksum: the expected digest of the image
    :param force: whether a file with other content is replaced
    :param resume: whether to resume an interrupted download, and to keep this one's part file if it is interrupted
    :param retries: how often each range is resumed at the same byte
    :param spare_folder: returns another folder for the part file, for a target's folder that can't be written to; None
        if there is no other folder
    """

    target: str
    checksum: Checksum | None
    force: bool
    resume: bool
    retries: int
    spare_folder: Callable[[], str] | None = None


@dataclass(frozen=True)
class DownloadResult:
    """The result of a download, or in check mode its prediction.

    :param image: the image that the file holds now, or would hold
    :param is_there: whether the file had the image's bytes before, or was left as it is
    :param old_size: of the file before, in bytes; None if there was none
    :param backup: the path of the old file's backup; None if there is none
    """

    image: Image
    is_there: bool
    old_size: int | None
    received: Received
    backup: str | None = None

    def diff(self, target: str) -> dict[str, Any]:
        """Return Ansible's before and after: the size of a file with other content, and the facts of the image."""
        after = {"exists": True, "size": self.image.size, "checksums": dict(self.image.checksums)}
        before: dict[str, Any] = {"exists": self.old_size is not None}
        if self.old_size is not None:
            before = dict(after) if self.is_there else {"exists": True, "size": self.old_size, "checksums": "others"}
        if self.is_there:
            after = dict(before)
        return {"before_header": target, "after_header": target, "before": before, "after": after}


@dataclass(frozen=True)
class FileState:
    """The state of the file before a download.

    :param size: in bytes; None if there is no file
    :param has_content: whether the file has the image's bytes; False if they were not compared
    """

    size: int | None
    has_content: bool


@dataclass(frozen=True)
class DownloadPlan:
    """The plan of a download.

    :param state: of the file
    :param force: whether a file with other content is replaced
    :param ranges: the ranges of the image to fetch
    :param expected: digests of the whole image that prove more than its ranges do, by algorithm
    """

    image: Image
    state: FileState
    force: bool
    ranges: Sequence[Range] = ()
    expected: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_there(self) -> bool:
        """True if the file has the image's bytes, or must be left as it is."""
        return self.state.size is not None and (self.state.has_content or not self.force)

    def predict(self) -> DownloadResult:
        """Return the result for a file that stays, or in check mode for one that would be written."""
        reused = self.image.size if self.is_there else 0
        return DownloadResult(self.image, self.is_there, self.state.size, Received(0, reused))


def target_of(dest: str, name: str) -> str:
    """Return the path of the target: *dest*, or in a folder *dest*, a file with the last part of the image's name.

    :raises DestinationError: there is no folder for the file, or something other than a file in its place
    """
    if "\0" in dest:
        raise DestinationError("dest has a null byte, which is not valid in a path: remove it.")
    target = os.path.join(dest, name.rpartition("/")[2]) if os.path.isdir(dest) or dest.endswith("/") else dest
    _check_links(os.path.abspath(target))
    target = os.path.realpath(target)
    if not os.path.isdir(os.path.dirname(target)):
        raise DestinationError(
            f"There is no folder {os.path.dirname(target)!r} on this host: create it, or correct dest."
        )
    if os.path.exists(target) and not os.path.isfile(target):
        raise DestinationError(f"dest {target!r} is not a regular file, and is not overwritten: choose another path.")
    return target


def _check_links(path: str) -> None:
    """Check that every link on the way to a file belongs to root or to this user.

    In a folder that other users may write to, a link of theirs may lead anywhere.

    :raises DestinationError: a link is another user's
    """
    parts = path.split("/")[::-1]
    folder = "/"
    for _hop in range(_MAX_HOPS):
        if not parts:
            return
        part = parts.pop()
        found = os.path.normpath(os.path.join(folder, part))
        if not os.path.islink(found):
            folder = found
            continue
        if os.lstat(found).st_uid not in (os.geteuid(), _ROOT):
            raise DestinationError(
                f"dest leads through {found!r}, a link that belongs to another user: choose a path without it."
            )
        target = os.readlink(found)
        folder = "/" if target.startswith("/") else folder
        parts += target.split("/")[::-1]
    raise DestinationError(f"dest {path!r} has too many parts or links: choose another path.")


class ImageDownload:
    """The download of an image to a file.

    :param place: moves the complete part file to the target; returns the path of the old file's backup
    """

    def __init__(
        self, source: ImageObject, spec: DownloadSpec, context: RunContext, place: Callable[[str, int, str], str | None]
    ) -> None:
        self._source = source
        self._location = source.location
        self._spec = spec
        self._context = context
        self._place = place

    def run(self) -> DownloadResult:
        """Reconcile the file, and begin again if the image is replaced meanwhile.

        :raises ImageStoreError: the download failed; the file is unchanged unless the message says otherwise
        """
        beginnings = 1
        while True:
            try:
                return self._run_once()
            except Replaced:
                if beginnings == _BEGINNINGS:
                    raise
            beginnings += 1

    def _run_once(self) -> DownloadResult:
        plan = self.plan()
        if plan.is_there or self._context.check_mode:
            return plan.predict()
        return self._carry_out(plan)

    def plan(self) -> DownloadPlan:
        """Read the image's manifest, and compare the file with it; nothing is written.

        :raises ImageStoreError: there is no image that can be downloaded
        """
        summary = read_summary(self._source)
        image = check_downloadable(self._location, summary and read_all_segments(self._source, summary))
        return plan_download(self._location, image, self._read_state(image), self._spec)

    def _read_state(self, image: Image) -> FileState:
        target = self._spec.target
        if not os.path.exists(target):
            return FileState(None, False)
        return FileState(os.path.getsize(target), self._spec.force and self._is_there(image))

    def _carry_out(self, plan: DownloadPlan) -> DownloadResult:
        part = self._open_part(plan.image)
        try:
            if part.has_waited:
                # The other download, which ended meanwhile, may have written the file.
                plan = replace(plan, state=self._read_state(plan.image))
            if plan.is_there:
                part.remove()
                return plan.predict()
            received, backup = self._download(part, plan)
            return DownloadResult(plan.image, False, plan.state.size, received, backup)
        finally:
            part.close()

    def _is_there(self, image: Image) -> bool:
        """Return whether the file has the image's bytes."""
        target = self._spec.target
        try:
            source = open_path(target, None, partial(os.path.dirname, target))
        except SourceError as error:
            raise DestinationError(f"dest {target!r} can't be read: correct its mode, or use become.") from error
        with source as file:
            if not isinstance(file, OpenFile):
                return False
            is_same = has_same_content(file, self._location, image.as_read(), self._context.progress)
            if is_same:
                check_unrecorded(file, image, self._spec.checksum, f"image {self._location.name!r}")
            return is_same

    def _open_part(self, image: Image) -> PartFile:
        spec = self._spec
        part_spec = PartSpec(spec.target, os.path.dirname(spec.target), self._identity(image), image.size, spec.resume)
        try:
            return open_part(part_spec, self._context.warn)
        except ReadOnlyFolderError:
            if spec.spare_folder is None or not os.path.exists(spec.target):
                raise
        return open_part(replace(part_spec, folder=spec.spare_folder()), self._context.warn)

    def _download(self, part: PartFile, plan: DownloadPlan) -> tuple[Received, str | None]:
        part.begin()
        is_kept = self._spec.resume and part.can_be_resumed
        try:
            received = self._fetch(part, plan)
            part.finish()
            backup = self._place(str(part.path), part.descriptor, self._spec.target)
            is_kept = False
            return received, backup
        except (WrongContentError, Replaced, NoRoomError):
            # The next run could not resume the part, or the disk has no room for it.
            is_kept = False
            raise
        finally:
            if is_kept:
                part.keep()
            else:
                part.remove()

    def _fetch(self, part: PartFile, plan: DownloadPlan) -> Received:
        """Fetch the image; if the partial download had different content, fetch all of the image."""
        reader = RangeReader(self._source.client, self._spec.retries)
        self._context.progress.begin("downloading", self._location.label, plan.image.size)
        try:
            return Download(reader, part, plan.ranges, plan.expected, self._context).run()
        except WrongContentError:
            if part.is_new:
                raise
        part.begin(anew=True)
        self._context.progress.begin("downloading", self._location.label, plan.image.size)
        return Download(reader, part, plan.ranges, plan.expected, self._context).run()

    def _identity(self, image: Image) -> str:
        """Return a text that identifies this state of the image."""
        uri = self._location.uri(self._source.client.storage_url)
        return f"{uri} {image.size} {image.effective_etag} {image.last_modified}"


def check_downloadable(location: Location, image: Image | None) -> Image:
    """Return *image* if its bytes can be fetched and proved.

    :param image: with its segments; None if there is none
    :raises NotFoundError: there is no image
    :raises IntegrityError: the image can't be read, or its manifest names no segments
    :raises Replaced: the manifest is not that of the ETag, because the image was replaced between two requests
    """
    if image is None:
        raise NotFoundError(
            f"There is no image {location.name!r} in container {location.container!r}: correct name or container.",
            HTTPStatus.NOT_FOUND,
        )
    if not image.is_readable:
        raise IntegrityError(f"Image {location.name!r} can't be read: {' '.join(image.problems)}")
    if image.is_comparable_by_segments and image.objects and not image.is_proved_by_etag:
        raise Replaced(location.path, HTTPStatus.CONFLICT)
    if image.kind is ManifestKind.DLO and not image.objects and not image.strangers:
        raise IntegrityError(
            f"The manifest of image {location.name!r} names no segments: there are none under "
            f"{image.segment_prefix!r} in container {image.segment_container!r}. Store the image again."
        )
    return image


def plan_download(location: Location, image: Image, state: FileState, spec: DownloadSpec) -> DownloadPlan:
    """Decide what to fetch.

    :param image: that :func:`check_downloadable` returned
    :raises IntegrityError: the recorded digest is not the one that the user expects
    """
    plan = DownloadPlan(image, state, spec.force)
    if plan.is_there:
        return plan
    ranges = ranges_of(location, image)
    return replace(plan, ranges=ranges, expected=expected_digests(image, ranges, spec.checksum))


def expected_digests(image: Image, ranges: Iterable[Range], checksum: Checksum | None) -> Mapping[str, str]:
    """Return the expected digests of the whole image that prove more than its ranges do, by algorithm.

    The ETag of a plain object proves it. The manifest of an SLO proves it if the manifest has the MD5 of each segment.
    A DLO's segments are known from a listing only, which shows the new MD5 of a segment that was overwritten.

    :raises IntegrityError: the recorded digest is not the one that the user expects
    """
    if image.kind is ManifestKind.NONE:
        expected = {"md5": str(image.etag)}
    else:
        is_proved = image.kind is ManifestKind.SLO and all(wanted.md5 for wanted in ranges)
        expected = {} if is_proved else dict(image.checksums)
    if checksum is None:
        return expected
    recorded = image.checksums.get(checksum.algorithm, checksum.hex)
    if recorded != checksum.hex:
        raise IntegrityError(
            f"The image's {checksum.algorithm} is {recorded}, but checksum requires {checksum.hex}: correct checksum, "
            "or store the image again."
        )
    return {**expected, checksum.algorithm: checksum.hex}
