# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A whole file as one object."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial

from .._model.headers import content_headers
from .._model.image import Image, Path
from .._model.location import Location
from .._progress import Progress
from .._source.digest import digest
from .._source.file import OpenFile, PartReader
from .._storage.races import stands
from .._swift.client import SwiftClient
from .dedup import Content, DedupIndex, copy_if_same
from .segment_upload import Sent, Transfer, put_part


class PlainUpload:
    """One image that needs no segments.

    :param algorithms: of the digests that are recorded with it, beside its MD5
    :param progress: counts what is read and sent
    :param dedup: what the task has stored of other images
    """

    def __init__(
        self,
        client: SwiftClient,
        location: Location,
        file: OpenFile,
        algorithms: Collection[str],
        progress: Progress,
        dedup: DedupIndex,
    ) -> None:
        self._client = client
        self._location = location
        self._path: Path = (location.container, location.name)
        self._file = file
        self._progress = progress
        self._dedup = dedup
        recorded = {*algorithms, "md5"}
        known_by = {"sha256"} if dedup.may_have(file.size) else set[str]()
        progress.begin("reading", location.label, file.size)
        digests = digest(file.whole(), recorded | known_by, progress=progress)
        self._sha256 = digests["sha256"] if known_by else None
        self.sent = Sent((), {name: value for name, value in digests.items() if name in recorded})

    def run(
        self, image: Image, put_in_place: Callable[[Callable[[Mapping[str, str]], None]], None], before: Image | None
    ) -> Transfer:
        """Send it, or have it copied where another image of the task has the same content.

        :param image: as it will stand; Swift refuses what arrives with another MD5 than its ETag
        :param put_in_place: calls what it is given with headers that say what must not stand there
        :param before: what stood there when the upload began
        """
        send = partial(put_in_place, partial(self._send, image))
        size = self._file.size
        if self._sha256 is None:
            send()
            return Transfer(bytes_uploaded=size)
        copy = partial(self._copy, image, before)
        is_sent = self._dedup.store(Content(self._sha256, size), self._path, send, copy)
        return Transfer(bytes_uploaded=size) if is_sent else Transfer(bytes_reused=size)

    def _send(self, image: Image, conditions: Mapping[str, str]) -> None:
        self._file.check_unchanged()
        headers = {**content_headers(image), **conditions, "ETag": str(image.etag)}
        self._progress.begin("uploading", self._location.label, self._file.size)
        put_part(self._client, self._path, PartReader(self._file.whole(), self._progress.add), headers)

    def _copy(self, image: Image, before: Image | None, source: Path) -> bool:
        """Let Swift copy it, if all is as it was under its name: to a copy Swift takes no condition for that."""
        self._file.check_unchanged()
        if stands(self._client, self._location, before or image) is not (None if before is None else True):
            return False
        return copy_if_same(self._client, source, self._path, str(image.etag), content_headers(image))
