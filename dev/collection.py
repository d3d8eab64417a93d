# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Copies of the collection in the folder where ansible-core looks for it, and its tarball."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from console import Failure, run_to_log
from environments import ROOT


def copy_to(folder: Path) -> Path:
    """Copy the files that git tracks, or would track, to ``ansible_collections/imagestore/swift`` under *folder*.

    ansible-test only works in a folder of that name, and not through a symbolic link.
    """
    target = folder / "ansible_collections" / "imagestore" / "swift"
    for name in _files():
        copy = target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, copy)
    return target


def build_in(folder: Path, env: Mapping[str, str]) -> Path:
    """Build the tarball in *folder*; return its path."""
    run_to_log(
        ["ansible-galaxy", "collection", "build", copy_to(folder / "source"), "--output-path", folder],
        folder / "build.log",
        "the collection can't be built: correct galaxy.yml",
        env,
    )
    (tarball,) = folder.glob("imagestore-swift-*.tar.gz")
    return tarball


def install_to(folder: Path, env: Mapping[str, str]) -> Path:
    """Build the tarball and install it under *folder*, as a user would; return the collections' path."""
    tarball = build_in(folder, env)
    path = folder / "collections"
    run_to_log(
        ["ansible-galaxy", "collection", "install", tarball, "--collections-path", path, "--offline", "--force"],
        folder / "install.log",
        "the built collection can't be installed: correct galaxy.yml",
        env,
    )
    return path


def _files() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    if listed.returncode:
        raise Failure(f"git can't list the project's files ({listed.stderr.strip()}): run this in a clone.")
    names = [name for name in listed.stdout.split("\0") if name]
    return [name for name in names if (ROOT / name).is_file()]
