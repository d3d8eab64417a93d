# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The transport of requests to Swift: connections, tokens and retries."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from .._concurrency import Memo
from .._errors import IntegrityError, NotFoundError, UnreachableError
from .._retry import Backoff, seconds_ahead
from .bounds import TooLargeError, bounded_read
from .credentials import ANONYMOUS, V1
from .failures import Failure, explain_answer, explain_nonsense, explain_silence
from .lazy_imports import swift_connection_class
from .session import SwiftSession, find_storage_url, over_service_network

if TYPE_CHECKING:
    from swiftclient.client import Connection as SwiftConnection


# A placeholder for a missing token, which is not sent.
_NO_TOKEN = "no token"

# How a token begins that Ceph RGW gave to one of its own users.
_RGW_TOKEN = "AUTH_rgwtk"

Answer = TypeVar("Answer")


class Transport:
    """A thread-safe sender of requests for one account.

    :param session: logs in, and finds the storage URL
    :param retries: how often a request is retried
    :param most: how many requests may be in flight; None for as many as there are threads
    """

    def __init__(self, session: SwiftSession, retries: int, most: int | None = None) -> None:
        self._session = session
        self._retries = retries
        self._turns = nullcontext() if most is None else threading.BoundedSemaphore(most)
        self._memo = Memo()
        self._lock = threading.Lock()
        # Unlike keystoneauth's session, swiftclient's connections may not be shared between concurrent threads.
        self._idle: list[SwiftConnection] = []
        self.retried = 0
        # How many seconds Swift's clock is ahead of this host's.
        self.clock_ahead = 0.0

    def counting_anew(self) -> Transport:
        """Return a transport that shares login and connections with this one, and counts its own retries."""
        other = copy.copy(self)
        other.retried = 0
        return other

    @property
    def storage_url(self) -> str:
        """The account's URL; the first access logs in."""
        return self._memo.get("storage_url", lambda: self._persist(self._log_in_first))

    def _log_in_first(self) -> str | Failure:
        try:
            return find_storage_url(self._session)
        except UnreachableError as error:
            return _unreachable(error)

    @property
    def is_anonymous(self) -> bool:
        """True if requests have no token."""
        return self._session.auth_type == ANONYMOUS

    @property
    def has_v1_login(self) -> bool:
        """True if the store itself authenticates the user, instead of a Keystone."""
        return self._session.auth_type == V1 or (self._session.token() or "").startswith(_RGW_TOKEN)

    def owns(self, account: str) -> bool:
        """Return False if the login is for another project than that of an account; True if its project is unknown."""
        project_id = self._session.project_id()
        return project_id is None or account.endswith(project_id)

    @property
    def _request_url(self) -> str:
        """The address of requests for the account."""
        return over_service_network(self.storage_url) if self._session.snet else self.storage_url

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            while self._idle:
                self._idle.pop().close()

    def request(self, verb: str, thing: str, send: Callable[[SwiftConnection], Answer]) -> Answer:
        """Send one request.

        :param verb: the action of the request, for the message
        :param thing: the object of the action
        :raises ImageStoreError: the request is refused, or not answered
        """

        def attempt() -> Answer | Failure:
            with self._connection() as swift:
                return self._try(swift, verb, thing, send)

        return self._persist(attempt)

    @contextmanager
    def open(self, verb: str, thing: str, send: Callable[[SwiftConnection], Answer]) -> Iterator[Answer]:
        """Send one request whose answer the block reads, over a connection that only the block uses."""
        with self._connection() as swift:
            yield self._persist(partial(self._try, swift, verb, thing, send))

    def request_if_there(self, verb: str, thing: str, send: Callable[[SwiftConnection], Answer]) -> Answer | None:
        """Send one request; return None if Swift answers 404."""
        try:
            return self.request(verb, thing, send)
        except NotFoundError:
            return None

    def count_retry(self) -> None:
        """Count a retry."""
        with self._lock:
            self.retried += 1

    def _persist(self, attempt: Callable[[], Answer | Failure]) -> Answer:
        """Retry *attempt* until it succeeds, or fails for good."""
        backoff = Backoff(self._retries, self.count_retry)
        while isinstance(outcome := attempt(), Failure):
            if not outcome.is_temporary or not backoff.wait(outcome.retry_after):
                raise outcome.error from outcome.cause
        return outcome

    @contextmanager
    def _connection(self) -> Iterator[SwiftConnection]:
        """Yield a connection that only the block uses, after waiting if too many requests are in flight."""
        with self._turns:
            with self._lock:
                swift = self._idle.pop() if self._idle else None
            swift = swift or self._open()
            try:
                yield swift
            except BaseException:
                # Bytes that were not sent or not read would be taken for the next request, or the next answer.
                swift.close()
                raise
            finally:
                with self._lock:
                    self._idle.append(swift)

    def _try(
        self, swift: SwiftConnection, verb: str, thing: str, send: Callable[[SwiftConnection], Answer]
    ) -> Answer | Failure:
        """Send a request once; after a temporary failure close the connection, so that the next request opens it."""
        outcome = self._try_once(swift, verb, thing, send)
        if isinstance(outcome, Failure) and outcome.is_temporary:
            swift.close()
        return outcome

    def _try_once(
        self, swift: SwiftConnection, verb: str, thing: str, send: Callable[[SwiftConnection], Answer]
    ) -> Answer | Failure:
        from requests.exceptions import RequestException
        from swiftclient.exceptions import ClientException
        from urllib3.exceptions import HTTPError

        try:
            answer = self._send_with_token(swift, send)
            self.clock_ahead = seconds_ahead(swift.http_conn[1].resp.headers)
            return answer
        except UnreachableError as error:
            # The authentication service did not answer when the token was to be renewed.
            return _unreachable(error)
        except ClientException as error:
            return explain_answer(error, verb, thing, self._session.remedy)
        except (RequestException, OSError) as error:
            return explain_silence(error, verb, thing, self._session.has_certificate)
        except TooLargeError as error:
            return Failure(IntegrityError(f"Swift can't {verb} {thing}: the answer has {error}."), False, error)
        except (ValueError, RecursionError, HTTPError) as error:
            return explain_nonsense(error, verb, thing)

    def _send_with_token(self, swift: SwiftConnection, send: Callable[[SwiftConnection], Answer]) -> Answer:
        """Send a request, and once more with a new token if Swift refuses the current one."""
        from swiftclient.exceptions import ClientException

        self._log_in(swift)
        try:
            return send(swift)
        except ClientException as error:
            if error.http_status != HTTPStatus.UNAUTHORIZED or not self._session.renew():
                raise
        self._log_in(swift)
        return send(swift)

    def _log_in(self, swift: SwiftConnection) -> None:
        """Give swiftclient an address and a token; it forgets both if a token is refused."""
        swift.url = self._request_url
        token = self._session.token()
        swift.token = token or _NO_TOKEN
        if swift.http_conn is None:
            swift.http_conn = swift.http_connection()
            http = swift.http_conn[1]
            _use_own_connections(http.request_session, self._session.timeout)
            # A redirect could send the token to another server, and would turn a POST into a GET.
            http.requests_args["allow_redirects"] = False
            http.getresponse = partial(_response_as_sent, http.getresponse, self._session.timeout)
            if token is None:
                http.request = partial(_request_without_token, http.request)

    def _open(self) -> SwiftConnection:
        """Return a new connection; nothing is sent."""
        session = self._session
        certificate, key = session.certificate
        return swift_connection_class()(
            # This class retries itself, because swiftclient would not wait as long as the server asks it to.
            retries=0,
            preauthurl=self._request_url,
            cacert=session.verify if isinstance(session.verify, str) else None,
            insecure=session.verify is False,
            cert=certificate,
            cert_key=key,
            timeout=session.timeout,
        )


def _unreachable(error: UnreachableError) -> Failure:
    return Failure(error, error.may_pass, error.__cause__)


def _use_own_connections(session: Any, timeout: float) -> None:
    from .connection import pool_classes

    for adapter in session.adapters.values():
        adapter.poolmanager.pool_classes_by_scheme = pool_classes(timeout)


def _response_as_sent(getresponse: Callable[[], Any], timeout: float) -> Any:
    """Return swiftclient's answer with its headers as they were sent, and with bounds on reading its body.

    swiftclient fails at a header that is not UTF-8. openstacksdk writes such headers for manifests (seen).

    :param timeout: seconds without a byte
    """
    response = getresponse()
    response.getheaders = lambda: list(response.headers.items())
    response.read = bounded_read(response, timeout)
    return response


def _request_without_token(
    request: Callable[..., Any],
    method: str,
    path: str,
    data: Any = None,
    headers: Mapping[str, Any] | None = None,
    files: Any = None,
) -> Any:
    """Send a request without a token, for a public image: swiftclient itself always sends one."""
    kept = {name: value for name, value in (headers or {}).items() if name.lower() != "x-auth-token"}
    return request(method, path, data, kept, files)
