# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``make test``: quick checks of the code, ansible-test's tests, functional tests, and one line that counts all."""

from __future__ import annotations

import json
import os
import shlex
import tempfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree

import ceph
import collection
import lint
from console import Failure, say
from environments import ROOT, THIS, clean_environ, environment, home
from runs import Count, Run, close, count_case, count_cases, reports, test, with_status
from sanity import sanity

# How many commands of make test run at the same time: more than there are cores, because each waits for its servers.
AT_ONCE = 3
# The integration targets that together take half of the time.
LONGEST = frozenset({"access_tls", "examples"})
# The integration targets that do not fit a Ceph RGW, with the reasons. Functional tests cover these modules there.
SWIFT_TARGETS = {
    "access_tls": "it starts a Swift of its own",
    "access_v2": "it starts a Swift of its own",
    "examples": "they grant access to all projects (*:*)",
}
# The default number of runs in a campaign of faults; FAULT_RUNS=1000 makes a long one.
DEFAULT_FAULT_RUNS = 16
# The file with the counts of the faults that happened in a campaign, in its copy of the collection.
FAULTS_RESULT = Path("tests", "output", "faults.json")


def main() -> int:
    """Run all tests, in parallel as far as two cores allow; return the exit status."""
    with ThreadPoolExecutor() as pool:
        list(pool.map(environment, ("ansible", "cluster", "code")))
    with tempfile.TemporaryDirectory(prefix="imagestore-test-") as folder:
        work = Path(folder)
        total = test(lint.quick(work))
        missing = ceph.why_missing()
        if missing is not None:
            say(f"Left out, all tests on Ceph RGW: {missing}")
            total.skipped += 1
        # The longest ones come first, so that none of them runs alone at the end.
        runs = {
            "functional": _functional(work),
            **_integration(work),
            **(_shortly_on_rgw(work) if missing is None else {}),
            "units": _units(work),
            **_faults(work),
            "sanity": _sanity(work),
        }
        total.add(test(runs, AT_ONCE))
    return close(total)


def rgw() -> int:
    """Run the functional tests and a short campaign of faults on a Ceph RGW."""
    missing = ceph.why_missing()
    if missing is not None:
        raise Failure(missing)
    with tempfile.TemporaryDirectory(prefix="imagestore-test-") as folder:
        work = Path(folder)
        total = test({"functional on RGW": _functional(work, ceph.rgw_options())})
        halves = _faults(work, ceph.rgw_options())
        total.add(test(halves))
        _say_what_was_met([half.copy for half in halves.values()])
    return close(total)


def _shortly_on_rgw(work: Path) -> dict[str, Run]:
    """Return the functional tests of what differs on a Ceph RGW."""
    return {"functional on RGW": _functional(work, ceph.rgw_options(), ["-m", "rgw"])}


def functional() -> int:
    """Run the functional tests alone."""
    with tempfile.TemporaryDirectory(prefix="imagestore-test-") as folder:
        return close(test({"functional": _functional(Path(folder))}))


def faults() -> int:
    """Run the campaign of faults alone: FAULT_RUNS runs, from the seed FAULT_SEED on."""
    with tempfile.TemporaryDirectory(prefix="imagestore-test-") as folder:
        halves = _faults(Path(folder))
        total = test(halves)
        _say_what_was_met([half.copy for half in halves.values()])
    return close(total)


def integration() -> int:
    """Run all integration tests, as often as the variable RUNS says, each time on new clusters."""
    if _store_options():
        for target, reason in SWIFT_TARGETS.items():
            say(f"Left out on Ceph RGW, integration target {target}: {reason}")
    total = Count()
    for number in range(1, int(os.environ.get("RUNS", "1")) + 1):
        with tempfile.TemporaryDirectory(prefix="imagestore-test-") as folder:
            count = test(_integration(Path(folder)))
        say(f"integration, run {number}: {count}")
        total.add(count)
    return close(total)


def _sanity(work: Path) -> Run:
    return sanity(work, THIS.release, clean_environ(environment("ansible")))


def _units(work: Path) -> Run:
    """Return the unit tests, which need no cluster."""
    env = clean_environ(environment("ansible"))
    copy = collection.copy_to(work / "units")
    return Run(copy, ["ansible-test", "units", "--color", "no", "--python", THIS.release], env, count_cases)


def _functional(work: Path, store: Sequence[str] = (), chosen: Sequence[str] = ()) -> Run:
    """Return the functional tests: modules without Ansible, beside other clients, on a real store and Keystone.

    :param store: options of the cluster
    :param chosen: options of pytest
    """
    ansible, cluster = environment("ansible"), environment("cluster")
    name = "functional-rgw" if store else "functional"
    copy = collection.copy_to(work / name)
    command = [
        *cluster_command(cluster, work / f"cluster-{name}", *store),
        ansible / "bin" / "python",
        *pytest(copy, "functional"),
        *("--numprocesses", "3", *chosen, *shlex.split(os.environ.get("FUNCTIONAL", ""))),
    ]
    return Run(copy, command, environ(ansible, copy), count_cases)


def _faults(work: Path, store: Sequence[str] = ()) -> dict[str, Run]:
    """Return the campaign of faults in two halves, each with every other seed.

    Each half has its own cluster, whose servers are killed, too.

    :param store: options of the clusters
    """
    runs = int(os.environ.get("FAULT_RUNS", DEFAULT_FAULT_RUNS))
    seed = int(os.environ.get("FAULT_SEED", "1"))
    counts = {f"faults-{number}": len(range(number, runs, 2)) for number in range(2)}
    return {
        name: _half_of_faults(work, name, (seed + number, count), store)
        for number, (name, count) in enumerate(counts.items())
        if count
    }


def _half_of_faults(work: Path, name: str, chosen: tuple[int, int], store: Sequence[str]) -> Run:
    """Return one half of the campaign.

    :param chosen: the first seed, and how many runs there are
    """
    seed, runs = chosen
    ansible, cluster = environment("ansible"), environment("cluster")
    copy = collection.copy_to(work / name)
    kill = shlex.join([str(cluster / "bin" / "python"), str(copy / "tests" / "cluster")])
    command = [
        *cluster_command(cluster, work / f"cluster-{name}", "--restart", *store),
        ansible / "bin" / "python",
        *pytest(copy, "faults"),
        *("--cluster", kill, "--result", copy / FAULTS_RESULT),
        *("--runs", str(runs), "--seed", str(seed), "--step", "2"),
    ]
    return Run(copy, command, environ(ansible, copy), count_cases)


def pytest(copy: Path, name: str) -> list[str | Path]:
    """Return the module pytest and its options for the tests in one folder of ``tests``.

    A test's module has its full name, by which the processes that it starts import it, too.
    """
    folder = copy / "tests" / name
    report = copy / "tests" / "output" / "junit" / f"{name}.xml"
    return [
        *("-m", "pytest", "--quiet", "--color", "no", "-p", "no:cacheprovider"),
        *("--import-mode", "importlib", "-o", "consider_namespace_packages=true"),
        *("--junitxml", report, "--rootdir", folder, folder),
    ]


def environ(ansible: Path, copy: Path) -> dict[str, str]:
    """Return the environment variables of tests, which import each other by their full names in *copy*."""
    return {**clean_environ(ansible), "PYTHONPATH": str(copy.parents[2])}


def _integration(work: Path) -> dict[str, Run]:
    """Return the integration tests in two halves, each with its own cluster."""
    store = _store_options()
    chosen = [target for target in _targets() if not (store and target in SWIFT_TARGETS)]
    halves = {
        "integration-0": [target for target in chosen if target in LONGEST],
        "integration-1": [target for target in chosen if target not in LONGEST],
    }
    return {name: _half(work, name, targets) for name, targets in halves.items() if targets}


def _half(work: Path, name: str, targets: Sequence[str]) -> Run:
    ansible, cluster = environment("ansible"), environment("cluster")
    copy = collection.copy_to(work / name)
    command = [
        *cluster_command(cluster, work / f"cluster-{name}", *_store_options()),
        *(ansible / "bin" / "python", ROOT / "dev" / "integration.py", copy, cluster / "bin" / "python"),
        *targets,
    ]
    # Each half has its own home: in a shared one, both would make ansible-test's key at the same time.
    return Run(copy, command, {**clean_environ(ansible), "HOME": str(home(f"home-{name}"))}, _count_targets)


def _targets() -> list[str]:
    """Return the integration targets that are run, without those that others use."""
    folders = sorted((ROOT / "tests" / "integration" / "targets").iterdir())
    return [folder.name for folder in folders if not folder.name.startswith("setup_")]


def _store_options() -> list[str]:
    """Return the options of the cluster that the variable STORE chooses."""
    store = os.environ.get("STORE", "swift")
    if store not in ("swift", "rgw"):
        raise Failure(f"STORE is {store}: choose swift or rgw.")
    return ceph.rgw_options() if store == "rgw" else []


def cluster_command(cluster: Path, folder: Path, *options: str) -> list[str | Path]:
    """Return the command line to put before a command that needs a cluster."""
    return [cluster / "bin" / "python", ROOT / "tests" / "cluster", "run", "--dir", folder, *options, "--"]


def _count_targets(target: Path, status: int) -> Count:
    """Count the integration targets that ansible-test reported.

    Each target has a report, in which a test case is a task. A target counts as one test here, and a task does not.
    """
    count = Count()
    for report in reports(target):
        tasks = Count()
        for case in ElementTree.parse(report).getroot().iter("testcase"):
            count_case(case, tasks)
        # A report is called by its target and the time.
        name = f"integration target {report.stem.partition('-')[0]}"
        count.add_seconds(name, sum(tasks.seconds.values()))
        if tasks.failed:
            count.failed += 1
            count.names += tasks.names
        else:
            count.passed += 1
    return with_status(count, status)


def _say_what_was_met(copies: Sequence[Path]) -> None:
    """Print how often each kind of fault affected a module."""
    met: Counter[str] = Counter()
    for copy in copies:
        if (copy / FAULTS_RESULT).exists():
            met.update(json.loads((copy / FAULTS_RESULT).read_text("utf-8")))
    for name, times in sorted(met.items()):
        say(f"{times:6} {name}")
