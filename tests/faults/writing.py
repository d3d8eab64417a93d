# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images as other clients store them, written by plain requests.

Thousands of runs need not start those clients then.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from urllib.parse import quote

from ansible_collections.imagestore.swift.tests.support.store import Store

# Store, container, name, content, and the size of segments.
Write = Callable[[Store, str, str, bytes, int], None]


def _plain(store: Store, container: str, name: str, data: bytes, _size: int) -> None:
    store.do("PUT", container, name, data=data)


def _glance(store: Store, container: str, name: str, data: bytes, size: int) -> None:
    for number, part in enumerate(_parts(data, size), 1):
        store.do("PUT", container, f"{name}-{number:05d}", data=part)
    store.do("PUT", container, name, headers={"X-Object-Manifest": quote(f"{container}/{name}-")})


def _swift_slo(store: Store, container: str, name: str, data: bytes, size: int) -> None:
    """Store an SLO as the swift CLI does with ``--use-slo``."""
    segments = _beside(store, container, f"{name}/slo/1700000000.0/{len(data)}/{size}", data, size)
    _write_slo(store, container, name, [(f"{container}_segments/{segment}", part) for segment, part in segments])


def _old_slo(store: Store, container: str, name: str, data: bytes, size: int) -> None:
    """Store an SLO as release 0.1.0 of this collection did, on Ceph RGW, too."""
    segments = []
    for part in _parts(data, size):
        segments.append((f".segments/{name}/{hashlib.sha256(part).hexdigest()}-{len(part)}", part))
        store.do("PUT", container, segments[-1][0], data=part)
    headers = {
        "X-Object-Meta-Image-Size": str(len(data)),
        "X-Object-Meta-Image-Segments": str(len(segments)),
        "X-Object-Meta-Image-Segment-Container": container,
        "X-Object-Meta-Image-Md5": hashlib.md5(data, usedforsecurity=False).hexdigest(),
    }
    _write_slo(store, container, name, [(f"{container}/{path}", part) for path, part in segments], headers)


def _write_slo(
    store: Store,
    container: str,
    name: str,
    segments: list[tuple[str, bytes]],
    headers: Mapping[str, str] = MappingProxyType({"X-Object-Meta-Mtime": "1700000000.0"}),
) -> None:
    entries = [
        {
            "path": f"/{path}",
            "etag": hashlib.md5(part, usedforsecurity=False).hexdigest(),
            "size_bytes": len(part),
        }
        for path, part in segments
    ]
    store.do("PUT", container, name, params="multipart-manifest=put", data=json.dumps(entries), headers=dict(headers))


def _swift_dlo(store: Store, container: str, name: str, data: bytes, size: int) -> None:
    """Store a DLO as the swift CLI does."""
    prefix = f"{name}/1700000000.0/{len(data)}/{size}"
    _beside(store, container, prefix, data, size)
    store.do("PUT", container, name, headers={"X-Object-Manifest": quote(f"{container}_segments/{prefix}/")})


def _beside(store: Store, container: str, prefix: str, data: bytes, size: int) -> list[tuple[str, bytes]]:
    store.create(f"{container}_segments")
    segments = [(f"{prefix}/{number:08d}", part) for number, part in enumerate(_parts(data, size))]
    for name, part in segments:
        store.do("PUT", f"{container}_segments", name, data=part)
    return segments


def _parts(data: bytes, size: int) -> list[bytes]:
    return [data[first : first + size] for first in range(0, len(data), size)]


OTHERS: dict[str, Write] = {
    "plain": _plain,
    "Glance's DLO": _glance,
    "the swift CLI's SLO": _swift_slo,
    "the swift CLI's DLO": _swift_dlo,
    "an SLO of 0.1.0": _old_slo,
}
