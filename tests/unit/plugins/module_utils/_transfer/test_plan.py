# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The decisions of an upload, without a server: names, removed segments, and the image that it makes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._model.image import (
    Image,
    ManifestKind,
    Segment,
    large_object_etag,
)
from ansible_collections.imagestore.swift.plugins.module_utils._model.layout import Layout
from ansible_collections.imagestore.swift.plugins.module_utils._model.location import locate
from ansible_collections.imagestore.swift.plugins.module_utils._model.names import new_generation, numbered_name
from ansible_collections.imagestore.swift.plugins.module_utils._model.spec import Expiry, ImageSpec
from ansible_collections.imagestore.swift.plugins.module_utils._source.file import OpenFile
from ansible_collections.imagestore.swift.plugins.module_utils._source.path import open_path
from ansible_collections.imagestore.swift.plugins.module_utils._source.stream import Stream
from ansible_collections.imagestore.swift.plugins.module_utils._storage.leftovers import Leftovers
from ansible_collections.imagestore.swift.plugins.module_utils._transfer.plan import (
    UploadPlan,
    free_prefix,
    superseded,
    with_pending_note,
)

NOW = 1700000000.5
HERE = locate("glance", "a")
APART = locate("glance", "a", "segments")
SPEC = ImageSpec(
    force=True,
    checksum=None,
    manifest="auto",
    large_object_size=5,
    segment_size=5,
    segment_prefix=None,
    force_segments=False,
    hash_algorithms=[],
    create_container=False,
    storage_policy=None,
    metadata=None,
    content_type=None,
    expiry=None,
)
PLAIN, SLO, DLO = (Layout(kind, 12, 5, 1000, 1000) for kind in (ManifestKind.NONE, ManifestKind.SLO, ManifestKind.DLO))
CURRENT = Image(
    ManifestKind.DLO, 5, "e", (Segment("glance", "a-00001", 5, "e"),), segment_container="glance", segment_prefix="a-"
)


@pytest.fixture(name="source")
def _source(tmp_path: Path) -> Iterator[OpenFile]:
    (tmp_path / "image").write_bytes(b"x" * 12)
    source = open_path(str(tmp_path / "image"), None, lambda: str(tmp_path))
    assert isinstance(source, OpenFile)
    with source:
        yield source


@pytest.mark.parametrize(
    ("layout", "prefix", "current", "free"),
    [
        (DLO, None, None, None),
        (DLO, "a-", None, "a-"),
        (SLO, "a-", None, None),
        (PLAIN, "a-", None, None),
        # No segment is added under a prefix that the current image is read by.
        (DLO, "a-", CURRENT, None),
        (DLO, "a-2-", CURRENT, None),
        (DLO, "b-", CURRENT, "b-"),
        (DLO, "a-", replace(CURRENT, segment_container="other"), "a-"),
        (DLO, "a-", Image(ManifestKind.NONE, 5, "e"), "a-"),
    ],
)
def test_a_prefix_is_free_unless_used_by_the_current_image(
    layout: Layout, prefix: str | None, current: Image | None, free: str | None
) -> None:
    assert free_prefix(HERE, layout, replace(SPEC, segment_prefix=prefix), current) == free


# A generation begins with the time. It is fixed here, or each run of the tests would give them other names.
GENERATION, OF_OTHER_SIZE = (f".segments/a/{1:016d}{new_generation(HERE, size, 5)[-10:]}" for size in (12, 13))


def _in(generation: str, container: str = "glance") -> Segment:
    return Segment(container, numbered_name(generation, 1), 5, "e")


@pytest.mark.parametrize(
    ("layout", "left", "current", "generation"),
    [
        (DLO, [], None, None),
        (DLO, [_in(GENERATION)], None, GENERATION),
        (DLO, [_in(OF_OTHER_SIZE)], None, None),
        (SLO, [_in(GENERATION)], None, None),
        (replace(DLO, size=None), [_in(GENERATION)], None, None),
        # The current image is read by that generation.
        (DLO, [_in(GENERATION)], replace(CURRENT, segments=(_in(GENERATION),)), None),
    ],
)
def test_an_interrupted_upload_is_resumed_if_its_layout_matches(
    source: OpenFile, layout: Layout, left: list[Segment], current: Image | None, generation: str | None
) -> None:
    plan = UploadPlan(HERE, source, SPEC, layout, current, leftovers=Leftovers(tuple(left)))
    assert plan.resumable_generation() == generation


def test_a_stream_does_not_resume_a_generation(tmp_path: Path) -> None:
    stream = Stream(lambda size: b"", "pipe", 12, str(tmp_path))
    plan = UploadPlan(HERE, stream, SPEC, DLO, None, leftovers=Leftovers((_in(GENERATION),)))
    assert plan.resumable_generation() is None and not plan.is_resumable
    assert replace(plan, layout=SLO).is_resumable


NEW, OLD, KEPT, VAIN = (Segment("glance", name, 5, "e") for name in ("new", "old", "kept", "vain"))


@pytest.mark.parametrize(
    ("deletable", "in_vain", "removed"),
    [
        ([], [], []),
        ([OLD], [], [OLD]),
        ([OLD], [VAIN], [OLD, VAIN]),
        # A segment that one try stored in vain is a part of the image after the next one.
        ([OLD], [KEPT], [OLD]),
    ],
)
def test_superseded_segments_are_removed(
    deletable: list[Segment], in_vain: list[Segment], removed: list[Segment]
) -> None:
    assert superseded(Image(ManifestKind.SLO, 10, "e", (NEW, KEPT)), deletable, in_vain) == removed


@pytest.mark.parametrize(
    ("image", "has_work_left", "is_pending"),
    [
        (CURRENT, False, False),
        (CURRENT, True, True),
        (replace(CURRENT, delete_at=1800000000), False, True),
        (Image(ManifestKind.NONE, 5, "e", delete_at=1800000000), False, False),
    ],
)
def test_an_image_is_pending_while_segments_await_deletion_or_expiry(
    image: Image, has_work_left: bool, is_pending: bool
) -> None:
    assert with_pending_note(image, has_work_left).is_pending is is_pending


SEGMENTS = [
    Segment("glance", numbered_name("p/", number), size, f"e{number}") for number, size in enumerate((5, 5, 2), 1)
]


@pytest.mark.parametrize(
    ("layout", "facts"),
    [
        (PLAIN, {"etag": "m", "segments": (), "segment_container": None, "segment_prefix": None, "segment_count": 0}),
        (
            SLO,
            {
                "etag": large_object_etag(["e1", "e2", "e3"]),
                "segments": tuple(SEGMENTS),
                "segment_container": "glance",
                "segment_prefix": None,
                "segment_count": 3,
            },
        ),
        (
            DLO,
            {
                "etag": large_object_etag(["e1", "e2", "e3"]),
                "segments": tuple(SEGMENTS),
                "segment_container": "glance",
                "segment_prefix": "p/",
                "segment_count": 3,
            },
        ),
    ],
)
def test_an_image_describes_the_uploaded_segments(source: OpenFile, layout: Layout, facts: dict[str, Any]) -> None:
    plan = UploadPlan(HERE, source, SPEC, layout, None)
    image = plan.image([] if layout is PLAIN else SEGMENTS, {"md5": "m"}, NOW)
    assert {name: getattr(image, name) for name in facts} == facts
    assert (image.kind, image.size, image.recorded_size) == (layout.kind, 12, 12)
    assert (image.content_type, image.metadata, image.delete_at) == ("application/octet-stream", {}, None)


@pytest.mark.parametrize(
    ("spec", "content_type", "metadata", "delete_at"),
    [
        (SPEC, "a/b", {"os": "x"}, 1800000000),
        (
            replace(SPEC, content_type="c/d", metadata={}, expiry=Expiry(delete_at=1900000000)),
            "c/d",
            {},
            1900000000,
        ),
        (replace(SPEC, expiry=Expiry(delete_at=0)), "a/b", {"os": "x"}, None),
        # The time is counted by Swift's clock.
        (replace(SPEC, expiry=Expiry(delete_after=60)), "a/b", {"os": "x"}, 1700000060),
    ],
)
def test_an_image_keeps_attributes_that_are_not_given(
    source: OpenFile, spec: ImageSpec, content_type: str, metadata: dict[str, str], delete_at: int | None
) -> None:
    current = replace(CURRENT, content_type="a/b", metadata={"os": "x"}, delete_at=1800000000)
    image = UploadPlan(APART, source, spec, PLAIN, current).image([], {"md5": "m"}, NOW)
    assert (image.content_type, image.metadata, image.delete_at) == (content_type, metadata, delete_at)
