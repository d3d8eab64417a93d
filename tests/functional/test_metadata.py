# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Metadata as people write it, and as other clients have written it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imagestore.swift.tests.support.clients import SEGMENT
from ansible_collections.imagestore.swift.tests.support.writers import Place

# "café" in Latin-1, which is not UTF-8.
LATIN = b"caf\xe9"


def test_names_of_glance_properties_and_yaml_values_are_stored(place: Place, image: Path) -> None:
    given: dict[str, Any] = {"os_distro": "debian", "hw-boot-menu": True, "min_ram": 512, "weight": 0.5}
    done = place.change(name="img", src=str(image), metadata=given)
    stored = {"os-distro": "debian", "hw-boot-menu": "true", "min-ram": "512", "weight": "0.5"}
    assert done["image"]["metadata"] == stored
    place.keep(name="img", src=str(image), metadata=stored)
    twice = place.modules.try_to("swift_image", name="img", src=str(image), metadata={**given, "hw_boot_menu": False})
    assert "'hw-boot-menu' and 'hw_boot_menu' are the same in Swift" in twice["msg"]


@pytest.mark.parametrize("kind", ["plain", "dlo", pytest.param("slo", marks=pytest.mark.slo)])
def test_values_of_other_clients_are_kept_byte_for_byte(
    place: Place, image: Path, other_image: Path, kind: str
) -> None:
    cut = {"segment_size": "1GiB"} if kind == "plain" else {"segment_size": str(SEGMENT), "manifest": kind}
    place.modules("swift_image", name="img", src=str(image), **cut)
    stored = place.store.do("HEAD", place.container, "img").headers
    headers: dict[str, Any] = {name: value for name, value in stored.items() if name.startswith("X-Object-M")}
    headers |= {"X-Object-Meta-Place": LATIN, "Content-Disposition": b"attachment; filename=" + LATIN}
    place.store.do("POST", place.container, "img", headers=headers)
    told = place.modules("swift_image_info", name="img")["images"][0]
    assert told["metadata"] == {"place": "caf\ufffd"}
    for options in ({"content_type": "a/b"}, {"delete_after": 3600}, {"src": str(other_image)}):
        place.change(**{"name": "img", "src": str(image), **cut, **options})
        found = place.store.do("HEAD", place.container, "img").headers
        # requests reads headers in Latin-1, so that each character is a byte.
        assert found["X-Object-Meta-Place"].encode("latin-1") == LATIN
        if "src" not in options:
            assert found["Content-Disposition"].encode("latin-1").endswith(LATIN)
