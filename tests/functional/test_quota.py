# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Quotas of containers that refuse a part of an upload."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.imagestore.swift.tests.support.clients import SEGMENT
from ansible_collections.imagestore.swift.tests.support.writers import Place


@pytest.mark.parametrize("kind", ["slo", "dlo"])
def test_a_manifest_refused_by_a_quota_leaves_no_segments(place: Place, image: Path, kind: str) -> None:
    options = {"name": "img", "src": str(image), "segment_size": str(SEGMENT), "manifest": kind}
    place.store.do("POST", place.container, headers={"X-Container-Meta-Quota-Bytes": str(2_500_000 + 100)})
    if kind == "dlo":
        # A DLO's manifest has no bytes, so only a quota on the number of objects refuses it.
        place.store.do(
            "POST",
            place.container,
            headers={"X-Container-Meta-Quota-Bytes": "", "X-Container-Meta-Quota-Count": "3"},
        )
    result = place.modules.try_to("swift_image", **options)
    assert result["failed"]
    assert "exceeds a quota" in result["msg"] and "run again" not in result["msg"]
    assert place.names() == []


@pytest.mark.parametrize("kind", ["none", "slo", "dlo"])
def test_an_upload_refused_by_a_quota_keeps_the_old_image(
    place: Place, kind: str, image: Path, small: list[Path]
) -> None:
    """An upload that a quota refuses midway keeps the old image, and no objects except segments for the next run."""
    place.modules("swift_image", name="img", src=str(small[0]))
    # Swift caches the usage of a container, so the limit is below a whole segment, and above two of the last one.
    set_quota(place, "900000")
    cut = {"large_object_size": "1GiB"} if kind == "none" else {"manifest": kind, "segment_size": "1MiB"}
    options = {"name": "img", "src": str(image), **cut}
    refused = place.modules.try_to("swift_image", concurrency=3, **options)
    assert refused["failed"] and "exceeds a quota" in refused["msg"]
    assert ("are kept for the next run" in refused["msg"]) == (kind != "none")
    assert place.read("img") == small[0].read_bytes()
    kept = [path for path in place.names() if path != f"{place.container}/img"]
    last = r"/\.segments/img/([0-9a-f]{64}-402848|[0-9]{16}-[0-9a-f]{8}/00000003)"
    assert all(re.fullmatch(place.container + last, path) for path in kept)
    set_quota(place, "")
    transfer = place.change(**options)["transfer"]
    # The last segment is reused, unless the first one was refused before the last one was begun.
    assert transfer["segments_reused"] == len(kept)
    assert transfer["segments_uploaded"] == (0 if kind == "none" else 3 - len(kept))
    assert place.read("img") == image.read_bytes()


def set_quota(place: Place, limit: str) -> None:
    """Set the container's quota in bytes; an empty *limit* removes it."""
    place.store.do("POST", place.container, headers={"X-Container-Meta-Quota-Bytes": limit})
