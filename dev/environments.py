# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The virtual environments of the commands, made once, and again if their Python or their requirements change."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from console import Failure, run_to_log, say

ROOT = Path(__file__).resolve().parent.parent

# The longest first line of a script that Linux takes, in bytes.
LONGEST_SHEBANG = 127


def _build_folder() -> Path:
    """Return ``.build`` in the project, or a folder of the user's cache if ansible-test can't run in ``.build``.

    ansible-test runs scripts by the interpreter in their first line. Its path must not be too long, nor have a space.
    """
    inside = ROOT / ".build"
    shebang = f"#!{inside}/python3.11/ansible/bin/python3.11"
    if len(os.fsencode(shebang)) <= LONGEST_SHEBANG and " " not in shebang:
        return inside
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "imagestore.swift" / hashlib.sha256(os.fsencode(ROOT)).hexdigest()[:12]


BUILD = _build_folder()


@dataclass(frozen=True)
class Python:
    """An interpreter.

    :param release: as in ``3.13``
    :param version: the full text of ``sys.version``
    """

    release: str
    version: str
    executable: str


THIS = Python(f"{sys.version_info.major}.{sys.version_info.minor}", sys.version, sys.executable)

# Swift and Keystone must not share an environment with ansible-core.
REQUIREMENTS = {
    "ansible": (ROOT / "requirements.txt", ROOT / "dev" / "requirements.txt"),
    "bench": (ROOT / "tests" / "benchmark" / "requirements.txt",),
    "cluster": (ROOT / "tests" / "cluster" / "requirements.txt",),
    "code": (ROOT / "dev" / "requirements-code.txt",),
    "docs": (ROOT / "dev" / "requirements-docs.txt",),
    "lint": (ROOT / "dev" / "requirements-lint.txt",),
    **{f"ansible-{core}": (ROOT / "dev" / f"requirements-ansible-{core}.txt",) for core in ("2.19", "2.20", "2.21")},
}


def environment(name: str, python: Python | None = None) -> Path:
    """Return the folder of the environment *name*; make it first if it is missing or outdated.

    :param python: the Python of the environment, if it is not the one that runs this
    """
    python = python or THIS
    folder = BUILD / f"python{python.release}" / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Another make may be making the same environment at this moment.
    with _locked(folder.parent / f"{name}.lock"):
        if _stamp(folder) != _wanted_stamp(name, folder, python):
            _make(name, folder, python)
    return folder


def find_python(releases: Sequence[str]) -> Python:
    """Return the Python that runs this if it is one of *releases*, such as ``3.12``; otherwise one on the PATH.

    :raises Failure: if there is none
    """
    if THIS.release in releases:
        return THIS
    for release in releases:
        # The PATH may hold pyenv's shims of releases that they can't run.
        command = [f"python{release}", "-c", "import sys; print(sys.version); print(sys.executable)"]
        with suppress(OSError, subprocess.CalledProcessError):
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            *version, executable = done.stdout.splitlines()
            return Python(release, "\n".join(version), executable)
    raise Failure(f"Python {' or '.join(releases)} is needed, and not on the PATH: install it.")


def home(name: str = "home") -> Path:
    """Return a home folder of the project's own, so that programs neither read nor change files in the user's.

    pip's configuration is copied to it: a machine with its own package index could install nothing without it.
    """
    folder = BUILD / name
    configuration = folder / ".config" / "pip" / "pip.conf"
    configuration.parent.mkdir(parents=True, exist_ok=True)
    settings = _pip_settings()
    with _locked(folder / "lock"):
        # The address of a package index may hold a password.
        configuration.touch(mode=0o600)
        configuration.write_text("[global]\n" + "".join(f"{line}\n" for line in settings), encoding="utf-8")
    return folder


def clean_environ(*environments: Path) -> dict[str, str]:
    """Return variables to run programs of *environments* without the user's Ansible, OpenStack or Python settings."""
    dropped = ("ANSIBLE_", "OS_", "ST_", "PYTHON", "VIRTUAL_ENV", "COLLECTIONS_PATH", "IMAGESTORE_")
    variables = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    path = [str(folder / "bin") for folder in environments]
    return {
        **variables,
        "HOME": str(home()),
        "LC_ALL": "C.UTF-8",
        "PATH": os.pathsep.join([*path, variables.get("PATH", os.defpath)]),
    }


def remove() -> int:
    """Remove all that the commands made."""
    say(f"Removing {BUILD}")
    if BUILD.exists():
        shutil.rmtree(BUILD)
    return 0


def _make(name: str, folder: Path, python: Python) -> None:
    say(f"Making the Python environment '{name}' (once; it takes a minute or two)")
    try:
        subprocess.run([python.executable, "-m", "venv", "--clear", folder], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Failure(f"Python's venv can't make {folder} ({error}): install the package that brings it.") from error
    command: list[str | Path] = [folder / "bin" / "python", "-m", "pip", "install", "--progress-bar=off"]
    # Python compiles what is imported. pip would compile all of it, which takes half of the time.
    command += ["--disable-pip-version-check", "--no-compile"]
    for requirements in REQUIREMENTS[name]:
        command += ["--requirement", requirements]
    run_to_log(command, folder / "pip.log", f"pip could not fill the environment '{name}': check the package index")
    (folder / "stamp").write_text(_wanted_stamp(name, folder, python), encoding="utf-8")


def _stamp(folder: Path) -> str:
    stamp = folder / "stamp"
    return stamp.read_text("utf-8") if stamp.exists() else ""


def _wanted_stamp(name: str, folder: Path, python: Python) -> str:
    """Return a digest of what an environment depends on: its path, its Python and its requirements."""
    wanted = hashlib.sha256(f"{folder} {python.version} {os.path.realpath(python.executable)}".encode())
    for requirements in REQUIREMENTS[name]:
        wanted.update(requirements.read_bytes())
    return wanted.hexdigest()


def _pip_settings() -> list[str]:
    """Return pip's effective settings, from files and variables, as lines of a configuration file."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], check=False, capture_output=True, text=True
    ).stdout
    settings = {}
    for line in listed.splitlines():
        name, _equals, value = line.partition("=")
        settings[name.rpartition(".")[2]] = value.strip("'\"")
    return [f"{name} = {value}" for name, value in settings.items()]


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"Waiting for another make that is at {path.stem}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
