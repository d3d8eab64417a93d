# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``make bench``, inside ``tests/cluster run``: a comparison of this project with other clients, on the same Swift.

The clients take turns. If the result of a client's first run is wrong, the client does not count.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from ansible_collections.imagestore.swift.tests.benchmark import images, works
from ansible_collections.imagestore.swift.tests.benchmark.measure import Cost, Failed, measure
from ansible_collections.imagestore.swift.tests.benchmark.report import Line, table, write
from ansible_collections.imagestore.swift.tests.benchmark.target import Target
from ansible_collections.imagestore.swift.tests.support.cloud import Cloud, told
from ansible_collections.imagestore.swift.tests.support.store import Store


def main() -> int:
    """Measure all clients, and print the results."""
    options = _options()
    measured = []
    with tempfile.TemporaryDirectory(prefix="imagestore-bench-") as folder:
        cloud = Cloud(told())
        target = Target(cloud, Store(cloud.storage_url, cloud.token(), Path(cloud.requests_log)))
        installed = works.Installed(Path(sys.executable), options.peers, options.root)
        bench = works.Bench(target, installed, Path(folder), options.mebibytes, options.images)
        for make in bench.works():
            if options.only and make.__name__ not in options.only:
                continue
            work = make()
            lines = _compare(work, options.runs)
            measured.append((work.title, lines))
            print(table(work.title, lines), flush=True)
            images.free(Path(folder))
    write(options.json, options.runs, measured)
    print(f"\nAll figures: {options.json}")
    return 0 if all(lines[0].failure is None for _title, lines in measured) else 1


def _compare(work: works.Work, runs: int) -> list[Line]:
    costs: dict[int, list[Cost]] = {number: [] for number in range(len(work.entries))}
    failures: dict[int, str] = {}
    for run in range(runs):
        for number, entry in enumerate(work.entries):
            if number in failures:
                continue
            try:
                costs[number].append(_run(entry, is_first=run == 0))
            except Failed as failure:
                failures[number] = str(failure)
    return [Line(entry.client.name, costs[number], failures.get(number)) for number, entry in enumerate(work.entries)]


def _run(entry: works.Entry, is_first: bool) -> Cost:
    entry.prepare()
    cost = measure(entry.command, entry.client.environ)
    if is_first and not entry.proof():
        raise Failed("what is in the store then is not right")
    return cost


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", type=Path, required=True, help="Python with the other clients")
    parser.add_argument("--root", type=Path, required=True, help="the folder with ansible_collections")
    parser.add_argument("--json", type=Path, required=True, help="the file for all figures")
    parser.add_argument("--runs", type=int, default=3, help="of each client in each work")
    parser.add_argument("--mebibytes", type=int, default=1024, help="of the dense image")
    parser.add_argument("--images", type=int, default=2000, help="that are listed")
    parser.add_argument("--only", nargs="*", help="works by their name in works.py")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
