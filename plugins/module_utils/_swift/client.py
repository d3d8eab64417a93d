# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only place that talks to Swift: what can be asked of an account, its containers and its objects.

Every failure is one of ``_errors``. How a request gets there is in ``_transport``.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from .._concurrency import Memo
from .._errors import ForbiddenError, IntegrityError, LoginError, SwiftError, UnreachableError
from .._model.capabilities import Capabilities
from .._model.image import Path
from .._model.location import has_dot_segment
from .open_object import Headers, OpenObject
from .session import SwiftSession
from .transport import Transport

if TYPE_CHECKING:
    from swiftclient.client import Connection as SwiftConnection

# OpenStack Swift and Ceph RGW put one of these into every answer about an object or a container.
_SIGNS_OF_SWIFT = frozenset({"x-timestamp", "x-trans-id", "x-openstack-request-id"})


class Body(Protocol):
    """What is sent: read once, and sought back for another try."""

    def read(self, size: int = -1) -> bytes: ...

    def seek(self, position: int) -> int: ...

    def tell(self) -> int: ...


class SwiftClient:
    """Swift, for one account.

    :param session: logs in, and finds the storage URL
    :param retries: how often a request is tried again
    :param most: how many requests there are at once; None for as many as there are threads
    """

    def __init__(self, session: SwiftSession, retries: int, most: int | None = None) -> None:
        self._transport = Transport(session, retries, most)
        self._memo = Memo()
        self._known_containers: set[str] = set()

    def counting_anew(self) -> SwiftClient:
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

    def __enter__(self) -> SwiftClient:
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
            return _headers_of(swift)

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

    def head_object(self, container: str, name: str, manifest: bool = False) -> Headers | None:
        """The object's headers, names in lower case; None when there is none.

        :param manifest: a manifest's own, and not those of the object that it makes of its segments
        """
        query = "multipart-manifest=get" if manifest else None

        def head(swift: SwiftConnection) -> Headers:
            swift.head_object(container, name, query_string=query)
            return _headers_of(swift)

        return self._transport.request_if_there("look at", _path(container, name), head)

    def get_manifest(self, container: str, name: str) -> list[dict[str, Any]]:
        """An SLO's list of segments, as Swift keeps it."""
        _answer, body = self._transport.request(
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
            return OpenObject(_headers_of(swift), body, swift.close)

        with self._transport.open("read", _path(container, name), get) as opened:
            if first and opened.status != HTTPStatus.PARTIAL_CONTENT:
                raise IntegrityError(
                    f"What answers for {container}/{name} knows no ranges: ask Swift without what is between."
                )
            try:
                yield opened
            finally:
                opened.close()

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
            from swiftclient.exceptions import ClientException

            body.seek(start)
            try:
                return str(
                    swift.put_object(
                        container, name, body, content_length=size, headers=dict(headers), query_string=query
                    )
                )
            except ClientException:
                # An answer may come before all of the body was read.
                swift.close()
                raise

        return self._transport.request("store", _path(container, name), put)

    def copy_object(self, source: Path, target: Path, headers: Mapping[str, str]) -> str:
        """Have Swift copy an object's bytes.

        :param headers: of the copy, which has none of the source's
        :returns: the ETag that Swift gave it, without quotes
        """
        wanted = {**headers, "X-Copy-From": quote("/" + "/".join(source)), "X-Fresh-Metadata": "true"}
        return self.put_object(*target, BytesIO(), 0, wanted)

    def post_object(self, container: str, name: str, headers: Mapping[str, str]) -> None:
        """Replace an object's metadata; what *headers* lack is dropped by Swift."""
        self._transport.request(
            "change the metadata of",
            _path(container, name),
            lambda swift: swift.post_object(container, name, dict(headers)),
        )

    def delete_object(self, container: str, name: str) -> bool:
        """Delete this object alone, a manifest without its segments; False when it was gone already."""

        def delete(swift: SwiftConnection) -> bool:
            swift.delete_object(container, name)
            return True

        return bool(self._transport.request_if_there("delete", _path(container, name), delete))

    def delete_objects(self, paths: Sequence[Path]) -> bool:
        """Delete many objects with one request (Swift's bulk middleware).

        :param paths: as many as ``max_deletes_per_request`` of the capabilities at the most
        :returns: whether it deleted all of them. It answers 200 whatever happens, and says the rest in the body.
        """
        listed = "\n".join(quote(_path(*path)) for path in paths)
        headers = {"Content-Type": "text/plain", "Accept": "application/json"}

        def delete(swift: SwiftConnection) -> bool:
            _headers, body = swift.post_account(headers, query_string="bulk-delete", data=listed)
            answer = json.loads(body)
            if not isinstance(answer, dict) or answer.get("Number Not Found"):
                # They may be gone, or their names have arrived changed.
                return False
            return str(answer.get("Response Status")).startswith("200")

        try:
            return self._transport.request("delete", f"{len(paths)} objects", delete)
        except (SwiftError, LoginError, UnreachableError):
            # Each is asked for on its own then, and what is wrong with it is told.
            return False


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
