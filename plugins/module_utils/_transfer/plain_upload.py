# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Uploads of whole files as one object."""

from __future__ import annotations

from collections.abc import Collection

from .._context import RunContext
from .._model.headers import content_headers
from .._model.image import Image, Path
from .._source.digest import Digests, digest
from .._source.file import OpenFile, PartReader
from .._storage.image_object import ImageObject
from .._storage.races import guarded_name, is_current
from .dedup import Content, DedupIndex, copy_if_same
from .plan import Transfer
from .segment_upload import put_part


class PlainUpload:
    """The upload of an image that needs no segments."""

    def __init__(self, target: ImageObject, file: OpenFile, context: RunContext, dedup: DedupIndex) -> None:
        self._target = target
        self._file = file
        self._progress = context.progress
        self._dedup = dedup

    def digest(self, algorithms: Collection[str]) -> tuple[Digests, Content | None]:
        """Digest the file.

        :param algorithms: as hashlib names them
        :returns: the digests in hex, by algorithm, always with an MD5, because Swift refuses bytes that have another
            one; and the identity of the content, if another image of the task may have the same content
        """
        recorded = {*algorithms, "md5"}
        known_by = {"sha256"} if self._dedup.may_repeat(self._file.size) else set[str]()
        self._progress.begin("reading", self._target.location.label, self._file.size)
        digests = digest(self._file.whole(), recorded | known_by, progress=self._progress)
        content = Content(digests["sha256"], self._file.size) if known_by else None
        return {name: value for name, value in digests.items() if name in recorded}, content

    def predict(self, content: Content | None) -> Transfer:
        """Return what :meth:`put` would send; nothing is sent.

        :param content: as :meth:`digest` returned it
        """
        size = self._file.size
        if content is None:
            return Transfer(bytes_uploaded=size)
        with self._dedup.claim(content, self._target.path) as path:
            return Transfer(bytes_uploaded=size) if path is None else Transfer(bytes_reused=size)

    def put(self, image: Image, content: Content | None, replaced: Image | None) -> Transfer:
        """Store the file as *image*, or have Swift copy it if the task has stored the same content.

        :param image: as it will be
        :param content: as :meth:`digest` returned it
        :param replaced: the current image when the upload began; None if there was none
        :raises AppearedError: another image has the name now
        """
        size = self._file.size
        if content is None:
            self._send(image, replaced)
            return Transfer(bytes_uploaded=size)
        with self._dedup.claim(content, self._target.path) as path:
            if path is not None and self._copy(path, image, replaced):
                return Transfer(bytes_reused=size)
            self._send(image, replaced)
            return Transfer(bytes_uploaded=size)

    def _send(self, image: Image, replaced: Image | None) -> None:
        with guarded_name(self._target, image, replaced) as conditions:
            self._file.check_unchanged()
            headers = {**content_headers(image), **conditions, "ETag": str(image.etag)}
            self._progress.begin("uploading", self._target.location.label, self._file.size)
            put_part(
                self._target.client, self._target.path, PartReader(self._file.whole(), self._progress.add), headers
            )

    def _copy(self, path: Path, image: Image, replaced: Image | None) -> bool:
        """Have Swift copy the object at *path* if nothing has changed under the image's name.

        A request checks that before, because a copy has no condition about its target.
        """
        self._file.check_unchanged()
        is_unchanged = is_current(self._target, replaced or image) is (None if replaced is None else True)
        if not is_unchanged:
            return False
        return copy_if_same(self._target.client, path, self._target.path, str(image.etag), content_headers(image))
