# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes and readers while a module runs, clocks that differ, and limits of the host."""

from __future__ import annotations

import hashlib
import resource
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from ansible_collections.imagestore.swift.tests.support.clients import SEGMENT
from ansible_collections.imagestore.swift.tests.support.modules import call_before_changes
from ansible_collections.imagestore.swift.tests.support.writers import OURS, WRITERS, Place


def act_before(request: int, action: Callable[[], None], method: str) -> None:
    """Make this process call *action* before the n-th of its requests with a method.

    :param request: the number of that request, counted from 1
    """
    from requests import PreparedRequest
    from requests.adapters import HTTPAdapter

    send, sent = HTTPAdapter.send, 0

    def counted(adapter: HTTPAdapter, prepared: PreparedRequest, *arguments: Any, **options: Any) -> Any:
        nonlocal sent
        if prepared.method == method:
            sent += 1
            if sent == request:
                patch.object(HTTPAdapter, "send", send).start()
                action()
                patch.object(HTTPAdapter, "send", counted).start()
        return send(adapter, prepared, *arguments, **options)

    patch.object(HTTPAdapter, "send", counted).start()


def post(url: str, headers: Mapping[str, str]) -> None:
    """Change a container's headers."""
    import requests

    requests.post(url, headers=dict(headers), timeout=60).raise_for_status()


def readers(place: Place) -> set[str]:
    """Return the elements of the container's ACL for reading, whose order Ceph RGW changes."""
    return set(place.store.do("HEAD", place.container).headers["X-Container-Read"].split(","))


def test_a_concurrently_revoked_acl_element_is_not_restored(place: Place) -> None:
    place.store.do("POST", place.container, headers={"X-Container-Read": "old:*,revoked:*"})
    headers = {"X-Auth-Token": place.store.token, "X-Container-Read": "old:*"}
    # The first HEAD is for the plan, and the second one comes just before the change.
    revoke = partial(act_before, 2, partial(post, place.store.url(place.container), headers), "HEAD")
    options = {"container": place.container, "read_tenants": ["new"], "purge": False}
    result = place.modules.try_to("swift_image_acl", revoke, **options)
    assert result.changed and not result.get("failed")
    assert readers(place) == {"old:*", "new:*"}
    assert result["acl"]["read_tenants"] == ["new", "old"]


def test_a_concurrent_acl_change_is_merged(place: Place) -> None:
    place.store.do("POST", place.container, headers={"X-Container-Read": "old:*"})
    headers = {"X-Auth-Token": place.store.token, "X-Container-Read": "other:*"}
    # The third HEAD comes after the change.
    undo = partial(act_before, 3, partial(post, place.store.url(place.container), headers), "HEAD")
    options = {"container": place.container, "read_tenants": ["new"], "purge": False}
    result = place.modules.try_to("swift_image_acl", undo, **options)
    assert result.changed and not result.get("failed")
    assert readers(place) == {"other:*", "new:*"}


def record_reading(url: str, token: str, readings: Path) -> None:
    """Read an image, and append the SHA-256 of its bytes to a file; of a failure, append its description."""
    import requests

    try:
        response = requests.get(url, headers={"X-Auth-Token": token}, timeout=60)
        seen = hashlib.sha256(response.content).hexdigest() if response.ok else f"status {response.status_code}"
    except requests.RequestException as error:
        seen = type(error).__name__
    with readings.open("a", encoding="ascii") as file:
        file.write(f"{seen}\n")


def test_readers_get_one_whole_image_during_a_replacement(
    place: Place, image: Path, other_image: Path, small: list[Path]
) -> None:
    """Before each request of a replacement that changes something, readers get the old image or the new one."""
    steps = [(image, OURS), (other_image, OURS), (image, "DLO"), (small[0], OURS), (other_image, OURS)]
    options = {"name": "img", "segment_size": "1MiB", "concurrency": 1}
    old = "status 404"
    for number, (path, kind) in enumerate(steps):
        readings = place.folder / f"readings-{number}"
        read = partial(record_reading, place.store.url(place.container, "img"), place.store.token, readings)
        prepare = partial(call_before_changes, read)
        assert place.modules.try_to("swift_image", prepare, src=str(path), manifest=kind.lower(), **options).changed
        new = hashlib.sha256(path.read_bytes()).hexdigest()
        seen = readings.read_text("ascii").splitlines()
        # The first request comes before the new image exists.
        assert seen[0] == old
        assert set(seen) <= {old, new}
        assert place.read("img") == path.read_bytes()
        old = new


def set_clock(seconds: float) -> None:
    """Make this process's clock wrong by *seconds*."""
    now = time.time
    patch.object(time, "time", lambda: now() + seconds).start()


@pytest.mark.parametrize("hours", [-1, 1])
@pytest.mark.parametrize("kind", ["plain", "slo"])
def test_an_expiry_is_computed_from_the_servers_clock(place: Place, image: Path, hours: int, kind: str) -> None:
    sizes = {"large_object_size": "1GiB"} if kind == "plain" else {"segment_size": str(SEGMENT)}
    options = {"name": "img", "src": str(image), "delete_after": 600, **sizes}
    result = place.modules.try_to("swift_image", partial(set_clock, hours * 3600.0), **options)
    assert not result.get("failed"), result["msg"]
    assert abs(result["image"]["delete_at"] - (time.time() + 600)) < 120
    at = int(time.time()) + 600
    options = {"name": "other", "src": str(image), "delete_at": at}
    assert not place.modules.try_to("swift_image", partial(set_clock, hours * 3600.0), **options).get("failed")


def test_a_past_expiry_is_refused_before_anything_is_sent(place: Place, image: Path) -> None:
    with place.store.watch(place.container) as watched:
        result = place.modules.try_to("swift_image", name="img", src=str(image), delete_at=int(time.time()) - 60)
    assert "has passed" in result["msg"]
    assert watched.changing == []


def test_a_manifest_is_read_once_per_task(place: Place, image: Path) -> None:
    for number in range(4):
        WRITERS["the swift CLI's SLO"](place, f"image-{number}", image)
    images = [{"name": f"image-{number}", "state": "absent"} for number in range(3)]
    with place.store.watch(place.container) as watched:
        place.modules("swift_images", images=images, concurrency=1)
    read = [seen for seen in watched.seen if seen["path"].endswith("/image-3") and seen["method"] == "GET"]
    assert len(read) == 1
    assert place.read("image-3") == image.read_bytes()


def limit_memory(mebibytes: int) -> None:
    """Limit this process's address space."""
    resource.setrlimit(resource.RLIMIT_AS, (mebibytes << 20, mebibytes << 20))


def test_too_little_memory_is_reported(place: Place, image: Path) -> None:
    """The module fails with a message if its threads find too little memory: the stack of each takes 8 MiB."""
    options = {"name": "img", "src": str(image), "segment_size": "20000", "concurrency": 64}
    result = place.modules.try_to("swift_image", partial(limit_memory, 500), **options)
    assert not result.get("failed") or "not enough memory" in result["msg"], result
