# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only place that talks to Swift: one login, requests from any number of threads.

Requests are tried again where that may help, and every failure is one of ``_errors``.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property, partial
from http import HTTPStatus
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ._access import Access, find_storage_url, over_service_network
from ._answers import Failure, explain_answer, explain_nonsense, explain_silence
from ._errors import IntegrityError, LoginError, NotFoundError, SwiftError, UnreachableError
from ._libraries import swift_connection_class
from ._location import has_dot_segment
from ._retry import pause_seconds
from ._source import PartReader

if TYPE_CHECKING:
    from swiftclient.client import Connection as SwiftConnection

# OpenStack Swift and Ceph RGW put one of these into every answer about an object or a container.
_SIGNS_OF_SWIFT = frozenset({"x-timestamp", "x-trans-id", "x-openstack-request-id"})

# Stands for the token that there is none of, and is not sent.
_NO_TOKEN = "no token"

Answer = TypeVar("Answer")
Headers = dict[str, str]


class Body(Protocol):
    """What is sent: read once, and sought back for another try."""

    def read(self, size: int = -1) -> bytes: ...

    def seek(self, position: int) -> int: ...

    def tell(self) -> int: ...


class OpenObject:
    """An object that is being read.

    :param headers: names in lower case
    :param body: swiftclient's
    """

    def __init__(self, headers: Headers, body: Any) -> None:
        self.headers = headers
        self.status = int(body.resp.status)
        self.is_at_end = False
        self._body = body

    def read(self, size: int) -> bytes:
        """At most *size* bytes, none at the end.

        :raises OSError: the connection broke
        """
        from requests.exceptions import RequestException
        from urllib3.exceptions import HTTPError

        try:
            data: bytes = self._body.read(size)
        except (HTTPError, RequestException) as error:
            raise ConnectionError(type(error).__name__) from error
        self.is_at_end = not data
        return data


class Connection:
    """Swift, for one account.

    :param access: who asks, and where
    :param retries: how often a request is tried again
    """

    def __init__(self, access: Access, retries: int) -> None:
        self._access = access
        self._retries = retries
        # swiftclient's connections, unlike keystoneauth's session, may not be shared between threads.
        self._local = threading.local()
        self._lock = threading.Lock()
        self._opened: list[SwiftConnection] = []
        self.retried = 0

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @cached_property
    def storage_url(self) -> str:
        """The account's URL; logs in when nothing did before."""
        return find_storage_url(self._access)

    @cached_property
    def _request_url(self) -> str:
        """Where requests for the account go."""
        return over_service_network(self.storage_url) if self._access.snet else self.storage_url

    @cached_property
    def capabilities(self) -> dict[str, Any]:
        """What the cluster's ``/info`` says; empty where there is none."""
        try:
            return self._request("read the capabilities of", "the cluster", lambda swift: swift.get_capabilities())
        except (SwiftError, LoginError) as error:
            if isinstance(error, SwiftError) and error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
            # Operators may switch /info off, or keep it to themselves; Swift's documented defaults hold then.
            return {}

    def head_container(self, container: str) -> Headers | None:
        """The container's headers, names in lower case; None when there is no such container."""

        def head(swift: SwiftConnection) -> Headers:
            swift.head_container(container)
            return _headers_of(swift)

        return self._request_if_there("look at container", container, head)

    def put_container(self, container: str, headers: Mapping[str, str]) -> None:
        """Create a container."""
        self._request(
            "create container", container, lambda swift: swift.put_container(container, headers=dict(headers))
        )

    def list_containers(self, prefix: str) -> Iterator[str]:
        """Names of the account's containers that begin with *prefix*, page by page."""
        marker = ""
        while page := self._list_account(prefix, marker):
            yield from page
            marker = page[-1]

    def _list_account(self, prefix: str, marker: str) -> list[str]:
        _headers, entries = self._request(
            "list the containers of",
            "the account",
            lambda swift: swift.get_account(prefix=prefix or None, marker=marker or None),
        )
        return [entry["name"] for entry in entries]

    def delete_container(self, container: str) -> bool:
        """Delete an empty container; False when it was gone already.

        :raises ConflictError: there is something in it
        """

        def delete(swift: SwiftConnection) -> bool:
            swift.delete_container(container)
            return True

        return bool(self._request_if_there("delete container", container, delete))

    def list_objects(
        self, container: str, prefix: str = "", marker: str = "", end_marker: str = ""
    ) -> Iterator[dict[str, Any]]:
        """The container's listing, page by page; nothing when there is no such container.

        :param marker: names after this one
        :param end_marker: names before this one
        :returns: dicts with ``name``, ``bytes``, ``hash``, ``content_type``, ``last_modified``
        """
        while page := self._list_page(container, prefix, marker, end_marker):
            yield from page
            marker = page[-1]["name"]

    def _list_page(self, container: str, prefix: str, marker: str, end_marker: str) -> list[dict[str, Any]]:
        answer = self._request_if_there(
            "list container",
            container,
            lambda swift: swift.get_container(
                container, prefix=prefix or None, marker=marker or None, end_marker=end_marker or None
            ),
        )
        return list(answer[1]) if answer else []

    def head_object(self, container: str, name: str, manifest: bool = False) -> Headers | None:
        """The object's headers, names in lower case; None when there is none.

        :param manifest: a manifest's own, and not those of the object that it makes of its segments
        """
        query = "multipart-manifest=get" if manifest else None

        def head(swift: SwiftConnection) -> Headers:
            swift.head_object(container, name, query_string=query)
            return _headers_of(swift)

        return self._request_if_there("look at", _path(container, name), head)

    def get_manifest(self, container: str, name: str) -> list[dict[str, Any]]:
        """An SLO's list of segments, as Swift keeps it."""
        _answer, body = self._request(
            "read the manifest of",
            _path(container, name),
            lambda swift: swift.get_object(container, name, query_string="multipart-manifest=get"),
        )
        if not body:
            # Ceph RGW, which does not tell.
            return []
        try:
            return list(json.loads(body))
        except ValueError as error:
            raise IntegrityError(
                f"Swift gave no readable manifest for {container}/{name}: "
                "look at the object with another client before it is changed."
            ) from error

    @contextmanager
    def open_object(self, container: str, name: str, first: int, end: int) -> Iterator[OpenObject]:
        """An object's bytes from *first* on, up to *end* and without it.

        Reading them is not tried again here, and raises OSError.
        """
        headers = {"Range": f"bytes={first}-{end - 1}"}

        def get(swift: SwiftConnection) -> OpenObject:
            _answer, body = swift.get_object(container, name, resp_chunk_size=1, headers=headers)
            return OpenObject(_headers_of(swift), body)

        opened = self._request("read", _path(container, name), get)
        if first and opened.status != HTTPStatus.PARTIAL_CONTENT:
            self._swift().close()
            raise IntegrityError(
                f"What answers for {container}/{name} knows no ranges: ask Swift without what is between."
            )
        try:
            yield opened
        finally:
            if not opened.is_at_end:
                # What was not read would be taken for the next answer.
                self._swift().close()

    def put_object(
        self,
        container: str,
        name: str,
        body: Body,
        size: int,
        headers: Mapping[str, str],
        query: str | None = None,
    ) -> str:
        """Store an object.

        :param body: what can be read, and sought back for another try
        :param size: of *body*, in bytes
        :returns: the ETag that Swift gave it, without quotes
        """
        start = body.tell()

        def put(swift: SwiftConnection) -> str:
            from ._sending import part_body

            body.seek(start)
            contents = part_body(body) if isinstance(body, PartReader) else body
            return str(
                swift.put_object(
                    container, name, contents, content_length=size, headers=dict(headers), query_string=query
                )
            )

        return self._request("store", _path(container, name), put)

    def post_object(self, container: str, name: str, headers: Mapping[str, str]) -> None:
        """Replace an object's metadata; what *headers* lack is dropped by Swift."""
        self._request(
            "change the metadata of",
            _path(container, name),
            lambda swift: swift.post_object(container, name, dict(headers)),
        )

    def delete_object(self, container: str, name: str) -> bool:
        """Delete this object alone, a manifest without its segments; False when it was gone already."""

        def delete(swift: SwiftConnection) -> bool:
            swift.delete_object(container, name)
            return True

        return bool(self._request_if_there("delete", _path(container, name), delete))

    def close(self) -> None:
        """Close every thread's connection."""
        with self._lock:
            for swift in self._opened:
                swift.close()
            self._opened.clear()

    def _request(self, verb: str, thing: str, send: Callable[[SwiftConnection], Answer]) -> Answer:
        """Send one request over this thread's connection.

        :param verb: what is done, for the message
        :param thing: to what
        """
        tries = 1
        while isinstance(outcome := self._try(verb, thing, send), Failure):
            if not outcome.is_temporary or tries > self._retries:
                raise outcome.error from outcome.cause
            self.count_retry()
            self._swift().close()
            time.sleep(pause_seconds(tries, outcome.retry_after))
            tries += 1
        return outcome

    def _try(self, verb: str, thing: str, send: Callable[[SwiftConnection], Answer]) -> Answer | Failure:
        """Send a request once."""
        swift = self._swift()
        from requests.exceptions import RequestException
        from swiftclient.exceptions import ClientException
        from urllib3.exceptions import HTTPError

        try:
            return self._send_with_token(swift, send)
        except UnreachableError as error:
            # The authentication service, where a token is to be renewed.
            return Failure(error, True, error.__cause__)
        except ClientException as error:
            return explain_answer(error, verb, thing, self._access.remedy)
        except (RequestException, OSError) as error:
            return explain_silence(error, verb, thing, self._access)
        except (ValueError, HTTPError) as error:
            return explain_nonsense(error, verb, thing)

    def _send_with_token(self, swift: SwiftConnection, send: Callable[[SwiftConnection], Answer]) -> Answer:
        """Send a request, and once more with a new token where Swift refuses the one that seemed good."""
        from swiftclient.exceptions import ClientException

        self._log_in(swift)
        try:
            return send(swift)
        except ClientException as error:
            if error.http_status != HTTPStatus.UNAUTHORIZED or not self._access.renew():
                raise
        self._log_in(swift)
        return send(swift)

    def _log_in(self, swift: SwiftConnection) -> None:
        """Give swiftclient, which forgets both when a token is refused, an address and a token."""
        swift.url = self._request_url
        token = self._access.token()
        swift.token = token or _NO_TOKEN
        if swift.http_conn is None:
            swift.http_conn = swift.http_connection()
            http = swift.http_conn[1]
            _send_parts_whole(http.request_session)
            # Whoever the answer names would be shown the token, and a POST would become a GET.
            http.requests_args["allow_redirects"] = False
            if token is None:
                http.request = partial(_request_without_token, http.request)

    def _request_if_there(self, verb: str, thing: str, send: Callable[[SwiftConnection], Answer]) -> Answer | None:
        try:
            return self._request(verb, thing, send)
        except NotFoundError:
            return None

    def count_retry(self) -> None:
        """Note that something was tried again."""
        with self._lock:
            self.retried += 1

    def _swift(self) -> SwiftConnection:
        swift = getattr(self._local, "swift", None)
        if swift is None:
            swift = self._local.swift = self._open()
            with self._lock:
                self._opened.append(swift)
        return swift

    def _open(self) -> SwiftConnection:
        access = self._access
        certificate, key = access.certificate
        return swift_connection_class()(
            # Tries are counted here, and it would not wait as the server asks it to.
            retries=0,
            preauthurl=self._request_url,
            cacert=access.verify if isinstance(access.verify, str) else None,
            insecure=access.verify is False,
            cert=certificate,
            cert_key=key,
            timeout=access.timeout,
        )


def _send_parts_whole(session: Any) -> None:
    from ._sending import part_adapter

    for scheme in ("http://", "https://"):
        session.mount(scheme, part_adapter())


def _request_without_token(
    request: Callable[..., Any],
    method: str,
    path: str,
    data: Any = None,
    headers: Mapping[str, Any] | None = None,
    files: Any = None,
) -> Any:
    """What swiftclient's connection does, for a public image: swiftclient itself sends no request without a token."""
    kept = {name: value for name, value in (headers or {}).items() if name.lower() != "x-auth-token"}
    return request(method, path, data, kept, files)


def _path(container: str, name: str) -> str:
    """An object's path as messages show it.

    :raises IntegrityError: a name, from a manifest or a listing, whose request would reach another object
    """
    if has_dot_segment(name):
        raise IntegrityError(
            f"The name {container}/{name} has a part that is only dots, which no HTTP client can ask for: "
            "rename the object on the servers."
        )
    return f"{container}/{name}"


def _headers_of(swift: SwiftConnection) -> Headers:
    """The last answer's headers as Swift sent them, names in lower case.

    swiftclient's own view of them is percent-decoded, which neither an ``X-Object-Manifest`` nor
    metadata with a percent sign survives.
    """
    _url, http = swift.http_conn
    headers = {
        name.lower(): value.encode("latin-1").decode("utf-8", "replace") for name, value in http.resp.headers.items()
    }
    if not _SIGNS_OF_SWIFT.intersection(headers):
        # A captive portal, say, or a web server that says yes to everything.
        raise ValueError("no header of Swift's")
    return headers
