# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The figures as tables, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ansible_collections.imagestore.swift.tests.benchmark.measure import Cost, medians


@dataclass(frozen=True)
class Line:
    """The results of one client in one work.

    :param costs: the costs of its runs
    :param failure: why it does not count
    """

    client: str
    costs: Sequence[Cost]
    failure: str | None = None


def table(title: str, lines: Sequence[Line]) -> str:
    """Return a table of the medians, and of their ratios to this project's, which is the first line."""
    rows = [("client", "wall", "CPU", "memory", "wall", "CPU")]
    first = medians(lines[0].costs) if lines[0].costs else None
    for line in lines:
        if line.failure is not None:
            rows.append((line.client, "does not count:", line.failure[:60], "", "", ""))
            continue
        cost = medians(line.costs)
        ratios = ("", "") if first is None else (f"x {cost.wall / first.wall:.2f}", f"x {cost.cpu / first.cpu:.2f}")
        rows.append((line.client, f"{cost.wall:.2f} s", f"{cost.cpu:.2f} s", f"{cost.memory:.0f} MiB", *ratios))
    widths = [max(len(row[column]) for row in rows if row[1] != "does not count:") for column in range(6)]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    return "\n".join(["", title, "-" * len(title), *text])


def write(path: Path, runs: int, measured: Sequence[tuple[str, Sequence[Line]]]) -> None:
    """Write all figures as JSON: each run, the medians, and the ratios to this project."""
    works = []
    for title, lines in measured:
        first = medians(lines[0].costs) if lines[0].costs else None
        works.append({"work": title, "clients": [_record(line, first) for line in lines]})
    path.write_text(json.dumps({"runs": runs, "works": works}, indent=1) + "\n", encoding="utf-8")


def _record(line: Line, first: Cost | None) -> dict[str, object]:
    record: dict[str, object] = {"client": line.client, "runs": [asdict(cost) for cost in line.costs]}
    if line.failure is not None:
        return {**record, "failure": line.failure}
    cost = medians(line.costs)
    record["median"] = asdict(cost)
    if first is not None:
        record["ratio"] = {"wall": round(cost.wall / first.wall, 3), "cpu": round(cost.cpu / first.cpu, 3)}
    return record
