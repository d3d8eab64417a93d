# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Objects that are not pruned because kept images need them or may need them, found without a server."""

from __future__ import annotations

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._operations.prune import KeptImages

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
        ("piece", "'made', which the catalogue keeps, is made of it"),
        ("debian-12", None),
    ],
)
def test_what_a_kept_image_needs_is_certain(name: str, reason: str | None) -> None:
    found = KEPT.certain_reason((C, name))
    assert found is None if reason is None else reason in str(found)


@pytest.mark.parametrize(
    ("container", "name", "reason"),
    [
        (C, "old", None),
        (C, "ubuntu-20240612", None),
        # Another client would give these names to segments of a kept image.
        (C, "ubuntu/000000", "called as a segment of 'ubuntu', which the catalogue keeps"),
        (C, "ubuntu/00000001", "called as a segment of 'ubuntu'"),
        (C, "ubuntu-00001", "called as a segment of 'ubuntu'"),
        # Or to segments of an image that the listing does not show.
        (C, "fedora/000000", "called as a segment of 'fedora', which the listing does not show"),
        (C, "fedora-00001", "which the listing does not show"),
        # A listed image that is to be pruned as well needs nothing.
        (C, "old-00001", None),
        # Swift reads these objects with a kept DLO.
        (C, "roll/a", "Swift reads it with 'roll'"),
        (C, "rolled", None),
        ("other", "xyz", "Swift reads it with 'roll'"),
    ],
)
def test_what_may_be_a_segment_is_possible(container: str, name: str, reason: str | None) -> None:
    found = KEPT.possible_reason((container, name), LISTED)
    assert found is None if reason is None else reason in str(found)
