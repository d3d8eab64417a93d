# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names of containers and images, and the URI without credentials."""

from __future__ import annotations

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._errors import OptionError
from ansible_collections.imagestore.swift.plugins.module_utils._model.location import Placement, locate
from ansible_collections.imagestore.swift.plugins.module_utils._model.uri import parse_uri
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("container", "name", "sentence"),
    [
        ("", "a", "container is empty"),
        ("a/b", "a", "has a slash"),
        ("..", "a", "is a path"),
        ("c" * 257, "a", "257 bytes long, but Swift allows at most 256"),
        ("c", "", "name is empty"),
        ("c", ".segments/x", "reserved for segments"),
        ("c", "a/../b", "only dots"),
        ("c", "./a", "only dots"),
        ("c", "a" * 1025, "1025 bytes long, but Swift allows at most 1024"),
        ("c", "é" * 513, "1026 bytes long"),
        ("c", "\udcff", "not valid UTF-8"),
    ],
)
def test_invalid_container_or_name(container: str, name: str, sentence: str) -> None:
    with pytest.raises(OptionError, match=sentence):
        locate(container, name)


@pytest.mark.parametrize("name", ["a", "a/b", "a//b", "é" * 512, "a%2Fb", "a?b#c", "..a", ".segments", "a b"])
def test_valid_name(name: str) -> None:
    assert locate("glance", name).name == name


def test_segment_container_defaults_to_the_image_container() -> None:
    assert locate("glance", "a").segment_container == "glance"
    assert locate("glance", "a", "other").segment_container == "other"
    with pytest.raises(OptionError, match="segment_container"):
        locate("glance", "a", "x/y")


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_uri_round_trip_of_any_name(name: str) -> None:
    try:
        location = locate("glance", name)
    except OptionError:
        return
    uri = location.uri("https://swift.example.com:8080/v1/AUTH_x/")
    assert uri.startswith("swift+https://swift.example.com:8080/v1/AUTH_x/glance/")
    assert parse_uri(uri).url == "https://swift.example.com:8080/v1/AUTH_x"
    assert (parse_uri(uri).container, parse_uri(uri).name) == ("glance", name)


ID = "fdae39a1-bac5-4238-aba4-69bcc726e848"


@pytest.mark.parametrize(
    ("seed", "container"),
    # Cases of glance_store's tests/unit/test_swift_store.py, and after those the edge cases of its driver.
    [
        (0, "glance"),
        (1, "glance_f"),
        (3, "glance_fda"),
        (10, "glance_fdae39a1-ba"),
        (32, f"glance_{ID}"),
        (8, "glance_fdae39a1"),
        (9, "glance_fdae39a1-b"),
        (13, "glance_fdae39a1-bac5-"),
    ],
)
def test_a_seed_selects_the_container_as_in_glance(seed: int, container: str) -> None:
    assert Placement("glance", seed=seed).locate(ID).container == container
    assert Placement("glance", seed=seed).container_of(ID.upper()) == container


def test_a_multi_tenant_image_has_its_own_container() -> None:
    location = Placement("glance", multi_tenant=True).locate(ID)
    assert (location.container, location.segment_container, location.alone) == (f"glance_{ID}", f"glance_{ID}", True)
    assert not Placement("glance").locate(ID).alone


@pytest.mark.parametrize(
    ("placement", "name", "sentence"),
    [
        ({"seed": -1}, ID, "containers_seed is -1, but must be between 0 and 32"),
        ({"seed": 33}, ID, "containers_seed is 33"),
        ({"seed": 1, "multi_tenant": True}, ID, "leave one of them out"),
        ({"multi_tenant": True}, "a/b", "a slash in name 'a/b'"),
        ({"seed": 2}, "a/b", "a slash in name 'a/b'"),
        ({"multi_tenant": True}, "n" * 250, "257 bytes long, but Swift allows at most 256"),
    ],
)
def test_invalid_placement(placement: dict[str, object], name: str, sentence: str) -> None:
    with pytest.raises(OptionError, match=sentence):
        Placement("glance", **placement).locate(name)
