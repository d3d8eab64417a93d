# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The image that a segment belongs to, and the objects that an image may own."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._model import names
from ansible_collections.imagestore.swift.plugins.module_utils._model.image import Segment
from ansible_collections.imagestore.swift.plugins.module_utils._model.location import Location
from ansible_collections.imagestore.swift.plugins.module_utils._model.owners import (
    Owner,
    image_of,
    may_be_segment,
    may_own,
    owner_of,
)
from hypothesis import given
from hypothesis import strategies as st

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
CONTAINERS = st.sampled_from(["glance", "a", "a:b", "b", "segments"])
LOCATIONS = st.builds(Location, CONTAINERS, TEXT, CONTAINERS)
SHA256 = "0123456789abcdef" * 4
UUID = "6b1e5a36-63b1-4f2c-9a0e-0c0d5f1f2a11"
CLI = "application/swiftclient-segment"
A = Location("glance", "a", "glance")


@given(LOCATIONS)
def test_a_segment_name_identifies_its_image(location: Location) -> None:
    name = names.content_name(location, SHA256, 1)
    assert image_of(location.segment_container, name) == (location.container, location.name)


@given(LOCATIONS)
def test_own_segments_identify_their_owner(location: Location) -> None:
    numbered = names.numbered_name(names.new_generation(location, 10, 3), 1)
    for name in (names.content_name(location, SHA256, 1), numbered):
        assert owner_of(location.segment_container, name, "") == Owner(location.container, location.name)


@pytest.mark.parametrize(
    ("container", "name", "content_type", "owner"),
    [
        ("glance", f"{UUID}-00001", "application/octet-stream", Owner("glance", UUID)),
        ("glance", "debian-00001", "application/octet-stream", None),
        ("glance_segments", "a/b/slo/1700000000.5/300/100/00000002", CLI, Owner("glance", "a/b")),
        ("glance_segments", "a/1700000000.5/300/100/00000002", "text/plain", Owner("glance", "a")),
        ("glance", "a/1700000000.5/300/100/00000002", CLI, Owner("glance", "a")),
        ("glance", "a/1700000000.5/300/100/00000002", "text/plain", None),
        ("glance_segments", "a/1700000000.5/300/00000002", "text/plain", Owner("glance", "a")),
        ("glance_segments", "a b/2026-11-23-041936-njsnkORayfi9CK5TT5TnWA/00000000", "", Owner("glance", "a b")),
        ("glance", ".file-segments/f/b/2026-11-23-041936-arjsk97sR7hvG-vvz9AjQg/00000000", "", Owner("glance", "f/b")),
        ("glance", "b/2026-11-23-041936-arjsk97sR7hvG-vvz9AjQg/00000000", "", None),
        ("glance_segments", "whatever", CLI, Owner("glance", None)),
        ("glance_segments", "whatever", "text/plain", None),
        ("glance_segments", "disk.qcow2", "application/octet-stream", None),
        ("glance", "folder/00000001", "application/octet-stream", None),
        ("glance", ".segments/readme", "text/plain", None),
    ],
)
def test_owner_of_a_segment(container: str, name: str, content_type: str, owner: Owner | None) -> None:
    assert owner_of(container, name, content_type) == owner


def test_a_custom_prefix_is_recognised_by_the_content_type() -> None:
    own_type = names.segment_type(Location("glance", "debian", "glance"))
    assert owner_of("glance", "debian-00001", own_type) == Owner("glance", "debian")
    assert owner_of("glance", "folder/00000001", own_type) == Owner("glance", None)


@pytest.mark.parametrize("name", ["a-00001", "a/000000", "a/00000001", f"{UUID}-00001", "ubuntu/20240612"])
def test_segment_like_name(name: str) -> None:
    assert may_be_segment(name)


@pytest.mark.parametrize("name", ["a", "debian-12", "ubuntu-20240612", "-00001", "a/0000", UUID])
def test_name_unlike_a_segment(name: str) -> None:
    assert not may_be_segment(name)


APART = Location("glance", "a", "vault")
OWN_TYPE = names.segment_type(A)


@pytest.mark.parametrize(
    ("location", "container", "name", "content_type", "may"),
    [
        # In the image's own container, it is enough that a manifest names the object.
        (A, "glance", "anything", "", True),
        (A, "glance", ".segments/b/" + SHA256 + "-5", "", True),
        (A, "glance", "a", "", False),
        # In other containers, this collection's names show which image a segment belongs to.
        (A, "vault", ".segments/a/glance:" + SHA256 + "-5", "", True),
        (A, "vault", ".segments/a/glance:0000000000000000-00000000/00000001", "", True),
        (A, "vault", ".segments/a/" + SHA256 + "-5", "", False),
        (A, "vault", ".segments/b/glance:" + SHA256 + "-5", "", False),
        (A, "vault", ".segments/a/other:" + SHA256 + "-5", "", False),
        (A, "vault", ".segments/a/glance:" + SHA256, "", False),
        # Other clients' names count in the container's `_segments`, and in the container that the task names.
        (A, "glance_segments", "a/slo/1795369775.123/12/5/00000000", CLI, True),
        (A, "glance_segments", "a/1795369775.123/12/00000000", "", True),
        (A, "glance_segments", "a/2026-11-22-174935-x1_y/00000000", "", True),
        (A, "glance_segments", "b/slo/1795369775.123/12/5/00000000", CLI, False),
        (A, "glance_segments", "golden", "", False),
        (A, "vault", "a/slo/1795369775.123/12/5/00000000", CLI, False),
        (APART, "vault", "a/slo/1795369775.123/12/5/00000000", CLI, True),
        (APART, "vault", "a-00001", "", True),
        (APART, "vault", "golden-00001", "", False),
        (APART, "vault", "golden", "", False),
        (APART, "vault", "of/the/user/00000001", OWN_TYPE, True),
        (APART, "vault", "of/the/user/00000001", names.segment_type(replace(A, name="b")), False),
        (A, "vault", "of/the/user/00000001", OWN_TYPE, False),
        # A content type shows which image a segment belongs to, whatever its name is.
        (APART, "vault", "a-00001", names.segment_type(replace(A, container="other")), False),
        # The most specific pattern of segments' names counts.
        (Location("glance", "a/slo/1.5/12/5", "vault"), "vault", "a/slo/1.5/12/5/00000000", "", False),
        # Requests for these would reach other objects, or another account.
        (A, "..", "AUTH_other/c/.segments/a/glance:" + SHA256 + "-5", "", False),
        (A, "../AUTH_other/c", ".segments/a/glance:" + SHA256 + "-5", "", False),
        (A, "", "a", "", False),
        (A, "glance", "../vault/golden", "", False),
        (A, "glance", "./golden", "", False),
        (A, "glance", "", "", False),
        (A, "glance", "a\0b", "", False),
        (A, "va\0ult", ".segments/a/glance:" + SHA256 + "-5", "", False),
        (A, "v" * 257, ".segments/a/glance:" + SHA256 + "-5", "", False),
    ],
)
def test_ownership_is_limited_to_what_the_writer_could_delete(
    location: Location, container: str, name: str, content_type: str, may: bool
) -> None:
    assert may_own(location, Segment(container, name, 5, "e", content_type=content_type)) is may


@pytest.mark.parametrize(
    ("name", "may"), [("golden", False), ("b-00001", False), ("a-00001", True), (".segments/a/" + SHA256 + "-5", True)]
)
def test_a_manifest_in_another_container_does_not_prove_ownership(name: str, may: bool) -> None:
    assert may_own(A, Segment("glance", name, 5, "e", is_vouched=False)) is may
