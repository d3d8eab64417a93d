# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An account's containers in Swift, and the cluster's capabilities."""

from __future__ import annotations

import copy
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote

from .._concurrency import Memo
from .._errors import ConflictError, ForbiddenError, IntegrityError, LoginError, SwiftError
from .._model.capabilities import Capabilities
from .._model.headers import DEFECT, is_repeated
from .._model.location import can_be_requested
from .failures import CREATE
from .session import SwiftSession
from .transport import Transport

if TYPE_CHECKING:
    from swiftclient.client import Connection as SwiftConnection

# A token of RFC 9110, without the characters that no header of Swift's has.
_HEADER_NAME = re.compile(r"[A-Za-z0-9._-]+")

# Names in lower case.
Headers = dict[str, str]

# The entries of a page, if a page of Swift's own size is too large.
_SMALL_PAGE = 1000
# The maximum entries of one listing: more would fill the memory of the host that runs a task.
_MAX_ENTRIES = 400_000

Client = TypeVar("Client", bound="AccountClient")
Answer = TypeVar("Answer")

# OpenStack Swift and Ceph RGW put one of these into every answer about an object or a container.
_SIGNS_OF_SWIFT = frozenset({"x-timestamp", "x-trans-id", "x-openstack-request-id"})


class AccountClient:
    """Requests for one account and its containers.

    :param session: logs in, and finds the storage URL
    :param retries: how often a request is retried
    :param most: how many requests may be in flight; None for as many as there are threads
    """

    def __init__(self, session: SwiftSession, retries: int, most: int | None = None) -> None:
        self._transport = Transport(session, retries, most)
        self._memo = Memo()
        self._known_containers: set[str] = set()
        # Set as soon as a static large object's manifest was read.
        self._has_told_manifest = threading.Event()

    def counting_anew(self: Client) -> Client:
        """Return a client that shares login and memoized results with this one, and counts its own retries."""
        other = copy.copy(self)
        other._transport = self._transport.counting_anew()
        return other

    @property
    def storage_url(self) -> str:
        """The account's URL; the first access logs in."""
        return self._transport.storage_url

    @property
    def account(self) -> str:
        """The account's name."""
        return unquote(self.storage_url.rstrip("/").rpartition("/")[2])

    @property
    def has_v1_login(self) -> bool:
        """True if the store itself authenticates the user, instead of a Keystone."""
        return self._transport.has_v1_login

    def now(self) -> float:
        """Return the seconds since the epoch by the clock of Swift's last answer; before that, by this host's clock."""
        return time.time() + self._transport.clock_ahead

    @property
    def retried(self) -> int:
        """The number of retries."""
        return self._transport.retried

    def count_retry(self) -> None:
        """Count a retry."""
        self._transport.count_retry()

    def __enter__(self: Client) -> Client:
        return self

    def __exit__(self, *_error: object) -> None:
        self._transport.close()

    @property
    def capabilities(self) -> Capabilities:
        """The cluster's capabilities; ``/info`` is requested once.

        A manifest that was read is better evidence than ``/info``: a newer Ceph RGW may return manifests.
        """
        told = self._memo.get("capabilities", self._ask_capabilities)
        return replace(told, tells_manifests=True) if told.has_slo and self._has_told_manifest.is_set() else told

    def _ask_capabilities(self) -> Capabilities:
        try:
            info = self._transport.request(
                "read the capabilities of", "the cluster", lambda swift: swift.get_capabilities()
            )
        except (SwiftError, LoginError) as error:
            if isinstance(error, SwiftError) and error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
            # Operators may switch /info off, or restrict it to themselves.
            info = {}
        return Capabilities.from_info(info)

    def remember(self, key: str, compute: Callable[[], Answer]) -> Answer:
        """Return the memoized result of *compute* for *key*, which all clients of the same login share."""
        return self._memo.get(f"remembered {key}", compute)

    @property
    def owns_account(self) -> bool:
        """True if these credentials may read the account itself, as its operators may."""
        return self._memo.get("owns_account", self._ask_account)

    def _ask_account(self) -> bool:
        def head(swift: SwiftConnection) -> bool:
            swift.head_account()
            return True

        try:
            return bool(self._transport.request_if_there("read the metadata of", "the account", head))
        except (ForbiddenError, LoginError):
            return False

    def head_container(self, container: str) -> Headers | None:
        """Return the container's headers, names in lower case; None if there is no such container."""

        def head(swift: SwiftConnection) -> Headers:
            swift.head_container(self._address_of(container))
            return headers_of(swift)

        return self._request_in(container, "read the metadata of container", container_path(container), head)

    def _request_in(
        self, container: str, verb: str, thing: str, send: Callable[[SwiftConnection], Answer]
    ) -> Answer | None:
        """Send one request about a container or an object in it; return None if it does not exist.

        Ceph RGW answers 400 for a name that none of its containers can have. Manifests may refer to such a name.
        """
        try:
            return self._transport.request_if_there(verb, thing, send)
        except SwiftError as error:
            if error.status == HTTPStatus.BAD_REQUEST and self.capabilities.can_not_name(container):
                return None
            raise

    def _address_of(self, container: str) -> str:
        """Return the container's path for a request: Ceph RGW redirects requests without a token to a final slash."""
        return f"{container}/" if self._transport.is_anonymous else container

    def has_container(self, container: str) -> bool:
        """Return whether there is such a container; a container that was found is not requested again."""
        if container not in self._known_containers and self.head_container(container) is not None:
            self._known_containers.add(container)
        return container in self._known_containers

    def put_container(self, container: str, headers: Mapping[str, str]) -> None:
        """Create a container.

        Ceph RGW answers 409 if two are created at once in a new account, or if the container was created meanwhile.
        """

        def put() -> None:
            self._transport.request(
                CREATE,
                container_path(container),
                lambda swift: swift.put_container(container, headers=dict(headers)),
            )

        try:
            try:
                put()
            except ConflictError:
                if self.head_container(container) is None:
                    put()
        except SwiftError as error:
            if self.capabilities.can_not_name(container):
                error.add(
                    "On this store (Ceph RGW), a container's name has at most 255 bytes, and before release 18 at "
                    "least 3: choose another container."
                )
            raise

    def post_container(self, container: str, headers: Mapping[str, str]) -> None:
        """Change a container's headers; other headers stay unchanged."""
        self._transport.request(
            "change the access to container",
            container_path(container),
            lambda swift: swift.post_container(container, dict(headers)),
        )

    def list_containers(self, prefix: str) -> Iterator[str]:
        """Yield the names of the account's containers that begin with *prefix*, page by page.

        :raises ForbiddenError: the account is another project's, and Ceph RGW would list that of the login instead
        """
        # Seen on Ceph RGW 20: it answers 200 with the containers of the login's project. RGW 16 answers 403.
        if self.capabilities.is_rgw and not self._transport.owns(self.account):
            raise ForbiddenError(
                "This store (Ceph RGW) does not list the containers of another project: log in to that project.",
                HTTPStatus.FORBIDDEN,
            )

        def list_page(marker: str, limit: int | None) -> list[dict[str, Any]]:
            _headers, entries = self._transport.request(
                "list the containers of",
                "the account",
                lambda swift: swift.get_account(prefix=prefix or None, marker=marker or None, limit=limit),
            )
            return entries_of(entries)

        return (entry["name"] for entry in _pages("the account", "", list_page))

    def delete_container(self, container: str) -> bool:
        """Delete an empty container; return False if it was gone.

        :raises ConflictError: there is something in it
        """

        def delete(swift: SwiftConnection) -> bool:
            swift.delete_container(container)
            return True

        self._known_containers.discard(container)
        return bool(self._transport.request_if_there("delete container", container_path(container), delete))

    def list_objects(
        self, container: str, prefix: str = "", marker: str = "", end_marker: str = ""
    ) -> Iterator[dict[str, Any]]:
        """List a container, page by page; nothing if there is no such container.

        :param marker: names after this one
        :param end_marker: names before this one
        :returns: dicts with ``name``, ``bytes``, ``hash``, ``content_type``, ``last_modified``, and Swift's other keys
        """
        list_page = partial(self._list_page, container, prefix, end_marker, "")
        return (entry for entry in _pages(container, marker, list_page) if "subdir" not in entry)

    def list_folders(self, container: str, prefix: str) -> Iterator[str]:
        """Yield the names that begin with *prefix*, cut after the next slash behind it, each once."""
        list_page = partial(self._list_page, container, prefix, "", "/")
        return (entry["name"] for entry in _pages(container, "", list_page) if "subdir" in entry)

    def _list_page(
        self, container: str, prefix: str, end_marker: str, delimiter: str, marker: str, limit: int | None
    ) -> list[dict[str, Any]]:
        answer = self._request_in(
            container,
            "list container",
            container_path(container),
            lambda swift: swift.get_container(
                self._address_of(container),
                prefix=prefix or None,
                marker=marker or None,
                end_marker=end_marker or None,
                delimiter=delimiter or None,
                limit=limit,
            ),
        )
        return entries_of(answer[1]) if answer else []


def _pages(
    listed: str, marker: str, list_page: Callable[[str, int | None], list[dict[str, Any]]]
) -> Iterator[dict[str, Any]]:
    """Yield the entries of one page after another.

    :param listed: what is listed, for messages
    :param list_page: returns the entries after a marker, at most a given number
    :raises IntegrityError: a page does not continue the one before it, or there are too many entries
    """
    limit: int | None = None
    count = 0
    while True:
        try:
            page = list_page(marker, limit)
        except IntegrityError:
            if limit is not None:
                raise
            # The page may be too large because of long names.
            limit = _SMALL_PAGE
            continue
        if not page:
            return
        yield from page
        count += len(page)
        if count > _MAX_ENTRIES:
            raise IntegrityError(f"Swift's listing of {listed} has more than {_MAX_ENTRIES} names: narrow it down.")
        last = page[-1]["name"]
        if last <= marker:
            raise IntegrityError(f"Swift's listing of {listed} repeats itself: check it with another client.")
        marker = last


def entries_of(answer: Any) -> list[dict[str, Any]]:
    """Return the entries of a listing's page, each with all required keys; those without a name are left out."""
    entries = (entry for entry in answer if isinstance(entry, dict)) if isinstance(answer, list) else ()
    return [_entry(entry) for entry in entries if isinstance(entry.get("name", entry.get("subdir")), str)]


def _entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    defaults = {"hash": "", "content_type": "", "last_modified": ""}
    texts = {key: entry[key] if isinstance(entry.get(key), str) else text for key, text in defaults.items()}
    size = entry.get("bytes")
    return {
        **entry,
        **texts,
        "name": entry.get("name", entry.get("subdir")),
        "bytes": size if isinstance(size, int) and size >= 0 else 0,
    }


def container_path(container: str) -> str:
    """Return a container's name for messages.

    :raises IntegrityError: a request for it would reach another account
    """
    if not can_be_requested(container):
        raise IntegrityError(f"{container!r} is not a valid container name: correct the object that names it.")
    return container


def headers_of(swift: SwiftConnection) -> Headers:
    """Return the last answer's headers as Swift sent them, names in lower case.

    swiftclient percent-decodes them, which would change an ``X-Object-Manifest`` and metadata with a percent sign.
    """
    _url, http = swift.http_conn
    sent = [*http.resp.headers.items(), *_lost_headers(http.resp)]
    headers = {name.lower(): _decoded(name.lower(), value) for name, value in sent}
    if not _SIGNS_OF_SWIFT.intersection(headers):
        # For example a captive portal, or a web server that answers every request with success.
        raise ValueError("no header that Swift sends")
    return headers


def _decoded(name: str, value: str) -> str:
    """Return a header's value, with surrogates for bytes that are not UTF-8 if a request may repeat the header.

    :param name: in lower case
    :param value: as Python reads it, in Latin-1
    """
    return value.encode("latin-1").decode("utf-8", "surrogateescape" if is_repeated(name) else "replace")


def encoded(headers: Mapping[str, str]) -> dict[str, bytes]:
    """Return headers as they are sent, each byte of a repeated value as it was read."""
    return {name: value.encode("utf-8", "surrogateescape") for name, value in headers.items()}


def _lost_headers(response: Any) -> Iterator[tuple[str, str]]:
    """Yield the headers after one whose name HTTP does not allow: Python's parser takes them for the body."""
    message = response.raw._original_response.msg
    rest = message.get_payload() if message.defects else ""
    lines = rest.splitlines() if isinstance(rest, str) else []
    if lines:
        yield DEFECT, "true"
    for line in lines:
        name, colon, value = line.partition(":")
        if colon and _HEADER_NAME.fullmatch(name):
            yield name, value.strip()
