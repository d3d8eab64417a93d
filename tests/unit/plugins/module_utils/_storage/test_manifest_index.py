# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The objects that a manifest names."""

from __future__ import annotations

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._model.image import Path
from ansible_collections.imagestore.swift.plugins.module_utils._storage.manifest_index import References

PATHS: list[Path] = [("c", "a-00001"), ("c", "a-b-00001"), ("c", "a/1"), ("d", "a-00001"), ("c", "s")]


@pytest.mark.parametrize(
    ("references", "named"),
    [
        (References(), []),
        (References(paths=frozenset({("c", "s"), ("c", "gone")})), [("c", "s")]),
        # Swift also reads a-b-00001 with it, but that has the name of a segment of a-b, the image to be deleted.
        (References(prefix=("c", "a-")), [("c", "a-00001")]),
        (References(prefix=("c", "a")), [("c", "a-00001"), ("c", "a/1")]),
        (References(prefix=("c", "a/")), [("c", "a/1")]),
        (References(prefix=("d", "a-")), [("d", "a-00001")]),
        (References(prefix=("..", "")), []),
    ],
)
def test_objects_named_by_a_manifest(references: References, named: list[Path]) -> None:
    assert list(references.among(PATHS, "a-b")) == named
