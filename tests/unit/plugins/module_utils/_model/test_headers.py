# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Headers as facts, and facts as headers."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._errors import OptionError
from ansible_collections.imagestore.swift.plugins.module_utils._model import headers
from ansible_collections.imagestore.swift.plugins.module_utils._model.capabilities import Capabilities
from ansible_collections.imagestore.swift.plugins.module_utils._model.image import Image, ManifestKind

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
def test_kind(found: dict[str, str], kind: ManifestKind) -> None:
    assert headers.kind_of(found) is kind


def test_a_plain_objects_md5_is_its_etag_whatever_was_recorded() -> None:
    assert headers.checksums_of(PLAIN) == {"md5": PLAIN["etag"], "sha512": "ab" * 64}
    assert headers.checksums_of(SLO) == {"md5": "f" * 32, "sha512": "ab" * 64}


def test_the_users_metadata_is_without_what_programs_note() -> None:
    assert headers.metadata_of(PLAIN) == {"os-distro": "debian"}


def test_a_post_repeats_all_that_swift_would_drop() -> None:
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


def test_times() -> None:
    assert headers.last_modified_of(PLAIN) == "2026-11-22T17:49:35Z"
    assert headers.delete_at_of(PLAIN) == 1800000000
    assert headers.last_modified_of({}) is None and headers.delete_at_of({}) is None


def test_metadata_is_what_swift_gives_back() -> None:
    given: dict[str, Any] = {"OS-Distro": " debian ", "version": 12, "empty": "", "none": None}
    assert headers.check_metadata(given) == {"os-distro": "debian", "version": "12"}


@pytest.mark.parametrize(
    ("metadata", "sentence"),
    [
        ({"os_distro": "x"}, "letters, digits and dashes"),
        ({"a b": "x"}, "letters, digits and dashes"),
        ({"": "x"}, "letters, digits and dashes"),
        ({"Image-MD5": "x"}, "this collection's own"),
        ({"a": "x\ny"}, "control characters"),
        ({"mtime": "1"}, "other clients note"),
        ({"a": ["x"]}, "no text"),
    ],
)
def test_metadata_that_would_come_back_otherwise_is_refused(metadata: dict[str, str], sentence: str) -> None:
    with pytest.raises(OptionError, match=sentence):
        headers.check_metadata(metadata)


def test_metadata_that_is_named_like_a_checksum_is_none() -> None:
    found = {**PLAIN, "x-object-meta-image-name": "Debian 12", "x-object-meta-image-sha1": "abc"}
    assert "name" not in headers.checksums_of(found) and "sha1" not in headers.checksums_of(found)
    assert headers.metadata_of(found)["image-name"] == "Debian 12"


def test_what_the_cluster_would_refuse_is_refused_before() -> None:
    headers.check_limits({"a": "x" * 256}, [], Capabilities())
    for metadata in ({"a": "x" * 257}, {"a" * 129: "x"}, {"a": "é" * 129}):
        with pytest.raises(OptionError, match="shorten it"):
            headers.check_limits(metadata, [], Capabilities())
    with pytest.raises(OptionError, match="takes 5"):
        headers.check_limits({"a": "123456"}, [], Capabilities(max_meta_value_length=5))
    many = {f"a{number}": "x" for number in range(82)}
    headers.check_limits(many, ["md5", "sha512"], Capabilities())
    with pytest.raises(
        OptionError, match="makes 91 entries, with what is recorded beside it, and this cluster takes 90"
    ):
        headers.check_limits({**many, "b": "x"}, ["md5", "sha512"], Capabilities())
    with pytest.raises(OptionError, match="bytes, with what is recorded beside it, and this cluster takes 4096"):
        headers.check_limits({f"a{number}": "x" * 250 for number in range(15)}, [], Capabilities())


@pytest.mark.parametrize("content_type", ["", " ", "a\nb", "größe"])
def test_what_is_no_content_type(content_type: str) -> None:
    with pytest.raises(OptionError, match="media type"):
        headers.check_content_type(content_type)
    assert headers.check_content_type(" a/b ") == "a/b" and headers.check_content_type(None) is None
