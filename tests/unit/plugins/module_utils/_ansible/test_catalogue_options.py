# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of a catalogue's images: an image's own, and those for all images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._ansible import catalogue_options as _catalogue_options
from ansible_collections.imagestore.swift.plugins.module_utils._ansible.options import CONNECTION, read_placement
from ansible_collections.imagestore.swift.plugins.module_utils._errors import OptionError
from ansible_collections.imagestore.swift.plugins.module_utils._model.checksum import Checksum
from ansible_collections.imagestore.swift.plugins.module_utils._operations.catalogue import Entry
from ansible_collections.imagestore.swift.plugins.module_utils._source.checksum_file import ChecksumReader

SPEC = (CONNECTION + _catalogue_options.CATALOGUE).options
DEFAULTS = {name: option.get("default") for name, option in SPEC.items()}
OF_IMAGES = dict.fromkeys(SPEC["images"]["options"])


def read(*images: Mapping[str, Any], **options: Any) -> list[Entry]:
    """Return entries, from options as Ansible passes them to a module."""
    params = {**DEFAULTS, **options, "images": [{**OF_IMAGES, **image} for image in images]}
    return list(_catalogue_options.read_entries(params, read_placement(params), lambda: "/tmp"))


def test_options_of_an_image_override_those_of_the_catalogue() -> None:
    own, other = read(
        {"name": "own", "src": "/a", "manifest": "dlo", "segment_size": "1KiB", "metadata": {"a": "1"}, "force": False},
        {"name": "other", "src": "/b"},
        metadata={"b": "2"},
        segment_size="1MiB",
    )
    assert (own.spec.manifest, own.spec.segment_size, own.spec.metadata, own.spec.force) == (
        "dlo",
        1024,
        {"a": "1"},
        False,
    )
    assert (other.spec.manifest, other.spec.segment_size, other.spec.metadata) == ("auto", 1024 * 1024, {"b": "2"})


def test_an_image_expiry_replaces_the_catalogue_expiry() -> None:
    (own,) = read({"name": "own", "src": "/a", "delete_after": "5"}, delete_at=4_000_000_000)
    (other,) = read({"name": "other", "src": "/a"}, delete_at=4_000_000_000)
    assert own.spec.expiry is not None and own.spec.expiry.delete_after == 5
    assert other.spec.expiry is not None and other.spec.expiry.delete_at == 4_000_000_000


def test_an_absent_image_needs_no_source() -> None:
    (entry,) = read({"name": "gone", "state": "absent"})
    assert entry.source_spec is None
    (entry,) = read({"name": "gone"}, state="absent")
    assert entry.source_spec is None


@pytest.mark.parametrize(
    ("images", "options", "says"),
    [
        ([{"name": "a"}], {}, r"images\[0\] \('a'\): state is present, but neither src nor url"),
        ([{"name": "a", "src": "/a"}, {"name": None, "src": "/a"}], {}, r"images\[1\].*name is null"),
        ([{"name": "a", "src": "/a"}] * 2, {}, r"images\[0\] and images\[1\] are both 'glance/a'"),
        ([{"name": "a/b", "src": "/a"}], {"multi_tenant": True}, r"images\[0\] \('a/b'\): .* a slash in name 'a/b'"),
        ([{"name": "a", "src": "/a", "segment_prefix": "a-"}], {}, r"segment_prefix applies to dynamic large objects"),
        ([{"name": "a", "src": "/a"}], {"segment_size": "x"}, r"images\[0\] \('a'\): segment_size 'x'"),
    ],
)
def test_invalid_images_are_refused_with_their_index(
    images: list[dict[str, Any]], options: dict[str, Any], says: str
) -> None:
    with pytest.raises(OptionError, match=says):
        read(*images, **options)


def test_a_checksum_file_is_read_lazily() -> None:
    (entry,) = read({"name": "a", "src": "/a", "checksum": "md5:http://127.0.0.1:9/SUMS"})
    assert entry.source_spec is not None


def test_names_are_not_globs() -> None:
    (entry,) = read({"name": "*.raw", "src": "/srv/*.raw"})
    assert entry.location.name == "*.raw"


@pytest.fixture(name="readers")
def _readers(monkeypatch: pytest.MonkeyPatch) -> list[ChecksumReader]:
    """The readers of checksum files, in the order of their use; each file has one digest for any image."""
    seen: list[ChecksumReader] = []

    def read_file(reader: ChecksumReader, _place: str) -> bytes:
        seen.append(reader)
        return b"a1" * 16

    monkeypatch.setattr(ChecksumReader, "read", read_file)
    return seen


def test_a_checksum_file_is_read_once_for_equal_request_options(readers: list[ChecksumReader]) -> None:
    same = {"checksum": "md5:https://images.example.com/SUMS"}
    images = [{"name": f"{number}", "url": f"https://images.example.com/{number}", **same} for number in range(3)]
    entries = read(*images)
    assert {entry.read_checksum() for entry in entries} == {Checksum("md5", "a1" * 16)}
    assert len(readers) == 1
    # A file that was read without a check of the certificate is not used for an image that requires one.
    for entry in read({**images[0], "url_validate_certs": False}, images[1]):
        entry.read_checksum()
    assert [reader.options.validate_certs for reader in readers[1:]] == [False, True]


@pytest.mark.parametrize(
    ("image", "origin"),
    [
        ({"url": "https://a/x", "checksum": "md5:https://b/SUMS"}, ("https", "a", 443)),
        ({"url": "https://a:44/x", "checksum": "md5:/srv/SUMS"}, ("https", "a", 44)),
        ({"src": "/x", "checksum": "md5:http://b/SUMS"}, ("http", "b", 80)),
        ({"src": "/x", "checksum": "md5:/srv/SUMS"}, None),
    ],
)
def test_credentials_are_bound_to_a_single_origin(
    readers: list[ChecksumReader], image: dict[str, str], origin: tuple[str, str, int] | None
) -> None:
    (entry,) = read({"name": "a", "url_username": "joe", "url_password": "word", **image})
    entry.read_checksum()
    assert readers[0].options.origin == origin and not readers[0].options.is_proved


def test_credentials_in_a_url_apply_to_its_checksum_file(readers: list[ChecksumReader]) -> None:
    (entry,) = read({"name": "a", "url": "https://joe:word@a/x", "checksum": "md5:https://a/SUMS"})
    entry.read_checksum()
    assert (readers[0].options.username, readers[0].options.password) == ("joe", "word")
