# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``make lint``: checks of the code, the documentation and the tarball by the ecosystem's own tools."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import collection
from environments import ROOT, clean_environ, environment, find_python, home
from runs import Count, Run, close, count_as_one, test
from sanity import sanity

# Each ansible-core that is supported, and the Pythons of this project that it runs on.
CORES = {"2.19": ("3.11", "3.12", "3.13"), "2.20": ("3.13", "3.12"), "2.21": ("3.13", "3.12")}


def main() -> int:
    """Run all checks; return the exit status."""
    with tempfile.TemporaryDirectory(prefix="imagestore-lint-") as folder:
        work = Path(folder)
        total = test(quick(work))
        total.add(test(_by_rules_of_ansible(work)))
        total.add(test(_published(work)))
        for core, releases in CORES.items():
            total.add(_sanity(work, core, releases))
    return close(total)


def quick(work: Path) -> dict[str, Run]:
    """Return the checks that take seconds each, and are a part of ``make test``, too.

    :param work: a folder for a copy of the collection
    """
    copy = collection.copy_to(work / "code")
    env = clean_environ(environment("code"))
    commands: dict[str, Sequence[str | Path]] = {
        "ruff": ["ruff", "check", "--no-cache", copy],
        "format": ["ruff", "format", "--no-cache", "--check", copy],
        "yamllint": ["yamllint", "--strict", "."],
    }
    runs = {name: Run(copy, command, env, count_as_one) for name, command in commands.items()}
    return {**runs, **_types(copy, env)}


def _by_rules_of_ansible(work: Path) -> dict[str, Run]:
    copy = collection.copy_to(work / "lint")
    # These tools find the collection by the path of its folder, and need none of git's files.
    env = {**clean_environ(environment("lint")), "ANSIBLE_COLLECTIONS_PATH": str(copy.parents[2])}
    commands: dict[str, Sequence[str | Path]] = {
        "changelog": ["antsibull-changelog", "lint"],
        "ansible-lint": ["ansible-lint", "--nocolor", "-q"],
    }
    return {name: Run(copy, command, env, count_as_one) for name, command in commands.items()}


def _types(copy: Path, env: Mapping[str, str]) -> dict[str, Run]:
    """Return runs of mypy, one for each set of files that import each other.

    mypy takes the types of libraries from the environment that the modules run in.
    """
    root = copy.parents[2]
    tests = [copy / "tests" / name for name in ("support", "functional", "faults", "benchmark")]
    return {
        "types of plugins": _mypy(copy, env, root, [copy.relative_to(root) / "plugins"]),
        "types of dev": _mypy(copy, env, copy / "dev", sorted((copy / "dev").glob("*.py"))),
        "types of tests": _mypy(copy, env, root, [folder.relative_to(root) for folder in tests]),
    }


def _mypy(copy: Path, env: Mapping[str, str], folder: Path, paths: Iterable[str | Path]) -> Run:
    command: list[str | Path] = [
        *("mypy", "--config-file", copy / "mypy.ini", "--cache-dir", os.devnull),
        *("--python-executable", environment("ansible") / "bin" / "python", *paths),
    ]
    return Run(copy, command, {**env, "MYPYPATH": str(folder)}, count_as_one, folder)


def _published(work: Path) -> dict[str, Run]:
    """Return checks of what users get: the documentation with all its references, and the tarball."""
    env = clean_environ(environment("lint"))
    (work / "published").mkdir()
    collections = collection.install_to(work / "published", env)
    (tarball,) = (work / "published").glob("*.tar.gz")
    copy = collection.copy_to(work / "documented")
    (others,) = environment("bench").glob("lib/python*/site-packages")
    docs: list[str | Path] = ["antsibull-docs", "lint-collection-docs", "--plugin-docs", "--check-extra-docs-refs"]
    docs += ["--validate-collection-refs", "all", "--disallow-unknown-collection-refs", copy]
    documented = {**env, "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join([str(copy.parents[2]), str(others)])}
    judged: list[str | Path] = ["python", ROOT / "dev" / "tarball.py", tarball, collections]
    return {
        "documentation": Run(copy, docs, documented, count_as_one),
        "tarball": Run(copy, judged, env, count_as_one),
    }


def _sanity(work: Path, core: str, releases: Sequence[str]) -> Count:
    """Run ansible-test's checks with one ansible-core; fail if any list of errors to ignore is not empty."""
    python = find_python(releases)
    env = {**clean_environ(environment(f"ansible-{core}", python)), "HOME": str(home(f"home-{core}"))}
    ignored = sorted((ROOT / "tests" / "sanity").glob("ignore-*.txt"))
    if any(path.read_text("utf-8").strip() for path in ignored):
        print(f"ERROR {ignored} are not empty")
        return Count(failed=1)
    return test({f"sanity with {core}": sanity(work, python.release, env, f"sanity-{core}")})
