# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which containers of segments need the access that an image has, decided without a server."""

from __future__ import annotations

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._model.image import Image, ManifestKind, Segment
from ansible_collections.imagestore.swift.plugins.module_utils._operations.access import segment_containers

PLAIN = Image(ManifestKind.NONE, 5, "e")
SLO = Image(ManifestKind.SLO, 5, "e", (Segment("apart", "s", 5, "e"),), segment_container="apart")
DLO = Image(ManifestKind.DLO, 5, "e", (Segment("apart", "s", 5, "e"),), segment_container="apart")
BESIDE = Image(ManifestKind.SLO, 5, "e", (Segment("glance", "s", 5, "e"),), segment_container="glance")
# The manifest names another manifest, whose segments are in a third container.
NESTED = Image(
    ManifestKind.SLO,
    5,
    "e",
    (Segment("inner", "m", 5, "e", inner=(Segment("deep", "s", 5, "e"),)),),
    segment_container="inner",
)
EMPTY_DLO = Image(ManifestKind.DLO, 0, "e", segment_container="empty")


@pytest.mark.parametrize(
    ("images", "containers"),
    [
        ([], {}),
        ([PLAIN, BESIDE], {}),
        ([SLO], {"apart": False}),
        ([DLO], {"apart": True}),
        ([SLO, DLO], {"apart": True}),
        ([DLO, SLO], {"apart": True}),
        ([NESTED], {"deep": False, "inner": False}),
        ([EMPTY_DLO], {"empty": True}),
    ],
)
def test_containers_of_segments(images: list[Image], containers: dict[str, bool]) -> None:
    assert list(segment_containers("glance", images).items()) == list(containers.items())
