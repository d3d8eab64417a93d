# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images and listings of more than one page."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any
from unittest.mock import patch

from ansible_collections.imagestore.swift.tests.support.cloud import IS_RGW
from ansible_collections.imagestore.swift.tests.support.modules import Result
from ansible_collections.imagestore.swift.tests.support.writers import Place

# Swift's own pages have 10,000 names.
PAGE = 5
# The number of segments of the image.
PARTS = 12
SEGMENT = 210_000


def list_in_small_pages() -> None:
    """Make this process get pages of a few names, and get for each DLO the answer that Swift has for one of many pages.

    Such an answer has no length, and the ETag of the manifest itself (DLO middleware).
    """
    from requests import PreparedRequest
    from requests.adapters import HTTPAdapter

    send = HTTPAdapter.send

    def send_limited(adapter: HTTPAdapter, request: PreparedRequest, *arguments: Any, **options: Any) -> Any:
        url = str(request.url)
        if request.method == "GET" and "format=json" in url and "multipart-manifest" not in url:
            request.url = f"{url}&limit={PAGE}"
        answer = send(adapter, request, *arguments, **options)
        if request.method == "HEAD" and "X-Object-Manifest" in answer.headers:
            answer.headers["Content-Length"] = "0"
            answer.headers["ETag"] = hashlib.md5(b"", usedforsecurity=False).hexdigest()
        return answer

    patch.object(HTTPAdapter, "send", send_limited).start()


def run(place: Place, module: str, **options: Any) -> Result:
    """Run a module that gets small pages."""
    result = place.modules.try_to(module, list_in_small_pages, **options)
    assert not result.get("failed"), result["msg"]
    return result


def test_images_of_more_than_a_page_are_described_downloaded_and_deleted(
    place: Place, image: Path, tmp_path: Path
) -> None:
    size = image.stat().st_size
    kinds: dict[str, dict[str, str]] = {
        "dynamic": {"manifest": "dlo"},
        "glance": {"manifest": "dlo", "segment_prefix": "glance-"},
        **({} if IS_RGW else {"static": {"manifest": "slo"}}),
    }
    for name, kind in kinds.items():
        place.modules("swift_image", name=name, src=str(image), segment_size=str(SEGMENT), **kind)
    for name in ("dynamic", "glance"):
        # Remove the size and the digests that the collection recorded.
        prefix = place.store.do("HEAD", place.container, name).headers["X-Object-Manifest"]
        place.store.do("POST", place.container, name, headers={"X-Object-Manifest": prefix})
    small = [f"small-{number}" for number in range(PAGE + 2)]
    for name in small:
        place.store.do("PUT", place.container, name, data=b"small")

    with place.store.watch(place.container) as watched:
        audit = run(place, "swift_image_info", verify=True, orphans=True, orphan_age=0)
    pages = [request for request in watched.seen if f"limit={PAGE}" in request["query"]]
    assert sum("marker=" in request["query"] for request in pages) > 2 * PARTS // PAGE
    assert [found["name"] for found in audit["images"]] == sorted([*kinds, *small])
    large = [found for found in audit["images"] if found["name"] in kinds]
    assert [(found["size"], found["segments"]) for found in large] == [(size, PARTS)] * len(kinds)
    assert [found["checksums"] for found in large[:2]] == [{}, {}]
    assert all(found["complete"] for found in audit["images"])
    assert audit["orphans"] == []
    (one,) = run(place, "swift_image_info", name="dynamic")["images"]
    assert (one["size"], one["segments"]) == (size, PARTS)

    for name in kinds:
        dest = tmp_path / f"downloaded-{name}"
        run(place, "swift_image_download", name=name, dest=str(dest))
        assert dest.read_bytes() == image.read_bytes()
        assert not run(place, "swift_image", name=name, src=str(image)).changed
        assert run(place, "swift_image", name=name, state="absent").changed
    assert place.names() == [f"{place.container}/{name}" for name in small]
    left = run(place, "swift_image_info", orphans=True, orphan_age=0)
    assert [found["name"] for found in left["images"]] == small
    assert left["orphans"] == []
