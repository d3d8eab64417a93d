# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ceph's programs, on the PATH or in a folder that Debian's packages were unpacked into."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from .cluster import Cluster
from .errors import ClusterError
from .settings import Settings

# These programs are of one release.
PROGRAMS = ("ceph-mon", "ceph-osd", "radosgw", "monmaptool", "radosgw-admin")
# These are always the system's own: `ceph` is in Python, and has to read the keys that `ceph-authtool` makes.
TOOLS = ("ceph", "ceph-authtool")
PACKAGES = "ceph-mon ceph-osd radosgw ceph-common"
SECONDS = 60


class Ceph:
    """Ceph's programs, run for one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._config = cluster.layout.ceph / "ceph.conf"
        self._folder = None if cluster.settings.ceph is None else Path(cluster.settings.ceph)

    def run(self, program: str, *arguments: str) -> str:
        """Run a program that has to succeed; return its output."""
        command = self.command(program, *arguments)
        try:
            done = subprocess.run(
                command, env=self.environ(), check=True, capture_output=True, text=True, timeout=SECONDS
            )
        except subprocess.TimeoutExpired as error:
            raise ClusterError(f"{program} {' '.join(arguments)} did not end in {SECONDS} seconds") from error
        except subprocess.CalledProcessError as error:
            raise ClusterError(f"{program} {' '.join(arguments)} failed: {error.stderr[-500:]}") from error
        return done.stdout

    def become(self, program: str, *arguments: str) -> None:
        """Replace this process by a program."""
        command = self.command(program, *arguments)
        os.execve(command[0], command, self.environ())

    def command(self, program: str, *arguments: str) -> list[str]:
        """Return the command line of a program."""
        path = _find(self._folder, program)
        if path is None:
            raise ClusterError(_missing([program], self._folder))
        told = [] if program in ("ceph-authtool", "monmaptool") else ["-c", str(self._config)]
        loader = _loader(self._folder) if self._folder in path.parents else None
        started = [str(path)] if loader is None else [str(loader), "--library-path", self._libraries(), str(path)]
        return [*started, *told, *arguments]

    def environ(self) -> dict[str, str]:
        """Return the environment of Ceph's programs."""
        environ = {**os.environ, "CEPH_CONF": str(self._config)}
        environ.pop("PYTHONPATH", None)
        return environ

    def folders(self) -> Iterator[tuple[str, Path]]:
        """Yield the settings that name folders of plug-ins, if they are not where Ceph was built to look for them."""
        plugins = {"osd_class_dir": "rados-classes", "plugin_dir": "ceph", "erasure_code_dir": "ceph/erasure-code"}
        for option, name in plugins.items():
            found = None if self._folder is None else next(self._folder.glob(f"usr/lib/*/{name}"), None)
            if found is not None:
                yield option, found
        # Debian's Ceph 18 and later are built to look in another folder.
        own = next(Path("/usr/lib").glob("*/rados-classes"), None)
        if self._folder is None and own is not None:
            yield "osd_class_dir", own

    def _libraries(self) -> str:
        assert self._folder is not None
        found = [*self._folder.glob("usr/lib/*-linux-gnu"), *self._folder.glob("lib/*-linux-gnu")]
        return ":".join(str(path) for folder in found for path in (folder, folder / "ceph"))


def require_ceph(settings: Settings) -> None:
    """Raise an error if a program is missing."""
    folder = None if settings.ceph is None else Path(settings.ceph)
    missing = [program for program in (*PROGRAMS, *TOOLS) if _find(folder, program) is None]
    if missing:
        raise ClusterError(_missing(missing, folder))


def _missing(programs: list[str], folder: Path | None) -> str:
    place = "on the PATH" if folder is None else f"in {folder}/usr/bin or on the PATH"
    return (
        f"{', '.join(programs)} is not {place}: install Ceph with `apt-get install {PACKAGES}`, or name a folder that "
        "these packages are unpacked in with --ceph"
    )


def _find(folder: Path | None, program: str) -> Path | None:
    """Return a program's path; None if there is none."""
    if folder is not None and program not in TOOLS:
        path = folder / "usr" / "bin" / program
        return path if path.exists() else None
    found = shutil.which(program)
    return None if found is None else Path(found)


def _loader(folder: Path | None) -> Path | None:
    """Return the dynamic loader that was unpacked with the programs: they may need a newer C library than ours."""
    if folder is None:
        return None
    return next((path for place in ("lib64", "usr/lib64") for path in (folder / place).glob("ld-linux*")), None)
