# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The user's metadata and media type."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._errors import OptionError
from ansible_collections.imagestore.swift.plugins.module_utils._model import metadata
from ansible_collections.imagestore.swift.plugins.module_utils._model.capabilities import Capabilities


def test_metadata_is_normalised_as_by_swift() -> None:
    given: dict[str, Any] = {"OS-Distro": " debian ", "version": 12, "empty": "", "none": None}
    assert metadata.check_metadata(given) == {"os-distro": "debian", "version": "12"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (False, "false"),
        ("True", "True"),
        (12, "12"),
        (10**20, "1" + "0" * 20),
        (12.0, "12.0"),
        (1e22, "10000000000000000000000"),
        (1e-7, "0.0000001"),
        (-0.5, "-0.5"),
    ],
)
def test_values_are_stored_as_people_write_them(value: Any, text: str) -> None:
    assert metadata.check_metadata({"a": value}) == {"a": text}


def test_underscores_in_names_are_stored_as_dashes() -> None:
    assert metadata.check_metadata({"os_distro": "debian", "hw_disk_bus": "scsi"}) == {
        "os-distro": "debian",
        "hw-disk-bus": "scsi",
    }


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"os.distro": "x"}, "letters, digits, dashes and underscores"),
        ({"a b": "x"}, "letters, digits, dashes and underscores"),
        ({"": "x"}, "letters, digits, dashes and underscores"),
        ({"os_distro": "x", "os-distro": "x"}, "'os_distro' and 'os-distro' are the same in Swift"),
        ({"A": "x", "a": None}, "'A' and 'a' are the same in Swift"),
        ({"image_md5": "x"}, "reserved for this collection"),
        ({"Image-MD5": "x"}, "reserved for this collection"),
        ({"a": "x\ny"}, "control characters"),
        ({"mtime": "1"}, "reserved for other clients"),
        ({"x_sdk_md5": "1"}, "reserved for other clients"),
        ({"a": ["x"]}, "a list or a dict"),
    ],
)
def test_invalid_metadata(given: dict[str, str], sentence: str) -> None:
    with pytest.raises(OptionError, match=sentence):
        metadata.check_metadata(given)


def test_metadata_beyond_the_cluster_limits_is_refused() -> None:
    metadata.check_limits({"a": "x" * 256}, [], Capabilities())
    for given in ({"a": "x" * 257}, {"a" * 129: "x"}, {"a": "é" * 129}):
        with pytest.raises(OptionError, match="shorten it"):
            metadata.check_limits(given, [], Capabilities())
    with pytest.raises(OptionError, match="allows at most 5"):
        metadata.check_limits({"a": "123456"}, [], Capabilities(max_meta_value_length=5))
    many = {f"a{number}": "x" for number in range(82)}
    metadata.check_limits(many, ["md5", "sha512"], Capabilities())
    with pytest.raises(OptionError, match="have 91 entries, but this cluster allows at most 90"):
        metadata.check_limits({**many, "b": "x"}, ["md5", "sha512"], Capabilities())
    with pytest.raises(OptionError, match="bytes, but this cluster allows at most 4096"):
        metadata.check_limits({f"a{number}": "x" * 250 for number in range(15)}, [], Capabilities())


@pytest.mark.parametrize("content_type", ["", " ", "a\nb", "größe"])
def test_invalid_content_type(content_type: str) -> None:
    with pytest.raises(OptionError, match="media type"):
        metadata.check_content_type(content_type)
    assert metadata.check_content_type(" a/b ") == "a/b" and metadata.check_content_type(None) is None
