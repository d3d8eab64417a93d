# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Segments in another container than their image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imagestore.swift.tests.support.clients import SEGMENT
from ansible_collections.imagestore.swift.tests.support.writers import Place


def test_a_missing_segment_container_is_reported(place: Place, image: Path) -> None:
    missing = f"{place.container}-missing"
    options = {"segment_size": str(SEGMENT), "segment_container": missing}
    refused = place.modules.try_to("swift_image", name="img", src=str(image), **options)
    assert refused["failed"] and f"no container '{missing}'" in refused["msg"]
    assert place.names() == []


@pytest.mark.parametrize("kind", ["slo", "dlo"])
def test_images_of_the_same_name_can_share_a_segment_container(
    place: Place, kind: str, image: Path, other_image: Path
) -> None:
    apart, second = f"{place.container}-apart", f"{place.container}-second"
    options: dict[str, Any] = {"name": "img", "segment_size": str(SEGMENT), "manifest": kind}
    options.update(segment_container=apart, create_container=True)
    done = place.change(src=str(image), **options)
    assert done["image"]["segment_container"] == apart
    assert len(place.store.names(apart)) == 3
    place.modules("swift_image", container=second, src=str(other_image), **options)
    assert len(place.store.names(apart)) == 6
    assert place.read("img") == image.read_bytes()
    # A deletion finds the image's own segments without the option segment_container.
    place.change(name="img", state="absent")
    assert place.store.read(second, "img") == other_image.read_bytes()
    place.modules("swift_image", container=second, name="img", state="absent")
    assert place.names() == []
