# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lines that report a transfer, and their times."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._progress import State
from ansible_collections.imagestore.swift.plugins.plugin_utils._progress_lines import (
    Lines,
    Sample,
    duration_text,
    size_text,
)

MIB = 1024 * 1024
BEGIN = State("uploading", "glance/debian-12", 100 * MIB)


def _after(seconds: float, **changes: object) -> Sample:
    return Sample(replace(BEGIN, **changes), 1000 + seconds)  # type: ignore[arg-type] # The names come from a dictionary.


def test_lines_are_shown_periodically_and_at_the_end() -> None:
    lines = Lines("localhost", 5)
    assert lines.add(_after(0)) is None
    assert lines.add(_after(4.9, done=9 * MIB)) is None
    assert (
        lines.add(_after(5, done=10 * MIB))
        == "[localhost] glance/debian-12: uploading, 10 %, 10 MiB of 100 MiB, 2 MiB/s, 45 s left"
    )
    assert lines.add(_after(7, done=30 * MIB)) is None
    # Reused bytes took no time to send, and the rate is that since the line before.
    assert (
        lines.add(_after(10, done=60 * MIB, reused=10 * MIB, segments_reused=1))
        == "[localhost] glance/debian-12: uploading, 60 %, 60 MiB of 100 MiB, 8 MiB/s, 5 s left, 1 segment reused"
    )
    lines.add(_after(12, done=100 * MIB, reused=50 * MIB, segments_reused=5))
    assert (
        lines.last(1012.5)
        == "[localhost] glance/debian-12: uploading, 100 %, 100 MiB of 100 MiB, 4 MiB/s, 12 s in all, "
        "5 segments reused"
    )


def test_a_short_transfer_shows_no_lines() -> None:
    lines = Lines("localhost", 5)
    assert lines.last(1000) is None
    assert lines.add(_after(0)) is None
    assert lines.add(_after(4, done=100 * MIB)) is None
    assert lines.last(1004.9) is None


def test_each_phase_has_its_own_rate() -> None:
    lines = Lines("h", 5)
    lines.add(_after(0, doing="comparing"))
    assert "comparing, 50 %" in str(lines.add(_after(5, doing="comparing", done=50 * MIB)))
    assert lines.add(_after(6)) is None
    assert str(lines.add(_after(10, done=4 * MIB))).endswith(
        "uploading, 4 %, 4 MiB of 100 MiB, 1 MiB/s, 1 min 36 s left"
    )


def test_unknown_size() -> None:
    lines = Lines("h", 5)
    lines.add(_after(0, size=None))
    assert lines.add(_after(5, size=None, done=5 * MIB)) == "[h] glance/debian-12: uploading, 5 MiB, 1 MiB/s"


def test_a_stalled_transfer_has_a_rate_of_zero() -> None:
    lines = Lines("h", 5)
    lines.add(_after(0))
    assert lines.add(_after(5)) == "[h] glance/debian-12: uploading, 0 %, 0 B of 100 MiB, 0 B/s"
    # A segment is sent again.
    lines.add(_after(10, done=5 * MIB))
    assert str(lines.add(_after(15, done=1 * MIB))).endswith("uploading, 1 %, 1 MiB of 100 MiB, 0 B/s")


@pytest.mark.parametrize("name", ["a\nb\x1b[2Jc", "x" * 1024])
def test_unprintable_or_long_names_are_sanitised(name: str) -> None:
    lines = Lines("h", 5)
    lines.add(_after(0, image=name))
    line = str(lines.add(_after(5, image=name)))
    assert line.isprintable() and len(line) < 200


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "0.977 KiB"),
        (1536, "1.5 KiB"),
        (2.8 * 1024**3, "2.8 GiB"),
        (5 * 1024**5, "5.12e+03 TiB"),
    ],
)
def test_size_text(size: float, text: str) -> None:
    assert size_text(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (200, "3 min 20 s"), (3900, "1 h 5 min")]
)
def test_duration_text(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def test_a_line_shows_the_current_image_and_the_number_of_done_images() -> None:
    lines = Lines("h", 5)
    lines.add(_after(0, images=3))
    assert (
        lines.add(_after(5, images=3, images_done=1, done=10 * MIB))
        == "[h] glance/debian-12: 1 of 3 images, uploading, 10 %, 10 MiB of 100 MiB, 2 MiB/s, 45 s left"
    )
    # Another image has a rate of its own.
    lines.add(_after(9, images=3, images_done=2, image="glance/other", done=10 * MIB))
    assert (
        lines.add(_after(10, images=3, images_done=2, image="glance/other", done=20 * MIB))
        == "[h] glance/other: 2 of 3 images, uploading, 20 %, 20 MiB of 100 MiB, 10 MiB/s, 8 s left"
    )
    lines.add(_after(11, images=3, images_done=3, image="glance/other", done=100 * MIB))
    assert lines.last(1065) == "[h] 3 of 3 images, 1 min 5 s in all"
