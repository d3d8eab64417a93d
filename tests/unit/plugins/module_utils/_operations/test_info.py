# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module's result, made from a scan."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._errors import DamagedImagesError
from ansible_collections.imagestore.swift.plugins.module_utils._model.image import Image, ManifestKind
from ansible_collections.imagestore.swift.plugins.module_utils._model.location import Location
from ansible_collections.imagestore.swift.plugins.module_utils._operations.info import (
    ImageSummary,
    InfoScan,
    check_damage,
)

IMAGE = Image(ManifestKind.NONE, 5, "e")
ACL = {"read_acl": ".r:*"}
CONTAINERS = {"glance": {"name": "glance", "acl": ACL}}


def _summary(name: str, is_verified: bool = False, container: str = "glance") -> ImageSummary:
    location = Location(container, name, container)
    return ImageSummary(location, {"name": name, "container": container}, IMAGE if is_verified else None)


@pytest.mark.parametrize(
    ("problems", "told"),
    [
        ([], {"complete": True, "problems": []}),
        (["segment 1 is missing"], {"complete": False, "problems": ["segment 1 is missing"]}),
        (None, {"complete": None, "problems": []}),
    ],
)
def test_problems_are_reported_for_the_affected_image(problems: list[str] | None, told: dict[str, Any]) -> None:
    # An image that does not exist is not verified.
    images = [_summary("missing"), _summary("first", is_verified=True), _summary("second", is_verified=True)]
    result = InfoScan(images, [["gone"], problems], CONTAINERS, None).result(with_acl=False)
    assert result == {
        "images": [
            {"name": "missing", "container": "glance"},
            {"name": "first", "container": "glance", "complete": False, "problems": ["gone"]},
            {"name": "second", "container": "glance", **told},
        ],
        "containers": [CONTAINERS["glance"]],
    }


def test_a_long_problem_list_is_truncated() -> None:
    problems = [f"segment {number} is missing" for number in range(25)]
    (image,) = InfoScan([_summary("a", is_verified=True)], [problems], {}, None).result(with_acl=False)["images"]
    assert image["problems"] == [*problems[:20], "5 more problems are left out."]


def test_a_damage_failure_contains_the_result() -> None:
    whole = {"name": "a", "complete": True, "problems": []}
    unknown = {"name": "b", "complete": None, "problems": []}
    damaged = {"name": "c", "complete": False, "problems": ["It is cut.", "And more."]}
    check_damage({"images": [whole, unknown, {"name": "d", "exists": False}]})
    result = {"images": [whole, damaged]}
    with pytest.raises(
        DamagedImagesError, match=r"1 of 2 images are damaged: c\. The first problem of 'c' is: It is cut\."
    ) as caught:
        check_damage(result)
    assert caught.value.result is result


def test_an_image_has_the_acl_of_its_container() -> None:
    images = [_summary("a"), _summary("b", container="gone")]
    result = InfoScan(images, [], CONTAINERS, None).result(with_acl=True)
    assert [image["acl"] for image in result["images"]] == [ACL, None]


def test_orphans_are_reported_only_if_requested() -> None:
    assert "orphans" not in InfoScan([], [], {}, None).result(with_acl=False)
    assert InfoScan([], [], {}, [{"name": "x"}]).result(with_acl=False)["orphans"] == [{"name": "x"}]
