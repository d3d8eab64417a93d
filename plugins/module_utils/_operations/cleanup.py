# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Delete what no image refers to: orphaned segments, interrupted uploads, and finished journals.

``Cleanup.plan`` lists segments before it reads manifests, so that none is missed that is written meanwhile.
``Cleanup.apply`` looks at everything once more, and deletes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from .._concurrency import WORKERS, parallel_map
from .._context import RunContext
from .._errors import ForbiddenError, ImageStoreError, LoginError, NotFoundError
from .._model.image import Path, Segment
from .._storage.containers import keeps_versions
from .._storage.journal import Journal, remove_journals
from .._storage.manifest_index import manifest_index
from .._storage.orphans import OrphanCandidates, Scope, find_candidates, find_old_journals
from .._storage.segments import delete_segments, shorten
from .._swift.client import SwiftClient
from .change import show_objects

# No image has an empty name: every manifest counts.
_NOBODY = ""


@dataclass(frozen=True)
class CleanupPlan:
    """The objects that no image refers to.

    :param sizes: of the segments to delete, in bytes, by path
    :param journals: that are finished then
    """

    sizes: Mapping[Path, int] = field(default_factory=dict)
    journals: Sequence[Journal] = ()

    @property
    def paths(self) -> list[str]:
        """Container and name of each object, sorted."""
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

    :param min_age: seconds that an object has to be old: a running upload has no manifest yet
    """

    def __init__(self, client: SwiftClient, scope: Scope, min_age: int, context: RunContext) -> None:
        self._client = client
        self._scope = scope
        self._min_age = min_age
        self._context = context
        # Images whose manifests can't be read, each with the reason.
        self._unreadable: dict[Path, str] = {}

    def plan(self) -> CleanupPlan:
        """Find what no image refers to; nothing is changed.

        :raises NotFoundError: a container does not exist
        """
        for container in self._scope.containers:
            if self._client.head_container(container) is None:
                raise NotFoundError(f"There is no container {container!r} in this account: correct container.", 404)
        capabilities = self._client.capabilities
        if capabilities.hides_manifests or not capabilities.is_known:
            self._context.warn(
                "This cluster does not return the manifests of static large objects (as Ceph RGW), or does not say "
                "that it does, and they may name segments: nothing is deleted."
            )
            return CleanupPlan()
        candidates = find_candidates(self._client, self._scope, self._min_age)
        journals = find_old_journals(self._client, self._scope, candidates, self._min_age)
        provable = self._provable(candidates)
        containers, provable = self._with_readable_manifests(provable, candidates)
        orphans = self._unnamed(provable, containers)
        # A manifest may have been stored while the others were read.
        orphans = self._unnamed(self._still_there(orphans, candidates), containers)
        # What an unreadable manifest names is not known: what was written for its image stays.
        orphans = {path for path in orphans if candidates.image_of(path) not in self._unreadable}
        for (container, name), reason in sorted(self._unreadable.items()):
            self._context.warn(f"What {container}/{name} is made of can't be read, and its segments stay: {reason}")
        sizes = {path: int(candidates.entries[path]["bytes"]) for path in sorted(orphans)}
        return CleanupPlan(sizes, [journal for journal in journals if self._is_finished(journal, sizes)])

    def apply(self, plan: CleanupPlan) -> CleanupPlan:
        """Delete what a plan names; return what was deleted."""
        if plan.sizes:
            # An upload may have stored a manifest that names one of them since.
            containers = {container for container in self._containers() or self._scope.containers}
            kept = self._unnamed(set(plan.sizes), sorted(containers))
            plan = replace(plan, sizes={path: size for path, size in plan.sizes.items() if path in kept})
        segments = [Segment(*path, size, "") for path, size in plan.sizes.items()]
        delete_segments(self._client, segments, self._context.concurrency)
        remove_journals(self._client, plan.journals)
        return plan

    def _provable(self, candidates: OrphanCandidates) -> set[Path]:
        """Return the candidates but for those that an older version of a manifest may need."""
        versioned = {
            container
            for container in self._scope.containers
            if keeps_versions(self._client.head_container(container) or {})
        }
        found = {path for path in candidates.entries if candidates.image_of(path)[0] not in versioned}
        if len(found) < len(candidates.entries):
            self._context.warn(
                f"{len(candidates.entries) - len(found)} segments stay, because {shorten(sorted(versioned))} keeps "
                "versions of manifests, which may need them."
            )
        return found

    def _with_readable_manifests(
        self, paths: set[Path], candidates: OrphanCandidates
    ) -> tuple[Sequence[str], set[Path]]:
        """Return the containers whose manifests can be read, and what these can prove to be an orphan."""
        containers = self._containers()
        if containers is not None:
            return containers, paths
        # Elsewhere, a manifest that may not be seen may name a segment.
        beside = {path for path in paths if path[0] == candidates.image_of(path)[0]}
        self._context.warn(
            "These credentials may not list all containers of the account, whose manifests may name segments: "
            f"{len(paths) - len(beside)} segments outside of their images' containers stay."
        )
        return sorted(self._scope.containers), beside

    def _containers(self) -> Sequence[str] | None:
        """Return all containers of the account; None if one of them may not be listed."""
        try:
            containers = [*self._client.list_containers("")]
            for container in containers:
                next(iter(self._client.list_objects(container)), None)
        except (ForbiddenError, LoginError):
            return None
        return containers

    def _unnamed(self, paths: Collection[Path], containers: Sequence[str]) -> set[Path]:
        """Return those of *paths* that no manifest in *containers* names."""
        left = set(paths)
        for container in containers:
            if left:
                index = manifest_index(self._client, container)
                left -= index.find(self._client, left, _NOBODY, partial(self._note_unreadable, container)).keys()
        return left

    def _note_unreadable(self, container: str, name: str, error: ImageStoreError) -> None:
        self._unreadable[container, name] = str(error)

    def _still_there(self, paths: Collection[Path], candidates: OrphanCandidates) -> set[Path]:
        """Return those of *paths* that are still what was listed: a listing may lag, and a name be used again."""
        asked = sorted(paths)
        answers = parallel_map(lambda path: self._client.head_object(*path, manifest=True), asked, WORKERS)
        return {path for path, headers in zip(asked, answers) if candidates.is_still(path, headers)}

    def _is_finished(self, journal: Journal, deleted: Collection[Path]) -> bool:
        """Return whether nothing is left of what a journal notes once *deleted* is gone."""
        left = [segment for segment in journal.segments if segment.path not in deleted]
        answers = parallel_map(lambda segment: self._client.head_object(*segment.path), left, WORKERS)
        return not any(journal.means(segment, headers) for segment, headers in zip(left, answers))
