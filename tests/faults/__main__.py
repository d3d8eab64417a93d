# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Campaign of module runs with faults: ``tests/cluster run --restart … -- python tests/faults --cluster COMMAND``.

A seed chooses each run. The campaign prints the seed of a failed run, which can be repeated with it.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import tempfile
import traceback
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "functional"))

from cloud import Cloud
from disks import can_mount
from play import Play
from proxy import FaultProxy
from scenario import Blow, choose
from scene import Stage
from servers import Servers
from store import Store


def main() -> int:
    """Play the requested runs, and return the exit status."""
    options = _parse()
    cloud = Cloud(json.loads(Path(os.environ["IMAGESTORE_CLUSTER"]).read_text("utf-8")))
    _forget_variables()
    proxy = FaultProxy(cloud.told["object_store_url"], cloud.auth_url)
    with tempfile.TemporaryDirectory(prefix="imagestore-faults-") as folder:
        store = Store(cloud.storage_url, cloud.token(), Path(cloud.requests_log))
        servers = Servers(shlex.split(options.cluster), Path(os.environ["IMAGESTORE_CLUSTER"]).parent)
        campaign = Campaign(Stage(cloud, store, proxy, servers, Path(folder)))
        for seed in range(options.seed, options.seed + options.runs * options.step, options.step):
            if options.only in str(choose(seed)):
                campaign.play(seed)
    proxy.close()
    return campaign.close(Path(options.result) if options.result else None)


# Of a module that had ended before, or sent fewer requests.
TOO_LATE = "(a blow that came too late, and is not counted above)"


class Campaign:
    """A campaign of runs, with counts of the faults that happened."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._can_fill_disks = can_mount(stage.folder / "mount")
        self.met: Counter[str] = Counter()
        self.runs = self.failed = self.left_out = 0

    def play(self, seed: int) -> None:
        """Play the run of a seed."""
        scenario = choose(seed)
        if scenario.blow is Blow.FULL_DISK and not self._can_fill_disks:
            self.left_out += 1
            return
        play = Play(self._stage, scenario)
        try:
            wrong = play.run()
        except Exception:  # the campaign continues with the next run in any case
            wrong = [traceback.format_exc()]
        self.runs += 1
        for fault in play.script.fired:
            self.met[fault.name] += fault.fired
        if scenario.blow is not Blow.NONE and play.is_blow_met:
            self.met[scenario.blow.value] += 1
        elif scenario.blow is not Blow.NONE:
            self.met[TOO_LATE] += 1
        if wrong:
            self.failed += 1
            print(f"seed {seed}: {scenario}", *(f"    {line}" for line in wrong), sep="\n", flush=True)

    def close(self, path: Path | None) -> int:
        """Report the results of all runs, and return the exit status."""
        result = {"runs": self.runs, "failed": self.failed, "left_out": self.left_out, "met": dict(self.met)}
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(result), encoding="utf-8")
        if self.left_out:
            print(f"{self.left_out} runs left out, because only root can make a small disk")
        if self.failed:
            print("Run one of them again with: make faults FAULT_RUNS=1 FAULT_SEED=<its seed>")
        print(f"{self.runs} runs, {self.failed} failed", flush=True)
        return 1 if self.failed else 0


def _forget_variables() -> None:
    for name in [name for name in os.environ if name.startswith(("OS_", "ST_"))]:
        del os.environ[name]


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="faults", description=__doc__)
    parser.add_argument("--cluster", required=True, help="the command of the cluster, to kill its servers with")
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1, help="of the first run")
    parser.add_argument("--step", type=int, default=1, help="from one run's seed to the next one's")
    parser.add_argument("--only", default="", help="leave out runs whose description does not hold this text")
    parser.add_argument("--result", help="a file for the result as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
