# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Segments that no writer can have made as one image, and segments that expire with an image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._model.image import Image, ManifestKind, Segment
from ansible_collections.imagestore.swift.plugins.module_utils._model.location import locate
from ansible_collections.imagestore.swift.plugins.module_utils._storage.leftovers import Leftovers
from ansible_collections.imagestore.swift.plugins.module_utils._storage.ownership import (
    Ownership,
    expire_segments,
    irregular_segments,
)
from ansible_collections.imagestore.swift.plugins.module_utils._swift.client import SwiftClient
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
def test_segments_of_unexpected_size_are_irregular(sizes: list[int], irregular: list[int]) -> None:
    segments = [Segment("glance", f"a-{number:05d}", size, "e") for number, size in enumerate(sizes)]
    assert [segments.index(segment) for segment in irregular_segments(segments)] == irregular


@given(st.integers(1, 10**6), st.integers(1, 10**4))
def test_segments_of_a_split_file_are_regular(size: int, segment_size: int) -> None:
    sizes = [min(segment_size, size - first) for first in range(0, size, segment_size)][:1000]
    assert (
        list(irregular_segments([Segment("glance", str(number), one, "e") for number, one in enumerate(sizes)])) == []
    )


@dataclass
class Posts:
    """A client that remembers which objects got an expiry."""

    names: list[str] = field(default_factory=list)

    def head_object(self, _container: str, _name: str) -> Mapping[str, str]:
        return {}

    def post_object(self, _container: str, name: str, _headers: Mapping[str, str]) -> None:
        self.names.append(name)


def test_only_possible_segments_of_a_hidden_manifest_expire() -> None:
    """The segments of a generation belong to an upload that another run is sending."""
    here = locate("glance", "a")
    content = Segment("glance", f".segments/a/{'0' * 64}-5", 5, "e")
    generation = Segment("glance", ".segments/a/1795369775123456-0123abcd/00000001", 5, "e")
    image = Image(ManifestKind.SLO, 5, "e", hides_segments=True, delete_at=2_000_000_000)
    posts = Posts()
    ownership = Ownership(here, image, Leftovers((content, generation)))
    expire_segments(cast(SwiftClient, posts), ownership, image, 1)
    assert posts.names == [content.name]
