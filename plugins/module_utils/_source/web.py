# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests to web servers: redirects, credentials, and checks that an answer matches the request.

The requests are those of ``ansible.builtin.get_url``, except for redirects, and for credentials from ``~/.netrc``.
"""

from __future__ import annotations

import os
import re
import ssl
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError

from .._errors import OptionError, SourceError
from .._retry import Backoff, is_temporary
from .address import Address, Origin

_AGENT = "ansible-imagestore.swift"
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")

_MAX_REDIRECTS = 10
_REDIRECTS = frozenset(
    {
        HTTPStatus.MOVED_PERMANENTLY,
        HTTPStatus.FOUND,
        HTTPStatus.SEE_OTHER,
        HTTPStatus.TEMPORARY_REDIRECT,
        HTTPStatus.PERMANENT_REDIRECT,
    }
)


@dataclass(frozen=True)
class RequestOptions:
    """The options of requests to a web server.

    :param headers: the user's own
    :param timeout: without a byte, in seconds
    :param retries: how often a request is retried, and a broken body resumed, at the same byte
    :param origin: the server that the headers and the credentials are for; None for the server of the first request
    :param is_proved: whether a digest that the user wrote proves what arrives
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
    origin: Origin | None = None
    is_proved: bool = False

    def check(self) -> None:
        """Refuse options with which no request can succeed, before one is retried again and again.

        :raises OptionError: a file does not exist or holds no certificate, or a header can't be sent
        """
        for option, path in (
            ("url_ca_cert", self.ca_cert),
            ("url_client_cert", self.client_cert),
            ("url_client_key", self.client_key),
        ):
            if path is not None and not os.path.isfile(path):
                raise OptionError(f"{option} {path!r} is not a file on this host: correct the path.")
        try:
            ssl.create_default_context(cafile=self.ca_cert)
            if self.client_cert:
                ssl.create_default_context().load_cert_chain(self.client_cert, self.client_key)
        except (ssl.SSLError, OSError) as error:
            raise OptionError(
                f"url_ca_cert, url_client_cert or url_client_key can't be used ({type(error).__name__}): use PEM files."
            ) from error
        for name, value in self.headers.items():
            if not _HEADER_NAME.fullmatch(name) or not (value.isascii() and value.isprintable()):
                raise OptionError(
                    f"url_headers has {name!r}, whose name or value is not valid in a header: correct url_headers."
                )

    @property
    def has_secrets(self) -> bool:
        """True if a request holds anything that is meant for one server only."""
        return self.username is not None or bool(self.headers) or self.client_cert is not None

    def without_secrets(self) -> RequestOptions:
        """Return the options of a request to another server."""
        return replace(self, username=None, password=None, headers={}, client_cert=None, client_key=None)

    def with_login_of(self, address: Address) -> RequestOptions:
        """Return the options of a request to an address, with the login in the address if there is no other."""
        if self.username is not None or address.login is None:
            return self
        return replace(self, username=address.login[0], password=address.login[1])


class WebFile:
    """A file on a web server.

    :param label: the file's name in messages
    """

    def __init__(self, address: Address, options: RequestOptions, label: str) -> None:
        self.address = address
        self.label = label
        self.options = options
        self._origin = options.origin or address.origin

    def head(self) -> Any:
        """Return the answer to a HEAD.

        :raises SourceError: the answer is not a success
        """
        return self._whole(self._open("HEAD", {}))

    def get(self) -> Any:
        """Return the answer to a GET of the whole file.

        :raises SourceError: the answer is not the whole file
        """
        return self._whole(self._open("GET", {}))

    def get_from(self, position: int, validator: str) -> Any:
        """Return the answer to a GET from byte *position*: the rest if the file is unchanged, or else the whole file.

        :param validator: a strong one (RFC 9110, 13.1.5)
        :raises SourceError: the answer is neither
        """
        response = self._open("GET", {"Range": f"bytes={position}-", "If-Range": validator})
        if response.status == HTTPStatus.PARTIAL_CONTENT:
            return response
        if response.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            # An answer without a length may have broken off after its last byte.
            response.close()
            return self.get()
        return self._whole(response)

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

    def _whole(self, response: Any) -> Any:
        if response.status == HTTPStatus.OK:
            return response
        response.close()
        raise SourceError(
            f"{self.label} can't be read: the server answered {response.status} instead of 200 to a request for the "
            "whole file; correct the URL."
        )

    def _open(self, method: str, headers: Mapping[str, str]) -> Any:
        address = self.address
        backoff = Backoff(self.options.retries)
        for _hop in range(_MAX_REDIRECTS + 1):
            response = self._request(address, method, headers, backoff)
            if response.status not in _REDIRECTS:
                return response
            response.close()
            address = self._redirected(address, response.headers.get("Location") or "")
        raise SourceError(f"{self.label} redirects more than {_MAX_REDIRECTS} times: correct the URL.")

    def _redirected(self, address: Address, location: str) -> Address:
        """Return the address to which a redirect leads.

        :raises SourceError: the redirect is not followed
        """
        with suppress(UnicodeError):
            # Python reads headers as Latin-1, and servers write addresses in UTF-8.
            location = location.encode("latin-1").decode("utf-8")
        try:
            target = address.follow(location)
        except ValueError as error:
            raise SourceError(
                f"{self.label} redirects to an address that is neither HTTP nor HTTPS: correct the URL."
            ) from error
        is_safe = self.options.is_proved and not (self.options.has_secrets or self.address.login)
        if address.scheme == "https" and target.scheme == "http" and not is_safe:
            raise SourceError(
                f"{self.label} redirects from https to {target.shown}, where others on the network could change the "
                "file: use that address itself, or set checksum to the file's digest in hex."
            )
        return target

    def _request(self, address: Address, method: str, headers: Mapping[str, str], backoff: Backoff) -> Any:
        from ansible.module_utils.urls import ConnectionError as AnsibleConnectionError

        while True:
            try:
                return self._within_time(address, method, headers)
            except HTTPError as error:
                if error.code in (*_REDIRECTS, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE):
                    return error
                error.close()
                if not is_temporary(error.code) or not backoff.wait(error.headers.get("Retry-After")):
                    raise self._refusal(error.code) from error
            except (HTTPException, AnsibleConnectionError, OSError) as error:
                is_untrusted = isinstance(getattr(error, "reason", error), ssl.SSLCertVerificationError)
                if is_untrusted or not backoff.wait():
                    raise self.silence(error) from error
            except ValueError as error:
                raise SourceError(f"{self.label} is not a valid URL: correct the URL.") from error

    def _within_time(self, address: Address, method: str, headers: Mapping[str, str]) -> Any:
        """Send a request, and wait for all headers of the answer.

        A socket's timeout counts from one byte to the next, so that a server could send a header forever.
        """
        answer: Future[Any] = Future()

        def work() -> None:
            try:
                answer.set_result(self._send(address, method, headers))
            except Exception as error:
                answer.set_exception(error)

        threading.Thread(target=work, daemon=True).start()
        try:
            return answer.result(2 * self.options.timeout)
        except FutureTimeoutError as error:
            # Before Python 3.11, this is not the built-in TimeoutError, which is an OSError.
            raise TimeoutError("the headers of the answer are too slow") from error

    def _send(self, address: Address, method: str, headers: Mapping[str, str]) -> Any:
        # Most tasks read a file, and need not spend time on these imports.
        from ansible.module_utils.urls import open_url
        from requests.utils import should_bypass_proxies

        options = self.options if address.origin == self._origin else self.options.without_secrets()
        if address.origin == self.address.origin:
            options = options.with_login_of(self.address)
        return open_url(
            address.url,
            method=method,
            # A file that is packed for the transfer would have no length.
            headers={"Accept-Encoding": "identity", **options.headers, **headers},
            decompress=False,
            follow_redirects="none",
            http_agent=_AGENT,
            timeout=options.timeout,
            url_username=options.username,
            url_password=options.password,
            force_basic_auth=options.force_basic_auth and options.username is not None,
            validate_certs=options.validate_certs,
            ca_path=options.ca_cert,
            client_cert=options.client_cert,
            client_key=options.client_key,
            # no_proxy has the same rules as in requests to Swift, which support networks, too.
            use_proxy=options.use_proxy and not should_bypass_proxies(address.url, no_proxy=None),
            use_netrc=False,
        )

    def _refusal(self, status: int) -> SourceError:
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            return SourceError(
                f"{self.label} is refused ({status}): correct the URL, or set url_username and url_password, or "
                "url_headers."
            )
        if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
            return SourceError(f"{self.label} does not exist ({status}): correct the URL.")
        remedy = "run again later" if is_temporary(status) else "correct the URL"
        return SourceError(f"{self.label} can't be read: the server answered {status}; {remedy}.")
