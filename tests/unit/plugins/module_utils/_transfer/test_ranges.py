# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Downloads from a server that breaks off or replaces the image, which a real one can't be told to do."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._context import RunContext
from ansible_collections.imagestore.swift.plugins.module_utils._errors import (
    ImageStoreError,
    IntegrityError,
    UnreachableError,
)
from ansible_collections.imagestore.swift.plugins.module_utils._model.image import Image, ManifestKind, Segment
from ansible_collections.imagestore.swift.plugins.module_utils._model.location import locate
from ansible_collections.imagestore.swift.plugins.module_utils._progress import Progress
from ansible_collections.imagestore.swift.plugins.module_utils._swift.client import SwiftClient
from ansible_collections.imagestore.swift.plugins.module_utils._swift.session import SwiftSession
from ansible_collections.imagestore.swift.plugins.module_utils._transfer.download import Download
from ansible_collections.imagestore.swift.plugins.module_utils._transfer.part_file import (
    PartFile,
    PartSpec,
    open_part,
)
from ansible_collections.imagestore.swift.plugins.module_utils._transfer.ranges import (
    Range,
    RangeReader,
    Replaced,
    ranges_of,
)

CONTENT = bytes(range(256)) * 4000
PATH = ("c", "image")


@dataclass
class Site:
    """An image, and the way the server sends it.

    :param cuts: the number of bytes after which an answer ends early, for one answer after the other
    :param statuses: statuses in place of an answer with bytes, for one request after the other
    :param etags: the ETags of one answer after the other; the last one is repeated
    """

    content: bytes = CONTENT
    cuts: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    etags: list[str] = field(default_factory=lambda: ['"e"'])
    asked: list[str] = field(default_factory=list)
    session: SwiftSession | None = None

    def reader(self, retries: int = 2) -> RangeReader:
        """Return a reader of the image."""
        assert self.session
        return RangeReader(SwiftClient(self.session, retries), retries)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def do_GET(self) -> None:
        site = self.site
        site.asked.append(self.headers["Range"])
        if site.statuses:
            self.send_response(site.statuses.pop(0))
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        first, last = map(int, self.headers["Range"].removeprefix("bytes=").split("-"))
        self.send_response(206)
        self.send_header("X-Timestamp", "1")
        self.send_header("ETag", site.etags.pop(0) if len(site.etags) > 1 else site.etags[0])
        self.send_header("Content-Length", str(last + 1 - first))
        self.end_headers()
        end = min(last + 1, first + site.cuts.pop(0)) if site.cuts else last + 1
        self.wfile.write(site.content[first:end])
        self.close_connection = end <= last


@pytest.fixture(name="site")
def _site(no_pauses: None, serve: Callable[..., ThreadingHTTPServer], session_for: Callable[..., SwiftSession]) -> Site:
    site = Site()
    site.session = session_for(f"http://127.0.0.1:{serve(_Handler, site=site).server_port}/v1/AUTH_x")
    return site


def read(reader: RangeReader, offset: int, size: int) -> bytes:
    return b"".join(reader.read(Range(offset, size, PATH, offset, "e")))


def test_a_range_is_read(site: Site) -> None:
    assert read(site.reader(), 1000, 600000) == CONTENT[1000:601000]
    assert read(site.reader(), 5, 0) == b""
    assert site.asked == ["bytes=1000-600999"]


def test_a_broken_range_is_resumed_at_the_byte_reached(site: Site) -> None:
    site.cuts = [100000, 0, 100000]
    assert read(site.reader(), 1000, 600000) == CONTENT[1000:601000]
    assert [asked.removesuffix("-600999") for asked in site.asked] == [
        "bytes=1000",
        "bytes=101000",
        "bytes=101000",
        "bytes=201000",
    ]


def test_server_errors_are_retried(site: Site) -> None:
    site.statuses = [503, 500]
    assert read(site.reader(), 0, 1000) == CONTENT[:1000]


def test_retries_without_progress_are_bounded(site: Site) -> None:
    site.cuts = [500, 0, 0, 0, 0]
    with pytest.raises(UnreachableError, match="at byte 500 before 1000"):
        read(site.reader(), 0, 1000)
    assert len(site.asked) == 3


def test_a_few_bytes_per_connection_are_not_progress(site: Site) -> None:
    """A server that trickles is not asked for ever."""
    site.cuts = [100] * 50
    with pytest.raises(UnreachableError, match="at byte 1300 before 601000"):
        read(site.reader(), 1000, 600000)
    assert len(site.asked) == 3


def test_an_image_replaced_during_the_read_is_detected(site: Site) -> None:
    site.cuts, site.etags = [500], ['"e"', '"other"']
    with pytest.raises(Replaced, match="was replaced or deleted while"):
        read(site.reader(), 0, 1000)


def in_ranges(size: int) -> list[Range]:
    """Return the image in ranges of *size* bytes, each with its digest."""
    parts = [(offset, CONTENT[offset : offset + size]) for offset in range(0, len(CONTENT), size)]
    return [Range(offset, len(part), PATH, offset, "e", hashlib.md5(part).hexdigest()) for offset, part in parts]


def context() -> RunContext:
    return RunContext(check_mode=False, warn=pytest.fail, progress=Progress(), concurrency=3)


def open_for(folder: Path, size: int = len(CONTENT), identity: str = "i") -> PartFile:
    part = open_part(PartSpec(str(folder / "image"), str(folder), identity, size, resume=True), pytest.fail)
    part.begin()
    return part


def download(site: Site, part: PartFile, expected: dict[str, str], retries: int = 2) -> int:
    return Download(site.reader(retries), part, in_ranges(100000), expected, context()).run().bytes_downloaded


SHA256 = {"sha256": hashlib.sha256(CONTENT).hexdigest()}


def test_a_download_is_complete_and_verified(site: Site, tmp_path: Path) -> None:
    part = open_for(tmp_path)
    site.cuts = [50000] * 5
    assert download(site, part, SHA256) == len(CONTENT)
    part.finish()
    assert part.path.read_bytes() == CONTENT
    part.close()


def test_an_interrupted_download_is_resumed(site: Site, tmp_path: Path) -> None:
    part = open_for(tmp_path)
    site.cuts = [100000] * 4 + [0] * 100
    with pytest.raises(ImageStoreError):
        download(site, part, SHA256, retries=0)
    part.close()
    site.cuts = []
    again = open_for(tmp_path)
    assert not again.is_new and download(site, again, SHA256) == len(CONTENT) - 400000
    again.close()
    other = open_for(tmp_path, 5, "another image")
    assert other.is_new and [path.suffix for path in sorted(tmp_path.iterdir())] == [".part"]
    other.remove()
    other.close()
    assert list(tmp_path.iterdir()) == []


def test_ranges_of_an_interrupted_download_are_verified_again(site: Site, tmp_path: Path) -> None:
    part = open_for(tmp_path)
    download(site, part, {})
    part.write_at(250000, b"damaged")
    part.close()
    site.asked.clear()
    again = open_for(tmp_path)
    assert download(site, again, {}) == 100000
    assert site.asked == ["bytes=200000-299999"]
    again.finish()
    assert again.path.read_bytes() == CONTENT
    again.close()


def test_a_range_damaged_in_transit_is_fetched_again(site: Site, tmp_path: Path) -> None:
    site.content, right = CONTENT[:-1] + b"x", site.content

    class Mending(RangeReader):
        def read(self, wanted: Range) -> Iterator[bytes]:
            yield from super().read(wanted)
            site.content = right

    part = open_for(tmp_path)
    assert site.session
    reader = Mending(SwiftClient(site.session, 0), 0)
    last = in_ranges(100000)[-1:]
    assert Download(reader, part, last, {}, context()).run().bytes_downloaded == last[0].size
    assert len(site.asked) == 2
    part.close()


def test_zeros_overwrite_a_range_damaged_in_transit(site: Site, tmp_path: Path) -> None:
    """The second try writes zeros over the damaged bytes of the first one, which it once left in place."""
    right = bytes(100000)
    site.content = b"x" * 100000
    part = open_for(tmp_path, len(right))
    assert site.session

    class Mending(RangeReader):
        def read(self, wanted: Range) -> Iterator[bytes]:
            yield from super().read(wanted)
            site.content = right

    ranges = [Range(0, len(right), PATH, 0, "e", hashlib.md5(right).hexdigest())]
    Download(Mending(SwiftClient(site.session, 0), 0), part, ranges, {}, context()).run()
    part.finish()
    assert part.path.read_bytes() == right
    part.close()


@pytest.mark.parametrize(
    ("expected", "sentence"), [({"md5": "f" * 32}, "is expected"), ({}, "do not match its manifest")]
)
def test_content_with_a_wrong_digest_is_refused(
    site: Site, tmp_path: Path, expected: dict[str, str], sentence: str
) -> None:
    part = open_for(tmp_path)
    if not expected:
        site.content = CONTENT[:-1] + b"x"
    with pytest.raises(IntegrityError, match=sentence):
        download(site, part, expected)
    part.close()


def test_zeros_are_not_fetched_and_remain_holes(site: Site, tmp_path: Path) -> None:
    zeros = hashlib.md5(bytes(1000000)).hexdigest()
    ranges = [Range(number * 1000000, 1000000, PATH, number * 1000000, "e", zeros) for number in range(4)]
    part = open_for(tmp_path, 4000000)
    expected = {"md5": hashlib.md5(bytes(4000000)).hexdigest()}
    received = Download(site.reader(), part, ranges, expected, context()).run()
    assert received.bytes_downloaded == 0 and received.bytes_reused == 4000000 and site.asked == []
    assert part.path.stat().st_blocks * 512 < 100000
    part.close()


@pytest.mark.parametrize("status", [404, 416])
def test_a_deleted_or_truncated_image_counts_as_replaced(site: Site, status: int) -> None:
    site.cuts, site.statuses = [500], []
    chunks = site.reader().read(Range(0, 1000, PATH, 0, "e"))
    next(chunks)
    site.statuses = [status]
    with pytest.raises(Replaced, match="c/image was replaced or deleted"):
        list(chunks)


SEGMENTS = tuple(Segment("c", f"image-{number:05d}", 10, f"{number}" * 32) for number in (1, 2))


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image(ManifestKind.NONE, 25, "e"), [Range(0, 25, PATH, 0, "e")]),
        (
            Image(ManifestKind.DLO, 20, "e", SEGMENTS),
            [Range(0, 10, PATH, 0, "e", "1" * 32), Range(10, 10, PATH, 10, "e", "2" * 32)],
        ),
        (
            # The DLO has more segments than a listing page: Swift sends no ranges of it.
            Image(ManifestKind.DLO, 23, None, SEGMENTS, strangers=(Segment("c", "image-", 3, "a" * 32),)),
            [
                Range(0, 3, ("c", "image-"), 0, "a" * 32, "a" * 32),
                Range(3, 10, SEGMENTS[0].path, 0, "1" * 32, "1" * 32),
                Range(13, 10, SEGMENTS[1].path, 0, "2" * 32, "2" * 32),
            ],
        ),
        (Image(ManifestKind.SLO, 30, "e", SEGMENTS), [Range(0, 30, PATH, 0, "e")]),
        # The segment has the ETag of an S3 multipart upload on Ceph RGW.
        (
            Image(ManifestKind.DLO, 7, "e", (Segment("c", "image-00001", 7, "a" * 32 + "-2"),)),
            [Range(0, 7, PATH, 0, "e")],
        ),
        (
            # An empty segment has the same offset as the next one, which must still be fetched.
            Image(ManifestKind.DLO, 10, "e", (Segment("c", "image-00000", 0, "0"), SEGMENTS[0])),
            [Range(0, 10, PATH, 0, "e", "1" * 32)],
        ),
    ],
)
def test_ranges_of_an_image(image: Image, expected: list[Range]) -> None:
    assert ranges_of(locate(*PATH), image) == expected
