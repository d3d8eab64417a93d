# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files on web servers, which ``url`` and ``checksum`` name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .._errors import SourceError
from .address import parse_address
from .answer import AnswerFacts, facts_of
from .body import Body, Unpacked
from .digest import RunningDigests
from .fingerprint import fingerprint_of, in_common
from .reader import Expected, Source
from .stream import Stream
from .web import RequestOptions, WebFile

_CHUNK = 1024 * 1024
_HTML = "text/html"


class UrlSource:
    """A file on a web server.

    :param option: the option that names it, for messages
    :raises OptionError: the URL is not one of HTTP or HTTPS, or the options can't be used
    """

    def __init__(self, url: str, options: RequestOptions, option: str = "url") -> None:
        self.address = parse_address(url, option)
        self.label = f"{option} {self.address.shown!r}"
        self._file = WebFile(self.address, options, self.label)
        options.check()

    @property
    def name(self) -> str:
        """The file's name."""
        return self.address.name

    def fingerprint(self) -> str | None:
        """Return the fingerprint of the file, by its server's headers; None if they are not sufficient.

        The body is not requested.
        """
        try:
            with self._file.head() as response:
                return fingerprint_of(self.address, facts_of(response, self.label))
        except SourceError:
            # Some servers, and signed URLs, support only GET. Any other problem occurs again with GET.
            return None

    def stream(self, size: int | None, folder: str, expected: Expected) -> Stream:
        """Open the file as a stream, which has its fingerprint.

        :param size: the expected size in bytes; None for the size that the server says
        :param folder: keeps the bytes until they are sent
        :raises SourceError: the answer is not the file, or does not have the expected size
        """
        body = Body(self._file, self._file.get())
        try:
            self._check(body.facts, size, expected)
            if body.facts.encoding and expected.digest is not None and self._is_meant_packed(expected):
                return self._stream(body, body.read, body.facts.length if size is None else size, folder)
            if body.facts.encoding:
                return self._stream(body, Unpacked(body.read, body.facts.encoding, self.label).read, size, folder)
            return self._stream(body, body.read, body.facts.length if size is None else size, folder)
        except SourceError:
            body.close()
            raise

    def _stream(self, body: Body, read: Callable[[int], bytes], size: int | None, folder: str) -> Stream:
        fingerprint = fingerprint_of(self.address, body.facts)
        if fingerprint is not None:
            # A server may give another ETag with each request.
            fingerprint = in_common(fingerprint, self.fingerprint())
        return Stream(read, self.label, size, folder, fingerprint).closes(body.close)

    def _check(self, facts: AnswerFacts, size: int | None, expected: Expected) -> None:
        """Check the facts in an answer's headers.

        :raises SourceError: the answer can't be the file
        """
        length = None if facts.encoding else facts.length
        if size is not None and length is not None and size != length:
            raise SourceError(f"{self.label} has {length} bytes, but size is {size}: correct size.")
        if not facts.tells_end and size is None and expected.digest is None:
            raise SourceError(
                f"{self.label} has no length, so a truncated transfer would not be noticed: set size or checksum."
            )
        if facts.media_type == _HTML and not expected.may_be_html and not self.name.lower().endswith((".html", ".htm")):
            raise SourceError(
                f"{self.label} is a page (text/html), such as a login or an error: correct the URL. If a page is "
                "intended, set content_type or checksum."
            )

    def _is_meant_packed(self, expected: Expected) -> bool:
        """Return whether the expected digest is that of the packed bytes, as they are sent.

        A server may send a Content-Encoding for a file that is published packed. Only reading the file shows whether
        its digest is that of the packed bytes.
        """
        if expected.digest is None:
            return False
        algorithm, digest = expected.digest
        running = RunningDigests([algorithm])
        body = Body(self._file, self._file.get())
        try:
            while chunk := body.read(_CHUNK):
                running.add([chunk])
        finally:
            body.close()
        return running.hex()[algorithm] == digest

    def read_whole(self, most: int) -> bytes:
        """Return the whole file.

        :param most: the maximum size in bytes
        :raises SourceError: the file can't be read, or is larger
        """
        body = Body(self._file, self._file.get())
        facts = body.facts
        read = Unpacked(body.read, facts.encoding, self.label).read if facts.encoding else body.read
        data = b""
        try:
            # One call may return fewer bytes than there are.
            while len(data) <= most and (more := read(most + 1 - len(data))):
                data += more
        finally:
            body.close()
        if len(data) > most:
            raise SourceError(f"{self.label} is larger than the limit of {most} bytes: correct the URL.")
        return data


@dataclass(frozen=True)
class UrlSourceSpec:
    """The source that ``url`` names.

    :param size: the expected size in bytes; None for any size
    :param folder: returns the folder that keeps the bytes until they are sent
    """

    url: UrlSource
    size: int | None
    folder: Callable[[], str]

    def fingerprint(self) -> str | None:
        return self.url.fingerprint()

    def known_size(self) -> int | None:
        return None

    def is_repeatable(self) -> bool:
        return True

    def open(self, expected: Expected) -> Source:
        return self.url.stream(self.size, self.folder(), expected)
