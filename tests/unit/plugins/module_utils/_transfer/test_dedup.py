# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Content that is stored once, whichever thread is first."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._model.image import Path
from ansible_collections.imagestore.swift.plugins.module_utils._transfer.dedup import Content, DedupIndex

CONTENT = Content("0" * 64, 5)


def test_later_threads_copy_content_stored_by_the_first_thread() -> None:
    dedup = DedupIndex()
    stored: list[str] = []

    def store(name: str) -> Path | None:
        with dedup.claim(CONTENT, ("c", name)) as path:
            if path is None:
                time.sleep(0.02)
                stored.append(name)
            else:
                assert path[1] in stored
            return path

    with ThreadPoolExecutor(4) as pool:
        paths = list(pool.map(store, "abcd"))
    assert len(stored) == 1
    assert sorted(paths, key=str) == [("c", stored[0])] * 3 + [None]


def test_content_is_sent_again_if_the_first_upload_failed() -> None:
    dedup = DedupIndex()
    with pytest.raises(OSError), dedup.claim(CONTENT, ("c", "a")):
        raise OSError
    for name in ("b", "c"):
        with dedup.claim(CONTENT, ("c", name)) as path:
            assert path is None


@pytest.mark.parametrize(("size", "may_repeat"), [(1, False), (2, True), (3, False)])
def test_only_files_of_equal_size_may_have_the_same_content(size: int, may_repeat: bool) -> None:
    assert DedupIndex([1, 2, 2]).may_repeat(size) is may_repeat
