# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An account's containers in Swift, and what the cluster offers."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from .._concurrency import Memo
from .._errors import ForbiddenError, LoginError, SwiftError
from .._model.capabilities import Capabilities
from .session import SwiftSession
from .transport import Transport

if TYPE_CHECKING:
    from swiftclient.client import Connection as SwiftConnection

# Names in lower case.
Headers = dict[str, str]

Client = TypeVar("Client", bound="AccountClient")

# OpenStack Swift and Ceph RGW put one of these into every answer about an object or a container.
_SIGNS_OF_SWIFT = frozenset({"x-timestamp", "x-trans-id", "x-openstack-request-id"})


class AccountClient:
    """Requests for one account and its containers.

    :param session: logs in, and finds the storage URL
    :param retries: how often a request is tried again
    :param most: how many requests there are at once; None for as many as there are threads
    """

    def __init__(self, session: SwiftSession, retries: int, most: int | None = None) -> None:
        self._transport = Transport(session, retries, most)
        self._memo = Memo()
        self._known_containers: set[str] = set()

    def counting_anew(self: Client) -> Client:
        """The same one, with its login and all that it has found out, that counts its own tries."""
        other = copy.copy(self)
        other._transport = self._transport.counting_anew()
        return other

    @property
    def storage_url(self) -> str:
        """The account's URL; logs in when nothing did before."""
        return self._transport.storage_url

    @property
    def retried(self) -> int:
        """How often something was tried again."""
        return self._transport.retried

    def count_retry(self) -> None:
        """Note that something was tried again."""
        self._transport.count_retry()

    def __enter__(self: Client) -> Client:
        return self

    def __exit__(self, *_error: object) -> None:
        self._transport.close()

    @property
    def capabilities(self) -> Capabilities:
        """What the cluster's ``/info`` says, which is requested once."""
        return self._memo.get("capabilities", self._ask_capabilities)

    def _ask_capabilities(self) -> Capabilities:
        try:
            info = self._transport.request(
                "read the capabilities of", "the cluster", lambda swift: swift.get_capabilities()
            )
        except (SwiftError, LoginError) as error:
            if isinstance(error, SwiftError) and error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
            # Operators may switch /info off, or keep it to themselves.
            info = {}
        return Capabilities.from_info(info)

    @property
    def owns_account(self) -> bool:
        """Whether these credentials may look at the account itself, as its operators do."""
        return self._memo.get("owns_account", self._ask_account)

    def _ask_account(self) -> bool:
        def head(swift: SwiftConnection) -> bool:
            swift.head_account()
            return True

        try:
            return bool(self._transport.request_if_there("look at", "the account", head))
        except (ForbiddenError, LoginError):
            return False

    def head_container(self, container: str) -> Headers | None:
        """The container's headers, names in lower case; None when there is no such container."""

        def head(swift: SwiftConnection) -> Headers:
            swift.head_container(container)
            return headers_of(swift)

        return self._transport.request_if_there("look at container", container, head)

    def has_container(self, container: str) -> bool:
        """Return whether there is such a container; Swift is not asked again about one that was there."""
        if container not in self._known_containers and self.head_container(container) is not None:
            self._known_containers.add(container)
        return container in self._known_containers

    def put_container(self, container: str, headers: Mapping[str, str]) -> None:
        """Create a container."""
        self._transport.request(
            "create container", container, lambda swift: swift.put_container(container, headers=dict(headers))
        )

    def post_container(self, container: str, headers: Mapping[str, str]) -> None:
        """Change a container's headers; those that are not named stay."""
        self._transport.request(
            "change the access to container", container, lambda swift: swift.post_container(container, dict(headers))
        )

    def list_containers(self, prefix: str) -> Iterator[str]:
        """Names of the account's containers that begin with *prefix*, page by page."""
        marker = ""
        while page := self._list_account(prefix, marker):
            yield from page
            marker = page[-1]

    def _list_account(self, prefix: str, marker: str) -> list[str]:
        _headers, entries = self._transport.request(
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

        self._known_containers.discard(container)
        return bool(self._transport.request_if_there("delete container", container, delete))

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

    def _list_page(
        self, container: str, prefix: str, marker: str, end_marker: str, delimiter: str = ""
    ) -> list[dict[str, Any]]:
        answer = self._transport.request_if_there(
            "list container",
            container,
            lambda swift: swift.get_container(
                container,
                prefix=prefix or None,
                marker=marker or None,
                end_marker=end_marker or None,
                delimiter=delimiter or None,
            ),
        )
        return list(answer[1]) if answer else []

    def list_folders(self, container: str, prefix: str) -> Iterator[str]:
        """What names that begin with *prefix* begin with up to the next slash, each once, with the slash."""
        marker = ""
        while page := self._list_page(container, prefix, marker, "", "/"):
            yield from (entry["subdir"] for entry in page if "subdir" in entry)
            marker = page[-1].get("subdir") or page[-1]["name"]


def headers_of(swift: SwiftConnection) -> Headers:
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
