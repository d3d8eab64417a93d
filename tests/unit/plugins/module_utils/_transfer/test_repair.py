# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plans of repairs, made without a server: which segments are sent again, and when an image must be stored anew."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._model.image import Image, ManifestKind, Segment
from ansible_collections.imagestore.swift.plugins.module_utils._model.location import locate
from ansible_collections.imagestore.swift.plugins.module_utils._source.file import OpenFile
from ansible_collections.imagestore.swift.plugins.module_utils._source.path import open_path
from ansible_collections.imagestore.swift.plugins.module_utils._transfer.plan import Transfer
from ansible_collections.imagestore.swift.plugins.module_utils._transfer.repair import (
    plan_dlo_repair,
    plan_segment_repair,
)

HERE = locate("glance", "a")
CONTENT = b"one--two--three--4"
# The content in segments of five bytes.
PIECES = [CONTENT[first : first + 5] for first in range(0, len(CONTENT), 5)]


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Iterator[OpenFile]:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    with open_path(str(path), None, lambda: str(tmp_path)) as opened:
        assert isinstance(opened, OpenFile)
        yield opened


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _named_by_content(data: bytes) -> str:
    return f".segments/a/{hashlib.sha256(data).hexdigest()}-{len(data)}"


OWN = [Segment("glance", _named_by_content(piece), len(piece), _md5(piece)) for piece in PIECES]
SLO = Image(ManifestKind.SLO, len(CONTENT), "x", tuple(OWN), segment_container="glance")
# A manifest in the image's own container names it, as another client may have stored it.
CALLED = replace(OWN[1], name="called/anything", is_vouched=True)
ELSEWHERE = replace(OWN[1], container="vault", name="golden")
RANGE = replace(OWN[1], whole=False)


def _slo(second: Segment) -> Image:
    return replace(SLO, segments=(OWN[0], second, *OWN[2:]))


@pytest.mark.parametrize(
    ("image", "damaged", "existing"),
    [
        (SLO, [OWN[1]], []),
        (SLO, [OWN[1]], [OWN[1].path]),
        (SLO, OWN, [OWN[0].path]),
        # A manifest is enough for a segment that is missing.
        (_slo(CALLED), [CALLED], []),
        # The same segment in two places is sent once.
        (replace(SLO, segments=(OWN[1], OWN[1]), size=10), [OWN[1]], []),
    ],
)
def test_a_repair_plan_resends_damaged_segments(
    file: OpenFile, image: Image, damaged: Collection[Segment], existing: Collection[tuple[str, str]]
) -> None:
    plan = plan_segment_repair(HERE, image, file, damaged, existing)
    assert plan is not None
    assert set(plan.parts) == set(damaged)
    assert plan.image is image and plan.may_replace == existing
    sizes = sum(segment.size for segment in damaged)
    assert plan.transfer() == Transfer(sizes, image.size - sizes, len(damaged), len(image.pieces) - len(damaged))


@pytest.mark.parametrize(
    ("image", "damaged", "existing"),
    [
        # A manifest does not prove that an existing object may be overwritten.
        (_slo(CALLED), [CALLED], [CALLED.path]),
        (_slo(ELSEWHERE), [ELSEWHERE], []),
        # The ETag of the whole object tells nothing of a range.
        (_slo(RANGE), [RANGE], []),
        # An inner manifest is not a piece.
        (SLO, [OWN[1], replace(OWN[0], name="inner", inner=(OWN[0],))], []),
    ],
)
def test_an_unrepairable_image_has_no_repair_plan(
    file: OpenFile, image: Image, damaged: Collection[Segment], existing: Collection[tuple[str, str]]
) -> None:
    assert plan_segment_repair(HERE, image, file, damaged, existing) is None


NUMBERED = [Segment("glance", f"a-{number:05d}", len(piece), _md5(piece)) for number, piece in enumerate(PIECES, 1)]


def _dlo(*segments: Segment, strangers: Collection[Segment] = (), size: int | None = None) -> Image:
    return Image(
        ManifestKind.DLO,
        sum(segment.size for segment in segments),
        "x",
        segments,
        strangers=tuple(strangers),
        segment_container="glance",
        segment_prefix="a-",
        recorded_size=size,
    )


FIRST, SECOND, THIRD, LAST = NUMBERED
WRONG = replace(SECOND, etag="0" * 32)
RECORDED = {"sha256": hashlib.sha256(CONTENT).hexdigest()}


@pytest.mark.parametrize(
    ("image", "missing"),
    [
        # A gap shows that a segment is missing.
        (_dlo(FIRST, THIRD, LAST), {SECOND}),
        (_dlo(FIRST, LAST), {SECOND, THIRD}),
        (_dlo(SECOND, THIRD, LAST), {FIRST}),
        # Swift reads what comes after a gap with the image, too.
        (_dlo(FIRST, strangers=[THIRD, LAST]), {SECOND}),
        # The recorded size shows that the last ones are missing.
        (_dlo(FIRST, SECOND, size=len(CONTENT)), {THIRD, LAST}),
        (replace(_dlo(FIRST, THIRD, LAST), checksums=RECORDED), {SECOND}),
    ],
)
def test_a_dlo_repair_plan_resends_missing_segments(file: OpenFile, image: Image, missing: set[Segment]) -> None:
    plan = plan_dlo_repair(HERE, image, file)
    assert plan is not None
    assert {segment.path for segment in plan.parts} == {segment.path for segment in missing}
    assert [segment.path for segment in plan.image.segments] == [segment.path for segment in NUMBERED]
    assert plan.image.size == len(CONTENT) and not plan.image.strangers
    assert not plan.may_replace


@pytest.mark.parametrize(
    "image",
    [
        SLO,
        _dlo(),
        # Nothing shows that the content is not the whole image.
        _dlo(FIRST, SECOND),
        _dlo(*NUMBERED),
        # Another content: a segment, the size, or a digest.
        _dlo(FIRST, WRONG, LAST),
        _dlo(FIRST, THIRD, LAST, size=len(CONTENT) + 1),
        replace(_dlo(FIRST, THIRD, LAST), checksums={"sha256": "0" * 64}),
        # An object that has no number.
        _dlo(FIRST, THIRD, LAST, strangers=[replace(SECOND, name="a-b")]),
        # The image's name does not prove that these are its segments.
        replace(
            _dlo(*(replace(one, container="vault", name=one.name.replace("a-", "x-")) for one in (FIRST, LAST))),
            segment_container="vault",
            segment_prefix="x-",
        ),
        # Segments without bytes say nothing about where the image is cut.
        _dlo(replace(FIRST, size=0), replace(THIRD, size=0)),
    ],
)
def test_an_unrepairable_dlo_has_no_repair_plan(file: OpenFile, image: Image) -> None:
    assert plan_dlo_repair(HERE, image, file) is None
