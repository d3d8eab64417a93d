# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Segments' names, and whose a name is."""

from __future__ import annotations

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils import _segment_names as names
from hypothesis import given
from hypothesis import strategies as st

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
SHA256 = "0123456789abcdef" * 4


@given(TEXT, st.integers(1, 10**12))
def test_own_names_are_recognised(name: str, size: int) -> None:
    assert names.is_own_segment(name, names.content_name(name, SHA256, size))
    generation = names.new_generation(name)
    assert names.is_own_segment(name, names.numbered_name(generation, 1))
    assert len(names.content_name(name, SHA256, size).encode()) <= names.longest_segment_name(name)
    assert len(names.numbered_name(generation, 1).encode()) <= names.longest_segment_name(name)


@given(TEXT, TEXT)
def test_no_image_owns_the_segments_of_another(name: str, other: str) -> None:
    if name != other:
        assert not names.is_own_segment(name, names.content_name(other, SHA256, 1))
        assert not names.is_own_segment(name, names.numbered_name(names.new_generation(other), 1))


def test_a_folder_of_images_is_no_image() -> None:
    assert not names.is_own_segment("a", names.content_name("a/b", SHA256, 1))
    assert not names.is_own_segment("a", f".segments/a/{SHA256}-0")
    assert not names.is_own_segment("a", f".segments/a/{SHA256}-1/x")


@pytest.mark.parametrize(
    ("prefix", "name", "expected"),
    [
        ("id-", "id-00001", True),  # Glance
        ("n/slo/1/2/3/", "n/slo/1/2/3/00000000", True),  # swift CLI
        ("n/20261122-abc", "n/20261122-abc/00000000", True),  # rclone
        ("n", "n/000000", True),  # openstacksdk
        ("n", "n", False),  # openstacksdk's manifest, which its own prefix matches
        ("a-", "a-b", False),
        ("a-", "a-b-00001", False),
        ("a-", "b-00001", False),
        ("a-", "a-", False),
    ],
)
def test_numbered_segments(prefix: str, name: str, expected: bool) -> None:
    assert names.is_numbered_segment(prefix, name) is expected


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/"), min_size=1), TEXT)
def test_manifest_header_round_trip(container: str, prefix: str) -> None:
    header = names.manifest_header(container, prefix)
    assert header.isascii()
    assert names.parse_manifest_header(header) == (container, prefix)


def test_manifest_header_of_others_is_decoded_once() -> None:
    assert names.parse_manifest_header("glance/a b-") == ("glance", "a b-")
    assert names.parse_manifest_header("glance/a%2525-") == ("glance", "a%25-")


def test_numbers_sort_as_names_do() -> None:
    generation = names.new_generation("a")
    numbered = [names.numbered_name(generation, number) for number in (1, 2, 9, 10, 99, 100, 12000)]
    assert numbered == sorted(numbered)
