# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A container of many images: half are plain, the others have five segments, as Glance or this collection does."""

from __future__ import annotations

import hashlib
import http.client
import json
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from ansible_collections.imagestore.swift.tests.support.store import Store

SEGMENTS = 5
_WORKERS = 8


@dataclass(frozen=True)
class _Put:
    """One PUT request."""

    name: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    query: str = ""


def fill(store: Store, container: str, images: int) -> None:
    """Store *images* images in a container."""
    with ThreadPoolExecutor(_WORKERS) as pool:
        for _done in pool.map(lambda worker: _send(store, container, images, worker), range(_WORKERS)):
            pass


def _send(store: Store, container: str, images: int, worker: int) -> None:
    """Store one worker's share of the images, over one connection."""
    parts = urlsplit(store.storage_url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=300)
    for number in range(worker, images, _WORKERS):
        for put in _image(container, number):
            path = f"{parts.path}/{quote(container)}/{quote(put.name)}{put.query}"
            connection.request("PUT", path, put.body, {"X-Auth-Token": store.token, **put.headers})
            answer = connection.getresponse()
            if answer.status != http.client.CREATED:
                raise RuntimeError(f"{put.name}: {answer.status} {answer.read()!r}")
            answer.read()
    connection.close()


def _image(container: str, number: int) -> Iterator[_Put]:
    if number % 4 == 0:
        yield from _of_glance(container, str(uuid.UUID(int=number)))
    elif number % 4 == 1:
        yield from _own(container, f"image-{number:06d}")
    else:
        yield _Put(f"image-{number:06d}", b"x")


def _of_glance(container: str, name: str) -> Iterator[_Put]:
    for segment in range(1, SEGMENTS + 1):
        yield _Put(f"{name}-{segment:05d}", b"x")
    yield _Put(name, headers={"X-Object-Manifest": f"{container}/{name}-"})


def _own(container: str, name: str) -> Iterator[_Put]:
    entries: list[dict[str, str | int]] = []
    for segment in range(SEGMENTS):
        body = f"{name} {segment}".encode()
        path = f".segments/{name}/{hashlib.sha256(body).hexdigest()}-{len(body)}"
        entries.append({"path": f"/{container}/{path}", "size_bytes": len(body)})
        yield _Put(path, body)
    headers = {
        "X-Object-Meta-Image-Size": str(sum(int(entry["size_bytes"]) for entry in entries)),
        "X-Object-Meta-Image-Segments": str(SEGMENTS),
        "X-Object-Meta-Image-Segment-Container": container,
    }
    yield _Put(name, json.dumps(entries).encode(), headers, "?multipart-manifest=put")
