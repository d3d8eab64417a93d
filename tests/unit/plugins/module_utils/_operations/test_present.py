# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Uploads whose manifest fails, images that are unchanged, and updates.

The functional and integration tests prove the rest on a real Swift.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._context import RunContext
from ansible_collections.imagestore.swift.plugins.module_utils._errors import (
    ImageStoreError,
    OptionError,
    SwiftError,
    UnreachableError,
)
from ansible_collections.imagestore.swift.plugins.module_utils._model.capabilities import Capabilities
from ansible_collections.imagestore.swift.plugins.module_utils._model.checksum import Checksum
from ansible_collections.imagestore.swift.plugins.module_utils._model.image import Image, ManifestKind
from ansible_collections.imagestore.swift.plugins.module_utils._model.location import Placement, locate
from ansible_collections.imagestore.swift.plugins.module_utils._model.spec import Expiry, ImageSpec
from ansible_collections.imagestore.swift.plugins.module_utils._operations.absent import AbsentImage
from ansible_collections.imagestore.swift.plugins.module_utils._operations.present import (
    PresentImage,
    is_settled,
    updated_image,
)
from ansible_collections.imagestore.swift.plugins.module_utils._progress import Progress
from ansible_collections.imagestore.swift.plugins.module_utils._source.path import PathSourceSpec
from ansible_collections.imagestore.swift.plugins.module_utils._source.reader import Expected
from ansible_collections.imagestore.swift.plugins.module_utils._storage.image_object import ImageObject
from ansible_collections.imagestore.swift.plugins.module_utils._transfer.dedup import DedupIndex

NOW = 1700000000.5
MD5 = "0cc175b9c0f1b6a831c399e269772661"
SPEC = ImageSpec(
    force=True,
    checksum=None,
    manifest="auto",
    large_object_size=50,
    segment_size=50,
    segment_prefix=None,
    force_segments=False,
    hash_algorithms=["md5"],
    create_container=False,
    storage_policy=None,
    metadata=None,
    content_type=None,
    expiry=None,
)


class FailingSwift:
    """A fake SwiftClient that stores segments, and fails when it gets the manifest."""

    capabilities = Capabilities(is_known=True, has_slo=True, tells_manifests=True)

    def __init__(self, failure: ImageStoreError) -> None:
        self.failure = failure
        self.stored: dict[str, str] = {}

    def now(self) -> float:
        return NOW

    def remember(self, key: str, compute: Any) -> Any:
        return compute()

    def head_container(self, container: str) -> dict[str, str]:
        return {"x-versions-enabled": "True"}

    def has_container(self, container: str) -> bool:
        return True

    def head_object(self, container: str, name: str, manifest: bool = False, symlink: bool = False) -> None:
        return None

    def list_objects(self, container: str, prefix: str = "") -> Iterator[dict[str, Any]]:
        for name in sorted(self.stored):
            yield {"name": name, "bytes": 50, "hash": self.stored[name]}

    def put_object(
        self, container: str, name: str, body: object, size: int, headers: Mapping[str, str], query: str | None = None
    ) -> str:
        if name == "image":
            raise self.failure
        self.stored[name] = headers["ETag"]
        return headers["ETag"]

    def delete_object(self, container: str, name: str) -> bool:
        return self.stored.pop(name, None) is not None


@pytest.mark.parametrize(
    ("manifest", "failure"),
    [
        ("dlo", SwiftError("Refused.", 400)),
        ("dlo", UnreachableError("Silent.")),
        ("slo", UnreachableError("Silent.")),
    ],
)
def test_segments_are_kept_if_the_manifest_may_have_been_stored(
    tmp_path: Path, manifest: str, failure: ImageStoreError
) -> None:
    (tmp_path / "image").write_bytes(bytes(range(200)))
    swift: Any = FailingSwift(failure)
    context = RunContext(check_mode=False, warn=pytest.fail, progress=Progress(), concurrency=2)
    image = PresentImage(ImageObject(swift, locate("glance", "image")), context, DedupIndex())
    source_spec = PathSourceSpec(str(tmp_path / "image"), None, lambda: str(tmp_path))
    with pytest.raises(type(failure), match="may have been stored"):
        image.reconcile(source_spec, replace(SPEC, manifest=manifest))
    assert len(swift.stored) == 4


def test_a_versioned_container_is_kept() -> None:
    swift: Any = FailingSwift(SwiftError("Refused.", 400))
    warnings: list[str] = []
    target = ImageObject(swift, Placement("glance", multi_tenant=True).locate("image"))
    for check_mode in (True, False):
        context = RunContext(check_mode, warnings.append, Progress(), concurrency=2)
        change = AbsentImage(target, context, force_segments=False).reconcile()
        assert not change.changed and not change.removes_container
    assert warnings == ["Container 'glance_image' is not deleted, because it keeps versions of deleted objects."] * 2


class FakeSource:
    """A source spec that must not be opened."""

    def __init__(self, fingerprint: str | None = None, size: int | None = None) -> None:
        self._fingerprint = fingerprint
        self._size = size

    def fingerprint(self) -> str | None:
        return self._fingerprint

    def known_size(self) -> int | None:
        return self._size

    def is_repeatable(self) -> bool:
        return False

    def open(self, expected: Expected) -> Any:
        pytest.fail("the source is opened")


# Fingerprints of two states of a URL.
F, G = f"{'f' * 32}.{'1' * 32}", f"{'e' * 32}.{'2' * 32}"
STORED = Image(ManifestKind.NONE, 1, MD5, checksums={"md5": MD5}, content_type="a/b", source_fingerprint=F)
RIGHT, WRONG = Checksum("md5", MD5), Checksum("md5", MD5[::-1])


@pytest.mark.parametrize(
    ("spec", "fingerprint", "settled"),
    [
        (SPEC, None, False),
        (replace(SPEC, force=False), None, True),
        (replace(SPEC, force=False, checksum=WRONG), None, True),
        (replace(SPEC, checksum=RIGHT), None, True),
        (replace(SPEC, checksum=WRONG), None, False),
        # A matching fingerprint does not outweigh a checksum that the image does not have.
        (replace(SPEC, checksum=WRONG), F, False),
        (replace(SPEC, checksum=Checksum("sha256", "0" * 64)), None, False),
        (SPEC, F, True),
        (SPEC, G, False),
    ],
)
def test_is_settled_without_reading_the_source(spec: ImageSpec, fingerprint: str | None, settled: bool) -> None:
    assert is_settled(STORED, FakeSource(fingerprint), spec) is settled


LARGE = replace(STORED, kind=ManifestKind.SLO, recorded_size=1, delete_at=1800000000)


@pytest.mark.parametrize(
    ("current", "spec", "fingerprint", "changes"),
    [
        (STORED, SPEC, None, {}),
        (
            STORED,
            replace(SPEC, metadata={"a": "b"}, content_type="c/d"),
            None,
            {"metadata": {"a": "b"}, "content_type": "c/d"},
        ),
        (STORED, replace(SPEC, expiry=Expiry(delete_at=1900000000)), None, {"delete_at": 1900000000}),
        (STORED, SPEC, G, {"source_fingerprint": G}),
        (
            STORED,
            replace(SPEC, checksum=Checksum("sha256", "0" * 64)),
            None,
            {"checksums": {"md5": MD5, "sha256": "0" * 64}},
        ),
        # Without force the source is not compared, so its checksum is not recorded for the image.
        (STORED, replace(SPEC, force=False, checksum=WRONG), None, {}),
        (replace(STORED, is_pending=True), SPEC, None, {"is_pending": False}),
        # A client that dropped the record may have dropped the expiry, which the segments still have.
        (replace(LARGE, recorded_size=None), SPEC, None, {}),
        (
            replace(LARGE, recorded_size=None),
            replace(SPEC, expiry=Expiry(delete_at=1800000000)),
            None,
            {"recorded_size": 1},
        ),
    ],
)
def test_an_update_changes_only_requested_attributes(
    current: Image, spec: ImageSpec, fingerprint: str | None, changes: dict[str, Any]
) -> None:
    assert updated_image(current, spec, fingerprint, NOW) == replace(current, **changes)


@pytest.mark.parametrize(("delete_at", "is_refused"), [(1700000000, True), (1700000001, False), (1800000000, False)])
def test_an_expiry_before_the_servers_time_is_refused(delete_at: int, is_refused: bool) -> None:
    spec = replace(SPEC, expiry=Expiry(delete_at=delete_at))
    if is_refused:
        with pytest.raises(OptionError, match="which has passed"):
            updated_image(STORED, spec, None, NOW)
    else:
        assert updated_image(STORED, spec, None, NOW).delete_at == delete_at
