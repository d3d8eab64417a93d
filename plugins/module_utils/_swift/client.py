# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client for all requests to Swift: for an account's containers (its base class) and their objects.

Every failure is an error of ``_errors``. ``transport`` sends the requests.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from .._errors import IntegrityError, LoginError, SwiftError, UnreachableError
from .._model.image import Path
from .._model.location import has_dot_segment
from .account import AccountClient, Headers, container_path, encoded, headers_of
from .failures import READ

if TYPE_CHECKING:
    from swiftclient.client import Connection as SwiftConnection

_MANIFEST = "multipart-manifest=get"
_SYMLINK = "symlink=get"


class Body(Protocol):
    """The body of a request: it is read once, and again after a seek back for a retry."""

    def read(self, size: int = -1) -> bytes: ...

    def seek(self, position: int) -> int: ...

    def tell(self) -> int: ...


class OpenObject:
    """An object that is being read.

    :param headers: of the answer
    :param body: swiftclient's object for the answer's body
    :param hang_up: closes the connection
    """

    def __init__(self, headers: Headers, body: Any, hang_up: Callable[[], None]) -> None:
        self.headers = headers
        self.status = int(body.resp.status)
        self._is_at_end = False
        self._body = body
        self._hang_up = hang_up

    def read(self, size: int) -> bytes:
        """Return at most *size* bytes, or none at the end.

        :raises OSError: the connection broke
        """
        from requests.exceptions import RequestException
        from urllib3.exceptions import HTTPError

        try:
            data: bytes = self._body.read(size)
        except (HTTPError, RequestException) as error:
            raise ConnectionError(type(error).__name__) from error
        self._is_at_end = not data
        return data

    def close(self) -> None:
        """Stop reading."""
        if not self._is_at_end:
            # The next request would take the rest for its answer.
            self._hang_up()


class SwiftClient(AccountClient):
    """Requests for one account, its containers and their objects."""

    def head_object(
        self, container: str, name: str, manifest: bool = False, symlink: bool = False, version: str | None = None
    ) -> Headers | None:
        """Return an object's headers, names in lower case; None if there is none.

        :param manifest: whether to return a manifest's own headers, and not those of its large object
        :param symlink: whether to return a symlink's own headers, and not those of its target
        :param version: the identifier of a version; None for the current one
        """
        asked = [query for query, is_asked in ((_MANIFEST, manifest), (_SYMLINK, symlink)) if is_asked]
        asked += [] if version is None else [f"version-id={quote(version)}"]

        def head(swift: SwiftConnection) -> Headers:
            swift.head_object(container, name, query_string="&".join(asked) or None)
            return headers_of(swift)

        return self._request_in(container, "read the metadata of", _path(container, name), head)

    def get_manifest(self, container: str, name: str) -> list[dict[str, Any]] | None:
        """Return an SLO's list of segments, as Swift stores it; None if the cluster does not return it (Ceph RGW).

        :raises IntegrityError: the manifest is not a list of entries, or is too large
        """
        entries = self.get_list(container, name)
        if entries:
            self._has_told_manifest.set()
        return entries

    def get_list(self, container: str, name: str) -> list[dict[str, Any]] | None:
        """Return the entries that an object holds as JSON; None if the answer has no bytes.

        :raises IntegrityError: the object is not a list of entries, or is too large
        """
        _answer, body = self._transport.request(
            "read the manifest of",
            _path(container, name),
            lambda swift: swift.get_object(container, name, query_string=_MANIFEST),
        )
        if not body:
            return None
        try:
            entries = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise _unreadable(container, name) from error
        if not (isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries)):
            raise _unreadable(container, name)
        return entries

    @contextmanager
    def open_object(self, container: str, name: str, first: int, end: int) -> Iterator[OpenObject]:
        """Yield an object to read its bytes from *first* up to, but not including, *end*.

        A failed read is not retried here, and raises OSError.
        """
        headers = {"Range": f"bytes={first}-{end - 1}"}

        def get(swift: SwiftConnection) -> OpenObject:
            _answer, body = swift.get_object(container, name, resp_chunk_size=1, headers=headers)
            return OpenObject(headers_of(swift), body, swift.close)

        with self._transport.open(READ, _path(container, name), get) as opened:
            if first and opened.status != HTTPStatus.PARTIAL_CONTENT:
                raise IntegrityError(
                    f"The server that answers for {container}/{name} does not support ranges: send requests to Swift "
                    "itself, without a proxy."
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

        :param body: can be read, and sought back for a retry
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
                        container, name, body, content_length=size, headers=encoded(headers), query_string=query
                    )
                )
            except ClientException:
                # An answer may arrive before all of the body was read.
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
        """Replace an object's metadata; Swift drops what *headers* lack."""
        self._transport.request(
            "change the metadata of",
            _path(container, name),
            lambda swift: swift.post_object(container, name, encoded(headers)),
        )

    def delete_object(self, container: str, name: str) -> bool:
        """Delete this object alone, a manifest without its segments; return False if it was already gone."""

        def delete(swift: SwiftConnection) -> bool:
            swift.delete_object(container, name)
            return True

        return bool(self._transport.request_if_there("delete", _path(container, name), delete))

    def delete_objects(self, paths: Sequence[Path]) -> bool:
        """Delete many objects with one request (Swift's bulk middleware).

        :param paths: at most ``max_deletes_per_request`` of the capabilities
        :returns: whether all objects were deleted. Swift answers 200 in any case, and reports failures in the body.
        """
        listed = "\n".join(quote(_path(*path)) for path in paths)
        headers = {"Content-Type": "text/plain", "Accept": "application/json"}

        def delete(swift: SwiftConnection) -> bool:
            _headers, body = swift.post_account(headers, query_string="bulk-delete", data=listed)
            answer = json.loads(body)
            if not isinstance(answer, dict) or answer.get("Number Not Found"):
                # The objects may be gone, or their names were changed in transit.
                return False
            return str(answer.get("Response Status")).startswith("200")

        try:
            return self._transport.request("delete", f"{len(paths)} objects", delete)
        except (SwiftError, LoginError, UnreachableError):
            # The caller then deletes each object on its own, and reports its error.
            return False


def _unreadable(container: str, name: str) -> IntegrityError:
    return IntegrityError(
        f"{container}/{name} has no readable manifest: check the object with another client before you change it."
    )


def _path(container: str, name: str) -> str:
    """Return an object's path for messages.

    :raises IntegrityError: a name, from a manifest or a listing, whose request would reach another object
    """
    if not name or "\0" in name:
        raise IntegrityError(f"{name!r} is not a valid name for an object in container {container!r}.")
    if has_dot_segment(name):
        raise IntegrityError(
            f"The name {container}/{name} has a part that is only dots, which no HTTP client can request: rename the "
            "object on the servers."
        )
    return f"{container_path(container)}/{name}"
