# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The result of a module: ``changed`` and the diff come from one value, so that they can't disagree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._model.image import Image
from .._model.location import Location

# Values that differ between runs without a change of the image, or are unknown before the run.
_NOT_IN_DIFF = frozenset({"last_modified", "segment_prefix"})

# More lines in a diff are too many to read.
_MOST_OBJECTS = 50


@dataclass(frozen=True)
class Change:
    """A change of one image.

    :param before: the image as it was found; None if there was none
    :param after: the image as the task leaves it; None if there is none then
    :param new_containers: containers that are created for it
    :param leftovers: how many segments without a manifest are deleted
    :param removes_container: whether the image's container is deleted, too
    :param deleted: container and name of each object that is deleted
    :param ends_journals: whether an interrupted deletion is finished, even if nothing is left to delete
    :param repaired: how many segments are sent again, because they were missing or damaged
    :param bytes_deleted: how many bytes of objects are deleted or overwritten
    """

    location: Location
    before: Image | None
    after: Image | None
    new_containers: tuple[str, ...] = ()
    leftovers: int = 0
    removes_container: bool = False
    deleted: tuple[str, ...] = ()
    ends_journals: bool = False
    repaired: int = 0
    bytes_deleted: int = 0

    @property
    def changed(self) -> bool:
        """True if anything in the store changes, or would change."""
        return (
            self.before is not self.after
            or bool(self.new_containers)
            or self.leftovers > 0
            or self.removes_container
            or self.ends_journals
            or self.repaired > 0
        )

    def diff(self) -> dict[str, Any]:
        """Return Ansible's before and after, which are the same in check mode and in the run that follows."""
        return {
            "before_header": self.location.label,
            "after_header": self.location.label,
            "before": self._before_side(),
            "after": self._after_side(),
        }

    def _before_side(self) -> dict[str, Any]:
        side = _facts(self.before)
        if self.before and self.after and self.before.is_recorded != self.after.is_recorded:
            side["recorded"] = False
        if self.leftovers:
            side["leftover_segments"] = self.leftovers
        if self.deleted:
            side["objects"] = show_objects(self.deleted)
        if self.ends_journals:
            side["pending"] = True
        if self.repaired:
            side["damaged_segments"] = self.repaired
        return side

    def _after_side(self) -> dict[str, Any]:
        side = _facts(self.after)
        if self.new_containers:
            side["created_containers"] = list(self.new_containers)
        if self.removes_container:
            side["removed_containers"] = [self.location.container]
        return side


def _facts(image: Image | None) -> dict[str, Any]:
    """Return the facts of an image, or of its absence, that a diff compares."""
    facts: dict[str, Any] = image.facts() if image else {"exists": False}
    if image and image.delete_after is not None:
        # The time itself is unknown until it is set, so the diff shows the duration.
        facts["delete_after"] = image.delete_after
        del facts["delete_at"]
    if image and image.is_pending:
        facts["pending"] = True
    return {name: value for name, value in facts.items() if name not in _NOT_IN_DIFF}


def show_objects(paths: Sequence[str]) -> list[str]:
    """Return the first of many objects for a diff, and the number of the others."""
    shown = list(paths[:_MOST_OBJECTS])
    return shown if len(paths) == len(shown) else [*shown, f"and {len(paths) - len(shown)} more"]


def describe(location: Location, image: Image | None, storage_url: str) -> dict[str, Any]:
    """Return the ``image`` of a module's result."""
    facts = image.facts() if image else {"exists": False}
    return {
        "name": location.name,
        "container": location.container,
        "uri": location.uri(storage_url),
        **facts,
    }


def describe_transfer(counts: Mapping[str, int], retries: int, seconds: float) -> dict[str, Any]:
    """Return the ``transfer`` of a module's result.

    :param counts: of bytes and segments
    :param retries: how often a request was sent again
    :param seconds: how long the work took
    """
    return {**counts, "retries": retries, "seconds": round(seconds, 3)}
