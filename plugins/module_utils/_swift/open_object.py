# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An object while it is read, piece by piece."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

# Names in lower case.
Headers = dict[str, str]


class OpenObject:
    """An object that is being read.

    :param headers: of the answer
    :param body: swiftclient's
    :param hang_up: closes the connection
    """

    def __init__(self, headers: Headers, body: Any, hang_up: Callable[[], None]) -> None:
        self.headers = headers
        self.status = int(body.resp.status)
        self._is_at_end = False
        self._body = body
        self._hang_up = hang_up

    def read(self, size: int) -> bytes:
        """Return at most *size* bytes, none at the end.

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
