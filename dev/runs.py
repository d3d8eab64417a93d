# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test commands that run in parallel, and the count of their tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from console import run_side_by_side, say

# How many parts the end of a run names that took the longest.
_MOST_SLOW = 10


@dataclass
class Count:
    """Numbers of tests, by result.

    :param names: the failed tests, as far as they are reported
    :param seconds: the time of each part by its name, as far as it is reported
    """

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    names: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def add(self, other: Count) -> None:
        """Count *other*'s tests as well."""
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.names += other.names
        for name, seconds in other.seconds.items():
            self.add_seconds(name, seconds)

    def add_seconds(self, name: str, seconds: float) -> None:
        """Count the seconds that a part took, all of its cases together."""
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed" + (f", {self.skipped} skipped" if self.skipped else "")


@dataclass(frozen=True)
class Run:
    """A test command.

    :param copy: the copy of the collection that it tests, and that it writes its reports to
    :param count: counts the tests, by *copy* and the exit status
    :param folder: the folder that it runs in, if that is not *copy*
    """

    copy: Path
    command: Sequence[str | Path]
    env: Mapping[str, str]
    count: Callable[[Path, int], Count]
    folder: Path | None = None


def test(runs: Mapping[str, Run], at_once: int | None = None) -> Count:
    """Run commands in parallel, and count their tests.

    :param at_once: how many run at the same time, at most; None for all
    """
    say(f"Testing: {', '.join(runs)}")
    commands = {name: run.command for name, run in runs.items()}
    environs = {name: run.env for name, run in runs.items()}
    folders = {name: run.folder or run.copy for name, run in runs.items()}
    statuses = run_side_by_side(commands, environs, folders, at_once or len(runs))
    total = Count()
    for name, run in runs.items():
        count = run.count(run.copy, statuses[name])
        say(f"{name}: {count}")
        if count.failed and not count.names:
            count.names.append(name)
        total.add(count)
    return total


def close(total: Count) -> int:
    """Print the failed tests, and the count as the last line.

    :returns: the exit status
    """
    slowest = sorted(total.seconds.items(), key=lambda part: part[1], reverse=True)
    for name, seconds in slowest[:_MOST_SLOW]:
        print(f"slow: {seconds:6.1f} s  {name}")
    if total.failed:
        print("Some tests failed: search the output above for these names, mend that, and run it again.")
        for name in total.names:
            print(f"failed: {name}")
    print(f"{total}", flush=True)
    return 1 if total.failed else 0


def count_as_one(_copy: Path, status: int) -> Count:
    """Count a command as one test, by its exit status."""
    return Count(failed=1) if status else Count(passed=1)


def count_cases(copy: Path, status: int) -> Count:
    """Count the tests in the reports of pytest, or of ansible-test's sanity and unit tests.

    :param status: the exit status; a failure that no report shows counts as one failed test
    """
    count = Count()
    for report in reports(copy):
        for case in ElementTree.parse(report).getroot().iter("testcase"):
            count_case(case, count)
    return with_status(count, status)


def reports(copy: Path) -> list[Path]:
    """Return the paths of the JUnit reports."""
    return sorted((copy / "tests" / "output" / "junit").glob("*.xml"))


def with_status(count: Count, status: int) -> Count:
    """Return *count*, with a failed test if the command failed."""
    if status and not count.failed:
        count.failed = 1
    return count


def count_case(case: ElementTree.Element, count: Count) -> None:
    """Add one of JUnit's cases to *count*."""
    count.add_seconds(name_of(case), float(case.get("time") or 0))
    if case.find("failure") is not None or case.find("error") is not None:
        count.failed += 1
        count.names.append(name_of(case))
    elif case.find("skipped") is not None:
        count.skipped += 1
        print(f"skipped, because nothing here is for it: {case.get('name', '')}", flush=True)
    else:
        count.passed += 1


def name_of(case: ElementTree.Element) -> str:
    """Return what one of JUnit's cases is called."""
    return f"{case.get('classname', '')} {case.get('name', '')}".strip()
