# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Campaign of module runs with faults, each chosen by its seed and repeatable with it."""

from __future__ import annotations

from collections import Counter

import pytest
from ansible_collections.imagestore.swift.tests.faults.play import Play
from ansible_collections.imagestore.swift.tests.faults.scenario import Blow, choose
from ansible_collections.imagestore.swift.tests.faults.scene import Stage

# For a blow after the module's end, or after more requests than it sent.
TOO_LATE = "(a blow that came too late, and is not counted above)"


def test_invariants_hold_under_random_faults(seed: int, stage: Stage, can_fill_disks: bool, met: Counter[str]) -> None:
    scenario = choose(seed)
    if scenario.blow is Blow.FULL_DISK and not can_fill_disks:
        pytest.skip("NOT TESTED here, because only root may mount a small disk: a full disk")
    play = Play(stage, scenario)
    wrong = play.run()
    met.update({fault.name: fault.fired for fault in play.script.fired})
    if scenario.blow is not Blow.NONE:
        met[scenario.blow.value if play.is_blow_met else TOO_LATE] += 1
    if wrong:
        lines = [f"seed {seed}: {scenario}", *(f"    {line}" for line in wrong)]
        again = f"Run it again with: make faults FAULT_RUNS=1 FAULT_SEED={seed}"
        pytest.fail("\n".join([*lines, again]), pytrace=False)
