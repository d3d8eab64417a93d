# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images from a FIFO, whose bytes come once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imagestore.swift.tests.support.clients import SEGMENT
from ansible_collections.imagestore.swift.tests.support.fifo import fifo_of
from ansible_collections.imagestore.swift.tests.support.modules import Result
from ansible_collections.imagestore.swift.tests.support.writers import Place

CUT = {"name": "img", "segment_size": str(SEGMENT)}
KINDS = ["slo", "dlo"]


@pytest.mark.parametrize("kind", KINDS)
def test_an_image_from_a_fifo_is_stored_replaced_and_kept(
    place: Place, image: Path, other_image: Path, kind: str
) -> None:
    large, other = image.read_bytes(), other_image.read_bytes()
    steps: list[tuple[bytes, dict[str, str], int]] = [
        (large, {}, 3),
        (other, {"size": str(len(other))}, 3),
        (other[:SEGMENT], {"large_object_size": "1GiB"}, 0),
        (b"", {}, 0),
    ]
    for data, options, segments in steps:
        done = store(place, data, manifest=kind, **options)
        assert done.changed
        assert (done["image"]["size"], done["image"]["segments"]) == (len(data), segments)
        again = store(place, data, manifest=kind, **options)
        assert not again.changed
        assert again["transfer"]["bytes_uploaded"] == 0
        assert place.read("img") == data
        assert len(place.names()) == 1 + segments


def store(place: Place, data: bytes, **options: Any) -> Result:
    """Store the bytes of a FIFO; check mode, which gets a FIFO of its own, has to predict the result."""
    with place.store.watch(place.container) as watched:
        predicted = place.modules.predict("swift_image", src=str(fifo_of(place.folder, data)), **CUT, **options)
    assert watched.changing == []
    done = place.modules("swift_image", src=str(fifo_of(place.folder, data)), **CUT, **options)
    assert (predicted.changed, predicted["diff"]) == (done.changed, done["diff"])
    return done


@pytest.mark.parametrize("kind", KINDS)
def test_a_truncated_fifo_is_refused(place: Place, image: Path, kind: str) -> None:
    data = image.read_bytes()
    size = str(len(data) + 1)
    refused = place.modules.try_to(
        "swift_image", src=str(fifo_of(place.folder, data)), size=size, manifest=kind, retries=0, **CUT
    )
    assert refused["failed"] and f"ended after {len(data)} of {size} bytes" in refused["msg"]
    # Nothing is left behind, so the message lists no segments.
    assert "segments" not in refused["msg"]
    assert place.names() == []
