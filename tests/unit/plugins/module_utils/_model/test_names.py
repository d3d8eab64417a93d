# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names of segments, and the images that they belong to."""

from __future__ import annotations

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._model import names
from ansible_collections.imagestore.swift.plugins.module_utils._model.location import Location
from ansible_collections.imagestore.swift.plugins.module_utils._model.owners import image_of
from hypothesis import given
from hypothesis import strategies as st

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
CONTAINERS = st.sampled_from(["glance", "a", "a:b", "b", "segments"])
LOCATIONS = st.builds(Location, CONTAINERS, TEXT, CONTAINERS)
SHA256 = "0123456789abcdef" * 4
A = Location("glance", "a", "glance")


@given(LOCATIONS, st.integers(1, 10**12))
def test_own_segment_names_are_recognised(location: Location, size: int) -> None:
    content = names.content_name(location, SHA256, size)
    numbered = names.numbered_name(names.new_generation(location, 10, 3), 1)
    for name in (content, numbered):
        assert names.is_own_segment(location, name)
        assert len(name.encode()) <= names.longest_segment_name(location)


@given(LOCATIONS, LOCATIONS)
def test_no_image_owns_the_segments_of_another(one: Location, other: Location) -> None:
    if one != other and one.segment_container == other.segment_container:
        assert not names.is_own_segment(one, names.content_name(other, SHA256, 1))
        assert not names.is_own_segment(one, names.numbered_name(names.new_generation(other, 10, 3), 1))


@given(LOCATIONS, LOCATIONS)
def test_a_journal_is_not_a_segment_and_belongs_to_its_image_alone(one: Location, other: Location) -> None:
    journal = names.new_journal(one)
    assert names.is_journal(one, journal)
    assert not names.is_own_segment(one, journal)
    assert image_of(one.container, journal) is None
    assert len(journal.encode()) <= names.longest_segment_name(one)
    if one.name != other.name:
        assert not names.is_journal(other, journal)


def test_objects_below_an_image_name_are_not_its_segments() -> None:
    assert not names.is_own_segment(A, names.content_name(Location("glance", "a/b", "glance"), SHA256, 1))
    assert not names.is_own_segment(A, f".segments/a/{SHA256}-0")
    assert not names.is_own_segment(A, f".segments/a/{SHA256}-1/x")


@pytest.mark.parametrize(
    ("prefix", "names_there", "segments"),
    [
        ("id-", ["id-00001", "id-00002"], 2),  # Glance
        ("n/slo/1/2/3/", ["n/slo/1/2/3/00000000", "n/slo/1/2/3/00000001"], 2),  # swift CLI
        ("n/20261122-abc", ["n/20261122-abc/00000000"], 1),  # rclone
        ("n", ["n", "n/000000", "n/000001"], 2),  # openstacksdk, whose prefix is the manifest's name
        ("ubuntu-", ["ubuntu-00001", "ubuntu-20240612", "ubuntu-24.04"], 1),
        ("debian", ["debian/000000", "debian20240612", "debian-00001"], 1),
        ("a-", ["a-00001", "a-00003"], 1),  # a-00003 is behind a gap
        ("a-", ["a-00002"], 0),
        ("a-", ["a-b", "a-b-00001", "a-"], 0),
        ("a-", [], 0),
    ],
)
def test_numbered_segments(prefix: str, names_there: list[str], segments: int) -> None:
    expected = {name for name in names_there if name != prefix}
    found = names.numbered_segments(prefix, names_there)
    assert len(found) == segments and found <= expected


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/"), min_size=1), TEXT)
def test_manifest_header_round_trip(container: str, prefix: str) -> None:
    header = names.manifest_header(container, prefix)
    assert header.isascii()
    assert names.parse_manifest_header(header) == (container, prefix)


def test_manifest_header_of_another_client_is_decoded_once() -> None:
    assert names.parse_manifest_header("glance/a b-") == ("glance", "a b-")
    assert names.parse_manifest_header("glance/a%2525-") == ("glance", "a%25-")


def test_numbered_names_sort_by_number() -> None:
    generation = names.new_generation(A, 10, 3)
    numbered = [names.numbered_name(generation, number) for number in (1, 2, 9, 10, 99, 100, 12000)]
    assert numbered == sorted(numbered)


def test_a_generation_is_resumed_for_the_same_size_and_segment_size() -> None:
    beside = Location("other", "a", "glance")
    older, newer = (names.new_generation(A, 10, 3) for _time in range(2))
    left = [
        names.numbered_name(prefix, 1)
        for prefix in (
            newer,
            older,
            names.new_generation(A, 11, 3),
            names.new_generation(A, 10, 4),
            names.new_generation(beside, 10, 3),
            names.new_generation(Location("glance", "a/b", "glance"), 10, 3),
        )
    ]
    assert older < newer
    assert names.abandoned_generation(A, left, 10, 3) == newer
    assert names.abandoned_generation(A, left, 10, 5) is None


@pytest.mark.parametrize(
    ("names_there", "gaps"),
    [
        ([], []),
        (["a-00001", "a-00002"], []),
        (["a-00000", "a-00001"], []),
        (["a-00002"], [(1, 1)]),
        (["a-00001", "a-00004", "a-00006"], [(2, 3), (5, 5)]),
        (["a-00001", "a-b", "a-b-00007"], []),
    ],
)
def test_gaps_in_segment_numbers(names_there: list[str], gaps: list[tuple[int, int]]) -> None:
    assert names.gaps_among("a-", names_there) == gaps
