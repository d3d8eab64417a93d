# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Segments that may be orphans, and segments that are not, found without a server."""

from __future__ import annotations

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._model.image import Image, ManifestKind, Segment
from ansible_collections.imagestore.swift.plugins.module_utils._model.location import locate
from ansible_collections.imagestore.swift.plugins.module_utils._model.owners import Owner
from ansible_collections.imagestore.swift.plugins.module_utils._storage.orphans import OrphanCandidates, Scope

WHOLE = Scope(["glance"], None, "", None)
NAMED = Scope(["glance"], {("glance", "a")}, "", "segments")
PREFIXED = Scope(["glance", "other"], None, "deb", None)


@pytest.mark.parametrize(
    ("scope", "owner", "is_in_scope"),
    [
        (WHOLE, Owner("glance", "a"), True),
        (WHOLE, Owner("glance", None), True),
        (WHOLE, Owner("other", "a"), False),
        (NAMED, Owner("glance", "a"), True),
        (NAMED, Owner("glance", "a-b"), False),
        (NAMED, Owner("glance", None), False),
        (PREFIXED, Owner("other", "debian"), True),
        (PREFIXED, Owner("other", "alma"), False),
        (PREFIXED, Owner("other", None), False),
    ],
)
def test_segments_are_in_scope_by_their_owner(scope: Scope, owner: Owner, is_in_scope: bool) -> None:
    assert scope.has(owner) is is_in_scope


@pytest.mark.parametrize(
    ("scope", "places"),
    [
        (WHOLE, {("glance", ""), ("glance_segments", "")}),
        (
            NAMED,
            {
                ("glance", "a"),
                ("glance", ".segments/a"),
                ("glance", ".file-segments/a"),
                ("glance_segments", "a"),
                ("glance_segments", ".segments/a"),
                ("segments", "a"),
                ("segments", ".segments/a"),
            },
        ),
    ],
)
def test_places_cover_the_scope_without_overlap(scope: Scope, places: set[tuple[str, str]]) -> None:
    found = scope.places()
    listed = {place for place in found if place[1] == ""}
    assert {place for place in found if not place[1] or (place[0], "") not in listed} == found
    assert found == places


def _segment(name: str) -> Segment:
    return Segment("glance", name, 5, "e")


def _candidates(*names: str) -> OrphanCandidates:
    entry = {"bytes": 5, "last_modified": "2026-11-22T17:49:35.123450"}
    owners = {"a-1": ("glance", "a"), "inner": ("glance", None), "outer": ("glance", "b")}
    entries = {("glance", name): {**entry, "image": owners[name]} for name in names}
    return OrphanCandidates(entries, now=1795369835.0)


HERE = locate("glance", "a")
NESTED = Segment("glance", "outer", 5, "e", inner=(_segment("inner"),))


@pytest.mark.parametrize(
    ("image", "left"),
    [
        (None, {"a-1", "inner", "outer"}),
        (Image(ManifestKind.SLO, 5, "e", (_segment("a-1"),)), {"inner", "outer"}),
        (Image(ManifestKind.SLO, 5, "e", (NESTED,)), {"a-1"}),
        # Swift reads these with the DLO, whichever client wrote them.
        (Image(ManifestKind.DLO, 5, "e", strangers=(_segment("a-1"),)), {"inner", "outer"}),
        # A hidden manifest may name all segments that may have been written for its image.
        (Image(ManifestKind.SLO, 5, "e", hides_segments=True), {"outer"}),
    ],
)
def test_segments_named_by_a_manifest_are_not_orphans(image: Image | None, left: set[str]) -> None:
    candidates = _candidates("a-1", "inner", "outer")
    candidates.drop_named_by(HERE, image)
    assert {name for _container, name in candidates.entries} == left


def test_describe_orphan() -> None:
    assert _candidates("a-1").describe(("glance", "a-1")) == {
        "container": "glance",
        "name": "a-1",
        "size": 5,
        "last_modified": "2026-11-22T17:49:35Z",
        "age": 59,
    }
