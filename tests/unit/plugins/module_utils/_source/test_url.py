# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sources on a web server, tested with one on loopback that can be told to misbehave."""

from __future__ import annotations

import hashlib
import zlib
from http.client import HTTPResponse
from pathlib import Path

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._errors import SourceChangedError, SourceError
from ansible_collections.imagestore.swift.plugins.module_utils._source.reader import Expected
from ansible_collections.imagestore.swift.plugins.module_utils._source.url import UrlSource
from ansible_collections.imagestore.swift.plugins.module_utils._source.web import RequestOptions
from ansible_collections.imagestore.swift.tests.support.web_site import CONTENT, Site
from ansible_collections.imagestore.swift.tests.unit.plugins.module_utils._source.url_reader import (
    ANYTHING,
    QUICK,
    read,
)


def test_a_body_is_read_completely(site: Site, tmp_path: Path) -> None:
    source = UrlSource(f"{site.url}/a/b%20c.raw?x=1", QUICK)
    assert source.name == "b c.raw"
    assert read(source, tmp_path) == CONTENT
    assert site.gets[0][2]["Accept-Encoding"] == "identity"


def test_a_body_without_a_length_requires_size_or_checksum(site: Site, tmp_path: Path) -> None:
    site.tells_length = False
    source = UrlSource(f"{site.url}/x", QUICK)
    with pytest.raises(SourceError, match=r"has no length.*set size or checksum"):
        read(source, tmp_path)
    assert read(source, tmp_path, len(CONTENT)) == CONTENT
    assert read(source, tmp_path, None, Expected(digest=("md5", "0" * 32))) == CONTENT


@pytest.mark.parametrize("status", [201, 202, 203, 204, 206])
def test_only_status_200_is_accepted_for_a_whole_file(site: Site, tmp_path: Path, status: int) -> None:
    site.full_status = status
    with pytest.raises(SourceError, match=f"answered {status} instead of 200"):
        read(UrlSource(f"{site.url}/x", QUICK), tmp_path)


def test_a_broken_body_is_resumed(site: Site, tmp_path: Path) -> None:
    site.breaks = [100000, 0, 500000]
    assert read(UrlSource(f"{site.url}/x", QUICK), tmp_path) == CONTENT
    assert [request[2].get("Range") for request in site.gets] == [
        None,
        "bytes=100000-",
        "bytes=100000-",
        "bytes=600000-",
    ]


OLD = {"Last-Modified": "Thu, 26 Nov 2026 12:00:00 GMT", "Date": "Thu, 26 Nov 2026 12:01:00 GMT"}
FRESH = {**OLD, "Date": "Thu, 26 Nov 2026 12:00:59 GMT"}


@pytest.mark.parametrize(
    ("change", "ranges"),
    [
        # The server has no ranges, but its strong validator proves that the file is the same.
        ({"knows_ranges": False}, [None, "bytes=100000-"]),
        # No strong validator proves that, so the beginning is compared.
        ({"etag": None}, [None, None]),
        ({"etag": 'W/"1"'}, [None, None]),
        ({"etag": None, "headers": FRESH}, [None, None]),
        # The date is a strong validator.
        ({"etag": None, "headers": OLD}, [None, "bytes=100000-"]),
    ],
)
def test_a_broken_body_is_resumed_only_with_a_strong_validator(
    site: Site, tmp_path: Path, change: dict[str, object], ranges: list[str | None]
) -> None:
    site.breaks = [100000]
    for name, value in change.items():
        setattr(site, name, value)
    assert read(UrlSource(f"{site.url}/x", QUICK), tmp_path) == CONTENT
    assert [request[2].get("Range") for request in site.gets] == ranges


@pytest.mark.parametrize("etag", ['"1"', None])
def test_retries_without_progress_are_bounded(site: Site, tmp_path: Path, etag: str | None) -> None:
    site.etag, site.breaks = etag, [100000, 0, 0, 0, 0]
    with pytest.raises(SourceError, match=r"ended after \d+ of 1024000 bytes"):
        read(UrlSource(f"{site.url}/x", QUICK), tmp_path)
    assert len(site.gets) == 3


def test_a_byte_per_connection_is_not_progress(site: Site, tmp_path: Path) -> None:
    site.breaks = [1] * 1000
    with pytest.raises(SourceError, match="ended after 3 of 1024000 bytes"):
        read(UrlSource(f"{site.url}/x", QUICK), tmp_path)
    assert len(site.gets) == 3


def test_a_hundredth_per_connection_is_progress(site: Site, tmp_path: Path) -> None:
    site.breaks = [10240] * 90
    assert read(UrlSource(f"{site.url}/x", QUICK), tmp_path) == CONTENT
    assert len(site.gets) == 91


@pytest.mark.parametrize(
    "change",
    [
        {"etag": '"2"', "content": CONTENT[::-1]},
        {"etag": '"2"', "content": CONTENT[:-1]},
        {"content": CONTENT[:-1]},
        {"etag": '"2"', "knows_ranges": False},
        {"ranged": {"ETag": '"2"'}},
        {"ranged": {"Content-Encoding": "gzip"}},
    ],
)
def test_a_file_replaced_during_the_download_is_detected(site: Site, tmp_path: Path, change: dict[str, object]) -> None:
    site.breaks = [100000]
    stream = UrlSource(f"{site.url}/x", QUICK).stream(None, str(tmp_path), ANYTHING)
    for name, value in change.items():
        setattr(site, name, value)
    with stream, pytest.raises(SourceError, match="was changed while it was read"):
        for part in stream.cut(300000):
            part.release()


def test_a_partial_response_may_omit_headers(site: Site, tmp_path: Path) -> None:
    """A partial answer to If-Range may leave out headers of the whole one (RFC 9110, 15.3.7)."""
    site.breaks, site.headers = [100000], {"Last-Modified": OLD["Last-Modified"]}
    stream = UrlSource(f"{site.url}/x", QUICK).stream(None, str(tmp_path), ANYTHING)
    site.headers = {}
    with stream:
        assert b"".join(b"".join(part.chunks()) for part in stream.cut(300000)) == CONTENT


@pytest.mark.parametrize("cut", [100000, len(CONTENT)])
def test_a_broken_chunked_body_is_resumed(site: Site, tmp_path: Path, cut: int) -> None:
    site.chunked, site.breaks = True, [cut]
    assert read(UrlSource(f"{site.url}/x", QUICK), tmp_path) == CONTENT
    assert [request[2].get("Range") for request in site.gets][:2] == [None, f"bytes={cut}-"]


def test_a_replaced_file_without_validators_is_detected(site: Site, tmp_path: Path) -> None:
    site.breaks, site.etag = [100000], None
    stream = UrlSource(f"{site.url}/x", QUICK).stream(None, str(tmp_path), ANYTHING)
    site.content = CONTENT[:50000] + b"x" + CONTENT[50001:]
    with stream, pytest.raises(SourceChangedError, match="was changed while it was read"):
        for part in stream.cut(300000):
            part.release()


@pytest.mark.parametrize(
    "value",
    [
        "bytes 0-1023999/1024000",
        "bytes 100001-1023999/1024000",
        "bytes 100000-1023998/1024000",
        "bytes 100000-1023999/1024001",
        "bytes 1023999-100000/1024000",
        "items 100000-1023999/1024000",
        "bytes */1024000",
        "",
    ],
)
def test_an_unexpected_content_range_is_refused(site: Site, tmp_path: Path, value: str) -> None:
    site.breaks, site.ranged = [100000], {"Content-Range": value}
    with pytest.raises(SourceError, match="was requested from byte 100000 on"):
        read(UrlSource(f"{site.url}/x", QUICK), tmp_path)


def test_a_range_with_a_wrong_content_length_is_refused(site: Site, tmp_path: Path) -> None:
    site.breaks, site.ranged = [100000], {"Content-Length": "5"}
    with pytest.raises(SourceError, match="was requested from byte 100000 on"):
        read(UrlSource(f"{site.url}/x", QUICK), tmp_path)


@pytest.mark.parametrize(
    ("headers", "sentence"),
    [
        ({"Content-Length": "5, 7"}, "not a number"),
        ({"Content-Length": "-5"}, "not a number"),
        ({"Content-Length": "five"}, "not a number"),
        ({"Transfer-Encoding": "gzip, chunked"}, "Transfer-Encoding 'gzip, chunked'"),
        ({"Content-Encoding": "br"}, "Content-Encoding 'br'"),
        ({"Content-Encoding": "gzip, gzip"}, "Content-Encoding 'gzip, gzip'"),
    ],
)
def test_invalid_or_unsupported_headers_are_refused(
    site: Site, tmp_path: Path, headers: dict[str, str], sentence: str
) -> None:
    site.headers = headers
    with pytest.raises(SourceError, match=sentence):
        read(UrlSource(f"{site.url}/x", QUICK), tmp_path)


def deflated(window: int, data: bytes = CONTENT) -> bytes:
    packer = zlib.compressobj(wbits=window)
    return packer.compress(data) + packer.flush()


PACKED = [
    ("gzip", deflated(31)),
    ("x-gzip", deflated(31)),
    ("GZIP", deflated(31, CONTENT[:1000]) + deflated(31, CONTENT[1000:])),
    ("deflate", deflated(15)),
    ("deflate", deflated(-15)),
    ("identity", CONTENT),
]


@pytest.mark.parametrize(("encoding", "content"), PACKED)
@pytest.mark.parametrize("breaks", [[], [1], [2000]])
def test_a_content_encoding_is_decoded(
    site: Site, tmp_path: Path, encoding: str, content: bytes, breaks: list[int]
) -> None:
    site.content, site.headers, site.breaks = content, {"Content-Encoding": encoding}, list(breaks)
    source = UrlSource(f"{site.url}/x", QUICK)
    assert read(source, tmp_path) == CONTENT
    assert read(source, tmp_path, len(CONTENT)) == CONTENT
    with pytest.raises(SourceError, match="1023999"):
        read(source, tmp_path, len(CONTENT) - 1)


@pytest.mark.parametrize("name", ["x", "x.gz"])
def test_a_checksum_of_the_compressed_body_prevents_decoding(site: Site, tmp_path: Path, name: str) -> None:
    site.content, site.headers = deflated(31), {"Content-Encoding": "gzip"}
    source = UrlSource(f"{site.url}/{name}", QUICK)
    for data in (CONTENT, site.content):
        expected = Expected(digest=("sha256", hashlib.sha256(data).hexdigest()))
        assert read(source, tmp_path, None, expected) == data


@pytest.mark.parametrize(
    ("content", "sentence"), [(b"plain" * 100, "not compressed"), (deflated(31)[:-9], "truncated")]
)
def test_an_invalid_compressed_body_is_refused(site: Site, tmp_path: Path, content: bytes, sentence: str) -> None:
    site.content, site.headers = content, {"Content-Encoding": "gzip"}
    with pytest.raises(SourceError, match=sentence):
        read(UrlSource(f"{site.url}/x", QUICK), tmp_path)


def test_an_html_page_is_refused(site: Site, tmp_path: Path) -> None:
    site.headers = {"Content-Type": "Text/HTML; charset=utf-8"}
    with pytest.raises(SourceError, match="is a page"):
        read(UrlSource(f"{site.url}/x.raw", QUICK), tmp_path, None, Expected(may_be_html=False))
    assert read(UrlSource(f"{site.url}/x.raw", QUICK), tmp_path) == CONTENT
    assert read(UrlSource(f"{site.url}/x.HTML", QUICK), tmp_path, None, Expected(may_be_html=False)) == CONTENT


def test_a_slow_body_times_out(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]

    def tell() -> float:
        now[0] += 0.5
        return now[0]

    monkeypatch.setattr("time.monotonic", tell)
    monkeypatch.setattr(HTTPResponse, "read1", lambda _response, _size: b"x" * 500)
    with pytest.raises(SourceError, match="TimeoutError"):
        read(UrlSource(f"{site.url}/x", RequestOptions(timeout=5, retries=0)), tmp_path)


def test_a_size_mismatch_is_refused(site: Site, tmp_path: Path) -> None:
    source = UrlSource(f"{site.url}/x", QUICK)
    with pytest.raises(SourceError, match="has 1024000 bytes, but size is 5"):
        source.stream(5, str(tmp_path), ANYTHING)
    site.tells_length = False
    with pytest.raises(SourceError, match="ended after 1024000 of 1024001"):
        read(source, tmp_path, 1024001)


def test_a_fingerprint_identifies_a_url_and_its_state(site: Site) -> None:
    source = UrlSource(f"{site.url}/x", QUICK)
    fingerprint = source.fingerprint()
    assert fingerprint and fingerprint == source.fingerprint() == UrlSource(f"{site.url}/x#part", QUICK).fingerprint()
    assert fingerprint != UrlSource(f"{site.url}/y", QUICK).fingerprint()
    site.etag = '"2"'
    assert fingerprint != source.fingerprint()
    site.etag = None
    assert source.fingerprint() is None
    assert {request[0] for request in site.seen} == {"HEAD"}
    site.knows_head, site.etag = False, '"1"'
    assert source.fingerprint() is None


def test_endless_empty_gzip_members_are_refused(site: Site, tmp_path: Path) -> None:
    site.content, site.headers = deflated(31, b"") * 400_000, {"Content-Encoding": "gzip"}
    source = UrlSource(f"{site.url}/x", QUICK)
    with pytest.raises(SourceError, match="unpacks to no data"):
        source.read_whole(1000)


def test_read_whole_resumes_and_limits_the_size(site: Site) -> None:
    site.content = b"abc  x\n"
    source = UrlSource(f"{site.url}/SUMS", QUICK, "checksum")
    assert source.read_whole(100) == b"abc  x\n"
    site.breaks = [3]
    assert source.read_whole(100) == b"abc  x\n"
    with pytest.raises(SourceError, match="larger than the limit of 3 bytes"):
        source.read_whole(3)
    site.content, site.headers = deflated(31, bytes(10**6)), {"Content-Encoding": "gzip"}
    with pytest.raises(SourceError, match="larger than the limit of 10000 bytes"):
        source.read_whole(10000)


def test_a_url_signature_does_not_change_the_fingerprint(site: Site) -> None:
    marks = {UrlSource(f"{site.url}/x?signature={number}", QUICK).fingerprint() for number in range(3)}
    assert len(marks) == 1
    site.etag, site.headers = None, OLD
    assert (
        UrlSource(f"{site.url}/x?file=1", QUICK).fingerprint() != UrlSource(f"{site.url}/x?file=2", QUICK).fingerprint()
    )
