# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Segments that no writer can have made as one image."""

from __future__ import annotations

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._model.image import Segment
from ansible_collections.imagestore.swift.plugins.module_utils._storage.ownership import irregular_segments
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("sizes", "irregular"),
    [
        ([], []),
        ([7], []),
        ([7, 7, 7], []),
        ([7, 7, 3], []),
        ([7, 7, 3, 7], [3]),
        ([7, 3, 3], [2]),
        ([7, 9, 7, 3, 1], [1, 4]),
    ],
)
def test_segments_that_no_writer_makes_are_irregular(sizes: list[int], irregular: list[int]) -> None:
    segments = [Segment("glance", f"a-{number:05d}", size, "e") for number, size in enumerate(sizes)]
    assert [segments.index(segment) for segment in irregular_segments(segments)] == irregular


@given(st.integers(1, 10**6), st.integers(1, 10**4))
def test_no_segment_of_a_cut_file_is_irregular(size: int, segment_size: int) -> None:
    sizes = [min(segment_size, size - first) for first in range(0, size, segment_size)][:1000]
    assert (
        list(irregular_segments([Segment("glance", str(number), one, "e") for number, one in enumerate(sizes)])) == []
    )
