# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Objects that are not pruned because kept images need them or may need them, found without a server."""

from __future__ import annotations

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._operations.prune import KeptImages, PruneScope

C = "glance"
KEPT = KeptImages(
    names={(C, "ubuntu"), (C, "roll"), (C, "stable"), (C, "made")},
    segments={(C, "piece"): "made"},
    prefixes={(C, "roll/"): "roll", ("other", "x"): "roll"},
    targets={(C, "debian-12.5"): "stable"},
)
LISTED = {(C, name) for name in ("ubuntu", "roll", "stable", "made", "old", "windows", "old-00001", "ubuntu-00001")}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("old", None),
        ("debian-12.5", "the symlink 'stable'"),
        ("piece", "'made', which the catalogue keeps, has it as a segment"),
        ("debian-12", None),
    ],
)
def test_certain_reason_to_keep_an_object(name: str, reason: str | None) -> None:
    found = KEPT.certain_reason((C, name))
    assert found is None if reason is None else reason in str(found)


@pytest.mark.parametrize(
    ("container", "name", "reason"),
    [
        (C, "old", None),
        (C, "ubuntu-20240612", None),
        # Another client would give these names to segments of a kept image.
        (C, "ubuntu/000000", "named like a segment of 'ubuntu', which the catalogue keeps"),
        (C, "ubuntu/00000001", "named like a segment of 'ubuntu'"),
        (C, "ubuntu-00001", "named like a segment of 'ubuntu'"),
        # Or to segments of an image that the listing does not show.
        (C, "fedora/000000", "named like a segment of 'fedora', which the listing does not show"),
        (C, "fedora-00001", "which the listing does not show"),
        # A listed image that is to be pruned as well needs nothing.
        (C, "old-00001", None),
        # Swift reads these objects with a kept DLO.
        (C, "roll/a", "Swift reads it as a part of 'roll'"),
        (C, "rolled", None),
        ("other", "xyz", "Swift reads it as a part of 'roll'"),
    ],
)
def test_possible_reason_to_keep_an_object(container: str, name: str, reason: str | None) -> None:
    found = KEPT.possible_reason((container, name), LISTED)
    assert found is None if reason is None else reason in str(found)


@pytest.mark.parametrize(
    ("scope", "names"),
    [
        (PruneScope(), {"debian-12", "nightly/1", "Nightly-2", ""}),
        (PruneScope(include=["nightly*"]), {"nightly/1"}),
        (PruneScope(include=["nightly*", "debian-??"]), {"debian-12", "nightly/1"}),
        (PruneScope(exclude=["debian*", ""]), {"nightly/1", "Nightly-2"}),
        (PruneScope(include=["debian*"], exclude=["*-12"]), set()),
        (PruneScope(include=[]), set()),
    ],
)
def test_scope_of_include_and_exclude_patterns(scope: PruneScope, names: set[str]) -> None:
    assert {name for name in ("debian-12", "nightly/1", "Nightly-2", "") if scope.has(name)} == names


@pytest.mark.parametrize(
    ("last_modified", "now", "reason"),
    [
        ("1970-01-01T00:01:40", 160.0, None),
        ("1970-01-01T00:01:40", 159.9, "it was changed at 1970-01-01T00:01:40"),
        ("1970-01-01T00:01:40.5Z", 160.0, "it was changed at 1970-01-01T00:01:40.5Z"),
        (None, 160.0, "Swift does not report when it was changed"),
    ],
)
def test_an_image_younger_than_min_age_is_kept(last_modified: str | None, now: float, reason: str | None) -> None:
    assert PruneScope(min_age=60).reason_to_keep(last_modified, now) == reason


@pytest.mark.parametrize(
    ("path", "is_needed"),
    [
        ((C, "ubuntu"), True),
        ((C, "piece"), True),
        ((C, "roll/a"), True),
        (("other", "xyz"), True),
        ((C, "debian-12.5"), True),
        (("other", "ubuntu"), False),
        ((C, "old"), False),
        ((C, "rolled"), False),
    ],
)
def test_paths_needed_by_kept_images(path: tuple[str, str], is_needed: bool) -> None:
    assert KEPT.needs(path) is is_needed
