# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes of images: ``changed`` and the diff agree, whatever the change is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._model.image import Image, ManifestKind
from ansible_collections.imagestore.swift.plugins.module_utils._model.location import locate
from ansible_collections.imagestore.swift.plugins.module_utils._operations.change import Change, describe, show_objects

HERE = locate("glance", "a")
IMAGE = Image(ManifestKind.NONE, 5, "e", segment_count=0, last_modified="2026-01-01T00:00:00")
OTHER = replace(IMAGE, etag="f")


@pytest.mark.parametrize(
    ("change", "before", "after"),
    [
        (Change(HERE, None, IMAGE), {"exists": False}, {"exists": True, "etag": "e"}),
        (Change(HERE, IMAGE, None), {"exists": True}, {"exists": False}),
        (Change(HERE, IMAGE, OTHER), {"etag": "e"}, {"etag": "f"}),
        (Change(HERE, IMAGE, IMAGE, new_containers=("apart",)), {}, {"created_containers": ["apart"]}),
        (Change(HERE, None, None, leftovers=3), {"exists": False, "leftover_segments": 3}, {"exists": False}),
        (Change(HERE, None, None, removes_container=True), {}, {"removed_containers": ["glance"]}),
        (Change(HERE, None, None, ends_journals=True), {"pending": True}, {}),
        (Change(HERE, IMAGE, IMAGE, repaired=2), {"damaged_segments": 2}, {}),
        (Change(HERE, IMAGE, None, deleted=("glance/a",)), {"objects": ["glance/a"]}, {}),
        (Change(HERE, replace(IMAGE, is_pending=True), IMAGE), {"pending": True}, {}),
        # A POST of another client may have dropped the record of the size.
        (Change(HERE, IMAGE, replace(IMAGE, recorded_size=5)), {"recorded": False}, {}),
        # The time is unknown until it is set.
        (Change(HERE, IMAGE, replace(IMAGE, delete_at=9, delete_after=7)), {"delete_at": None}, {"delete_after": 7}),
    ],
)
def test_a_change_is_shown_in_the_diff(change: Change, before: dict[str, Any], after: dict[str, Any]) -> None:
    assert change.changed
    shown = change.diff()
    assert before.items() <= shown["before"].items()
    assert after.items() <= shown["after"].items()
    assert shown["before"] != shown["after"]
    assert shown["before_header"] == shown["after_header"] == "glance/a"


@pytest.mark.parametrize("image", [IMAGE, None])
def test_an_unchanged_image_has_no_difference(image: Image | None) -> None:
    change = Change(HERE, image, image)
    assert not change.changed
    assert change.diff()["before"] == change.diff()["after"]


def test_last_modified_is_not_part_of_the_diff() -> None:
    shown = Change(HERE, IMAGE, replace(IMAGE, last_modified="2026-02-02T00:00:00")).diff()
    assert shown["before"] == shown["after"]


@pytest.mark.parametrize(("count", "shown"), [(0, 0), (50, 50), (51, 51), (2000, 51)])
def test_a_long_object_list_is_truncated(count: int, shown: int) -> None:
    lines = show_objects([f"c/{number}" for number in range(count)])
    assert len(lines) == shown
    assert lines[50:] == ([f"and {count - 50} more"] if count > 50 else [])


def test_an_image_is_described_with_its_uri() -> None:
    told = describe(HERE, IMAGE, "https://h/v1/AUTH_x")
    assert (told["name"], told["container"], told["exists"]) == ("a", "glance", True)
    assert told["uri"] == "swift+https://h/v1/AUTH_x/glance/a"
    assert describe(HERE, None, "https://h/v1/AUTH_x")["exists"] is False
