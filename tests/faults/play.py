# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One run of the campaign: a module with its faults, and the checks of its outcome."""

from __future__ import annotations

import shutil
import time
from contextlib import ExitStack

from ansible_collections.imagestore.swift.tests.faults.disks import make_room, small_disk
from ansible_collections.imagestore.swift.tests.faults.judge import LIMIT_SECONDS, Judge, Outcome
from ansible_collections.imagestore.swift.tests.faults.reader import Reader
from ansible_collections.imagestore.swift.tests.faults.scenario import SERVERS, Action, Blow, Scenario
from ansible_collections.imagestore.swift.tests.faults.scene import IMAGE, NEIGHBOURS, Scene, Stage, sha256
from ansible_collections.imagestore.swift.tests.support.faults import Script
from ansible_collections.imagestore.swift.tests.support.modules import hurry, result_of
from ansible_collections.imagestore.swift.tests.support.processes import Process

_PAUSE_SECONDS = 0.01
_SMALL_DISK_BYTES = 8192
_LARGE_DISK_BYTES = 1 << 30


class Play:
    """One run.

    :ivar script: the faults of the run
    """

    def __init__(self, stage: Stage, scenario: Scenario) -> None:
        self._stage = stage
        self._scenario = scenario
        self._scene = Scene(stage, scenario)
        self.script = Script(scenario.faults, None if scenario.blow is Blow.NONE else scenario.blow_after)
        # True if the module was still running when the blow came.
        self.is_blow_met = False
        # The outcome of a second module.
        self._other: Outcome | None = None

    def run(self) -> list[str]:
        """Play the run.

        :returns: descriptions of the errors that were found
        """
        self._scene.folder.mkdir()
        try:
            with ExitStack() as stack:
                if self._scenario.blow is Blow.FULL_DISK:
                    stack.enter_context(small_disk(self._scene.disk, _SMALL_DISK_BYTES))
                stack.enter_context(self._scene.source_server())
                return self._play()
        finally:
            self._stage.servers.await_all(self._stage.store)
            self._stage.store.remove(self._scene.container)
            shutil.rmtree(self._scene.folder)

    def _play(self) -> list[str]:
        self._scene.set()
        judge = Judge(self._scene, self.script)
        with self._reader(judge.before) as reader:
            with self._stage.proxy.play(self.script):
                outcome = self._meet_faults()
            judge.check_outcome(outcome)
            if self._other:
                judge.check_both(outcome, self._other)
            self._run_again(judge)
        judge.check_end()
        return [*judge.wrong, *reader.wrong]

    def _reader(self, before: bytes | None) -> Reader:
        contents = [before, self._scene.new, self._scene.third if self._scenario.second is Action.UPLOAD else None]
        allowed = {sha256(content) for content in contents if content is not None}
        return Reader(
            self._stage.store, self._scene.container, IMAGE, allowed, servers_fail=self._scenario.blow in SERVERS
        )

    def _meet_faults(self) -> Outcome:
        process = self._scene.modules.start(self._scene.module, hurry, **self._scene.options())
        second = self._strike(process)
        outcome = _await(process)
        if second:
            self._other = _await(second)
        if self._scenario.blow in SERVERS:
            self._stage.servers.await_all(self._stage.store, self._scene.container, NEIGHBOURS[0])
        if self._scenario.blow is Blow.FULL_CONTAINER:
            self._scene.set_quota("")
        return outcome

    def _strike(self, process: Process) -> Process | None:
        """Wait for the time of the scenario's blow, and carry it out.

        :returns: the second module, if the blow starts one
        """
        blow = self._scenario.blow
        if blow in (Blow.NONE, Blow.FULL_DISK):
            # The disk has been full from the beginning.
            self.is_blow_met = True
            return None
        # The judge reports a module that hangs.
        deadline = time.monotonic() + LIMIT_SECONDS
        while process.status is None and time.monotonic() < deadline:
            if self.script.reached.wait(_PAUSE_SECONDS):
                break
        self.is_blow_met = self.script.reached.is_set() and process.status is None
        if blow is Blow.KILL:
            process.kill()
        elif blow is Blow.TERM:
            process.terminate()
        self.script.struck.set()
        if blow is Blow.SECOND:
            return self._scene.modules.start("swift_image", hurry, **self._scene.second_options())
        if blow in SERVERS:
            self._stage.servers.end(*SERVERS[blow])
        elif blow is Blow.FULL_CONTAINER:
            self._scene.set_quota("1")
        return None

    def _run_again(self, judge: Judge) -> None:
        """Run the module twice more, without faults."""
        if self._scenario.blow is Blow.FULL_DISK:
            make_room(self._scene.disk, _LARGE_DISK_BYTES)
        if self._other:
            judge.check_rerun(self._scene.patient_modules.try_to("swift_image", **self._scene.second_options()))
        for check in (judge.check_rerun, judge.check_idempotency):
            check(self._scene.patient_modules.try_to(self._scene.module, **self._scene.options()))


def _await(process: Process) -> Outcome:
    deadline = time.monotonic() + LIMIT_SECONDS
    memory = 0
    while process.status is None and time.monotonic() < deadline:
        memory = max(memory, process.memory)
        time.sleep(_PAUSE_SECONDS)
    hangs = process.status is None
    if hangs:
        process.kill()
    status = process.wait()
    output = process.output.decode("utf-8", "replace")
    return Outcome(status, result_of(process) if status in (0, 1) else None, output, memory, hangs)
