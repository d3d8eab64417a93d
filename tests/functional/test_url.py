# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images from a real web server, over a network that breaks, and through redirects and encodings."""

from __future__ import annotations

import gzip
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.imagestore.swift.tests.support.clients import SEGMENT
from ansible_collections.imagestore.swift.tests.support.modules import hurry
from ansible_collections.imagestore.swift.tests.support.nginx import Nginx, breaking, find_nginx, serving
from ansible_collections.imagestore.swift.tests.support.writers import Place

SEGMENTS = {"segment_size": str(SEGMENT), "name": "img"}
# More than a minute ago, so that the time is a strong validator.
LONG_AGO = 1_700_000_000


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory, image: Path, other_image: Path) -> Iterator[Nginx]:
    """A web server that has the images as image.raw and other.raw, each also compressed."""
    folder = tmp_path_factory.mktemp("nginx")
    program = find_nginx(folder)
    if program is None:
        pytest.skip("NOT TESTED here, for want of nginx and of Debian's package: images from a real web server")
    with serving(program, folder) as server:
        for name, source in (("image.raw", image), ("other.raw", other_image)):
            data = source.read_bytes()
            (server.root / name).write_bytes(data)
            (server.root / f"{name}.gz").write_bytes(gzip.compress(data))
        (server.root / "index.html").write_text("<html>Log in</html>")
        for path in server.root.iterdir():
            os.utime(path, (LONG_AGO, LONG_AGO))
        yield server


def md5(path: Path) -> str:
    return "md5:" + hashlib.md5(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("where", "kind"),
    [("", "slo"), ("", "dlo"), ("", "plain"), *((where, "slo") for where in ("whole/", "dated/", "untold/", "edge/"))],
)
def test_a_broken_connection_is_resumed(place: Place, nginx: Nginx, image: Path, where: str, kind: str) -> None:
    options = {**SEGMENTS, "large_object_size": "1GiB"} if kind == "plain" else {**SEGMENTS, "manifest": kind}
    with breaking(nginx.port, [700_000, 10, 1_500_000]) as address:
        result = place.modules.try_to("swift_image", hurry, url=f"{address}/{where}image.raw", **options)
        assert result.get("changed"), result["msg"]
        assert place.read("img") == image.read_bytes()
        assert not place.modules("swift_image", url=f"{address}/{where}image.raw", **options).changed


def test_a_connection_that_keeps_breaking_fails_the_upload(place: Place, nginx: Nginx) -> None:
    with breaking(nginx.port, [300] * 100) as address:
        result = place.modules.try_to("swift_image", hurry, url=f"{address}/image.raw", retries=2, **SEGMENTS)
    assert result["failed"] and "run again" in result["msg"]
    assert place.names() == []


@pytest.mark.parametrize("where", ["edge/", "dated/", ""])
def test_an_unchanged_url_is_not_downloaded_again(place: Place, nginx: Nginx, image: Path, where: str) -> None:
    """An unchanged file causes no change, even if its ETag differs with each request, as on a CDN."""
    options = {**SEGMENTS, "url": f"{nginx.url}/{where}image.raw"}
    assert place.modules("swift_image", **options).changed
    before = len(nginx.requests())
    place.keep(**options)
    assert nginx.requests()[before:] == [f"HEAD /{where}image.raw"]


def test_a_new_etag_for_the_same_content_changes_nothing(place: Place, nginx: Nginx, image: Path) -> None:
    """A new ETag for the same file, as from another edge of a CDN, causes no change."""
    place.modules("swift_image", url=f"{nginx.url}/image.raw", **SEGMENTS)
    name = next(iter(nginx.root.glob("image.raw")))
    os.utime(name, (LONG_AGO + 1, LONG_AGO + 1))
    try:
        result = place.modules("swift_image", url=f"{nginx.url}/image.raw", **SEGMENTS)
        assert not result.changed
        assert result["diff"]["before"] == result["diff"]["after"]
        before = len(nginx.requests())
        place.keep(url=f"{nginx.url}/image.raw", **SEGMENTS)
        assert nginx.requests()[before:] == ["HEAD /image.raw"]
    finally:
        os.utime(name, (LONG_AGO, LONG_AGO))


def test_a_compressed_response_is_decoded_according_to_the_checksum(place: Place, nginx: Nginx, image: Path) -> None:
    url = f"{nginx.url}/packed/image.raw"
    packed = nginx.root / "image.raw.gz"
    place.modules("swift_image", url=url, **SEGMENTS)
    assert place.read("img") == image.read_bytes()
    place.keep(url=url, checksum=md5(image), **SEGMENTS)
    place.modules("swift_image", url=url, checksum=md5(packed), **SEGMENTS)
    assert place.read("img") == packed.read_bytes()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("{url}/index.html?", None),
        ("{url}/listed/", "is a page (text/html)"),
        ("{url}/none.raw", "does not exist (404)"),
        ("{tls}/image.raw", "certificate is not trusted"),
        ("{tls}/down/image.raw", "redirects from https to"),
    ],
)
def test_an_unexpected_url_response_is_refused(place: Place, nginx: Nginx, url: str, says: str | None) -> None:
    options = {} if "image.raw" in url and "down" not in url else {"url_ca_cert": str(nginx.ca)}
    address = url.format(url=nginx.url, tls=nginx.tls_url)
    result = place.modules.try_to("swift_image", url=address, retries=0, **SEGMENTS, **options)
    if says is None:
        assert result["changed"]
    else:
        assert result["failed"] and says in result["msg"]
        assert place.names() == []


def test_a_redirect_from_https_to_http_requires_a_checksum(place: Place, nginx: Nginx, image: Path) -> None:
    options = {**SEGMENTS, "url": f"{nginx.tls_url}/down/image.raw", "url_ca_cert": str(nginx.ca)}
    for secret in ({"url_username": "joe", "url_password": "word"}, {"url_headers": {"X-Key": "word"}}):
        refused = place.modules.try_to("swift_image", checksum=md5(image), **options, **secret)
        assert refused["failed"] and "redirects from https to" in refused["msg"]
    place.modules("swift_image", checksum=md5(image), **options)
    assert place.read("img") == image.read_bytes()


def test_a_checksum_file_of_another_server_gets_no_secret(
    place: Place, nginx: Nginx, image: Path, tmp_path: Path
) -> None:
    sums = nginx.root / "SUMS"
    sums.write_text(f"{hashlib.sha256(image.read_bytes()).hexdigest()} *image.raw\n", "ascii")
    options = {**SEGMENTS, "url": f"{nginx.url}/image.raw", "url_headers": {"Authorization": "Bearer word"}}
    place.modules("swift_image", checksum=f"sha256:{nginx.url}/SUMS", **options)
    place.keep(checksum=f"sha256:{nginx.tls_url}/SUMS", url_ca_cert=str(nginx.ca), **options)
    place.keep(checksum=f"sha256:{sums}", **options)
    assert "Bearer word" in nginx.authorizations("http", "/image.raw")
    assert nginx.authorizations("http", "/SUMS") == {"Bearer word"}
    assert nginx.authorizations("https", "/SUMS") == {""}


def test_a_url_is_encoded_as_by_browsers(place: Place, nginx: Nginx, image: Path) -> None:
    name = "an image of é%.raw"
    (nginx.root / name).write_bytes(image.read_bytes())
    place.modules("swift_image", url=f"{nginx.url}/an image of é%25.raw", **SEGMENTS)
    assert place.read("img") == image.read_bytes()
