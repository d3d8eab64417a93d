# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The containers of segments that need the access of their image, found without a server."""

from __future__ import annotations

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._model.image import Image, ManifestKind, Segment
from ansible_collections.imagestore.swift.plugins.module_utils._model.location import locate
from ansible_collections.imagestore.swift.plugins.module_utils._operations.access import segment_containers

HERE = locate("glance", "a")
OWN = ".segments/a/glance:" + "0" * 64 + "-5"


def _image(kind: ManifestKind, container: str | None, *segments: Segment) -> Image:
    return Image(kind, 5, "e", segments, segment_container=container)


PLAIN = _image(ManifestKind.NONE, None)
BESIDE = _image(ManifestKind.SLO, "glance", Segment("glance", "s", 5, "e"))
SLO = _image(ManifestKind.SLO, "apart", Segment("apart", OWN, 5, "e"))
DLO = _image(
    ManifestKind.DLO, "apart", Segment("apart", ".segments/a/glance:0000000000000000-00000000/00000001", 5, "e")
)
CLI = _image(ManifestKind.DLO, "glance_segments", Segment("glance_segments", "a/1.5/12/00000000", 5, "e"))
# The manifest names another manifest, whose segments are in a third container.
NESTED = _image(
    ManifestKind.SLO, "inner", Segment("inner", OWN, 5, "e", inner=(Segment("deep", OWN.replace("0", "1"), 5, "e"),))
)
EMPTY_DLO = _image(ManifestKind.DLO, "empty")
HOSTILE_SLO = _image(ManifestKind.SLO, "vault", Segment("vault", "golden", 5, "e"))
HOSTILE_DLO = _image(ManifestKind.DLO, "vault", Segment("vault", "golden-00001", 5, "e"))
MIXED = _image(ManifestKind.SLO, "apart", Segment("apart", OWN, 5, "e"), Segment("vault", "golden", 5, "e"))
OTHER_ACCOUNT = _image(ManifestKind.SLO, "..", Segment("..", "AUTH_other/c/o", 5, "e"))


@pytest.mark.parametrize(
    ("images", "meant", "proved", "unproved"),
    [
        ([], [], {}, {}),
        ([PLAIN, BESIDE], [], {}, {}),
        ([SLO], [], {"apart": False}, {}),
        ([DLO], [], {"apart": True}, {}),
        ([SLO, DLO], [], {"apart": True}, {}),
        ([DLO, SLO], [], {"apart": True}, {}),
        ([CLI], [], {"glance_segments": True}, {}),
        ([NESTED], [], {"deep": False, "inner": False}, {}),
        ([EMPTY_DLO], [], {}, {"empty": "a"}),
        ([HOSTILE_SLO], [], {}, {"vault": "a"}),
        ([HOSTILE_DLO], [], {}, {"vault": "a"}),
        ([HOSTILE_DLO], ["vault"], {"vault": True}, {}),
        ([HOSTILE_SLO], ["other"], {}, {"vault": "a"}),
        ([MIXED], [], {"apart": False}, {"vault": "a"}),
        ([OTHER_ACCOUNT], [], {}, {"..": "a"}),
    ],
)
def test_containers_of_segments(
    images: list[Image], meant: list[str], proved: dict[str, bool], unproved: dict[str, str]
) -> None:
    found = segment_containers([(HERE, image) for image in images], meant)
    assert list(found.proved.items()) == list(proved.items())
    assert found.unproved == unproved
