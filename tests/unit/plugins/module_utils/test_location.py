# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names of containers and images, and the URI without credentials."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._errors import OptionError
from ansible_collections.imagestore.swift.plugins.module_utils._location import locate
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("container", "name", "sentence"),
    [
        ("", "a", "container is empty"),
        ("a/b", "a", "holds a slash"),
        ("..", "a", "is a path"),
        ("c" * 257, "a", "257 bytes long and Swift takes 256"),
        ("c", "", "name is empty"),
        ("c", ".segments/x", "where segments are kept"),
        ("c", "a/../b", "only dots"),
        ("c", "./a", "only dots"),
        ("c", "a" * 1025, "1025 bytes long and Swift takes 1024"),
        ("c", "é" * 513, "1026 bytes long"),
        ("c", "\udcff", "not valid UTF-8"),
    ],
)
def test_refused(container: str, name: str, sentence: str) -> None:
    with pytest.raises(OptionError, match=sentence):
        locate(container, name)


@pytest.mark.parametrize("name", ["a", "a/b", "a//b", "é" * 512, "a%2Fb", "a?b#c", "..a", ".segments", "a b"])
def test_taken(name: str) -> None:
    assert locate("glance", name).name == name


def test_segments_lie_with_the_image_unless_said_otherwise() -> None:
    assert locate("glance", "a").segment_container == "glance"
    assert locate("glance", "a", "other").segment_container == "other"
    with pytest.raises(OptionError, match="segment_container"):
        locate("glance", "a", "x/y")


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_uri_holds_the_name_however_it_is_spelt(name: str) -> None:
    try:
        location = locate("glance", name)
    except OptionError:
        return
    uri = location.uri("https://swift.example.com/v1/AUTH_x")
    assert uri.startswith("swift+https://swift.example.com/v1/AUTH_x/glance/")
    assert unquote(urlsplit(uri).path) == f"/v1/AUTH_x/glance/{name}"
    assert not urlsplit(uri).query and not urlsplit(uri).fragment
