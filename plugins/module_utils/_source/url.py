# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files on web servers, which ``url`` and ``checksum`` name.

The requests are those of ``ansible.builtin.get_url``. A broken download resumes at the byte that it reached.
"""

from __future__ import annotations

import hashlib
import os
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPException
from pathlib import PurePosixPath
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import SplitResult, unquote, urlsplit

from .._errors import OptionError, SourceError
from .._retry import Backoff, is_temporary
from .reader import Source
from .stream import Stream

# Far more than the checksums of a mirror's images take.
_MAX_TEXT_BYTES = 16 * 1024 * 1024

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")

_SCHEMES = ("http", "https")

_AGENT = "ansible-imagestore.swift"


@dataclass(frozen=True)
class RequestOptions:
    """The options of requests to a web server.

    :param headers: of the user's own, shown to the URL's server and to none that it redirects to
    :param timeout: without a byte, in seconds
    :param retries: how often a request is tried again, and a body gone on with, at the same byte
    """

    username: str | None = None
    password: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    validate_certs: bool = True
    ca_cert: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    use_proxy: bool = True
    force_basic_auth: bool = False
    timeout: float = 60
    retries: int = 5


class UrlSource:
    """A file on a web server.

    :param option: that names it, for messages
    :raises OptionError: no URL of HTTP or HTTPS
    """

    def __init__(self, url: str, options: RequestOptions, option: str = "url") -> None:
        self._options = options
        self._option = option
        parts = _split(url if options.username is None else _without_login(url))
        if parts is None or parts.scheme not in _SCHEMES or not parts.hostname:
            raise OptionError(f"{option} is no address of a file: write one that begins with http:// or https://.")
        self.name = PurePosixPath(unquote(parts.path)).name
        # What authenticates is in front of the host, or in the query of a signed URL.
        host = parts.netloc.rpartition("@")[2]
        self.label = f"{option} {parts._replace(netloc=host, query='', fragment='').geturl()!r}"
        self._url = parts.geturl()
        self._parts = parts._replace(netloc=host, fragment="")
        _check_request_options(options)

    def fingerprint(self) -> str | None:
        """Return what identifies the state of the file, by its server's headers; None if they tell too little.

        The body is not asked for.
        """
        try:
            with self._open("HEAD") as response:
                return self._fingerprint_of(response.headers)
        except SourceError:
            # Some servers, and signed URLs, know only GET; whatever else is wrong comes up there again.
            return None

    def stream(self, size: int | None, folder: str) -> Stream:
        """Open the file as a stream, which has its fingerprint.

        :param size: how many bytes it has to have; None for as many as the server says
        :param folder: where bytes are kept until they are sent
        """
        response = self._open("GET")
        length = _length_of(response.headers)
        if size is not None and length is not None and size != length:
            response.close()
            raise SourceError(f"{self.label} has {length} bytes and size says {size}: correct size.")
        body = _Body(self, response, length)
        size = length if size is None else size
        stream = Stream(body.read, self.label, size, folder, self._fingerprint_of(response.headers))
        return stream.closes(body.close)

    def text(self) -> str:
        """Return the whole file, as text.

        :raises SourceError: it can't be had, or is too large for that
        """
        with self._open("GET") as response:
            body = _Body(self, response, _length_of(response.headers))
            data = b""
            # One reading may give less than there is.
            while len(data) <= _MAX_TEXT_BYTES and (more := body.read(_MAX_TEXT_BYTES + 1)):
                data += more
        if len(data) > _MAX_TEXT_BYTES:
            raise SourceError(f"{self.label} is no checksum file: it has more than {_MAX_TEXT_BYTES} bytes.")
        return data.decode("utf-8", "replace")

    @property
    def retries(self) -> int:
        """The number of retries."""
        return self._options.retries

    def reopen(self, position: int, validator: str) -> Any:
        """Return a response that resumes at byte *position* if the file is still the same."""
        return self._open("GET", {"Range": f"bytes={position}-", "If-Range": validator})

    def silence(self, error: Exception) -> SourceError:
        """Return the error for a connection that broke."""
        reason = error.reason if isinstance(error, URLError) and isinstance(error.reason, Exception) else error
        if isinstance(reason, ssl.SSLCertVerificationError):
            return SourceError(
                f"{self.label} is on a server whose certificate is not trusted: name its CA in url_ca_cert."
            )
        return SourceError(
            f"{self.label} can't be read: no answer ({type(reason).__name__}); check the network, and run again."
        )

    def _open(self, method: str, headers: Mapping[str, str] | None = None) -> Any:
        from ansible.module_utils.urls import ConnectionError as AnsibleConnectionError

        backoff = Backoff(self.retries)
        while True:
            try:
                return self._ask(method, headers or {})
            except HTTPError as error:
                error.close()
                if not is_temporary(error.code) or not backoff.wait(error.headers.get("Retry-After")):
                    raise self._refusal(error.code) from error
            except (HTTPException, AnsibleConnectionError, OSError) as error:
                is_untrusted = isinstance(getattr(error, "reason", error), ssl.SSLCertVerificationError)
                if is_untrusted or not backoff.wait():
                    raise self.silence(error) from error
            except ValueError as error:
                raise OptionError(f"{self._option} is no address that can be asked: correct it.") from error

    def _ask(self, method: str, headers: Mapping[str, str]) -> Any:
        # Most tasks have a file, and do without the time that this import takes.
        from ansible.module_utils.urls import open_url

        options = self._options
        response = open_url(
            self._url,
            method=method,
            # A file that is compressed on the way would have no length, and another digest.
            headers={"Accept-Encoding": "identity", **options.headers, **headers},
            decompress=False,
            unredirected_headers=["Authorization", *options.headers],
            follow_redirects="safe",
            http_agent=_AGENT,
            timeout=options.timeout,
            url_username=options.username,
            url_password=options.password,
            force_basic_auth=options.force_basic_auth,
            validate_certs=options.validate_certs,
            ca_path=options.ca_cert,
            client_cert=options.client_cert,
            client_key=options.client_key,
            use_proxy=options.use_proxy,
        )
        if urlsplit(response.url).scheme not in _SCHEMES:
            response.close()
            raise SourceError(f"{self.label} redirects to what is neither HTTP nor HTTPS: correct it.")
        return response

    def _refusal(self, status: int) -> SourceError:
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            return SourceError(
                f"{self.label} is refused ({status}): correct it, or set url_username and url_password, or url_headers."
            )
        if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
            return SourceError(f"{self.label} is not there ({status}): correct it.")
        return SourceError(f"{self.label} can't be read: its server answered {status}; run again later.")

    def _fingerprint_of(self, headers: Mapping[str, str]) -> str | None:
        says = [headers.get(name) or "" for name in ("ETag", "Last-Modified")]
        if not any(says):
            return None
        # One value for all, which shows nothing of a URL that may be signed.
        # A strong ETag tells states of a file apart, and so a signature in the query need not.
        told = _strong(headers.get("ETag"))
        identity = self._parts._replace(query="" if told else self._parts.query).geturl()
        text = "\n".join([identity, *says, headers.get("Content-Length") or ""])
        return hashlib.sha256(text.encode("utf-8")).hexdigest()


class _Body:
    """The bytes of a response, resumed over a new connection if one breaks.

    :param length: of all of them, None where the server does not say
    """

    def __init__(self, source: UrlSource, response: Any, length: int | None) -> None:
        self._source = source
        self._response = response
        self._length = length
        self._position = 0
        self._validator = _strong(response.headers.get("ETag")) or response.headers.get("Last-Modified")

    def read(self, size: int) -> bytes:
        """Return at most *size* bytes, none at the end."""
        backoff = Backoff(self._source.retries)
        while True:
            data, failure = self._try_to_read(size)
            if data or failure is None:
                self._position += len(data)
                return data
            if self._validator is None or self._length is None or not backoff.wait():
                raise failure
            self._resume(failure)

    def close(self) -> None:
        """Close the response."""
        self._response.close()

    def _try_to_read(self, size: int) -> tuple[bytes, SourceError | None]:
        """Return the next bytes; if there are none although there should be, also the error."""
        try:
            data = self._response.read(size)
        except (HTTPException, OSError, ValueError) as error:
            return b"", self._source.silence(error)
        if data or self._length is None or self._position >= self._length:
            return data, None
        ended = f"{self._source.label} ended after {self._position} of {self._length} bytes: run again."
        return b"", SourceError(ended)

    def _resume(self, failure: SourceError) -> None:
        self._response.close()
        self._response = self._source.reopen(self._position, str(self._validator))
        begins = (self._response.headers.get("Content-Range") or "").startswith(f"bytes {self._position}-")
        if self._response.status != HTTPStatus.PARTIAL_CONTENT or not begins:
            # It can't, or it is another file by now.
            raise failure


def _split(url: str) -> SplitResult | None:
    """Return the parts of a URL; None if no request can be sent to it."""
    try:
        parts = urlsplit(url)
        # Asking for the port is what finds one that is none.
        can_be_asked = parts.port != 0 and url.isprintable() and " " not in url
    except ValueError:
        return None
    return parts if can_be_asked else None


def _without_login(url: str) -> str:
    """Return a URL without its user and password, which options replace."""
    scheme, separator, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    return scheme + separator + authority.rpartition("@")[2] + slash + path


def _strong(etag: str | None) -> str | None:
    """Return a strong ETag; None for a weak one, which says nothing of single bytes (RFC 9110, 13.1.5)."""
    return etag if etag and not etag.startswith("W/") else None


def _check_request_options(options: RequestOptions) -> None:
    """Refuse what no request can be made with, before one is tried again and again.

    :raises OptionError: a file that is not there or holds no certificate, or a header that can't be sent
    """
    for option, path in (
        ("url_ca_cert", options.ca_cert),
        ("url_client_cert", options.client_cert),
        ("url_client_key", options.client_key),
    ):
        if path is not None and not os.path.isfile(path):
            raise OptionError(f"{option} {path!r} is no file on this host: correct the path.")
    try:
        ssl.create_default_context(cafile=options.ca_cert)
        if options.client_cert:
            ssl.create_default_context().load_cert_chain(options.client_cert, options.client_key)
    except (ssl.SSLError, OSError) as error:
        raise OptionError(
            f"url_ca_cert, url_client_cert or url_client_key can't be used ({type(error).__name__}): name PEM files."
        ) from error
    for name, value in options.headers.items():
        if not _HEADER_NAME.fullmatch(name) or not (value.isascii() and value.isprintable()):
            raise OptionError(f"url_headers has {name!r}, whose name or value no header can have: correct it.")


def _length_of(headers: Mapping[str, str]) -> int | None:
    length = headers.get("Content-Length") or ""
    return int(length) if length.isdecimal() else None


@dataclass(frozen=True)
class UrlSourceSpec:
    """The source that ``url`` names.

    :param size: how many bytes there have to be; None for as many as there are
    :param folder: gives where the bytes are kept until they are sent
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

    def open(self) -> Source:
        return self.url.stream(self.size, self.folder())
