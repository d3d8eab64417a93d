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
from ansible_collections.imagestore.swift.tests.support.web_site import CONTENT, Site
from ansible_collections.imagestore.swift.tests.unit.plugins.module_utils._source.url_reader import QUICK, read


def test_a_utf_8_redirect_location_is_percent_encoded(site: Site, tmp_path: Path) -> None:
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
def test_urls_are_encoded_as_by_browsers(site: Site, tmp_path: Path, address: str, asked: str) -> None:
    assert read(UrlSource(f" {site.url}{address} ", QUICK), tmp_path) == CONTENT
    assert site.gets[0][1] == asked


def test_host_names_are_idna_encoded() -> None:
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
def test_invalid_url(url: str) -> None:
    with pytest.raises(OptionError, match="url is not the URL of a file"):
        UrlSource(url, QUICK)


def test_a_file_url_is_refused() -> None:
    with pytest.raises(OptionError, match="write only the path in src"):
        UrlSource("file:///srv/x.raw", QUICK)
