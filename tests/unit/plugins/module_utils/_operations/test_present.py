# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What becomes of segments when their manifest fails: no real server can be told to fail just there.

All else that the store does is proved against a real Swift, in the integration targets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._errors import (
    ImageStoreError,
    SwiftError,
    UnreachableError,
)
from ansible_collections.imagestore.swift.plugins.module_utils._model.location import Placement, locate
from ansible_collections.imagestore.swift.plugins.module_utils._model.spec import ImageSpec
from ansible_collections.imagestore.swift.plugins.module_utils._operations.present import Store
from ansible_collections.imagestore.swift.plugins.module_utils._progress import Progress
from ansible_collections.imagestore.swift.plugins.module_utils._source.path import PathSourceSpec
from ansible_collections.imagestore.swift.plugins.module_utils._transfer.dedup import DedupIndex


class FailingSwift:
    """Stands in for a SwiftClient: keeps segments, and fails when the manifest comes."""

    capabilities: Mapping[str, Any] = {"slo": {}}

    def __init__(self, failure: ImageStoreError) -> None:
        self.failure = failure
        self.stored: dict[str, str] = {}

    def head_container(self, container: str) -> dict[str, str]:
        return {"x-versions-enabled": "True"}

    def head_object(self, container: str, name: str, manifest: bool = False) -> None:
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
    ("manifest", "failure", "kept", "sentence"),
    [
        ("dlo", SwiftError("Refused.", 400), 4, "may have arrived"),
        ("dlo", UnreachableError("Silent."), 4, "may have arrived"),
        ("slo", UnreachableError("Silent."), 4, "may have arrived"),
    ],
)
def test_segments_stay_when_a_manifest_may_name_them(
    tmp_path: Path, manifest: str, failure: ImageStoreError, kept: int, sentence: str
) -> None:
    (tmp_path / "image").write_bytes(bytes(range(200)))
    swift: Any = FailingSwift(failure)
    wish = ImageSpec(
        force=True,
        checksum=None,
        manifest=manifest,
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
        concurrency=2,
    )
    store = Store(swift, locate("glance", "image"), False, pytest.fail, Progress(), DedupIndex())
    source_spec = PathSourceSpec(str(tmp_path / "image"), None, lambda: str(tmp_path))
    with pytest.raises(type(failure), match=sentence):
        store.make_present(source_spec, wish)
    assert len(swift.stored) == kept


def test_a_container_that_keeps_versions_stays() -> None:
    swift: Any = FailingSwift(SwiftError("Refused.", 400))
    said: list[str] = []
    location = Placement("glance", multi_tenant=True).locate("image")
    for check_mode in (True, False):
        change = Store(swift, location, check_mode, said.append, Progress(), DedupIndex()).make_absent(
            2, force_segments=False
        )
        assert not change.changed and not change.removes_container
    assert said == ["Container 'glance_image' stays: it keeps versions of what was deleted."] * 2
