# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images to store: dense ones that can't be compressed, and sparse ones."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
from pathlib import Path

MIB = 1024 * 1024


def make_dense(path: Path, mebibytes: int, seed: int) -> Path:
    """Write a file of *mebibytes* that looks random, and is the same for the same *seed*."""
    numbers = random.Random(seed)
    with path.open("wb") as file:
        for _number in range(mebibytes):
            file.write(numbers.randbytes(MIB))
    return path


def make_sparse(path: Path, mebibytes: int, data: int, seed: int) -> Path:
    """Write a file of *mebibytes* with *data* of them in eight places, and holes between."""
    numbers = random.Random(seed)
    with path.open("wb") as file:
        file.truncate(mebibytes * MIB)
        for place in range(8):
            file.seek(place * (mebibytes // 8) * MIB)
            for _number in range(data // 8):
                file.write(numbers.randbytes(MIB))
    return path


def sha256_of(path: Path) -> str:
    """Return the file's SHA-256, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def change(path: Path, changed: Path, at: int, mebibytes: int, seed: int) -> Path:
    """Copy *path* to *changed*, and change *mebibytes* of it from the mebibyte *at* on."""
    numbers = random.Random(seed)
    with path.open("rb") as source, changed.open("wb") as target:
        while os.sendfile(target.fileno(), source.fileno(), None, 1024 * MIB):
            pass
        target.seek(at * MIB)
        for _number in range(mebibytes):
            target.write(numbers.randbytes(MIB))
    return changed


def free(folder: Path) -> None:
    """Delete the images that only one work needs."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "dense":
            path.unlink()
