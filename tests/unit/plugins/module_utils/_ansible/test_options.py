# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sizes, secrets and composed specs."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._ansible import options as _options
from ansible_collections.imagestore.swift.plugins.module_utils._ansible.redact import (
    hide_values,
    secrets_of,
    short_secrets_of,
)
from ansible_collections.imagestore.swift.plugins.module_utils._errors import OptionError

CLOUD = '{"auth": {"password": "p"}}'
LOCATION_DEFAULTS = {name: option.get("default") for name, option in _options.LOCATION.options.items()}


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("200MiB", 200 * 1024**2),
        ("200 MiB", 200 * 1024**2),
        ("200MB", 200 * 1024**2),
        ("200M", 200 * 1024**2),
        ("1GiB", 1024**3),
        ("0.5KiB", 512),
        ("1", 1),
    ],
)
def test_valid_size(text: str, size: int) -> None:
    assert _options.parse_size("segment_size", text) == size


@pytest.mark.parametrize("text", ["", "MiB", "5x", "-1", "0", "0MiB", "1MiBi", "ten"])
def test_invalid_size(text: str) -> None:
    with pytest.raises(OptionError, match="segment_size"):
        _options.parse_size("segment_size", text)


def test_argument_specs_are_combined() -> None:
    both = _options.CONNECTION + _options.LOCATION
    assert {"cloud", "name", "container"} <= set(both.options)
    assert both.to_kwargs()["argument_spec"]["cloud"]["no_log"] is True


@pytest.mark.parametrize(
    ("params", "secrets"),
    [
        ({"cloud": "images", "auth": None}, set()),
        ({"cloud": None, "auth": {"auth_url": "u", "username": "n", "password": "p"}}, {"p"}),
        ({"cloud": {"auth": {"username": "n", "password": "p"}, "region_name": "r"}, "auth": None}, {"p"}),
        ({"cloud": None, "auth": {"application_credential_id": "i", "application_credential_secret": "s"}}, {"s"}),
        ({"cloud": None, "auth": {"token": "t", "project_name": "p"}}, {"t"}),
        ({"cloud": None, "auth": {"unheard_of": ["x", {"y": "z"}], "password": 12}}, {"x", "z", "12"}),
        ({"cloud": None, "auth": {"password": "", "flag": True}}, set()),
        ({"cloud": None, "auth": {"auth_url": "https://user:pw@example.com/v3"}}, {"pw"}),
        ({"cloud": {"regions": [{"name": "r", "values": {"auth": {"password": "p"}}}]}, "auth": None}, {"p", "r"}),
        ({"cloud": CLOUD, "auth": None}, {CLOUD, CLOUD.replace('"', '\\"')}),
        ({"cloud": None, "auth": {"password": "k\n"}}, {"k\n", "k\\n", "k"}),
        ({"uri": "swift+https://h/v1/AUTH_x/c/o"}, set()),
        ({"uri": "swift://a:u:k%2Fy@h/c/o"}, {"swift://a:u:k%2Fy@h/c/o", "k/y", "k%2Fy"}),
        ({"uri": "swift://a:u:k/y@h/c/o"}, {"swift://a:u:k/y@h/c/o"}),
    ],
)
def test_secrets_and_unknown_values_are_hidden(params: dict[str, Any], secrets: set[str]) -> None:
    assert secrets_of(params) | short_secrets_of(params) == secrets


@pytest.mark.parametrize(
    ("params", "secrets"),
    [
        ({"images": "text"}, set()),
        ({"images": ["text", {"url": "http://u:word@h/i"}]}, {"text", "word"}),
        ({"images": {"a": 1}, "cloud": "images"}, set()),
        ({"uri": {"key": "word"}}, {"word"}),
        ({"url": ["word"], "checksum": 12345}, {"word", "12345"}),
        ({"auth": "word"}, {"word"}),
        ({"auth": [{"password": "word", "project_name": "images"}]}, {"word"}),
        ({"url_headers": "word"}, {"word"}),
        ({"cloud": ["word"]}, {"word"}),
    ],
)
def test_options_of_wrong_types_are_searched_for_secrets(params: dict[str, Any], secrets: set[str]) -> None:
    assert secrets_of(params) == secrets


def test_short_secrets_hide_only_whole_values() -> None:
    params = {"auth": {"password": "abc", "token": "abcd"}}
    assert (secrets_of(params), short_secrets_of(params)) == ({"abcd"}, {"abc"})
    result = {"msg": "abc is in abcde", "metadata": {"a": "abc", "abc": 1}, "list": ("abc", None, "ab")}
    assert hide_values(result, {"abc"}) == {
        "msg": "abc is in abcde",
        "metadata": {"a": "********", "abc": 1},
        "list": ["********", None, "ab"],
    }


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"name": "a/b"}, ("glance", "a/b", "glance", False)),
        ({"name": "a", "segment_container": "s"}, ("glance", "a", "s", False)),
        ({"name": "a", "multi_tenant": True}, ("glance_a", "a", "glance_a", True)),
        ({"name": "abc", "containers_seed": 2}, ("glance_ab", "abc", "glance_ab", False)),
        ({"uri": "swift+https://h/v1/AUTH_x/c/a%2Fb", "containers_seed": 2}, ("c", "a/b", "c", False)),
        ({"uri": "swift+https://h/v1/AUTH_x/c/o", "segment_container": "s"}, ("c", "o", "s", False)),
        ({"uri": "swift+https://h/v1/AUTH_x/c_o/o", "multi_tenant": True}, ("c_o", "o", "c_o", True)),
    ],
)
def test_valid_location(params: dict[str, Any], expected: tuple[str, str, str, bool]) -> None:
    location = _options.read_location({**LOCATION_DEFAULTS, **params})
    assert (location.container, location.name, location.segment_container, location.alone) == expected


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"uri": "swift+https://h/v1/AUTH_x/c/o", "multi_tenant": True}, "does not end in _ and the image's name"),
        ({"uri": "swift+https://h/v1/AUTH_x/c%2Fd/o"}, "'c/d' has a slash"),
        ({"uri": "swift+https://h/v1/AUTH_x/c/.segments%2Fo"}, "reserved for segments"),
    ],
)
def test_invalid_location(params: dict[str, Any], sentence: str) -> None:
    with pytest.raises(OptionError, match=sentence):
        _options.read_location({**LOCATION_DEFAULTS, **params})
