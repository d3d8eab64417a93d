# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A reader that reads the image during the whole run, without faults."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Collection, Mapping

import requests
from ansible_collections.imagestore.swift.tests.support.store import Store

_SECONDS = 60.0
_CHUNK = 1024 * 1024
# Without a pause, a reader of an SLO takes more of the machine than the module that the campaign is about.
_PAUSE_SECONDS = 0.1


class Reader:
    """A thread that reads one object again and again within a ``with`` block.

    :param allowed: SHA-256 of the contents that the object may have
    :param servers_fail: whether an image may be truncated because a server is down
    """

    def __init__(self, store: Store, container: str, name: str, allowed: Collection[str], servers_fail: bool) -> None:
        self._store = store
        self._container = container
        self._name = name
        self._allowed = allowed
        self._servers_fail = servers_fail
        self._thread = threading.Thread(target=self._read_on)
        self._stop = threading.Event()
        self.reads = 0
        self.wrong: list[str] = []

    def __enter__(self) -> Reader:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _read_on(self) -> None:
        while not self._stop.wait(_PAUSE_SECONDS) and not self.wrong:
            self._read()

    def _read(self) -> None:
        headers = {"X-Auth-Token": self._store.token}
        url = self._store.url(self._container, self._name)
        try:
            response = requests.get(url, headers=headers, timeout=_SECONDS, stream=True)
        except requests.RequestException:
            # The proxy server was killed.
            return
        if response.status_code == requests.codes.not_found:
            return
        self.reads += 1
        why = self._what_is_wrong(response)
        # If an image is deleted while it is read, its reader notices by the length that it is truncated.
        if why and self._is_current(response.headers):
            self.wrong.append(f"a reader got {why}")

    def _what_is_wrong(self, response: requests.Response) -> str:
        if not response.ok:
            return "" if self._servers_fail else f"status {response.status_code}"
        found = hashlib.sha256()
        try:
            for chunk in response.iter_content(_CHUNK):
                found.update(chunk)
        except requests.RequestException as error:
            return "" if self._servers_fail else f"an image that is cut short ({type(error).__name__})"
        return "" if found.hexdigest() in self._allowed else "other bytes"

    def _is_current(self, read: Mapping[str, str]) -> bool:
        """Return True if the current image is still the one that was read.

        :param read: headers of the image that was read
        """
        response = self._store.request("HEAD", self._container, self._name, params="multipart-manifest=get")
        return response.ok and response.headers.get("X-Timestamp") == read.get("X-Timestamp")
