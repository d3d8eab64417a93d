# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tests of addresses on the web."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._errors import OptionError
from ansible_collections.imagestore.swift.plugins.module_utils._source.address import parse_address
from ansible_collections.imagestore.swift.plugins.module_utils._source.url import UrlSource
from ansible_collections.imagestore.swift.tests.unit.plugins.module_utils._source.web_server import (
    CONTENT,
    QUICK,
    Site,
    read,
)


def test_an_address_in_utf_8(site: Site, tmp_path: Path) -> None:
    site.redirects = {"/old": "/bild-ä-ß.img".encode().decode("latin-1")}
    assert read(UrlSource(f"{site.url}/old", QUICK), tmp_path) == CONTENT
    assert site.gets[-1][1] == "/bild-%C3%A4-%C3%9F.img"


@pytest.mark.parametrize(
    ("address", "asked"),
    [
        ("/a b.raw", "/a%20b.raw"),
        ("/é.raw", "/%C3%A9.raw"),
        ("/a%20b%zz.raw", "/a%20b%zz.raw"),
        ("/x?name=ü b&c=%2F", "/x?name=%C3%BC%20b&c=%2F"),
        ('/<x>"', "/%3Cx%3E%22"),
        ("/x#part", "/x"),
        ("/a/../b/./x", "/b/x"),
        ("/a\\x", "/a/x"),
    ],
)
def test_addresses_are_encoded_as_browsers_do(site: Site, tmp_path: Path, address: str, asked: str) -> None:
    assert read(UrlSource(f" {site.url}{address} ", QUICK), tmp_path) == CONTENT
    assert site.gets[0][1] == asked


def test_the_name_of_a_host_is_encoded() -> None:
    assert parse_address("https://bücher.example:444/ü", "url").url == "https://xn--bcher-kva.example:444/%C3%BC"
    assert parse_address("https://faß.de/", "url").url == "https://xn--fa-hia.de/"
    with pytest.raises(OptionError):
        parse_address("https://\u2603\u200d.\u2603\u0300\u00ad-/", "url")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://x/y",
        "x",
        "http://",
        "",
        "http:///x",
        "http://[::1/x",
        "http://joe:sec/ret@host/x",
        "http://host:port/x",
        "http://host/a\nb",
    ],
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(OptionError, match="url is not the address of a file"):
        UrlSource(url, QUICK)


def test_a_path_is_no_address() -> None:
    with pytest.raises(OptionError, match="write the path alone, in src"):
        UrlSource("file:///srv/x.raw", QUICK)
