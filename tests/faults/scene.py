# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The start of a run: contents, an existing image, other images beside it, and the module's options."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ansible_collections.imagestore.swift.tests.faults.scenario import Action, Blow, Scenario
from ansible_collections.imagestore.swift.tests.faults.servers import Servers
from ansible_collections.imagestore.swift.tests.faults.writing import OTHERS
from ansible_collections.imagestore.swift.tests.support.cloud import IS_RGW, Cloud
from ansible_collections.imagestore.swift.tests.support.fault_proxy import FaultProxy
from ansible_collections.imagestore.swift.tests.support.modules import Modules
from ansible_collections.imagestore.swift.tests.support.store import Store
from ansible_collections.imagestore.swift.tests.support.web import serving_files

IMAGE = "image"
# The kind of image of the earlier, interrupted upload.
CUT_OFF = "dlo" if IS_RGW else "slo"
NEIGHBOURS = ("imag", "image.b", "image/c")
OLDER_FILE = b"an older file"
# Of a request of the module that meets faults: less than a stalled answer takes.
_TIMEOUT_SECONDS = 5
# Of other requests, which must succeed on a busy machine, too.
_PATIENT_SECONDS = 60
# The scene's own files, and the prefixes of the harness's files.
_FILES = frozenset({"old", "new", "third", "dest"})
_HARNESS = ("output-", "options-")
MODULES = {
    Action.UPLOAD: "swift_image",
    Action.UPDATE: "swift_image",
    Action.DELETE: "swift_image",
    Action.DOWNLOAD: "swift_image_download",
    Action.INFO: "swift_image_info",
    Action.ACL: "swift_image_acl",
}


@dataclass(frozen=True)
class Stage:
    """The resources that all runs share.

    :param proxy: between the modules and the cluster
    :param folder: for files
    """

    cloud: Cloud
    store: Store
    proxy: FaultProxy
    servers: Servers
    folder: Path


class Scene:
    """The scene of one run.

    :ivar old: the content of the existing image
    :ivar new: the content that an upload has to store
    :ivar third: the content of another upload, which was interrupted earlier or runs at the same time
    """

    def __init__(self, stage: Stage, scenario: Scenario) -> None:
        self.stage = stage
        self.scenario = scenario
        self.container = f"faults-{scenario.seed}"
        self.folder = stage.folder / self.container
        self.files = self.folder / "files"
        self.disk = self.folder / "disk"
        dice = random.Random(scenario.seed)
        self.old = dice.randbytes(scenario.size)
        self.new = self.old if scenario.is_same else _changed(self.old, dice)
        self.third = dice.randbytes(scenario.size)
        self._url = ""

    @property
    def store(self) -> Store:
        """The store, accessed with plain requests and without faults."""
        return self.stage.store

    @cached_property
    def modules(self) -> Modules:
        """The modules behind the proxy, for the run that meets faults."""
        return self._modules(_TIMEOUT_SECONDS)

    @cached_property
    def patient_modules(self) -> Modules:
        """The modules behind the proxy, for runs without faults."""
        return self._modules(_PATIENT_SECONDS)

    def _modules(self, timeout: float) -> Modules:
        cloud = self.stage.proxy.cloud(self.stage.cloud, timeout)
        return Modules(self.files, {"cloud": cloud, "container": self.container})

    @property
    def module(self) -> str:
        """The name of the module that is run."""
        return "swift_images" if self.scenario.in_catalogue else MODULES[self.scenario.action]

    @property
    def dest(self) -> Path:
        """The path of the downloaded file."""
        return (self.disk if self.scenario.blow is Blow.FULL_DISK else self.files) / "dest"

    def set(self) -> None:
        """Write the files and images of the scene, without faults."""
        for folder in (self.files, self.disk):
            folder.mkdir(exist_ok=True)
        for name, content in (("old", self.old), ("new", self.new), ("third", self.third), ("dest", OLDER_FILE)):
            (self.files / name).write_bytes(content)
        self.store.create(self.container)
        for name in NEIGHBOURS:
            OTHERS["Glance's DLO"](self.store, self.container, name, name.encode() * 1000, 2000)
        self._write_old()
        if self.scenario.is_cut_off:
            options = {
                "src": str(self.files / "third"),
                "segment_size": self.scenario.segment_size,
                "manifest": CUT_OFF,
            }
            self.patient_modules.kill_before(2, "swift_image", name=IMAGE, **options)

    def _write_old(self) -> None:
        writer = self.scenario.old
        if writer in OTHERS:
            OTHERS[writer](self.store, self.container, IMAGE, self.old, self.scenario.segment_size)
        elif writer:
            options = {"src": str(self.files / "old"), "segment_size": self.scenario.segment_size, "manifest": writer}
            self.patient_modules("swift_image", name=IMAGE, **options)

    @contextmanager
    def source_server(self) -> Iterator[None]:
        """Run a web server within the block if the source is a URL."""
        if self.scenario.source != "URL":
            yield
            return
        with serving_files(self.files) as self._url:
            yield

    def options(self) -> dict[str, Any]:
        """Return the options of the module."""
        options = {**self.scenario.options, **self._options_of_action()}
        if self.scenario.action is Action.ACL:
            # swift_image_acl is about the container, and has no option for a name.
            return options
        options = {"name": IMAGE, **options}
        return _in_catalogue(options) if self.scenario.in_catalogue else options

    def _options_of_action(self) -> dict[str, Any]:
        """Return the options that are specific to the action."""
        by_action: dict[Action, dict[str, Any]] = {
            Action.UPLOAD: self._options_of_source(),
            # The source is the existing image's file, so that only metadata changes.
            Action.UPDATE: {
                "src": str(self.files / "old"),
                "metadata": {"campaign": "faults"},
                "segment_size": self.scenario.segment_size,
            },
            Action.DELETE: {"state": "absent"},
            Action.DOWNLOAD: {"dest": str(self.dest)},
            Action.INFO: {"verify": True},
            Action.ACL: {"public": True},
        }
        return by_action[self.scenario.action]

    def _options_of_source(self) -> dict[str, Any]:
        """Return the options for the source of an upload."""
        if self._url:
            return {"url": f"{self._url}/new", "buffer_dir": str(self.disk)}
        return {"src": str(self.files / "new")}

    def second_options(self) -> dict[str, Any]:
        """Return the options of a second module for the same image."""
        if self.scenario.second is Action.UPLOAD:
            return {"name": IMAGE, "src": str(self.files / "third"), "segment_size": self.scenario.segment_size}
        return {"name": IMAGE, "state": "absent"}

    def set_quota(self, limit: str) -> None:
        """Set the container's quota in bytes; an empty *limit* removes it."""
        self.store.do("POST", self.container, headers={"X-Container-Meta-Quota-Bytes": limit})

    def read(self) -> bytes | None:
        """Return the bytes under the image's name; None if there is no image."""
        return self.store.read(self.container, IMAGE)

    def neighbours(self) -> dict[str, str]:
        """Return the timestamp and SHA-256 of each of the other images, by name."""
        found = {}
        for name in NEIGHBOURS:
            content = self.store.do("GET", self.container, name).content
            head = self.store.do("HEAD", self.container, name, params="multipart-manifest=get")
            found[name] = f"{head.headers['X-Timestamp']} {sha256(content)}"
        return found

    def is_dest(self, content: bytes | None) -> bool:
        """Return True if the destination of a download has that content."""
        if self.scenario.blow is Blow.FULL_DISK and content == OLDER_FILE:
            # That disk had no older file.
            return not self.dest.exists()
        return content is not None and self.dest.exists() and self.dest.read_bytes() == content

    def strange_files(self) -> list[str]:
        """Return the names of the files that a module left on the host."""
        names = [path.name for folder in (self.files, self.disk) for path in folder.iterdir()]
        return sorted(name for name in names if name not in _FILES and not name.startswith(_HARNESS))


def _in_catalogue(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same options for swift_images, with a second image that is absent and stays so."""
    told = {name: value for name, value in options.items() if name in ("retries", "concurrency", "buffer_dir")}
    image = {name: value for name, value in options.items() if name not in told}
    return {**told, "images": [{"name": "nothing", "state": "absent"}, image]}


def _changed(data: bytes, dice: random.Random) -> bytes:
    """Return other bytes than *data*: all of them differ, or one in the middle."""
    if dice.random() < 0.5:
        return dice.randbytes(len(data) + dice.choice((-1, 0, 1)) if len(data) > 1 else 2)
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


def sha256(data: bytes) -> str:
    """Return the SHA-256 of *data* in hex."""
    return hashlib.sha256(data).hexdigest()
