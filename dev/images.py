# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real disk images for the demo, made on the spot from real files.

Run as ``python dev/images.py FOLDER`` in the environment that has pycdlib. FOLDER gets the images and
``images.json``, which lists them in the form that ``examples/seed.yml`` reads.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import pycdlib
from console import end_in_one_line
from environments import BUILD, ROOT

# Large enough that the image is cut into segments with the default options.
LARGE = 300 * 1024 * 1024

# A boot sector that tells the firmware to try the next device (INT 18h), as boot loaders on data discs do. It ends
# with the signature that the firmware looks for.
BOOT_SECTOR = (b"\xcd\x18\xeb\xfe").ljust(510, b"\0") + b"\x55\xaa"


def main() -> int:
    """Make the images and list them."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    images = [handbook(folder), software(folder)]
    mke2fs = shutil.which("mke2fs", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
    if mke2fs:
        images.append(library(folder, mke2fs))
    else:
        print("There is no mke2fs here: the demo goes without an ext4 image.")
    (folder / "images.json").write_text(json.dumps({"images": images}, indent=2), encoding="utf-8")
    return 0


def handbook(folder: Path) -> dict[str, object]:
    """Make a small ISO with a boot record and this project's own files; return its entry."""
    path = folder / "handbook.iso"
    files = [file for file in (ROOT / "README.md", ROOT / "LICENSE", ROOT / "galaxy.yml") if file.exists()]
    _write_iso(path, ((file.name.upper(), file) for file in files))
    return _entry(path, "iso")


def software(folder: Path) -> dict[str, object]:
    """Make an ISO of 300 MiB or more with the Python packages of this project's environments, each as a tar file."""
    packed = folder / "packages"
    packed.mkdir()
    path = folder / "software.iso"
    _write_iso(path, _packages(packed))
    shutil.rmtree(packed)
    return _entry(path, "iso")


def library(folder: Path, mke2fs: str) -> dict[str, object]:
    """Make an ext4 file system with Python's standard library and free space; return its entry."""
    path = folder / "python-library.ext4"
    tree = folder / "library"
    shutil.copytree(sysconfig.get_path("stdlib"), tree, ignore=_only_python)
    size = sum(file.stat().st_size for file in tree.rglob("*.py")) // (1024 * 1024) * 2 + 64
    subprocess.run([mke2fs, "-q", "-t", "ext4", "-d", tree, path, f"{size}M"], check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(tree)
    return _entry(path, "ext4")


def _only_python(folder: str, names: list[str]) -> list[str]:
    """Return the names in *folder* that the library image leaves out: tests, caches and all but Python source."""
    left_out = ("site-packages", "__pycache__", "test")
    return [name for name in names if name in left_out or not (name.endswith(".py") or (Path(folder) / name).is_dir())]


def _entry(path: Path, kind: str) -> dict[str, object]:
    return {"name": path.stem, "src": str(path), "metadata": {"disk-format": "iso" if kind == "iso" else "raw"}}


def _packages(packed: Path) -> Iterator[tuple[str, Path]]:
    """Yield packages of the environments, each as a tar file, until they exceed LARGE bytes."""
    total = 0
    for number, tree in enumerate(_trees()):
        archive = packed / f"P{number:05d}.TAR"
        with tarfile.open(archive, "w") as tar:
            tar.add(tree, arcname=tree.name)
        yield archive.name, archive
        total += archive.stat().st_size
        if total > LARGE:
            return
    raise SystemExit(f"the environments hold {total} bytes only, and {LARGE} were to be packed")


def _trees() -> Iterator[Path]:
    environments = sorted(BUILD.glob("python*/*/lib/python*/site-packages"))
    for folder in (*environments, Path(sysconfig.get_path("stdlib"))):
        yield from sorted(folder.iterdir())


def _write_iso(path: Path, files: Iterable[tuple[str, Path]]) -> None:
    """Write an ISO 9660 image with *files*, names of level 3, and an El Torito boot record."""
    iso = pycdlib.PyCdlib()
    iso.new(interchange_level=3, joliet=3, vol_ident=path.stem.upper()[:32])
    iso.add_fp(io.BytesIO(BOOT_SECTOR), len(BOOT_SECTOR), "/BOOT.IMG;1", joliet_path="/boot.img")
    for name, file in files:
        stem, _dot, suffix = name.partition(".")
        iso.add_file(str(file), f"/{stem}.{suffix};1", joliet_path=f"/{name.lower()}")
    iso.add_eltorito("/BOOT.IMG;1", bootcatfile="/BOOT.CAT;1")
    iso.write(str(path))
    iso.close()


if __name__ == "__main__":
    sys.exit(end_in_one_line("demo", main))
