# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plans of downloads, made without a server: what is fetched, what it is compared with, and what is refused."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._errors import (
    DestinationError,
    ImageStoreError,
    IntegrityError,
    NotFoundError,
)
from ansible_collections.imagestore.swift.plugins.module_utils._model.checksum import Checksum
from ansible_collections.imagestore.swift.plugins.module_utils._model.image import (
    Image,
    ManifestKind,
    Segment,
    large_object_etag,
    unreadable_image,
)
from ansible_collections.imagestore.swift.plugins.module_utils._model.location import locate
from ansible_collections.imagestore.swift.plugins.module_utils._operations.download import (
    DownloadSpec,
    FileState,
    check_downloadable,
    expected_digests,
    plan_download,
    target_of,
)
from ansible_collections.imagestore.swift.plugins.module_utils._transfer.download import Received
from ansible_collections.imagestore.swift.plugins.module_utils._transfer.ranges import Replaced, ranges_of

HERE = locate("c", "image")

MD5, SHA256 = "a" * 32, "b" * 64
RECORDED = {"md5": MD5, "sha256": SHA256}
SEGMENTS = tuple(Segment("c", f"s{number}", 10, f"{number}" * 32) for number in (1, 2))
PLAIN = Image(ManifestKind.NONE, 20, MD5, checksums=RECORDED)
SLO = Image(ManifestKind.SLO, 20, large_object_etag(one.etag for one in SEGMENTS), SEGMENTS, checksums=RECORDED)


SPEC = DownloadSpec("/images/image", None, force=True, resume=True, retries=3)
KEEP = replace(SPEC, force=False)
MISSING, OTHER, SAME = FileState(None, False), FileState(7, False), FileState(20, True)


@pytest.mark.parametrize(
    ("state", "spec", "is_there"),
    [
        (MISSING, SPEC, False),
        (MISSING, KEEP, False),
        (OTHER, SPEC, False),
        (OTHER, KEEP, True),
        (SAME, SPEC, True),
        (SAME, KEEP, True),
    ],
)
@pytest.mark.parametrize("image", [PLAIN, SLO, replace(SLO, kind=ManifestKind.DLO)], ids=["plain", "slo", "dlo"])
def test_plan_and_prediction(image: Image, state: FileState, spec: DownloadSpec, is_there: bool) -> None:
    plan = plan_download(HERE, image, state, spec)
    assert plan.is_there is is_there
    assert sum(one.size for one in plan.ranges) == (0 if is_there else image.size)
    predicted = plan.predict()
    assert (predicted.is_there, predicted.old_size) == (is_there, state.size)
    assert predicted.received == Received(0, image.size if is_there else 0)
    diff = predicted.diff(SPEC.target)
    assert (diff["before"] == diff["after"]) is is_there
    assert diff["before"]["exists"] is (state.size is not None)
    assert diff["after"]["size"] == image.size


def test_a_checksum_mismatch_is_refused_before_anything_is_fetched() -> None:
    spec = replace(SPEC, checksum=Checksum("sha256", "c" * 64))
    with pytest.raises(IntegrityError, match="correct checksum, or store the image again"):
        plan_download(HERE, PLAIN, MISSING, spec)
    assert plan_download(HERE, PLAIN, OTHER, replace(spec, force=False)).is_there


@pytest.mark.parametrize(
    ("image", "error", "message"),
    [
        (None, NotFoundError, "There is no image 'image' in container 'c'"),
        (unreadable_image("It is a directory."), IntegrityError, "can't be read: It is a directory."),
        (replace(SLO, etag="0" * 32), Replaced, "image"),
        (
            Image(ManifestKind.DLO, 0, None, segment_container="c", segment_prefix="image-"),
            IntegrityError,
            "names no segments: there are none under 'image-' in container 'c'",
        ),
    ],
)
def test_an_undownloadable_image_is_refused(image: Image | None, error: type[ImageStoreError], message: str) -> None:
    with pytest.raises(error, match=message):
        check_downloadable(HERE, image)


@pytest.mark.parametrize(
    "image",
    [
        PLAIN,
        SLO,
        replace(SLO, kind=ManifestKind.DLO, etag="0" * 32),
        # A range of an object has no MD5 of its own, so that nothing can be compared with the ETag.
        replace(SLO, segments=(replace(SEGMENTS[0], whole=False), SEGMENTS[1]), etag="0" * 32),
        # Objects of others under a DLO's prefix are a part of what a reader gets.
        Image(ManifestKind.DLO, 10, None, strangers=(SEGMENTS[0],)),
        # Ceph RGW does not return the manifest.
        replace(SLO, segments=(), hides_segments=True),
    ],
)
def test_a_downloadable_image_is_accepted(image: Image) -> None:
    assert check_downloadable(HERE, image) is image


def test_a_file_in_a_dest_directory_is_named_like_the_image(tmp_path: Path) -> None:
    assert target_of(str(tmp_path), "debian/12.raw") == str(tmp_path / "12.raw")
    assert target_of(str(tmp_path / "file"), "debian/12.raw") == str(tmp_path / "file")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    assert target_of(str(tmp_path / "link"), "x") == str(tmp_path / "file")


def test_an_invalid_dest_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to("loop")
    for dest, message in {
        "/a\0b": "null byte",
        str(tmp_path / "none" / "file"): "There is no folder",
        str(tmp_path / "none") + "/": "There is no folder",
        str(tmp_path / "fifo"): "is not a regular file",
        str(tmp_path / "loop"): "too many parts or links",
    }.items():
        with pytest.raises(DestinationError, match=message):
            target_of(dest, "image")


@pytest.mark.parametrize(
    ("image", "checksum", "expected"),
    [
        (PLAIN, None, {"md5": MD5}),
        (PLAIN, Checksum("sha256", SHA256), RECORDED),
        (SLO, None, {}),
        (SLO, Checksum("sha256", SHA256), {"sha256": SHA256}),
        (SLO, Checksum("sha512", "c" * 128), {"sha512": "c" * 128}),
        # The listing shows the new MD5 of a segment that was overwritten.
        (replace(SLO, kind=ManifestKind.DLO), None, RECORDED),
        # A range of an object has no MD5 of its own.
        (replace(SLO, segments=(replace(SEGMENTS[0], whole=False), SEGMENTS[1])), None, RECORDED),
        # Ceph RGW does not return the manifest.
        (replace(SLO, segments=()), None, RECORDED),
        (replace(SLO, kind=ManifestKind.DLO, checksums={}), None, {}),
    ],
)
def test_expected_digests_of_the_whole_image(image: Image, checksum: Checksum | None, expected: dict[str, str]) -> None:
    assert expected_digests(image, ranges_of(HERE, image), checksum) == expected


def test_a_checksum_that_differs_from_the_recorded_digest_is_refused() -> None:
    with pytest.raises(IntegrityError, match=f"sha256 is {SHA256}, but checksum requires"):
        expected_digests(SLO, [], Checksum("sha256", "c" * 64))


def test_an_etag_proves_the_segment_list_of_an_slo() -> None:
    assert SLO.is_proved_by_etag
    assert not replace(SLO, segments=SEGMENTS[::-1]).is_proved_by_etag
    inner = replace(SEGMENTS[0], inner=(SEGMENTS[1],))
    outer = Image(ManifestKind.SLO, 10, large_object_etag([inner.etag]), (inner,))
    assert not outer.is_proved_by_etag
    right = replace(inner, etag=large_object_etag([SEGMENTS[1].etag]))
    assert replace(outer, etag=large_object_etag([right.etag]), segments=(right,)).is_proved_by_etag
    # openstacksdk's prefix is the manifest's own name, so Swift also counts the manifest's ETag.
    assert replace(SLO, kind=ManifestKind.DLO, etag="x").is_proved_by_etag
