# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``make test``: ansible-test's sanity, unit and integration tests, the functional ones, and one line that counts all."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import collection
from console import run, run_side_by_side, say
from environments import ROOT, clean_environ, environment, home

VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
# Integration targets that take half of the time.
LONGEST = frozenset({"collection", "examples", "swift_image", "swift_image_download", "swift_image_info"})
# What ansible-test says when it can't download pip's bootstrap script, and where it looks for it.
BOOTSTRAP = re.compile(r"can be manually downloaded and saved to: (?P<path>\S.*)")


@dataclass
class Count:
    """Tests by how they ended."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add(self, other: Count) -> None:
        """Count *other*'s tests as well."""
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed" + (f", {self.skipped} skipped" if self.skipped else "")


def main() -> int:
    """Everything that proves the project."""
    with tempfile.TemporaryDirectory(prefix="imagestore-test-") as folder:
        work = Path(folder)
        total = Count()
        stages = {"sanity": _sanity, "units": _units, "functional": _functional, "integration": _integration}
        for name, stage in stages.items():
            count = stage(work)
            say(f"{name}: {count}")
            total.add(count)
    return _close(total)


def integration() -> int:
    """The integration tests alone, as often as the variable RUNS says, against one cluster after another."""
    total = Count()
    for number in range(1, int(os.environ.get("RUNS", "1")) + 1):
        with tempfile.TemporaryDirectory(prefix="imagestore-test-") as folder:
            count = _integration(Path(folder))
        say(f"integration, run {number}: {count}")
        total.add(count)
    return _close(total)


def _close(total: Count) -> int:
    """Say how it went; the count is the last line."""
    if total.failed:
        print("Some tests failed: search the output above for 'failed:' and 'ERROR', mend that, and run it again.")
    print(f"{total}", flush=True)
    return 1 if total.failed else 0


def _sanity(work: Path) -> Count:
    env = clean_environ(environment("ansible"))
    target = collection.copy_to(work / "sanity")
    _prepare_bootstrap(target, env)
    say("ansible-test sanity")
    status = run(["ansible-test", "sanity", "--color", "no", "--python", VERSION, "--junit"], target, env)
    return _count(target, status)


def _units(work: Path) -> Count:
    env = clean_environ(environment("ansible"))
    target = collection.copy_to(work / "units")
    say("ansible-test units")
    return _count(target, run(["ansible-test", "units", "--color", "no", "--python", VERSION], target, env))


def functional() -> int:
    """The functional tests alone; the variables SEGMENTS and TESTS say how many segments, and which tests."""
    with tempfile.TemporaryDirectory(prefix="imagestore-test-") as folder:
        return _close(_functional(Path(folder)))


def _functional(work: Path) -> Count:
    """The modules without Ansible, beside other clients, against a real Swift and a real Keystone."""
    ansible = environment("ansible")
    target = collection.copy_to(work / "functional")
    say("pytest tests/functional, against a Swift and a Keystone of their own")
    tests = target / "tests" / "functional"
    report = target / "tests" / "output" / "junit" / "functional.xml"
    chosen = ["-k", os.environ["TESTS"]] if os.environ.get("TESTS") else []
    command = [
        *cluster_command(environment("cluster"), work / "cluster-functional"),
        *(ansible / "bin" / "python", "-m", "pytest", "--numprocesses", "2", "--quiet", "--junitxml", report),
        *(*chosen, "--rootdir", tests, tests),
    ]
    env = {**clean_environ(ansible), "PYTHONPATH": str(target.parents[2])}
    if "SEGMENTS" in os.environ:
        env["SEGMENTS"] = os.environ["SEGMENTS"]
    return _count(target, run(command, env=env))


def _integration(work: Path) -> Count:
    """Two halves at the same time, each against a real Swift and a real Keystone that live as long as it does."""
    ansible = environment("ansible")
    cluster = environment("cluster")
    say("ansible-test integration in two halves, each against a Swift and a Keystone of its own")
    copies = {name: collection.copy_to(work / name) for name in ("images", "others")}
    commands = {
        name: [
            *cluster_command(cluster, work / f"cluster-{name}"),
            ansible / "bin" / "python",
            ROOT / "dev" / "integration.py",
            copy,
            cluster / "bin" / "python",
            *[target for target in _targets() if (target in LONGEST) == (name == "images")],
        ]
        for name, copy in copies.items()
    }
    # At the same time in one home, both would make the key that ansible-test keeps there.
    environs = {name: {**clean_environ(ansible), "HOME": str(home(f"home-{name}"))} for name in commands}
    statuses = run_side_by_side(commands, environs)
    total = Count()
    for name, copy in copies.items():
        total.add(_count_targets(copy, statuses[name]))
    return total


def _targets() -> list[str]:
    """The integration targets that are run, and not only used by others."""
    folders = sorted((ROOT / "tests" / "integration" / "targets").iterdir())
    return [folder.name for folder in folders if not folder.name.startswith("setup_")]


def cluster_command(cluster: Path, folder: Path, *options: str) -> list[str | Path]:
    """What goes before a command that is to have a cluster while it runs."""
    return [cluster / "bin" / "python", ROOT / "tests" / "cluster", "run", "--dir", folder, *options, "--"]


def _prepare_bootstrap(target: Path, env: Mapping[str, str]) -> None:
    """Where ansible-test can't download pip's bootstrap script, put one of the project's own in its place."""
    command = ["ansible-test", "sanity", "--color", "no", "--python", VERSION, "--prime-venvs", "--test", "yamllint"]
    output = _output_of(command, target, env)
    missing = BOOTSTRAP.search(output)
    if missing:
        say("ansible-test can't download get-pip.py: its stand-in takes pip from ensurepip")
        shutil.copy(ROOT / "dev" / "get_pip.py", missing["path"])


def _output_of(command: Sequence[str], cwd: Path, env: Mapping[str, str]) -> str:
    done = subprocess.run(
        command, cwd=cwd, env=env, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    return done.stdout


def _count(target: Path, status: int) -> Count:
    """Read what ansible-test recorded of sanity and unit tests.

    :param status: its exit status; a failure that it recorded nowhere counts as one
    """
    count = Count()
    for report in _reports(target):
        for case in ElementTree.parse(report).getroot().iter("testcase"):
            _count_case(case, count)
    return _with_status(count, status)


def _count_targets(target: Path, status: int) -> Count:
    """Read what ansible-test recorded of integration targets: a report each, in which a test case is a task.

    A target is one test here; a task is none.
    """
    count = Count()
    for report in _reports(target):
        tasks = Count()
        for case in ElementTree.parse(report).getroot().iter("testcase"):
            _count_case(case, tasks)
        if tasks.failed:
            count.failed += 1
        else:
            count.passed += 1
    return _with_status(count, status)


def _reports(target: Path) -> list[Path]:
    return sorted((target / "tests" / "output" / "junit").glob("*.xml"))


def _with_status(count: Count, status: int) -> Count:
    if status and not count.failed:
        count.failed = 1
    return count


def _count_case(case: ElementTree.Element, count: Count) -> None:
    if case.find("failure") is not None or case.find("error") is not None:
        count.failed += 1
        print(f"failed: {case.get('classname', '')} {case.get('name', '')}", flush=True)
    elif case.find("skipped") is not None:
        count.skipped += 1
        print(f"skipped, because nothing here is for it: {case.get('name', '')}", flush=True)
    else:
        count.passed += 1
