# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clean-up of objects that no image refers to: orphans, segments of interrupted uploads, and finished journals.

``Cleanup.plan`` lists segments before it reads manifests, so that it misses no manifest that is written meanwhile.
``Cleanup.apply`` deletes segments in batches. Just before each batch, it checks the segments and the manifests again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from .._concurrency import WORKERS, parallel_map
from .._context import RunContext
from .._errors import ConflictError, ForbiddenError, ImageStoreError, IntegrityError, LoginError, NotFoundError
from .._model.image import Path, Segment
from .._model.owners import SEGMENTS_SUFFIX
from .._storage.containers import keeps_versions
from .._storage.journal import Journal, remove_journals
from .._storage.manifest_index import HiddenManifestError, References, manifest_index
from .._storage.orphans import OrphanCandidates, Scope, find_candidates, find_old_journals
from .._storage.segments import delete_segments, shorten
from .._swift.account import Headers
from .._swift.client import SwiftClient
from .change import show_objects

# No image has an empty name, so that every manifest counts.
_NOBODY = ""

# Segments that are deleted after one check.
_BATCH = 1000


@dataclass(frozen=True)
class CleanupPlan:
    """The objects that no image refers to.

    :param sizes: of the segments to delete, in bytes, by path
    :param journals: that are finished after the deletion
    """

    sizes: Mapping[Path, int] = field(default_factory=dict)
    journals: Sequence[Journal] = ()

    @property
    def paths(self) -> list[str]:
        """The containers and names of all objects, sorted."""
        names = [*self.sizes, *((journal.container, journal.name) for journal in self.journals)]
        return ["/".join(path) for path in sorted(names)]

    def result(self) -> dict[str, Any]:
        """Return the module's result."""
        paths = self.paths
        result: dict[str, Any] = {
            "changed": bool(paths),
            "objects_deleted": len(paths),
            "bytes_freed": sum(self.sizes.values()),
        }
        if paths:
            before = {"objects": show_objects(paths), "bytes": result["bytes_freed"]}
            result["diff"] = {"before": before, "after": {"objects": [], "bytes": 0}}
        return result


class Cleanup:
    """A clean-up of the segments that were written for the images in a scope.

    :param min_age: the minimum age of an object in seconds, because a running upload has no manifest yet
    """

    def __init__(self, client: SwiftClient, scope: Scope, min_age: int, context: RunContext) -> None:
        self._client = client
        self._scope = scope
        self._min_age = min_age
        self._context = context
        self._candidates = OrphanCandidates({}, 0)
        self._containers: Sequence[str] = ()
        # Manifests and segments that can't be read, each with the reason.
        self._unreadable: dict[Path, str] = {}
        # Those of them that the store does not return, each with whether it names segments of this collection alone.
        self._hidden: dict[Path, bool] = {}

    def plan(self) -> CleanupPlan:
        """Find the objects that no image refers to; nothing is changed.

        :raises NotFoundError: a container does not exist
        """
        versioned = self._find_versioned()
        self._candidates = find_candidates(self._client, self._scope, self._min_age)
        journals = find_old_journals(self._client, self._scope, self._candidates, self._min_age)
        paths = self._beside_readable_manifests(self._provable(versioned))
        paths = self._unneeded(self._still_there(paths))
        self._warn_of_unreadable()
        return self._plan_of(paths, journals)

    def _warn_of_unreadable(self) -> None:
        for path, reason in sorted(self._unreadable.items()):
            if path not in self._hidden:
                self._context.warn(
                    f"{'/'.join(path)} can't be read, so segments that it may need are not deleted: {reason}"
                )
        if self._hidden:
            self._context.warn(
                f"This store (Ceph RGW) does not return the manifests of {len(self._hidden)} static large objects, so "
                "segments that they may need are not deleted: "
                f"{shorten(['/'.join(path) for path in sorted(self._hidden)])}. Store these images again as dynamic "
                "large objects to have their leftovers deleted."
            )

    def apply(self, plan: CleanupPlan) -> CleanupPlan:
        """Delete the objects of a plan, except those that an image needs by now; return the plan of what was deleted.

        :raises IntegrityError: an image that was stored at the same moment needs a deleted segment
        """
        deleted: set[Path] = set()
        paths = sorted(plan.sizes)
        for first in range(0, len(paths), _BATCH):
            batch = self._unneeded(self._still_there(paths[first : first + _BATCH]))
            delete_segments(
                self._client, [Segment(*path, plan.sizes[path], "") for path in batch], self._context.concurrency
            )
            deleted |= batch
        damaged = self._named(deleted)
        if damaged:
            raise IntegrityError(
                "Images that were stored while their old segments were deleted lack these segments now: "
                f"{shorten(sorted(set(damaged.values())))}. Store these images again from their sources."
            )
        done = self._plan_of(deleted, plan.journals)
        remove_journals(self._client, done.journals)
        return done

    def _plan_of(self, paths: Collection[Path], journals: Sequence[Journal]) -> CleanupPlan:
        sizes = {path: int(self._candidates.entries[path]["bytes"]) for path in sorted(paths)}
        return CleanupPlan(sizes, [journal for journal in journals if self._is_finished(journal, sizes)])

    def _find_versioned(self) -> set[str]:
        """Return those of the scope's containers that keep older versions of their objects."""
        versioned = set()
        for container in self._scope.containers:
            headers = self._client.head_container(container)
            if headers is None:
                raise NotFoundError(
                    f"There is no container {container!r} in this account: set container to one that exists.", 404
                )
            if keeps_versions(headers):
                versioned.add(container)
        return versioned

    def _provable(self, versioned: Collection[str]) -> set[Path]:
        """Return the candidates whose names identify an image, and that no older version of a manifest may need.

        :param versioned: containers that keep versions of manifests
        """
        named = {path for path in self._candidates.entries if self._candidates.image_of(path)[1] is not None}
        found = {path for path in named if self._candidates.image_of(path)[0] not in versioned}
        if len(found) < len(named):
            self._context.warn(
                f"{len(named) - len(found)} segments are not deleted, because older versions of manifests in "
                f"{shorten(sorted(versioned))} may need them."
            )
        return found

    def _beside_readable_manifests(self, paths: set[Path]) -> set[Path]:
        """Return those of *paths* that the readable manifests can prove to be orphans."""
        containers = self._list_containers()
        if containers is not None:
            self._containers = containers
            return paths
        # A manifest that these credentials can't see may refer to segments in other containers.
        self._containers = sorted(self._scope.containers)
        beside = {path for path in paths if path[0] == self._candidates.image_of(path)[0]}
        self._context.warn(
            "These credentials may not list all containers of the account, whose manifests may name segments. "
            f"{len(paths) - len(beside)} segments outside their images' containers are not deleted."
        )
        return beside

    def _list_containers(self) -> Sequence[str] | None:
        """Return all containers of the account; None if one of them may not be listed."""
        try:
            containers = [*self._client.list_containers("")]
            for container in containers:
                next(iter(self._client.list_objects(container)), None)
        except (ForbiddenError, LoginError):
            return None
        # With another project's token, Ceph RGW 20 lists the containers of that project instead.
        return containers if set(self._scope.containers) <= set(containers) else None

    def _unneeded(self, paths: Collection[Path]) -> set[Path]:
        """Return those of *paths* that no manifest refers to, and that no unreadable manifest may refer to."""
        left = set(paths) - self._named(paths).keys()
        left = {path for path in left if not self._is_needed_by_owner(path)}
        return {path for path in left if not self._may_be_unreadable(path)}

    def _named(self, paths: Collection[Path]) -> Mapping[Path, str]:
        """Return those of *paths* that a manifest refers to, each with the image's name."""
        named: dict[Path, str] = {}
        for container in self._containers if paths else ():
            index = manifest_index(self._client, container)
            named.update(index.find(self._client, paths, _NOBODY, partial(self._note_unreadable, container)))
        return named

    def _is_needed_by_owner(self, path: Path) -> bool:
        """Return whether the image that a segment was written for needs it.

        That image may have a segment's name itself, and so may be missing in the index.
        """
        container, name = self._candidates.image_of(path)
        key = f"needed by {container}/{name}"
        references = self._client.remember(key, lambda: self._read_owner(container, str(name)))
        return bool(list(references.among([path], _NOBODY)))

    def _read_owner(self, container: str, name: str) -> References:
        try:
            references = manifest_index(self._client, container).read_by_name(self._client, name)
            if references.is_unknown:
                self._note_unreadable(container, name, HiddenManifestError(container, name, references.is_own))
            return references
        except (ConflictError, ForbiddenError, IntegrityError) as error:
            self._note_unreadable(container, name, error)
            return References()

    def _note_unreadable(self, container: str, name: str, error: ImageStoreError) -> None:
        if isinstance(error, HiddenManifestError):
            self._hidden[container, name] = error.is_own
        self._unreadable[container, name] = str(error)

    def _may_be_unreadable(self, path: Path) -> bool:
        """Return whether an unreadable manifest may refer to a segment, by the segment's image or container."""
        if not all(self._hidden.values()):
            # Another client's manifest may name anything in the account.
            return True
        containers = {container for container, _name in self._unreadable}
        containers |= {container + SEGMENTS_SUFFIX for container in containers}
        return path[0] in containers or self._candidates.image_of(path) in self._unreadable

    def _still_there(self, paths: Collection[Path]) -> set[Path]:
        """Return those of *paths* that are still the listed objects: a listing may lag, and a name may be reused."""
        asked = sorted(paths)
        answers = parallel_map(self._look_at, asked, WORKERS)
        return {path for path, headers in zip(asked, answers) if self._candidates.is_still(path, headers)}

    def _look_at(self, path: Path) -> Headers | None:
        try:
            return self._client.head_object(*path, manifest=True)
        except (ConflictError, ForbiddenError) as error:
            self._context.warn(f"{'/'.join(path)} is not deleted: {error}")
            return None

    def _is_finished(self, journal: Journal, deleted: Collection[Path]) -> bool:
        """Return whether nothing is left of the segments that a journal notes once *deleted* is gone."""
        left = [segment for segment in journal.segments if segment.path not in deleted]
        try:
            answers = parallel_map(lambda segment: self._client.head_object(*segment.path), left, WORKERS)
        except (ConflictError, ForbiddenError):
            return False
        return not any(journal.means(segment, headers) for segment, headers in zip(left, answers))
