# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A container's listing: its segments, and its possible manifests."""

from __future__ import annotations

from typing import Any

from ansible_collections.imagestore.swift.plugins.module_utils._storage.listing import Contents
from hypothesis import given
from hypothesis import strategies as st

UUID = "6b1e5a36-63b1-4f2c-9a0e-0c0d5f1f2a11"
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5)


def entry(name: str, size: int = 7, **more: Any) -> dict[str, Any]:
    return {"name": name, "bytes": size, "content_type": "application/octet-stream", **more}


def contents(*entries: dict[str, Any], prefix: str = "") -> Contents:
    return Contents("glance", prefix, sorted(entries, key=lambda one: one["name"].encode("utf-8")))


def test_possible_manifests_are_empty_or_have_an_slo_etag() -> None:
    listed = contents(entry("dlo", 0), entry("plain"), entry("slo", slo_etag='"e"'), entry(f"{UUID}-00001", 0))
    assert [found["name"] for found in listed.possible_manifests()] == ["dlo", "slo"]
    assert list(listed.images()) == ["dlo", "plain", "slo"]


def test_dlo_segments_are_distinguished_from_other_objects() -> None:
    listed = contents(entry("a", 0), entry("a-00001", 5), entry("a-00002", 3), entry("a-b", 11), entry("b"))
    assert listed.has_doubtful()
    assert listed.mark_dlo("a-", "a") == (2, 19)
    assert list(listed.images()) == ["a", "a-b", "b"]
    assert listed.is_segment("a-00002") and not listed.is_segment("a-b")
    assert not listed.has_doubtful()


def test_a_dlo_prefix_may_equal_the_image_name() -> None:
    listed = contents(entry("n", 0), entry("n/000000", 5), entry("n/000001", 3))
    assert listed.mark_dlo("n", "n") == (2, 8)
    assert list(listed.images()) == ["n"]


def test_unlisted_names_are_not_marked() -> None:
    listed = contents(entry("a"), prefix="a")
    listed.mark_segment("b")
    assert not listed.is_segment("b")
    assert listed.has_all_under("glance", "a-")
    assert not listed.has_all_under("glance", "b-")
    assert not listed.has_all_under("other", "a-")


def test_reserved_segment_names_are_not_covered_by_the_listing() -> None:
    assert not contents().has_all_under("glance", ".segments/a/1/")
    assert not contents().has_all_under("glance", ".seg")


@given(st.sets(NAMES), st.sets(NAMES))
def test_only_marked_names_are_segments(listed: set[str], marked: set[str]) -> None:
    found = contents(*map(entry, listed))
    for name in marked:
        found.mark_segment(name)
    assert set(found.images()) == listed - marked
    assert {name for name in listed if found.is_segment(name)} == listed & marked
