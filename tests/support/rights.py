# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rights of clients in a container: whether they can list it, read each image, and write."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import requests
from ansible_collections.imagestore.swift.tests.support.writers import Place

LIST = "list"
WRITE = "write"

_SECONDS = 60.0


def rights(place: Place, headers: Mapping[str, str], images: Collection[str], data: bytes) -> set[str]:
    """Return the rights of a client: ``LIST``, ``WRITE``, and the names of the images that it can read.

    :param headers: sent by the client
    :param images: names of the images
    :param data: the bytes of each image
    """
    with requests.Session() as session:
        session.headers.update(headers)
        found = {name for name in images if _reads(session, place.store.url(place.container, name), data)}
        if session.get(place.store.url(place.container), timeout=_SECONDS).ok:
            found.add(LIST)
        if session.put(place.store.url(place.container, "written"), data=b"x", timeout=_SECONDS).ok:
            place.store.do("DELETE", place.container, "written")
            found.add(WRITE)
    return found


def _reads(session: requests.Session, url: str, data: bytes) -> bool:
    """Return True if an image arrives whole: an unreadable segment may end the answer after its status."""
    try:
        answer = session.get(url, timeout=_SECONDS)
    except requests.RequestException:
        return False
    return answer.ok and answer.content == data
