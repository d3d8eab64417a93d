# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The result of a catalogue, for each image and in total."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import Any

from .._errors import ImageStoreError
from .._model.image import Image
from .._model.location import Location, Placement
from .._transfer.plan import Transfer
from .change import Change, describe, describe_transfer


class Action(str, Enum):
    """The action that a task takes on an image."""

    ADDED = "added"
    REPLACED = "replaced"
    CHANGED = "changed"
    REMOVED = "removed"
    PRUNED = "pruned"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    LEFT_OUT = "left_out"


_CHANGING = (Action.ADDED, Action.REPLACED, Action.CHANGED, Action.REMOVED, Action.PRUNED)


@dataclass(frozen=True)
class Outcome:
    """The result of one image.

    :param change: None if the image failed, or was not begun
    :param transfer: None if nothing is sent, because the image is deleted
    :param retries: how often requests for the image were sent again
    :param seconds: how long the image took
    """

    location: Location
    change: Change | None = None
    transfer: Transfer | None = None
    retries: int = 0
    seconds: float = 0.0
    error: ImageStoreError | None = None
    is_pruned: bool = False

    @property
    def action(self) -> Action:
        """The action on the image."""
        if self.error is not None:
            return Action.FAILED
        if self.change is None:
            return Action.LEFT_OUT
        if not self.change.changed:
            return Action.UNCHANGED
        if self.is_pruned:
            return Action.PRUNED
        return _action_of(self.change.before, self.change.after)

    @property
    def changed(self) -> bool:
        """True if anything in the store changes, or would change."""
        return self.change is not None and self.change.changed

    def result(self, storage_url: str) -> dict[str, Any]:
        """Return the image's entry in the module's result."""
        result: dict[str, Any] = {
            "name": self.location.name,
            "changed": self.changed,
            "failed": self.error is not None,
            "action": self.action.value,
        }
        if self.error is not None:
            result["msg"] = str(self.error)
        if self.change is None:
            return result
        result["image"] = describe(self.location, self.change.after, storage_url)
        if self.transfer is not None:
            result["transfer"] = describe_transfer(asdict(self.transfer), self.retries, self.seconds)
        return result


def _action_of(before: Image | None, after: Image | None) -> Action:
    if after is None:
        return Action.REMOVED
    if before is None:
        return Action.ADDED
    return (
        Action.CHANGED
        if (before.size, before.effective_etag) == (after.size, after.effective_etag)
        else Action.REPLACED
    )


@dataclass(frozen=True)
class Report:
    """The results of all images.

    :param outcomes: of the images in the catalogue, in its order
    :param pruned: of the images that were pruned
    :param not_pruned: the reasons to keep other images that are not in the catalogue, by name
    """

    placement: Placement
    outcomes: Sequence[Outcome]
    pruned: Sequence[Outcome]
    not_pruned: Mapping[str, str]

    def result(self, storage_url: str) -> dict[str, Any]:
        """Return the module's result."""
        changes = [outcome.change for outcome in self._everything if outcome.change and outcome.changed]
        # Several images may need the same new container, and whichever comes first creates it. Only the plan shows it.
        diff = [self._plan(changes), *(replace(change, new_containers=()).diff() for change in changes)]
        return {
            "changed": bool(changes),
            **({"diff": diff} if changes else {}),
            "images": [outcome.result(storage_url) for outcome in self.outcomes],
            "pruned": [outcome.result(storage_url) for outcome in self.pruned],
            "not_pruned": [{"name": name, "reason": reason} for name, reason in sorted(self.not_pruned.items())],
            "summary": {
                **{action.value: len(names) for action, names in self._by_action().items()},
                "bytes_uploaded": sum(one.transfer.bytes_uploaded for one in self._everything if one.transfer),
                "bytes_reused": sum(one.transfer.bytes_reused for one in self._everything if one.transfer),
                "bytes_deleted": sum(change.bytes_deleted for change in changes),
            },
        }

    def failure(self) -> str | None:
        """Return one message for all images that failed; None if none did."""
        failed = [outcome for outcome in self._everything if outcome.error is not None]
        if not failed:
            return None
        left_out = len(self._by_action()[Action.LEFT_OUT])
        rest = f" {left_out} more images were not started." if left_out else ""
        first = failed[0]
        if len(failed) == 1:
            return f"Image {first.location.name!r} failed: {first.error}{rest}"
        names = ", ".join(repr(outcome.location.name) for outcome in failed)
        return f"{len(failed)} images failed ({names}). The first error is: {first.error}{rest}"

    @property
    def _everything(self) -> list[Outcome]:
        return [*self.outcomes, *self.pruned]

    def _by_action(self) -> dict[Action, list[str]]:
        names: dict[Action, list[str]] = {action: [] for action in Action}
        for outcome in self._everything:
            names[outcome.action].append(outcome.location.name)
        return names

    def _plan(self, changes: Iterable[Change]) -> dict[str, Any]:
        """Return the first element of the diff: the names of the images that are added, replaced, and so on."""
        header = f"{self.placement.container}: {len(self.outcomes)} images"
        by_action = self._by_action()
        plan = {action.value: by_action[action] for action in _CHANGING if by_action[action]}
        containers = {container for change in changes for container in change.new_containers}
        if containers:
            plan["created_containers"] = sorted(containers)
        return {"before_header": header, "after_header": header, "before": {}, "after": plan}
