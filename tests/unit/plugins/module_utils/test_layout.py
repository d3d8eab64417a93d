# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kinds and cuts."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._errors import OptionError
from ansible_collections.imagestore.swift.plugins.module_utils._image import ManifestKind
from ansible_collections.imagestore.swift.plugins.module_utils._layout import cut, lay_out
from ansible_collections.imagestore.swift.plugins.module_utils._location import locate
from hypothesis import given
from hypothesis import strategies as st

INFO: dict[str, Any] = {"slo": {"max_manifest_segments": 10, "min_segment_size": 2}, "dlo": {}, "swift": {}}
HERE = locate("glance", "a")


@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_pieces_cover_the_image_once(size: int, segment_size: int) -> None:
    if size // segment_size > 10**4:
        return
    pieces = cut(size, segment_size)
    position = 0
    for piece in pieces:
        assert piece.offset == position and 0 < piece.size <= segment_size
        position += piece.size
    assert position == size
    assert all(piece.size == segment_size for piece in pieces[:-1])


@pytest.mark.parametrize(
    ("size", "manifest", "info", "kind"),
    [
        (0, "auto", INFO, ManifestKind.NONE),
        (100, "auto", INFO, ManifestKind.NONE),
        (101, "auto", INFO, ManifestKind.SLO),
        (101, "auto", {"dlo": {}}, ManifestKind.DLO),
        (101, "auto", {}, ManifestKind.DLO),
        (101, "dlo", INFO, ManifestKind.DLO),
        (101, "slo", {}, ManifestKind.SLO),
        (100, "slo", INFO, ManifestKind.NONE),
    ],
)
def test_kind(size: int, manifest: str, info: dict[str, Any], kind: ManifestKind) -> None:
    assert lay_out(HERE, size, manifest, 100, 50, info).kind is kind


def test_an_slo_of_too_many_segments_gets_larger_ones() -> None:
    layout = lay_out(HERE, 101, "slo", 5, 5, INFO)
    assert len(layout.pieces) <= 10
    assert sum(piece.size for piece in layout.pieces) == 101


def test_a_dlo_has_as_many_segments_as_it_takes() -> None:
    assert len(lay_out(HERE, 101, "dlo", 5, 5, INFO).pieces) == 21


@pytest.mark.parametrize(
    ("size", "manifest", "large", "segment", "info", "sentence"),
    [
        (101, "slo", 5, 5, {"dlo": {}}, "manifest is slo, which this cluster does not offer"),
        (101, "slo", 1, 1, INFO, "takes no segment below 2 bytes"),
        (101, "slo", 200, 5, {"swift": {"max_file_size": 50}}, "large_object_size makes an object of 101 bytes"),
        (101, "dlo", 5, 60, {"swift": {"max_file_size": 50}}, "segment_size makes an object of 60 bytes"),
    ],
)
def test_what_the_cluster_refuses_is_refused_before(
    size: int, manifest: str, large: int, segment: int, info: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(OptionError, match=sentence):
        lay_out(HERE, size, manifest, large, segment, info)


def test_a_name_that_leaves_no_room_for_segments_names() -> None:
    long = locate("glance", "a" * 1000)
    assert lay_out(long, 5, "auto", 5, 5, INFO).kind is ManifestKind.NONE
    with pytest.raises(OptionError, match="choose a shorter name"):
        lay_out(long, 6, "auto", 5, 5, INFO)
