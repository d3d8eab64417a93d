# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deletion of one image, and of the leftovers of interrupted runs.

The object with the image's name is deleted first, so that no reader gets an image that lacks segments. Before that, a
journal notes the segments that no later run would find without the manifest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from .._context import RunContext
from .._errors import ImageStoreError, QuotaError
from .._model.image import Image, ManifestKind, Path, Segment
from .._model.location import Location
from .._model.names import new_journal
from .._storage.containers import (
    delete_emptied_container,
    first_other_name,
    keeps_versions,
    list_older_versions,
)
from .._storage.image_object import ImageObject
from .._storage.journal import write_journals
from .._storage.leftovers import Leftovers, delete_leftovers, find_leftovers, find_under_prefix, without
from .._storage.manifest import read_all_segments, read_image, read_summary
from .._storage.manifest_index import manifest_index
from .._storage.ownership import Ownership, scan_ownership
from .._storage.races import is_current
from .change import Change


@dataclass(frozen=True)
class DeletionPlan:
    """A plan of a deletion, made from a scan.

    :param image: the current one with its segments; None if there is none
    :param segments: the segments to delete
    :param removes_container: whether the image's own container is deleted, too
    :param older_version: the version that Swift restores under the name, because the container keeps versions
    """

    location: Location
    image: Image | None
    ownership: Ownership
    segments: tuple[Segment, ...]
    removes_container: bool = False
    older_version: Image | None = None

    @classmethod
    def of(cls, ownership: Ownership) -> DeletionPlan:
        """Decide what to delete."""
        return cls(ownership.location, ownership.image, ownership, tuple(ownership.deletable()))

    @property
    def leftovers(self) -> Leftovers:
        """The segments, and the journals that note some of them."""
        return Leftovers(self.segments, self.ownership.leftovers.journals)

    def merged_with(self, earlier: DeletionPlan) -> DeletionPlan:
        """Return this plan, which also deletes the segments of an earlier one."""
        return replace(self, segments=_each_once(*earlier.segments, *self.segments))

    def change(self) -> Change:
        """Return the change that the plan makes."""
        return Change(
            self.location,
            self.image,
            None,
            leftovers=self.ownership.count_leftovers(),
            removes_container=self.removes_container,
            deleted=self._deleted_paths(),
            bytes_deleted=self._deleted_bytes(),
            ends_journals=bool(self.leftovers.journals),
        )

    def _deleted_paths(self) -> tuple[str, ...]:
        named = [(self.location.container, self.location.name)] if self.image else []
        return tuple("/".join(path) for path in [*named, *(segment.path for segment in self.segments)])

    def _deleted_bytes(self) -> int:
        own = self.image.size if self.image and self.image.kind is ManifestKind.NONE and not self.image.is_link else 0
        return own + sum(segment.size for segment in self.segments if not segment.inner)


class AbsentImage:
    """An image with the desired state absent.

    :param force_segments: whether to delete segments to which other manifests refer, too
    :param segment_prefix: another prefix that segments of an interrupted upload may have
    :param is_kept: returns whether an image that the task keeps needs an object
    """

    def __init__(
        self,
        target: ImageObject,
        context: RunContext,
        force_segments: bool,
        segment_prefix: str | None = None,
        is_kept: Callable[[Path], bool] = lambda _path: False,
    ) -> None:
        self._target = target
        self._client = target.client
        self._location = target.location
        self._context = context
        self._force_segments = force_segments
        self._segment_prefix = segment_prefix
        self._is_kept = is_kept

    def reconcile(self) -> Change:
        """Delete the image, and every segment that was written for it.

        :raises ImageStoreError: something could not be deleted; the next run finishes it
        """
        return self.carry_out(self.plan())

    def carry_out(self, plan: DeletionPlan) -> Change:
        """Apply a plan; in check mode, only return the change that it would make.

        Warnings tell the user which objects are kept.
        """
        for warning in plan.ownership.warnings():
            self._context.warn(warning)
        # A listing may still show the image, and in check mode does.
        manifest_index(self._client, self._location.container).forget(self._location.name)
        if self._context.check_mode:
            return self._with_older_version(plan.change(), plan.older_version)
        self._apply(plan)
        if plan.removes_container:
            plan = replace(plan, removes_container=self._remove_container())
        return self._with_older_version(plan.change(), read_summary(self._target) if plan.older_version else None)

    def _with_older_version(self, change: Change, older: Image | None) -> Change:
        """Add the older version of the image that the container restores to a change, and warn the user of it."""
        if older is None:
            return change
        self._context.warn(
            f"An older version of {self._location.name!r} becomes the current image, because container "
            f"{self._location.container!r} keeps versions: run again to delete that version."
        )
        return replace(change, after=older)

    def plan(self) -> DeletionPlan:
        """Scan the store, and decide what to delete; nothing is changed.

        :raises ImageStoreError: a container of the image's segments can't be reached
        """
        plan = self._scan()
        for container in sorted({segment.container for segment in plan.segments}):
            self._client.head_container(container)
        return replace(
            plan,
            removes_container=self._location.alone and self._is_emptied_by(plan),
            older_version=self._find_older_version() if plan.image else None,
        )

    def _find_older_version(self) -> Image | None:
        headers = self._client.head_container(self._location.container)
        versions = list_older_versions(self._target, headers) if headers else []
        # An expired version is still listed, but is not restored.
        return next((image for version in versions if (image := read_summary(version))), None)

    def _scan(self) -> DeletionPlan:
        summary = read_summary(self._target)
        image = summary and read_all_segments(self._target, summary)
        leftovers = find_leftovers(self._target, image)
        if self._segment_prefix is not None:
            under_prefix, _other = find_under_prefix(self._target, self._segment_prefix)
            leftovers = replace(leftovers, segments=(*leftovers.segments, *under_prefix))
        return DeletionPlan.of(self._own(image, leftovers))

    def _own(self, image: Image | None, leftovers: Leftovers) -> Ownership:
        return scan_ownership(self._target, image, leftovers, self._force_segments, self._is_kept)

    def _is_emptied_by(self, plan: DeletionPlan) -> bool:
        """Return whether the image's container exists, and holds only what the plan deletes."""
        container = self._location.container
        headers = self._client.head_container(container)
        if headers is None:
            return False
        if keeps_versions(headers):
            self._context.warn(f"Container {container!r} is not deleted, because it keeps versions of deleted objects.")
            return False
        ours = {self._location.name, *(journal.name for journal in plan.leftovers.journals)}
        ours.update(segment.name for segment in plan.segments if segment.container == container)
        other = first_other_name(self._client, container, ours)
        if other is not None:
            self._context.warn(
                f"Container {container!r} is not deleted, because {other!r} in it does not belong to image "
                f"{self._location.name!r}."
            )
        return other is None

    def _apply(self, plan: DeletionPlan) -> None:
        leftovers = self._prepare(plan)
        if plan.image and is_current(self._target, plan.image) is False:
            # Another upload has ended meanwhile: its segments are deleted as well as those of the image before it.
            plan = self._scan().merged_with(plan)
            journals = (*leftovers.journals, *self._prepare(plan).journals)
            leftovers = Leftovers(plan.segments, journals)
        segments = self._delete_name(plan) if plan.image or plan.segments else ()
        try:
            delete_leftovers(self._target, replace(leftovers, segments=segments), self._context.concurrency)
        except ImageStoreError as error:
            error.add("The image itself is deleted: run again to delete the rest.")
            raise

    def _prepare(self, plan: DeletionPlan) -> Leftovers:
        """Prepare the deletion of the name; return what to delete afterwards."""
        if not plan.image:
            return plan.leftovers
        self._check_right_to_delete(plan)
        unlisted = plan.ownership.unlisted(plan.segments)
        if not unlisted:
            return plan.leftovers
        try:
            journals = write_journals(self._target, unlisted)
        except QuotaError:
            # The image is deleted all the same, because only a deletion makes room.
            self._context.warn(
                f"Container {self._location.container!r} has no room for a journal of the deletion of "
                f"{self._location.name!r}. If this run is interrupted, no other run can finish the deletion."
            )
            return plan.leftovers
        return replace(plan.leftovers, journals=(*plan.leftovers.journals, *journals))

    def _check_right_to_delete(self, plan: DeletionPlan) -> None:
        """Check, before the manifest is deleted, that segments in other containers can be deleted, too.

        Only Swift knows who may delete. It also checks that right for an object that does not exist.
        """
        for container in sorted({segment.container for segment in plan.segments} - {self._location.container}):
            headers = self._client.head_container(container)
            if headers and not keeps_versions(headers):
                self._client.delete_object(container, new_journal(self._location))

    def _delete_name(self, plan: DeletionPlan) -> tuple[Segment, ...]:
        """Delete the object with the image's name; return the segments to delete afterwards.

        If a disk was unreachable, Swift may not have shown the image before.
        """
        was_there = self._target.delete()
        if was_there and plan.image is None:
            # Another upload has just ended, of which this run did not know.
            leftovers = find_leftovers(self._target)
            appeared = self._own(None, leftovers).deletable()
            return _each_once(*plan.segments, *appeared)
        return self._unless_stored_again(plan)

    def _unless_stored_again(self, plan: DeletionPlan) -> tuple[Segment, ...]:
        """Return the segments to delete, except those of an image that an upload has stored meanwhile."""
        if not plan.segments:
            return ()
        current = read_image(self._target)
        if current is None or current == plan.image:
            # A server that does not know of the deletion yet still shows the same image.
            return plan.segments
        if current.hides_segments:
            return ()
        return without(plan.segments, {segment.path for segment in current.objects})

    def _remove_container(self) -> bool:
        container = self._location.container
        is_removed = delete_emptied_container(self._client, container)
        if not is_removed:
            self._context.warn(f"Container {container!r} is not deleted, because Swift reports that it is not empty.")
        return is_removed


def _each_once(*segments: Segment) -> tuple[Segment, ...]:
    return tuple({segment.path: segment for segment in segments}.values())
