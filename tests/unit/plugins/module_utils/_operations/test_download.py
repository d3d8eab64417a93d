# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The digests that a whole download is compared with."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._errors import IntegrityError
from ansible_collections.imagestore.swift.plugins.module_utils._model.checksum import Checksum
from ansible_collections.imagestore.swift.plugins.module_utils._model.image import (
    Image,
    ManifestKind,
    Segment,
    large_object_etag,
)
from ansible_collections.imagestore.swift.plugins.module_utils._model.location import locate
from ansible_collections.imagestore.swift.plugins.module_utils._operations.download import expected_digests
from ansible_collections.imagestore.swift.plugins.module_utils._transfer.ranges import ranges_of

MD5, SHA256 = "a" * 32, "b" * 64
RECORDED = {"md5": MD5, "sha256": SHA256}
SEGMENTS = tuple(Segment("c", f"s{number}", 10, f"{number}" * 32) for number in (1, 2))
PLAIN = Image(ManifestKind.NONE, 20, MD5, checksums=RECORDED)
SLO = Image(ManifestKind.SLO, 20, large_object_etag(one.etag for one in SEGMENTS), SEGMENTS, checksums=RECORDED)


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
def test_what_proves_more_than_the_ranges(image: Image, checksum: Checksum | None, expected: dict[str, str]) -> None:
    assert expected_digests(image, ranges_of(locate("c", "image"), image), checksum) == expected


def test_a_recorded_digest_that_is_another() -> None:
    with pytest.raises(IntegrityError, match=f"sha256 is {SHA256}, and checksum says"):
        expected_digests(SLO, [], Checksum("sha256", "c" * 64))


def test_an_etag_proves_an_slos_list() -> None:
    assert SLO.is_proved_by_etag
    assert not replace(SLO, segments=SEGMENTS[::-1]).is_proved_by_etag
    inner = replace(SEGMENTS[0], inner=(SEGMENTS[1],))
    outer = Image(ManifestKind.SLO, 10, large_object_etag([inner.etag]), (inner,))
    assert not outer.is_proved_by_etag
    right = replace(inner, etag=large_object_etag([SEGMENTS[1].etag]))
    assert replace(outer, etag=large_object_etag([right.etag]), segments=(right,)).is_proved_by_etag
    # openstacksdk's prefix is the manifest's own name, so Swift also counts the manifest's ETag.
    assert replace(SLO, kind=ManifestKind.DLO, etag="x").is_proved_by_etag
