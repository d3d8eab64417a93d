# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images as this collection and other clients write them, for tests that delete or replace them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.imagestore.swift.tests.support.clients import SEGMENT, Glance, Sdk, SwiftCli
from ansible_collections.imagestore.swift.tests.support.cloud import IS_RGW, Cloud
from ansible_collections.imagestore.swift.tests.support.modules import Modules, Result
from ansible_collections.imagestore.swift.tests.support.processes import Process
from ansible_collections.imagestore.swift.tests.support.store import Store


@dataclass(frozen=True)
class Place:
    """The container for a test's images, and the means to access it."""

    modules: Modules
    store: Store
    cloud: Cloud
    container: str
    folder: Path

    def names(self) -> list[str]:
        """Return the paths of all objects in the containers that begin with the container's name."""
        return self.store.names(*self.store.containers(self.container))

    def read(self, name: str) -> bytes | None:
        """Return the bytes that a reader gets; None if the object does not exist."""
        return self.store.read(self.container, name)

    def change(self, **options: Any) -> Result:
        """Run swift_image, which has to change something.

        Check mode has to predict the change and change nothing itself. A second run has to change nothing.
        """
        with self.store.watch(self.container) as watched:
            predicted = self.modules.predict("swift_image", **options)
        assert predicted.changed
        assert predicted["diff"]["before"] != predicted["diff"]["after"]
        assert watched.changing == []
        done = self.modules("swift_image", **options)
        assert done.changed
        assert done["diff"] == predicted["diff"]
        assert done["image"]["exists"] == predicted["image"]["exists"]
        self.keep(**options)
        return done

    def keep(self, **options: Any) -> Result:
        """Run swift_image, which has to change nothing, and to send no request that could."""
        with self.store.watch(self.container) as watched:
            result = self.modules("swift_image", **options)
        assert not result.changed
        assert result["diff"]["before"] == result["diff"]["after"]
        assert watched.changing == []
        return result

    def amid(self, method: str, count: int, action: Callable[[Process], None], **options: Any) -> Process:
        """Start swift_image, and call *action* when the store has received *count* requests for objects."""
        begin = self.store.log.stat().st_size
        process = self.modules.start("swift_image", concurrency=1, **options)
        self.store.await_requests(begin, self.container, method, count)
        action(process)
        return process


Writer = Callable[[Place, str, Path], None]

# The query that stores an SLO.
MANIFEST = "multipart-manifest=put"


def _ours(**options: str) -> Writer:
    def write(place: Place, name: str, path: Path) -> None:
        place.modules("swift_image", name=name, src=str(path), segment_size=str(SEGMENT), **options)

    return write


def _swift_cli(kind: str) -> Writer:
    return lambda place, name, path: SwiftCli(place.cloud, place.container, place.folder).put(name, path, kind)


def _glance(place: Place, name: str, path: Path) -> None:
    Glance(place.cloud, place.container, place.folder).put(name, path, "dlo")


def _sdk(place: Place, name: str, path: Path) -> None:
    Sdk(place.cloud, place.container, place.folder).put(name, path, "dlo")


def _nested(place: Place, name: str, path: Path) -> None:
    """Write an SLO that consists of another SLO and a segment, with all objects in one container."""
    data = path.read_bytes()
    parts = [data[first : first + SEGMENT] for first in range(0, len(data), SEGMENT)]
    for number, part in enumerate(parts):
        place.store.do("PUT", place.container, f"{name}_{number}", data=part)
    write_slo(place, f"{name}_inner", [f"{name}_{number}" for number in range(len(parts) - 1)])
    write_slo(place, name, [f"{name}_inner", f"{name}_{len(parts) - 1}"])


def write_slo(place: Place, name: str, segments: list[str]) -> None:
    """Store an SLO that consists of objects in the container."""
    body = json.dumps([{"path": f"/{place.container}/{segment}"} for segment in segments])
    place.store.do("PUT", place.container, name, params=MANIFEST, data=body)


def store_slo(place: Place, name: str, data: bytes, container: str | None = None, is_recorded: bool = True) -> None:
    """Store an SLO as release 0.1.0 of this collection did on Ceph RGW.

    :param container: of its segments
    :param is_recorded: whether the MD5 of all its bytes is recorded
    """
    container = container or place.container
    owner = "" if container == place.container else f"{place.container}:"
    entries = []
    for first in range(0, len(data), SEGMENT):
        part = data[first : first + SEGMENT]
        path = f".segments/{name}/{owner}{hashlib.sha256(part).hexdigest()}-{len(part)}"
        place.store.do("PUT", container, path, data=part)
        etag = hashlib.md5(part, usedforsecurity=False).hexdigest()
        entries.append({"path": f"/{container}/{path}", "etag": etag, "size_bytes": len(part)})
    headers = {
        "X-Object-Meta-Image-Size": str(len(data)),
        "X-Object-Meta-Image-Segments": str(len(entries)),
        "X-Object-Meta-Image-Segment-Container": container,
    }
    if is_recorded:
        headers["X-Object-Meta-Image-Md5"] = hashlib.md5(data, usedforsecurity=False).hexdigest()
    place.store.do("PUT", place.container, name, params=MANIFEST, data=json.dumps(entries), headers=headers)


WRITERS: dict[str, Writer] = {
    "plain": _ours(large_object_size="1GiB"),
    "SLO": _ours(manifest="slo"),
    "DLO": _ours(manifest="dlo"),
    "Glance's DLO": _glance,
    "openstacksdk's DLO": _sdk,
    "the swift CLI's DLO": _swift_cli("dlo"),
    "the swift CLI's SLO": _swift_cli("slo"),
    "nested SLO": _nested,
}

# The kind that this collection chooses for a large image by default.
OURS = "DLO" if IS_RGW else "SLO"
