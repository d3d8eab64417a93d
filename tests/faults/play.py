# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One run of the campaign: the stage is set, a module meets its faults, and what came of it is looked at."""

from __future__ import annotations

import hashlib
import random
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from functools import cached_property, partial
from pathlib import Path
from threading import Thread
from typing import Any

from cloud import Cloud
from disks import make_room, small_disk
from faults import Script
from judge import unnamed
from modules import Modules, Result, result_of
from processes import Process
from proxy import FaultProxy
from reader import Reader
from scenario import SEGMENT, Action, Blow, Scenario
from servers import Servers
from store import Store
from writing import OTHERS

IMAGE = "image"
NEIGHBOURS = ("imag", "image.b", "image/c")
TIMEOUT_SECONDS = 2
# Every request has a timeout and a bound of tries, and so a run ends.
LIMIT_SECONDS = 120.0
MEMORY_BYTES = 120 * 1024 * 1024
LONGEST_MESSAGE = 1000
_PAUSE_SECONDS = 0.01
_BLOWS = {
    Blow.OBJECT_SERVER: r"503|500|404|no answer|ended|no such|not what|409|507|quota|still there|listing",
    Blow.PROXY_SERVER: r"no answer|network|reach|503|ended|answered",
    Blow.FULL_DISK: r"room",
    Blow.FULL_CONTAINER: r"quota",
    Blow.SECOND: r"meanwhile|Another upload|no such|replaced|no image|there is none|412|409|400|another|shorter",
}
_MODULES = {
    Action.UPLOAD: "swift_image",
    Action.UPDATE: "swift_image",
    Action.DELETE: "swift_image",
    Action.DOWNLOAD: "swift_image_download",
    Action.INFO: "swift_image_info",
    Action.ACL: "swift_image_acl",
}


@dataclass(frozen=True)
class Stage:
    """What all runs share.

    :param proxy: between the modules and the cluster
    :param folder: for files
    """

    cloud: Cloud
    store: Store
    proxy: FaultProxy
    servers: Servers
    folder: Path


@dataclass
class Outcome:
    """What came of a module's run."""

    status: int | None
    result: Result | None
    output: str
    memory: int


@dataclass
class Play:
    """One run.

    :ivar wrong: what should not have been
    """

    stage: Stage
    scenario: Scenario
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        dice = random.Random(self.scenario.seed)
        self.container = f"faults-{self.scenario.seed}"
        self.folder = self.stage.folder / self.container
        self.script = Script(self.scenario.faults)
        self.old = dice.randbytes(self.scenario.size)
        self.new = self.old if self.scenario.is_same else _changed(self.old, dice)
        self.third = dice.randbytes(self.scenario.size)

    @property
    def store(self) -> Store:
        """The store by plain requests, past the faults."""
        return self.stage.store

    def run(self) -> list[str]:
        """Play it.

        :returns: what was wrong
        """
        self.folder.mkdir()
        try:
            with ExitStack() as stack:
                if self.scenario.blow is Blow.FULL_DISK:
                    stack.enter_context(small_disk(self.folder / "disk", 8192))
                stack.enter_context(self._source_server())
                self._play()
        finally:
            self.store.remove(self.container)
            shutil.rmtree(self.folder)
        return self.wrong

    def _play(self) -> None:
        self._set_the_stage()
        self.before = self.store.read(self.container, IMAGE)
        neighbours = self._neighbours()
        allowed = {_sha256(data) for data in (self.before, self.new, self._second_content()) if data is not None}
        servers_fail = self.scenario.blow in (Blow.OBJECT_SERVER, Blow.PROXY_SERVER)
        with Reader(self.store, self.container, IMAGE, allowed, servers_fail) as reader:
            with self.stage.proxy.play(self.script):
                outcome = self._meet_faults()
            self._expect(not self._secrets_in(outcome.output), "a secret is in the output")
            self._expect(outcome.memory < MEMORY_BYTES, f"it took {outcome.memory} bytes of memory")
            self._check_truth(outcome)
            self._run_again()
        self.wrong += reader.wrong
        self._check_end(neighbours)

    def _set_the_stage(self) -> None:
        (self.folder / "files").mkdir()
        (self.folder / "disk").mkdir(exist_ok=True)
        self.store.create(self.container)
        for name in NEIGHBOURS:
            OTHERS["Glance's DLO"](self.store, self.container, name, name.encode() * 1000)
        (self.folder / "files" / "old").write_bytes(self.old)
        (self.folder / "files" / "new").write_bytes(self.new)
        (self.folder / "files" / "third").write_bytes(self.third)
        (self.folder / "files" / "dest").write_bytes(b"an older file")
        self._write_old()
        if self.scenario.is_cut_off:
            options = {"src": str(self.folder / "files" / "third"), "segment_size": SEGMENT, "manifest": "slo"}
            self._modules.kill_before(2, "swift_image", name=IMAGE, **options)

    def _write_old(self) -> None:
        writer = self.scenario.old
        if writer in OTHERS:
            OTHERS[writer](self.store, self.container, IMAGE, self.old)
        elif writer:
            options = {"src": str(self.folder / "files" / "old"), "segment_size": SEGMENT, "manifest": writer}
            self._modules("swift_image", name=IMAGE, **options)

    @cached_property
    def _modules(self) -> Modules:
        """The modules, by way of the proxy, which does nothing as long as nothing is played."""
        cloud = self.stage.proxy.cloud(self.stage.cloud, TIMEOUT_SECONDS)
        return Modules(self.folder / "files", {"cloud": cloud, "container": self.container})

    @contextmanager
    def _source_server(self) -> Iterator[None]:
        """A web server for sources that are URLs."""
        self.url = ""
        if self.scenario.source != "URL":
            yield
            return
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(self.folder / "files")))
        server.daemon_threads = True
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()

    def _options(self) -> dict[str, Any]:
        action = self.scenario.action
        options = dict(self.scenario.options)
        if action is Action.UPLOAD and self.url:
            options |= {"url": f"{self.url}/new", "buffer_dir": str(self.folder / "disk")}
        elif action is Action.UPLOAD:
            options["src"] = str(self.folder / "files" / "new")
        elif action is Action.UPDATE:
            # Without a source, there would be nothing to compare.
            options |= {"src": str(self.folder / "files" / "old"), "metadata": {"campaign": "faults"}}
            options["segment_size"] = SEGMENT
        elif action is Action.DELETE:
            options["state"] = "absent"
        elif action is Action.DOWNLOAD:
            options["dest"] = str(self._dest)
        elif action is Action.INFO:
            options["verify"] = True
            options.pop("concurrency")
        elif action is Action.ACL:
            options["public"] = True
            options.pop("concurrency")
            return options
        return {"name": IMAGE, **options}

    @property
    def _dest(self) -> Path:
        return self.folder / ("disk" if self.scenario.blow is Blow.FULL_DISK else "files") / "dest"

    def _meet_faults(self) -> Outcome:
        process = self._modules.start(_MODULES[self.scenario.action], _hurry, **self._options())
        second = self._strike(process)
        outcome = self._await(process)
        if second:
            self._await(second)
        if self.scenario.blow in (Blow.OBJECT_SERVER, Blow.PROXY_SERVER):
            self.stage.servers.await_all(self.store, self.container, NEIGHBOURS[0])
        if self.scenario.blow is Blow.FULL_CONTAINER:
            self._set_quota("")
        return outcome

    def _strike(self, process: Process) -> Process | None:
        """Do what else is to happen, when it is to happen."""
        while process.status is None and len(self.script.seen) < self.scenario.blow_after:
            time.sleep(_PAUSE_SECONDS / 10)
        match self.scenario.blow:
            case Blow.KILL:
                process.kill()
            case Blow.TERM:
                process.terminate()
            case Blow.OBJECT_SERVER:
                self.stage.servers.kill("object")
            case Blow.PROXY_SERVER:
                self.stage.servers.kill("proxy")
            case Blow.FULL_CONTAINER:
                self._set_quota("1")
            case Blow.SECOND:
                return self._start_second()
        return None

    def _set_quota(self, limit: str) -> None:
        self.store.do("POST", self.container, headers={"X-Container-Meta-Quota-Bytes": limit})

    def _second_content(self) -> bytes | None:
        return self.third if self.scenario.second is Action.UPLOAD else None

    def _start_second(self) -> Process:
        """Another module at the same image, which meets no faults of the script's."""
        options: dict[str, Any] = {"state": "absent"}
        if self.scenario.second is Action.UPLOAD:
            options = {"src": str(self.folder / "files" / "third"), "segment_size": SEGMENT}
        return self._modules.start("swift_image", _hurry, name=IMAGE, **options)

    def _await(self, process: Process) -> Outcome:
        deadline = time.monotonic() + LIMIT_SECONDS
        memory = 0
        while process.status is None and time.monotonic() < deadline:
            memory = max(memory, process.memory)
            time.sleep(_PAUSE_SECONDS)
        if process.status is None:
            self.wrong.append(f"it still ran after {LIMIT_SECONDS:g} s")
            process.kill()
            process.wait()
        output = process.output.decode("utf-8", "replace")
        is_killed = process.status not in (0, 1)
        return Outcome(process.status, None if is_killed else result_of(process), output, memory)

    def _check_truth(self, outcome: Outcome) -> None:
        if outcome.result is None:
            is_asked_for = self.scenario.blow in (Blow.KILL, Blow.TERM)
            self._expect(is_asked_for, f"it ended with {outcome.status}: {outcome.output[-2000:]}")
        elif outcome.result.get("failed"):
            self._check_message(str(outcome.result["msg"]))
            self._check_failure()
        else:
            self._check_success(outcome.result)

    def _check_message(self, message: str) -> None:
        cause = _BLOWS.get(self.scenario.blow)
        import re

        explained = self.script.explains(message) or bool(cause and re.search(cause, message))
        self._expect(explained, f"the message does not name the cause: {message}")
        is_sentence = "\n" not in message and "Traceback" not in message and len(message) < LONGEST_MESSAGE
        self._expect(is_sentence, f"the message is no sentence: {message}")

    def _check_failure(self) -> None:
        if self.scenario.action is Action.DOWNLOAD:
            self._expect(self._is_dest(b"an older file"), "the file is another, and the download failed")

    def _check_success(self, result: Result) -> None:
        there = self.store.read(self.container, IMAGE)
        alone = self.scenario.blow is not Blow.SECOND
        match self.scenario.action:
            case Action.UPLOAD if alone:
                self._expect(there == self.new, "it says that the image is there, and it is not")
                self._expect(result.changed or self.before == self.new, "it says unchanged, and the image is another")
            case Action.DELETE if alone:
                self._expect(there is None, "it says that the image is gone, and it is there")
                self._expect(result.changed or self.before is None, "it says unchanged, and the image is gone")
            case Action.DOWNLOAD:
                contents = [self.before, self._second_content()]
                self._expect(
                    any(content is not None and self._is_dest(content) for content in contents),
                    "it says that the file is there, and it is not",
                )
            case Action.UPDATE:
                self._expect(there == self.before, "an update of metadata changed the bytes")
                headers = self.store.request("HEAD", self.container, IMAGE).headers
                self._expect("X-Object-Meta-Campaign" in headers, "it says that the metadata is there, and it is not")
            case Action.INFO:
                self._expect(not result.get("changed"), "info says that it changed something")
            case Action.ACL:
                headers = self.store.request("HEAD", self.container).headers
                self._expect(".r:*" in headers.get("X-Container-Read", ""), "it says that access is given, and it is not")

    def _run_again(self) -> None:
        """The same once more, and nothing in the way."""
        if self.scenario.blow is Blow.FULL_DISK:
            make_room(self.folder / "disk", 1 << 30)
        module, options = _MODULES[self.scenario.action], self._options()
        again = self._modules.try_to(module, **options)
        self._expect(not again.get("failed"), f"run again, it failed: {again.get('msg')}")
        if not again.get("failed") and self.scenario.action is not Action.INFO:
            third = self._modules.try_to(module, **options)
            self._expect(third.get("changed") is False, "run again and again, it changed something")

    def _check_end(self, neighbours: dict[str, str]) -> None:
        there = self.store.read(self.container, IMAGE)
        expected: tuple[bytes | None, ...]
        match self.scenario.action:
            case Action.UPLOAD:
                expected = (self.new,)
            case Action.DELETE:
                expected = (None,)
            case Action.DOWNLOAD if self.scenario.second:
                expected = (self.before, self.third)
            case _:
                expected = (self.before,)
        self._expect(there in expected, "after a run without faults the image is not what it should be")
        if self.scenario.action is Action.DOWNLOAD:
            self._expect(any(data is not None and self._is_dest(data) for data in expected), "the file is not the image")
        if self.scenario.action in (Action.UPLOAD, Action.DELETE):
            left = unnamed(self.store, self.container, (IMAGE, *NEIGHBOURS))
            self._expect(not left, f"nobody names {left}")
        self._expect(self._neighbours() == neighbours, "another image is not what it was")
        files = sorted(path.name for path in (*(self.folder / "files").iterdir(), *(self.folder / "disk").iterdir()))
        strange = [name for name in files if name not in ("old", "new", "third", "dest") and name[:7] != "output-"]
        self._expect(not strange, f"files are left on the host: {strange}")

    def _neighbours(self) -> dict[str, str]:
        """What is under the other images' names, and since when."""
        found = {}
        for name in NEIGHBOURS:
            response = self.store.do("GET", self.container, name)
            since = self.store.do("HEAD", self.container, name, params="multipart-manifest=get").headers["X-Timestamp"]
            found[name] = f"{since} {_sha256(response.content)}"
        return found

    def _is_dest(self, content: bytes) -> bool:
        if self.scenario.blow is Blow.FULL_DISK and content == b"an older file":
            # There was none on that disk.
            return not self._dest.exists()
        return self._dest.exists() and self._dest.read_bytes() == content

    def _secrets_in(self, output: str) -> bool:
        return self.stage.cloud.project["password"] in output or "gAAAA" in output

    def _expect(self, is_so: bool, complaint: str) -> None:
        if not is_so:
            self.wrong.append(complaint)


class _Files(SimpleHTTPRequestHandler):
    """Serves files, and says nothing."""

    def log_message(self, format: str, *args: object) -> None:
        """Keep the screen to the campaign."""


def _hurry() -> None:
    """Let a module wait less between tries, and for listings, so that thousands of runs fit into an hour."""
    from ansible_collections.imagestore.swift.plugins.module_utils import _retry, _waiting

    setattr(_retry, "_FIRST_PAUSE_SECONDS", 0.05)  # noqa: B010
    setattr(_waiting, "_LISTING_SECONDS", 2.0)  # noqa: B010


def _changed(data: bytes, dice: random.Random) -> bytes:
    """Other bytes: all of them, or those in the middle."""
    if dice.random() < 0.5:
        return dice.randbytes(len(data) + dice.choice((-1, 0, 1)) if len(data) > 1 else 2)
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
