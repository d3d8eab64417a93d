# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Results of catalogues: actions, counts, and the one message about all failures."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._errors import IntegrityError
from ansible_collections.imagestore.swift.plugins.module_utils._model.image import Image, ManifestKind
from ansible_collections.imagestore.swift.plugins.module_utils._model.location import Placement, locate
from ansible_collections.imagestore.swift.plugins.module_utils._operations.catalogue_report import (
    Action,
    Outcome,
    Report,
)
from ansible_collections.imagestore.swift.plugins.module_utils._operations.change import Change
from ansible_collections.imagestore.swift.plugins.module_utils._transfer.plan import Transfer

URL = "https://h/v1/AUTH_x"
IMAGE = Image(ManifestKind.NONE, 5, "e", segment_count=0)


def outcome(name: str, before: Image | None, after: Image | None) -> Outcome:
    found = Change(locate("c", name), before, after)
    return Outcome(found.location, replace(found, bytes_deleted=5 if before and before is not after else 0))


ADDED = replace(outcome("added", None, IMAGE), transfer=Transfer(5, 0, 0, 0))
REPLACED = replace(outcome("replaced", IMAGE, replace(IMAGE, etag="f")), transfer=Transfer(3, 2, 1, 1))
CHANGED = outcome("changed", IMAGE, replace(IMAGE, metadata={"a": "b"}))
REMOVED = outcome("removed", IMAGE, None)
KEPT = outcome("kept", IMAGE, IMAGE)
PRUNED = replace(outcome("pruned", IMAGE, None), is_pruned=True)
FAILED = Outcome(locate("c", "failed"), error=IntegrityError("It broke."))
LEFT_OUT = Outcome(locate("c", "left"))


@pytest.mark.parametrize(
    ("one", "action", "is_change"),
    [
        (ADDED, Action.ADDED, True),
        (REPLACED, Action.REPLACED, True),
        (CHANGED, Action.CHANGED, True),
        (REMOVED, Action.REMOVED, True),
        (PRUNED, Action.PRUNED, True),
        (KEPT, Action.UNCHANGED, False),
        (FAILED, Action.FAILED, False),
        (LEFT_OUT, Action.LEFT_OUT, False),
    ],
)
def test_action_and_result_of_an_outcome(one: Outcome, action: Action, is_change: bool) -> None:
    told = one.result(URL)
    assert one.action is action and told["action"] == action.value
    assert one.changed is told["changed"] is is_change
    assert told["failed"] is (one is FAILED)
    assert ("image" in told) is (one.change is not None)
    assert ("transfer" in told) is (one.transfer is not None)


def test_a_report_counts_images_and_bytes() -> None:
    report = Report(Placement("c"), [ADDED, REPLACED, CHANGED, REMOVED, KEPT], [PRUNED], {"z": "young", "y": "linked"})
    told = report.result(URL)
    assert told["changed"]
    assert [one["name"] for one in told["images"]] == ["added", "replaced", "changed", "removed", "kept"]
    assert [one["name"] for one in told["pruned"]] == ["pruned"]
    assert told["not_pruned"] == [{"name": "y", "reason": "linked"}, {"name": "z", "reason": "young"}]
    counts = {action.value: 1 for action in Action} | {"failed": 0, "left_out": 0}
    assert told["summary"] == {**counts, "bytes_uploaded": 8, "bytes_reused": 2, "bytes_deleted": 20}
    # The first element names the images; each change has one of its own.
    assert told["diff"][0]["after"]["pruned"] == ["pruned"]
    assert len(told["diff"]) == 1 + 5
    assert report.failure() is None


def test_a_report_without_a_change_has_no_diff() -> None:
    told = Report(Placement("c"), [KEPT], [], {}).result(URL)
    assert not told["changed"] and "diff" not in told


def test_a_container_shared_by_images_is_reported_as_created_once() -> None:
    changes = [Change(locate("c", name), None, IMAGE, new_containers=("c",)) for name in "ab"]
    told = Report(Placement("c"), [Outcome(change.location, change) for change in changes], [], {}).result(URL)
    assert told["diff"][0]["after"]["created_containers"] == ["c"]
    assert not any("created_containers" in one["after"] for one in told["diff"][1:])


@pytest.mark.parametrize(
    ("outcomes", "message"),
    [
        ([KEPT, FAILED], "Image 'failed' failed: It broke."),
        ([FAILED, LEFT_OUT], "Image 'failed' failed: It broke. 1 more images were not started."),
        (
            [FAILED, replace(FAILED, location=locate("c", "second"))],
            "2 images failed ('failed', 'second'). The first error is: It broke.",
        ),
    ],
)
def test_failures_are_combined_in_a_single_message(outcomes: list[Outcome], message: str) -> None:
    assert Report(Placement("c"), outcomes, [], {}).failure() == message
