# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Facts about images from headers, and headers from facts."""

from __future__ import annotations

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._model import headers
from ansible_collections.imagestore.swift.plugins.module_utils._model.image import Image, ManifestKind, Symlink
from hypothesis import given
from hypothesis import strategies as st

PLAIN = {
    "etag": "0cc175b9c0f1b6a831c399e269772661",
    "content-type": "application/octet-stream",
    "last-modified": "Sun, 22 Nov 2026 17:49:35 GMT",
    "x-object-meta-image-size": "1",
    "x-object-meta-image-md5": "ffffffffffffffffffffffffffffffff",
    "x-object-meta-image-sha512": "AB" * 64,
    "x-object-meta-mtime": "1.5",
    "x-object-meta-os-distro": "debian",
    "x-delete-at": "1800000000",
    "cache-control": "no-cache",
}
DLO = {**PLAIN, "etag": '"0cc1"', "x-object-manifest": "glance/a%20b-"}
SLO = {**PLAIN, "etag": '"0cc1"', "x-static-large-object": "True"}


@pytest.mark.parametrize(
    ("found", "kind"), [(PLAIN, ManifestKind.NONE), (DLO, ManifestKind.DLO), (SLO, ManifestKind.SLO)]
)
def test_manifest_kind(found: dict[str, str], kind: ManifestKind) -> None:
    assert headers.kind_of(found) is kind


def test_the_etag_of_a_plain_object_overrides_its_recorded_md5() -> None:
    assert headers.checksums_of(PLAIN) == {"md5": PLAIN["etag"], "sha512": "ab" * 64}
    assert headers.checksums_of(SLO) == {"md5": "f" * 32, "sha512": "ab" * 64}


def test_user_metadata_excludes_internal_headers() -> None:
    assert headers.metadata_of(PLAIN) == {"os-distro": "debian"}


def test_a_post_repeats_all_headers_that_swift_would_drop() -> None:
    image = Image(
        kind=ManifestKind.DLO,
        size=1,
        etag="0cc1",
        metadata={"new": "1"},
        delete_at=1800000000,
        kept_headers=headers.kept_headers_of(DLO),
    )
    assert headers.post_headers(image) == {
        "cache-control": "no-cache",
        "X-Delete-At": "1800000000",
        "x-object-manifest": "glance/a%20b-",
        "x-object-meta-image-md5": "f" * 32,
        "x-object-meta-image-sha512": "AB" * 64,
        "x-object-meta-image-size": "1",
        "x-object-meta-mtime": "1.5",
        "x-object-meta-new": "1",
    }


def test_last_modified_and_expiry() -> None:
    assert headers.last_modified_of(PLAIN) == "2026-11-22T17:49:35Z"
    assert headers.delete_at_of(PLAIN) == 1800000000
    assert headers.last_modified_of({}) is None and headers.delete_at_of({}) is None


def test_metadata_named_like_a_checksum_is_not_a_checksum() -> None:
    found = {**PLAIN, "x-object-meta-image-name": "Debian 12", "x-object-meta-image-sha1": "abc"}
    assert "name" not in headers.checksums_of(found) and "sha1" not in headers.checksums_of(found)
    assert headers.metadata_of(found)["image-name"] == "Debian 12"


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"x-object-meta-image-size": "abc"}, "x-object-meta-image-size is 'abc'"),
        ({"x-object-meta-image-size": "9" * 5000}, "x-object-meta-image-size is '999"),
        ({"x-object-meta-image-size": "-1"}, "x-object-meta-image-size is '-1'"),
        ({"x-delete-at": "soon"}, "x-delete-at is 'soon'"),
        ({"x-object-meta-image-segments": "\u0661"}, "x-object-meta-image-segments"),
        ({"content-length": "many"}, "content-length is 'many'"),
        ({"x-object-manifest": "../AUTH_other/c/p"}, "names '..', which is not a valid container name"),
        ({"x-object-manifest": "/"}, "names '', which is not a valid container name"),
        ({"last-modified": "yesterday"}, None),
        ({"last-modified": "Sun, 22 Nov 99999999999 17:49:35 GMT"}, None),
    ],
)
def test_invalid_headers_are_reported_as_problems(changed: dict[str, str], problem: str | None) -> None:
    image = headers.image_of({**PLAIN, **changed})
    assert len(image.problems) == (problem is not None)
    assert problem is None or problem in image.problems[0]


@given(st.dictionaries(st.sampled_from([*PLAIN, *DLO, *SLO, "x-object-meta-image-segments"]), st.text(max_size=20)))
def test_arbitrary_headers_raise_no_exception(found: dict[str, str]) -> None:
    image = headers.image_of(found)
    for sent in (headers.post_headers(image), headers.content_headers(image)):
        assert all(isinstance(text, str) for pair in sent.items() for text in pair)


@pytest.mark.parametrize(
    ("found", "symlink"),
    [
        (PLAIN, None),
        ({"x-symlink-target": "c/a%20b/c"}, Symlink("c", "a b/c")),
        ({"x-symlink-target": "c/o", "x-symlink-target-account": "AUTH_x"}, Symlink("c", "o", "AUTH_x")),
        ({"x-symlink-target": ""}, Symlink("", "")),
        ({"x-symlink-target": "c/o?version-id=1795938266.24863"}, None),
        ({"x-symlink-target": "c/o%3Fversion-id=1"}, Symlink("c", "o?version-id=1")),
    ],
)
def test_symlink_target(found: dict[str, str], symlink: Symlink | None) -> None:
    assert headers.symlink_of(found) == symlink


@pytest.mark.parametrize(
    ("found", "is_image"),
    [
        ({}, False),
        ({"x-object-meta-mtime": "1.5"}, False),
        ({"x-static-large-object": "True"}, False),
        ({"x-static-large-object": "True", "x-object-meta-mtime": "1.5"}, True),
        ({"x-object-manifest": "c/p"}, True),
        ({"x-object-meta-image-size": "1"}, True),
        ({"x-object-meta-image-md5": "f" * 32}, True),
        ({"content-location": "/v1/AUTH_x/c/o"}, True),
        ({"content-location": "/v1/AUTH_x/c/o?version-id=1795938266.24863"}, False),
    ],
)
def test_an_image_is_recognised_by_its_recorded_headers(found: dict[str, str], is_image: bool) -> None:
    assert headers.has_record(found) is is_image
