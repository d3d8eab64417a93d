# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks of a run's outcome, by plain requests and by the contents of files."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import unquote

from ansible_collections.imagestore.swift.tests.faults.scenario import Action, Blow
from ansible_collections.imagestore.swift.tests.faults.scene import IMAGE, NEIGHBOURS, OLDER_FILE, Scene
from ansible_collections.imagestore.swift.tests.support.faults import Script
from ansible_collections.imagestore.swift.tests.support.modules import Result
from ansible_collections.imagestore.swift.tests.support.store import Store

# Every request has a timeout and a limit of retries, so a run ends.
LIMIT_SECONDS = 120.0
_MEMORY_BYTES = 120 * 1024 * 1024
_LONGEST_MESSAGE = 1000
# Patterns for the message of a module that failed because of a blow.
_NO_OBJECT_SERVER = r"503|500|404|no answer|ended|no such|not match|409|507|quota|still there|listing"
_NO_PROXY_SERVER = r"no answer|can't be reached|503|ended"
_CAUSES = {
    Blow.OBJECT_SERVER_KILL: _NO_OBJECT_SERVER,
    Blow.OBJECT_SERVER_TERM: _NO_OBJECT_SERVER,
    Blow.PROXY_SERVER_KILL: _NO_PROXY_SERVER,
    Blow.PROXY_SERVER_TERM: _NO_PROXY_SERVER,
    Blow.FULL_DISK: r"room",
    Blow.FULL_CONTAINER: r"quota",
    Blow.SECOND: r"meanwhile|[Aa]nother upload|no such|was replaced|no image|412|409",
}
# The beginning of Keystone's tokens (Fernet).
_TOKEN = "gAAAA"


@dataclass
class Outcome:
    """The outcome of a module's run.

    :param result: None if the module returned none
    :param memory: the peak memory in bytes
    :param hangs: whether the module hung and was killed
    """

    status: int
    result: Result | None
    output: str
    memory: int
    hangs: bool


class Judge:
    """The judge of one run, which is created when the scene is set.

    :ivar before: the bytes under the image's name at that time; None if there is no image
    :ivar wrong: descriptions of the errors that were found
    """

    def __init__(self, scene: Scene, script: Script) -> None:
        self._scene = scene
        self._scenario = scene.scenario
        self._script = script
        self._neighbours = scene.neighbours()
        self.before = scene.read()
        self.wrong: list[str] = []
        # True if the module warns that another client's segments stay, because Ceph RGW does not return the manifest.
        self._is_warned_of_others = False
        # True if a deletion failed after a warning that no other run can finish it, because a journal finds no room.
        self._is_unfinishable = False

    def check_outcome(self, outcome: Outcome) -> None:
        """Check that a module reported the truth, leaked no secret, and kept to the limits of time and memory."""
        self._expect(not outcome.hangs, f"it still ran after {LIMIT_SECONDS:g} s")
        password = self._scene.stage.cloud.project["password"]
        self._expect(password not in outcome.output and _TOKEN not in outcome.output, "a secret is in the output")
        self._expect(outcome.memory < _MEMORY_BYTES, f"it took {outcome.memory} bytes of memory")
        if outcome.result is None:
            is_asked_for = self._scenario.blow in (Blow.KILL, Blow.TERM) or outcome.hangs
            self._expect(is_asked_for, f"it ended with {outcome.status}: {outcome.output[-2000:]}")
        elif outcome.result.get("failed"):
            self._is_unfinishable = "no room for a journal" in outcome.result.warned
            self._check_failure(str(outcome.result["msg"]))
        else:
            self._is_warned_of_others = "does not return the manifest" in outcome.result.warned
            self._check_success(outcome.result)

    def _check_failure(self, message: str) -> None:
        cause = _CAUSES.get(self._scenario.blow)
        is_explained = self._script.explains(message) or bool(cause and re.search(cause, message))
        self._expect(is_explained, f"the message does not name the cause: {message}")
        is_sentence = "\n" not in message and "Traceback" not in message and len(message) < _LONGEST_MESSAGE
        self._expect(is_sentence, f"the message is not a sentence: {message}")
        if self._scenario.action is Action.DOWNLOAD:
            self._expect(self._scene.is_dest(OLDER_FILE), "the file is another, and the download failed")

    def _check_success(self, result: Result) -> None:
        action = self._scenario.action
        if action in (Action.UPLOAD, Action.DELETE):
            self._check_change(result)
        elif action is Action.DOWNLOAD:
            self._expect(self._is_downloaded(), "it says that the file is there, and it is not")
        elif action is Action.UPDATE:
            self._expect(self._scene.read() == self.before, "an update of metadata changed the bytes")
            self._expect_header(IMAGE, "X-Object-Meta-Campaign", "faults")
        elif action is Action.INFO:
            self._expect(not result.get("changed"), "info says that it changed something")
        elif action is Action.ACL:
            self._expect_header("", "X-Container-Read", ".r:*")

    def _check_change(self, result: Result) -> None:
        """Check that the image is as an upload or a deletion reports it."""
        if self._scenario.blow is Blow.SECOND:
            # The current image may be that of the other module.
            return
        wanted = self._scene.new if self._scenario.action is Action.UPLOAD else None
        self._expect(self._scene.read() == wanted, "it says that it is done, and it is not")
        self._expect(result.changed or self.before == wanted, "it says unchanged, and the image is another")

    def check_both(self, first: Outcome, second: Outcome) -> None:
        """Check that two modules at once leave no leftovers if both report success."""
        is_done = all(one.result is not None and not one.result.get("failed") for one in (first, second))
        if is_done:
            self._check_leftovers()

    def check_rerun(self, result: Result) -> None:
        """Check that a run without faults succeeds, whatever the previous run left."""
        self._expect(not result.get("failed"), f"run again, it failed: {result.get('msg')}")

    def check_idempotency(self, result: Result) -> None:
        """Check that another run after that changes nothing."""
        is_settled = not result.get("failed") and not result.get("changed")
        self._expect(is_settled, f"run again and again, it changed something, or failed: {result.get('msg')}")

    def check_end(self) -> None:
        """Check that the image is as requested, that there are no leftovers, and that nothing else was changed."""
        is_right = self._scene.read() in self._allowed_at_end()
        self._expect(is_right, "after a run without faults the image is not what it should be")
        if self._scenario.action is Action.DOWNLOAD:
            self._expect(self._is_downloaded(), "after a run without faults the file is not the image")
        if self._scenario.action in (Action.UPLOAD, Action.DELETE):
            self._check_leftovers()
        self._expect(self._scene.neighbours() == self._neighbours, "another image is not what it was")
        self._expect(not self._scene.strange_files(), f"files are left on the host: {self._scene.strange_files()}")

    def _allowed_at_end(self) -> tuple[bytes | None, ...]:
        """Return the contents that the image may have after a run without faults; None means that there is no image."""
        if self._scenario.action is Action.UPLOAD:
            return (self._scene.new,)
        if self._scenario.action is Action.DELETE:
            return (None,)
        if self._scenario.action is Action.DOWNLOAD and self._scenario.second:
            return (self.before, self._scene.third)
        return (self.before,)

    def _check_leftovers(self) -> None:
        if self._is_unfinishable:
            return
        left = unnamed(self._scene.store, self._scene.container, (IMAGE, *NEIGHBOURS))
        if self._is_warned_of_others:
            # If a listing did not show the other client's segments, nothing else refers to them.
            left = [path for path in left if "/.segments/" in path]
        self._expect(not left, f"no manifest names {left}")

    def _is_downloaded(self) -> bool:
        contents = [self.before, *([self._scene.third] if self._scenario.second else [])]
        return any(self._scene.is_dest(content) for content in contents)

    def _expect_header(self, name: str, header: str, part: str) -> None:
        found = self._scene.store.request("HEAD", self._scene.container, name).headers.get(header, "")
        self._expect(part in found, f"it says that {header} is set, and it is {found!r}")

    def _expect(self, is_so: bool, complaint: str) -> None:
        if not is_so:
            self.wrong.append(complaint)


def unnamed(store: Store, container: str, images: Collection[str]) -> list[str]:
    """Return the objects that are neither images nor named by a manifest.

    :param container: the images' container; all containers that begin with its name are searched
    :param images: names of images in the container
    :returns: paths as ``container/name``
    """
    # A server that was killed during a deletion may have deleted an object that its container still lists.
    names = [path for path in store.names(*store.containers(container)) if _exists(store, path)]
    named = {f"{container}/{image}" for image in images}
    for path in names:
        named.update(_named_by(store, path, names))
    return sorted(set(names) - named)


def _exists(store: Store, path: str) -> bool:
    container, name = path.split("/", 1)
    return store.request("HEAD", container, name, params="multipart-manifest=get").status_code != HTTPStatus.NOT_FOUND


def _named_by(store: Store, path: str, names: Collection[str]) -> Iterator[str]:
    """Yield the paths that an object names, if it is a manifest."""
    container, name = path.split("/", 1)
    headers = store.do("HEAD", container, name, params="multipart-manifest=get").headers
    if headers.get("X-Object-Meta-Static-Large-Object") and headers.get("Content-Length") == "0":
        # Ceph RGW does not return the manifest: every object with such a name may be a segment.
        begins = (f"{container}/.segments/{name}/", f"{container}_segments/{name}/")
        yield from (other for other in names if other.startswith(begins))
    elif "X-Static-Large-Object" in headers:
        for entry in store.do("GET", container, name, params="multipart-manifest=get").json():
            yield entry["name"].lstrip("/")
    elif "X-Object-Manifest" in headers:
        prefix = unquote(headers["X-Object-Manifest"])
        yield from (name for name in names if name.startswith(prefix))
