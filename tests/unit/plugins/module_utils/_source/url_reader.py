# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A function that reads from a URL."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.imagestore.swift.plugins.module_utils._source.reader import Expected
from ansible_collections.imagestore.swift.plugins.module_utils._source.url import UrlSource
from ansible_collections.imagestore.swift.plugins.module_utils._source.web import RequestOptions

QUICK = RequestOptions(timeout=5, retries=2)
ANYTHING = Expected()


def read(source: UrlSource, folder: Path, size: int | None = None, expected: Expected = ANYTHING) -> bytes:
    with source.stream(size, str(folder), expected) as stream:
        parts = list(stream.cut(300000))
        content = b"".join(b"".join(part.chunks()) for part in parts)
        for part in parts:
            part.release()
    return content
