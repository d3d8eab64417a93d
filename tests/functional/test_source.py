# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images from web servers with different behaviours, and from a block device.

The tests of a real web server and of a broken network are in ``test_url.py``.
"""

from __future__ import annotations

import base64
import hashlib
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imagestore.swift.tests.support.clients import SEGMENT
from ansible_collections.imagestore.swift.tests.support.web_site import Site
from ansible_collections.imagestore.swift.tests.support.writers import OURS, Place

CUT = {"name": "img", "segment_size": str(SEGMENT)}
LARGE = 2_500_000
PARTS = 3
PLAIN = {"large_object_size": "1GiB"}
# The number of segments that a manifest may name, by Swift's default.
MOST_SEGMENTS = 1000


def requests_of(site: Site) -> list[str]:
    """Return the methods of the requests so far, with the range of those that asked for one; forget these requests."""
    seen = [
        " ".join([method, *([headers["Range"]] if "Range" in headers else [])]) for method, _path, headers in site.seen
    ]
    site.seen.clear()
    return seen


@pytest.mark.parametrize(("kind", "segments"), [("none", 0), ("slo", PARTS), ("dlo", PARTS)])
def test_an_image_from_a_url_is_stored_kept_and_replaced(
    place: Place, site: Site, other_image: Path, kind: str, segments: int
) -> None:
    options = {"url": f"{site.url}/image.raw", **CUT, **(PLAIN if kind == "none" else {"manifest": kind})}
    done = place.change(**options)
    assert (done["image"]["manifest"], done["image"]["segments"]) == (kind, segments)
    assert done["transfer"]["bytes_uploaded"] == done["image"]["size"] == LARGE
    assert place.read("img") == site.content
    # A run that reads the file also asks for its state, because a server may send another ETag each time. The
    # prediction and the run read the file. The second run does not.
    assert requests_of(site) == ["GET", "HEAD", "GET", "HEAD", "HEAD"]
    # The server gives the same content another ETag, which is recorded. That is no change of the image.
    site.etag = '"2"'
    touched = place.modules("swift_image", **options)
    assert not touched.changed
    assert touched["diff"]["before"] == touched["diff"]["after"]
    assert touched["transfer"]["bytes_uploaded"] == 0
    requests_of(site)
    place.keep(**options)
    assert requests_of(site) == ["HEAD"]
    site.etag, site.content = '"3"', other_image.read_bytes()
    place.change(**options)
    assert place.read("img") == other_image.read_bytes()
    assert len(place.names()) == 1 + segments


def sha1(data: bytes) -> str:
    """Return the option checksum for data."""
    return f"sha1:{hashlib.sha1(data, usedforsecurity=False).hexdigest()}"


@pytest.mark.parametrize(
    ("proof", "size", "segments", "reads"),
    [
        ("size", LARGE, PARTS, 3),
        ("size", 0, 0, 3),
        # The second run does not read the file, because the store has an image with that checksum.
        ("checksum", LARGE, PARTS, 2),
        ("checksum", SEGMENT, 0, 2),
    ],
)
def test_a_file_without_a_length_is_stored_if_its_size_or_checksum_is_given(
    place: Place, site: Site, proof: str, size: int, segments: int, reads: int
) -> None:
    site.content = site.content[:size]
    site.etag, site.tells_length = None, False
    known = {"size": str(size), "checksum": sha1(site.content)}
    done = place.change(url=f"{site.url}/image.raw", **{proof: known[proof]}, **CUT)
    assert done["image"]["segments"] == segments
    assert place.read("img") == site.content
    assert len(site.gets) == reads


def test_a_file_without_validators_is_read_again_and_not_sent_again(place: Place, site: Site) -> None:
    site.etag = None
    done = place.change(url=f"{site.url}/image.raw", manifest="dlo", **CUT)
    assert done["image"]["segments"] == PARTS
    assert place.read("img") == site.content
    # Those of the prediction, the run and the second run.
    assert len(site.gets) == 3


LOGIN = {"url_username": "reader", "url_password": "word"}
BASIC = "Basic " + base64.b64encode(b"reader:word").decode("ascii")


@pytest.mark.parametrize(
    ("options", "header", "values"),
    [
        (LOGIN, "Authorization", [None, BASIC]),
        ({**LOGIN, "force_basic_auth": True}, "Authorization", [BASIC]),
        ({"url_headers": {"X-Key": "word"}}, "X-Key", ["word"]),
    ],
)
def test_credentials_for_a_url_are_sent(
    place: Place, site: Site, options: Mapping[str, Any], header: str, values: list[str | None]
) -> None:
    site.login = BASIC if header == "Authorization" else None
    assert place.modules("swift_image", url=f"{site.url}/image.raw", **options, **CUT).changed
    assert [headers.get(header) for _method, _path, headers in site.gets] == values
    assert place.read("img") == site.content


def test_a_redirect_is_followed(place: Place, site: Site) -> None:
    site.redirects = {"/old.raw": "/new.raw"}
    assert place.modules("swift_image", url=f"{site.url}/old.raw", **CUT).changed
    assert [path for _method, path, _headers in site.gets] == ["/old.raw", "/new.raw"]
    assert place.read("img") == site.content


@pytest.mark.parametrize(
    ("kind", "length", "size", "sentence"),
    [
        ("slo", LARGE + 1000, None, f"ended after {LARGE} of {LARGE + 1000} bytes"),
        ("dlo", LARGE + 1000, None, f"ended after {LARGE} of {LARGE + 1000} bytes"),
        ("auto", None, LARGE + 1, f"ended after {LARGE} of {LARGE + 1} bytes"),
        ("auto", None, LARGE - 1, f"more than the {LARGE - 1} bytes"),
    ],
)
def test_a_file_of_unexpected_size_is_refused_and_leaves_nothing(
    place: Place, site: Site, kind: str, length: int | None, size: int | None, sentence: str
) -> None:
    site.knows_ranges, site.tells_length = False, False
    site.headers = {} if length is None else {"Content-Length": str(length)}
    options = {"manifest": kind, "retries": 0, **({} if size is None else {"size": str(size)})}
    refused = place.modules.try_to("swift_image", url=f"{site.url}/image.raw", **options, **CUT)
    assert refused["failed"] and sentence in refused["msg"]
    # Nothing is left behind, so the message lists no segments.
    assert "segments" not in refused["msg"]
    assert place.names() == []


@pytest.mark.slo
def test_a_stream_with_more_segments_than_a_manifest_may_name_is_nested(
    place: Place, site: Site, tmp_path: Path, small: list[Path]
) -> None:
    # Equal segments are stored once, so few requests are necessary. Their number does not divide the limit, so that
    # the bytes show the order of the manifests.
    distinct, segments, size = 17, MOST_SEGMENTS + 19, 1000
    site.content = b"".join(bytes([number % distinct]) * size for number in range(segments))
    site.etag, site.tells_length = None, False
    # The checksum proves a file whose length the server does not send.
    nested = {"url": f"{site.url}/image.raw", "checksum": sha1(site.content), "segment_size": str(size)}
    done = place.change(name="img", **nested)
    assert (done["image"]["segments"], done["image"]["size"]) == (segments, segments * size)
    assert place.read("img") == site.content
    # Beside the segments, there are the manifest and the two manifests that it names.
    assert len(place.names()) == 1 + 2 + distinct
    source = tmp_path / "source"
    source.write_bytes(site.content)
    place.keep(name="img", src=str(source))
    place.change(name="img", src=str(small[0]))
    assert place.names() == [f"{place.container}/img"]
    assert place.modules("swift_image", name="img", **nested)["image"]["segments"] == segments
    place.change(name="img", state="absent")
    assert place.names() == []


@pytest.fixture
def device(tmp_path: Path, image: Path) -> Iterator[Path]:
    """A block device with the first 2 MiB of the image; only whole sectors fit."""
    path = tmp_path / "device.raw"
    path.write_bytes(image.read_bytes()[: 2 * 1024 * 1024])
    command = ["losetup", "--find", "--show", "--read-only", str(path)]
    try:
        made = subprocess.run(command, capture_output=True, text=True, check=True)
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        told = getattr(error, "stderr", None) or str(error)
        pytest.skip(f"NOT TESTED here, because there is no loop device: an image from a block device ({told.strip()})")
    device = made.stdout.strip()
    try:
        yield Path(device)
    finally:
        subprocess.run(["losetup", "--detach", device], check=True)


def test_a_block_device_is_stored_completely(place: Place, device: Path, image: Path) -> None:
    """A block device's size, which ``stat()`` does not return, is found."""
    done = place.change(src=str(device), **CUT)
    assert (done["image"]["manifest"], done["image"]["segments"]) == (OURS.lower(), 3)
    assert place.read("img") == image.read_bytes()[: 2 * 1024 * 1024]
