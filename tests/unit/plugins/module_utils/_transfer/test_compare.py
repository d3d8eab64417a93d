# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Comparison of a file with an image in the store."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._model.image import Image, ManifestKind, Segment
from ansible_collections.imagestore.swift.plugins.module_utils._model.location import locate
from ansible_collections.imagestore.swift.plugins.module_utils._model.names import content_name
from ansible_collections.imagestore.swift.plugins.module_utils._progress import Progress
from ansible_collections.imagestore.swift.plugins.module_utils._source.file import OpenFile
from ansible_collections.imagestore.swift.plugins.module_utils._source.path import open_path
from ansible_collections.imagestore.swift.plugins.module_utils._transfer.compare import has_same_content

HERE = locate("glance", "image")

CONTENT = bytes(range(256)) * 40


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _large(*pieces: bytes, whole: bool = True) -> Image:
    segments = tuple(Segment("c", str(number), len(piece), _md5(piece), whole) for number, piece in enumerate(pieces))
    return Image(ManifestKind.SLO, sum(map(len, pieces)), "x", segments)


def _ours(*pieces: bytes, stored: bytes | None = None) -> Image:
    """Return an image whose segments have the names of their content.

    :param stored: the bytes of the last segment, if they are not those of its name
    """
    names = [content_name(HERE, hashlib.sha256(piece).hexdigest(), len(piece)) for piece in pieces]
    kept = [*pieces[:-1], pieces[-1] if stored is None else stored]
    segments = tuple(Segment("c", name, len(piece), _md5(piece)) for name, piece in zip(names, kept))
    return Image(ManifestKind.SLO, sum(map(len, pieces)), "x", segments)


@pytest.mark.parametrize(
    ("image", "same"),
    [
        (Image(ManifestKind.NONE, len(CONTENT), _md5(CONTENT)), True),
        (Image(ManifestKind.NONE, len(CONTENT), _md5(CONTENT[::-1])), False),
        (Image(ManifestKind.NONE, len(CONTENT) - 1, _md5(CONTENT)), False),
        (_large(CONTENT[:10], CONTENT[10:5000], CONTENT[5000:]), True),
        (_ours(CONTENT[:10], CONTENT[10:]), True),
        (_ours(CONTENT[:10], CONTENT[10:][::-1]), False),
        # Other bytes under the right name, and the right bytes under the name of others.
        (_ours(CONTENT[:10], CONTENT[10:], stored=CONTENT[10:][::-1]), False),
        (_ours(CONTENT[:10], CONTENT[10:][::-1], stored=CONTENT[10:]), False),
        (_large(CONTENT[:10], b"x" * 4990, CONTENT[5000:]), False),
        (_large(CONTENT[:10], CONTENT[10:5000], CONTENT[5000:], whole=False), False),
        (Image(ManifestKind.SLO, len(CONTENT), "x", _large(CONTENT[:-1]).segments), False),
        (replace(_large(CONTENT), is_readable=False), False),
        (replace(_large(CONTENT), strangers=(Segment("c", "other", 0, _md5(b"")),)), False),
    ],
)
def test_content_is_compared_by_digests(tmp_path: Path, image: Image, same: bool) -> None:
    (tmp_path / "image").write_bytes(CONTENT)
    source = open_path(str(tmp_path / "image"), None, lambda: str(tmp_path))
    assert isinstance(source, OpenFile)
    with source:
        assert has_same_content(source, HERE, image, Progress()) is same
