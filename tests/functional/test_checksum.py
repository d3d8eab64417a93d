# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The option checksum: the required digest of a source, and proof that the store already has the image."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.imagestore.swift.tests.support.clients import SEGMENT
from ansible_collections.imagestore.swift.tests.support.web import serving_files
from ansible_collections.imagestore.swift.tests.support.web_site import Site
from ansible_collections.imagestore.swift.tests.support.writers import Place

CUT = {"name": "img", "segment_size": str(SEGMENT)}
KINDS = ["none", "slo", "dlo"]


def options_for(kind: str) -> dict[str, str]:
    """Return the options for an image of a kind."""
    return {"name": "img"} if kind == "none" else {"name": "img", "segment_size": str(SEGMENT), "manifest": kind}


def digest(algorithm: str, path: Path) -> str:
    return hashlib.new(algorithm, path.read_bytes()).hexdigest()


@pytest.mark.parametrize("kind", KINDS)
def test_a_recorded_checksum_makes_the_source_unnecessary(place: Place, image: Path, tmp_path: Path, kind: str) -> None:
    source = tmp_path / "source"
    source.write_bytes(image.read_bytes())
    options = {"src": str(source), "checksum": f"sha512:{digest('sha512', image)}", **options_for(kind)}
    done = place.change(**options)
    assert done["image"]["manifest"] == kind
    source.unlink()
    with place.store.watch(place.container) as watched:
        again = place.keep(**options)
    assert [request["method"] for request in watched.seen] == ["HEAD"]
    assert again["image"] == done["image"]


@pytest.mark.parametrize("tells_length", [True, False])
def test_a_recorded_checksum_spares_all_requests_to_the_web_server(
    place: Place, site: Site, image: Path, tells_length: bool
) -> None:
    site.tells_length = tells_length
    site.etag = '"1"' if tells_length else None
    options = {"url": f"{site.url}/image.raw", "checksum": f"sha512:{digest('sha512', image)}", **CUT}
    done = place.change(**options)
    assert place.read("img") == image.read_bytes()
    site.seen.clear()
    with place.store.watch(place.container) as watched:
        again = place.keep(**options)
    assert site.seen == []
    assert [request["method"] for request in watched.seen] == ["HEAD"]
    assert again["image"] == done["image"]


@pytest.fixture
def published(tmp_path: Path, image: Path, other_image: Path) -> Iterator[tuple[str, Path]]:
    """The address of a web server with images and the file SUMS of ``sha512sum``; the path of that file."""
    folder = tmp_path / "published"
    folder.mkdir()
    for name, path in (("image.raw", image), ("other.raw", other_image)):
        (folder / name).write_bytes(path.read_bytes())
    sums = folder / "SUMS"
    with sums.open("wb") as file:
        subprocess.run(["sha512sum", "image.raw", "other.raw"], cwd=folder, stdout=file, check=True)
    with serving_files(folder) as address:
        yield address, sums


def test_a_checksum_file_is_found_by_url_or_path(place: Place, image: Path, published: tuple[str, Path]) -> None:
    address, sums = published
    place.change(name="img", url=f"{address}/image.raw", checksum=f"sha512:{address}/SUMS")
    assert place.read("img") == image.read_bytes()
    # The file of another name is not requested, because the store has the image with that digest.
    place.keep(name="img", url=f"{address}/none", checksum=f"sha512:{sums}#image.raw")


def test_another_checksum_of_the_same_image_is_recorded_too(place: Place, image: Path) -> None:
    options = {"name": "img", "src": str(image)}
    place.modules("swift_image", checksum=f"sha512:{digest('sha512', image)}", **options)
    done = place.change(checksum=f"sha256:{digest('sha256', image)}", **options)
    assert done["transfer"]["bytes_uploaded"] == 0
    # A plain object's MD5 is its ETag.
    assert done["image"]["checksums"] == {name: digest(name, image) for name in ("md5", "sha256", "sha512")}


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("SUMS", "the names in it are 'image.raw', 'other.raw'"), ("none", "does not exist (404)")],
)
def test_a_checksum_file_without_the_digest_is_refused(
    place: Place, small: list[Path], published: tuple[str, Path], name: str, sentence: str
) -> None:
    address, _sums = published
    refused = place.modules.try_to(
        "swift_image", name="img", src=str(small[0]), checksum=f"sha512:{address}/{name}", retries=0
    )
    assert refused["failed"] and sentence in refused["msg"]
    assert place.names() == []


@pytest.mark.parametrize(("source", "kind"), [*(("src", kind) for kind in KINDS), ("url", "auto")])
def test_a_source_with_another_checksum_is_refused_and_leaves_nothing(
    place: Place, site: Site, image: Path, source: str, kind: str
) -> None:
    site.etag, site.tells_length = None, False
    given = {"src": str(image)} if source == "src" else {"url": f"{site.url}/image.raw"}
    refused = place.modules.try_to("swift_image", checksum=f"md5:{'f' * 32}", **given, **options_for(kind))
    assert refused["failed"] and "but checksum requires" in refused["msg"]
    # Nothing is left behind, so the message lists no segments.
    assert "segments" not in refused["msg"]
    assert place.names() == []
