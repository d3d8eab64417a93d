# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Ceph for the tests on Ceph RGW: installed, or unpacked in the folder that the variable CEPH names."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from console import say
from environments import BUILD

PACKAGES = ("ceph-mon", "ceph-osd", "radosgw", "ceph-common")
_PROGRAMS = ("ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "ceph", "ceph-authtool", "monmaptool")
_HOW = f"apt-get install {' '.join(PACKAGES)}"


def rgw_options() -> list[str]:
    """Return the options that make ``tests/cluster`` start a Ceph RGW."""
    folder = os.environ.get("CEPH")
    return ["--store", "rgw", *(["--ceph", folder] if folder else [])]


def why_missing() -> str | None:
    """Return the reason why there is no Ceph to test with; None if there is one.

    If Ceph is not installed and the user is root, install Debian's packages first.
    """
    if os.environ.get("CEPH") or _is_installed():
        return None
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return f"Ceph is not installed: {_HOW}"
    say(f"Installing Ceph (once; it takes a minute): {_HOW}")
    BUILD.mkdir(parents=True, exist_ok=True)
    log = BUILD / "ceph-apt.log"
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with log.open("w", encoding="utf-8") as output:
        for arguments in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *PACKAGES]):
            done = subprocess.run(
                ["apt-get", *arguments], env=environ, check=False, stdout=output, stderr=subprocess.STDOUT
            )
            if done.returncode:
                return f"Ceph can't be installed ({_last_line(log)}; all of it: {log}): {_HOW}"
    return None if _is_installed() else f"Ceph's programs are still missing after {_HOW}"


def _is_installed() -> bool:
    return all(map(shutil.which, _PROGRAMS))


def _last_line(log: Path) -> str:
    return "".join(log.read_text("utf-8", "replace").strip().splitlines()[-1:])
