# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images as others' clients lay them, by plain requests, so that thousands of runs need not start those clients."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import quote

from store import Store

# Store, container, name, content, and the size of segments.
Write = Callable[[Store, str, str, bytes, int], None]


def _plain(store: Store, container: str, name: str, data: bytes, _size: int) -> None:
    store.do("PUT", container, name, data=data)


def _glance(store: Store, container: str, name: str, data: bytes, size: int) -> None:
    for number, part in enumerate(_parts(data, size), 1):
        store.do("PUT", container, f"{name}-{number:05d}", data=part)
    store.do("PUT", container, name, headers={"X-Object-Manifest": quote(f"{container}/{name}-")})


def _swift_slo(store: Store, container: str, name: str, data: bytes, size: int) -> None:
    """What the swift CLI writes with ``--use-slo``."""
    segments = _beside(store, container, f"{name}/slo/1700000000.0/{len(data)}/{size}", data, size)
    body = json.dumps([{"path": f"/{container}_segments/{segment}"} for segment in segments])
    store.do("PUT", container, name, params="multipart-manifest=put", data=body)


def _swift_dlo(store: Store, container: str, name: str, data: bytes, size: int) -> None:
    """What the swift CLI writes without it."""
    prefix = f"{name}/1700000000.0/{len(data)}/{size}"
    _beside(store, container, prefix, data, size)
    store.do("PUT", container, name, headers={"X-Object-Manifest": quote(f"{container}_segments/{prefix}/")})


def _beside(store: Store, container: str, prefix: str, data: bytes, size: int) -> list[str]:
    store.create(f"{container}_segments")
    names = []
    for number, part in enumerate(_parts(data, size)):
        names.append(f"{prefix}/{number:08d}")
        store.do("PUT", f"{container}_segments", names[-1], data=part)
    return names


def _parts(data: bytes, size: int) -> list[bytes]:
    return [data[first : first + size] for first in range(0, len(data), size)]


OTHERS: dict[str, Write] = {
    "plain": _plain,
    "Glance's DLO": _glance,
    "the swift CLI's SLO": _swift_slo,
    "the swift CLI's DLO": _swift_dlo,
}
