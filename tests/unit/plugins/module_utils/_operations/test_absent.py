# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plans of deletions, made without a server: deleted objects, and objects that stay with the reason."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._model.image import Image, ManifestKind, Segment, Symlink
from ansible_collections.imagestore.swift.plugins.module_utils._model.location import locate
from ansible_collections.imagestore.swift.plugins.module_utils._operations.absent import DeletionPlan
from ansible_collections.imagestore.swift.plugins.module_utils._storage.journal import Journal
from ansible_collections.imagestore.swift.plugins.module_utils._storage.leftovers import Leftovers
from ansible_collections.imagestore.swift.plugins.module_utils._storage.ownership import Ownership

HERE = locate("glance", "a")


def _segment(name: str, container: str = "glance", size: int = 5) -> Segment:
    return Segment(container, name, size, "e")


def _dlo(*segments: Segment, prefix: str = "a-", strangers: tuple[Segment, ...] = ()) -> Image:
    return Image(
        ManifestKind.DLO, 5, "e", segments, strangers=strangers, segment_container="glance", segment_prefix=prefix
    )


OWN = _segment(".segments/a/" + "0" * 64 + "-5")
LEFT = _segment(".segments/a/" + "1" * 64 + "-5")
NOTED = _segment("a/slo/1795369775.123/12/5/00000000", "glance_segments")
FOREIGN = _segment(".segments/b/" + "0" * 64 + "-5")
FIRST, SECOND, LARGER = _segment("a-00001"), _segment("a-00002"), _segment("a-00003", size=6)
SLO = Image(ManifestKind.SLO, 5, "e", (OWN,), segment_container="glance")
JOURNAL = Journal("glance", ".segments/a/journal-0000000000000000-00000000", (NOTED,), 0.0)

GOLDEN = _segment("golden", "vault")
HOSTILE_JOURNAL = replace(JOURNAL, segments=(GOLDEN,))

NOTHING = Ownership(HERE, None, Leftovers())
IMAGE = Ownership(HERE, SLO, Leftovers())
SHARED = replace(IMAGE, named_by_others={OWN.path: "copy"})
COPY = Ownership(
    HERE,
    replace(SLO, segments=(OWN, FOREIGN), foreign_segments=frozenset({FOREIGN})),
    Leftovers(),
)
LIVING = replace(COPY, existing_images={("glance", "b")})
LINK = Ownership(HERE, replace(SLO, symlink=Symlink("glance", "b")), Leftovers())
# An SLO as Ceph RGW shows it, without its segments.
HIDDEN = replace(SLO, segments=(), hides_segments=True, kept_headers={"x-object-meta-image-segments": "1"})
NUMBERED = Ownership(HERE, _dlo(FIRST, SECOND, LARGER), Leftovers())
FORCED = replace(LIVING, force=True)

OF_ANOTHER = "1 segments of 'a' were written for another image, such as .segments/b/" + "0" * 64 + "-5, and are kept."
OF_OTHERS = (
    "1 segments of 'a' are kept, because other images use them, too: copy. Set force_segments to true to include them."
)
ELSEWHERE = (
    "1 objects that 'a' names are in other containers or are not named like its segments, and are kept: {}. If they "
    "are its segments, set segment_container to their container."
)
IMAGES = "1 objects that 'a' names are images themselves, and are kept: {}. Set force_segments to true to include them."
UNKNOWN = (
    "This store (Ceph RGW) does not return the manifest of 'a', and no names prove which objects are its segments. "
    "The segments are kept: find them by the image's name, and delete them with another client."
)
UNPROVEN = "1 objects under the prefix 'a-' in container 'glance' are not provably segments of 'a' and are kept: {}"


@pytest.mark.parametrize(
    ("ownership", "deleted", "warnings"),
    [
        (NOTHING, [], []),
        (replace(NOTHING, leftovers=Leftovers((LEFT,))), [LEFT], []),
        (IMAGE, [OWN], []),
        # A listing shows the image's segments among the leftovers.
        (replace(IMAGE, leftovers=Leftovers((OWN, LEFT))), [OWN, LEFT], []),
        (SHARED, [], [OF_OTHERS]),
        (replace(IMAGE, noted=[NOTED]), [OWN, NOTED], []),
        (replace(IMAGE, leftovers=Leftovers((), (JOURNAL,))), [OWN], []),
        (replace(IMAGE, leftovers=Leftovers((), (HOSTILE_JOURNAL,))), [OWN], [ELSEWHERE.format("vault/golden")]),
        (Ownership(HERE, replace(SLO, segments=(OWN, GOLDEN)), Leftovers()), [OWN], [ELSEWHERE.format("vault/golden")]),
        (
            Ownership(HERE, replace(SLO, segments=(OWN, GOLDEN)), Leftovers(), force=True),
            [OWN],
            [ELSEWHERE.format("vault/golden")],
        ),
        (Ownership(HERE, _dlo(GOLDEN, prefix="gold"), Leftovers()), [], [ELSEWHERE.format("vault/golden")]),
        (replace(IMAGE, images={OWN.path}), [], [IMAGES.format(OWN.name)]),
        (replace(IMAGE, images={OWN.path}, force=True), [OWN], []),
        (COPY, [OWN, FOREIGN], []),
        (LIVING, [OWN], [OF_ANOTHER]),
        (FORCED, [OWN, FOREIGN], []),
        (LINK, [], []),
        # If the manifest is hidden, the image's own segments are found by their names.
        (Ownership(HERE, HIDDEN, Leftovers((OWN, LEFT))), [OWN, LEFT], []),
        # Another client stored it, beside what an upload of ours left.
        (Ownership(HERE, replace(HIDDEN, kept_headers={}), Leftovers((LEFT,))), [LEFT], [UNKNOWN]),
        (Ownership(HERE, HIDDEN, Leftovers()), [], [UNKNOWN]),
        (NUMBERED, [FIRST, SECOND], [UNPROVEN.format("a-00003")]),
        (
            replace(NUMBERED, images={SECOND.path}),
            [FIRST],
            [UNPROVEN.format("a-00002, a-00003").replace("1 o", "2 o")],
        ),
        (
            Ownership(HERE, _dlo(FIRST, strangers=(_segment("a-b"),)), Leftovers()),
            [FIRST],
            [UNPROVEN.format("a-b")],
        ),
    ],
)
def test_deleted_segments_and_warnings(ownership: Ownership, deleted: list[Segment], warnings: list[str]) -> None:
    assert list(DeletionPlan.of(ownership).segments) == deleted
    assert list(ownership.warnings()) == warnings


@pytest.mark.parametrize(
    ("ownership", "changed", "leftovers", "paths"),
    [
        (NOTHING, False, 0, ()),
        (IMAGE, True, 0, ("glance/a", f"glance/{OWN.name}")),
        (replace(NOTHING, leftovers=Leftovers((LEFT,))), True, 1, (f"glance/{LEFT.name}",)),
        (
            replace(IMAGE, leftovers=Leftovers((LEFT,))),
            True,
            1,
            ("glance/a", f"glance/{OWN.name}", f"glance/{LEFT.name}"),
        ),
        (replace(NOTHING, leftovers=Leftovers((), (JOURNAL,))), True, 0, ()),
    ],
)
def test_a_change_lists_all_deleted_objects(
    ownership: Ownership, changed: bool, leftovers: int, paths: tuple[str, ...]
) -> None:
    change = DeletionPlan.of(ownership).change()
    assert (change.changed, change.leftovers, change.deleted) == (changed, leftovers, paths)


def test_a_merged_plan_deletes_the_segments_of_both_plans() -> None:
    first, second = DeletionPlan.of(IMAGE), DeletionPlan.of(replace(NOTHING, leftovers=Leftovers((LEFT, OWN))))
    assert second.merged_with(first).segments == (OWN, LEFT)
    assert second.merged_with(first).image is None


@pytest.mark.parametrize(
    ("segments", "unlisted"),
    [([OWN, LEFT], []), ([OWN, NOTED], [NOTED]), ([FIRST], [FIRST])],
)
def test_segments_that_no_listing_finds_are_unlisted(segments: list[Segment], unlisted: list[Segment]) -> None:
    assert IMAGE.unlisted(segments) == unlisted


@pytest.mark.parametrize(
    ("kept", "deleted", "leftovers"),
    [
        (None, [OWN, LEFT], 1),
        (SLO, [LEFT], 1),
        # A hidden manifest may name any object that has the name of its segment.
        (HIDDEN, [], 0),
    ],
)
def test_a_replacement_keeps_its_own_segments(kept: Image | None, deleted: list[Segment], leftovers: int) -> None:
    ownership = replace(IMAGE, leftovers=Leftovers((OWN, LEFT)))
    assert ownership.deletable(kept) == deleted
    assert ownership.count_leftovers(kept) == leftovers
