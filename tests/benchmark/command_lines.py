# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The clients that are compared, and their command lines."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.imagestore.swift.tests.benchmark.images import MIB
from ansible_collections.imagestore.swift.tests.benchmark.target import CONTAINER, Target

HERE = Path(__file__).resolve().parent

Command = Sequence[str]


@dataclass(frozen=True)
class Task:
    """One image to be stored.

    :param segment: in MiB
    """

    path: Path
    name: str
    segment: int


class CommandLines:
    """A client; a command is None if the client can't do that work.

    :param target: the store that it works on
    :param python: Python of the environment that it is installed in
    """

    name = ""

    def __init__(self, target: Target, python: Path) -> None:
        self.target = target
        self.python = python

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment variables of its commands."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": os.environ["HOME"],
            "LC_ALL": "C.UTF-8",
            "OS_CLIENT_CONFIG_FILE": self.target.cloud.clouds_yaml,
            **self.target.cloud.variables,
        }

    def upload(self, task: Task) -> Command | None:
        """Return the command that stores an image."""
        return None

    def upload_again(self, task: Task) -> Command | None:
        """Return the command that stores an image that may be there already."""
        return self.upload(task)

    def download(self, name: str, path: Path) -> Command | None:
        """Return the command that writes an image to a new file."""
        return None

    def delete(self, name: str) -> Command | None:
        """Return the command that deletes an image and its segments."""
        return None

    def _script(self, name: str, *arguments: str) -> Command:
        return [str(self.python), str(HERE / name), *arguments]

    def _tool(self, name: str, *arguments: str) -> Command:
        return [str(self.python.parent / name), *arguments]


class Ours(CommandLines):
    """This project's module, in a process of its own."""

    name = "swift_image"

    def __init__(
        self,
        target: Target,
        python: Path,
        root: Path,
        name: str = "swift_image",
        options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(target, python)
        self.name = name
        self._root = root
        self._options = {"cloud": "images", "container": CONTAINER, **(options or {})}

    @property
    def environ(self) -> Mapping[str, str]:
        # Credentials come from clouds.yaml, as they do in a playbook.
        kept = {name: value for name, value in super().environ.items() if name[:3] != "OS_"}
        return {**kept, "PYTHONPATH": str(self._root), "OS_CLIENT_CONFIG_FILE": self.target.cloud.clouds_yaml}

    def upload(self, task: Task) -> Command:
        return self._module({"segment_size": f"{task.segment}MiB", "name": task.name, "src": str(task.path)})

    def upload_as_told(self, name: str, path: Path) -> Command:
        """Return the command that stores an image, cut as the client's own options say."""
        return self._module({"name": name, "src": str(path)})

    def download(self, name: str, path: Path) -> Command:
        return self._module({"name": name, "dest": str(path)}, "swift_image_download")

    def delete(self, name: str) -> Command:
        return self._module({"name": name, "state": "absent"})

    def list(self) -> Command:
        """Return the command that lists all images."""
        return self._module({}, "swift_image_info")

    def catalogue(self, images: Sequence[Mapping[str, Any]], told: Path) -> Command:
        """Return the command that keeps many images.

        :param told: the file for the options, which are too long for a command line
        """
        command = self._module({"images": images}, "swift_images")
        told.write_text(command[-1], encoding="utf-8")
        return [*command[:-1], str(told)]

    def _module(self, options: Mapping[str, Any], module: str = "swift_image") -> Command:
        arguments = json.dumps({"ANSIBLE_MODULE_ARGS": {**self._options, **options}})
        return [str(self.python), "-m", f"ansible_collections.imagestore.swift.plugins.modules.{module}", arguments]


class SwiftCli(CommandLines):
    """python-swiftclient's command, with static large objects."""

    name = "swift CLI"

    @property
    def environ(self) -> Mapping[str, str]:
        ready = {"OS_STORAGE_URL": self.target.store.storage_url, "OS_AUTH_TOKEN": self.target.store.token}
        return {**super().environ, **(ready if self.target.is_far else {})}

    def upload(self, task: Task) -> Command:
        return self._upload(task)

    def upload_again(self, task: Task) -> Command:
        return self._upload(task, "--skip-identical")

    def download(self, name: str, path: Path) -> Command:
        return self._tool("swift", "--quiet", "download", CONTAINER, name, "--output", str(path))

    def delete(self, name: str) -> Command:
        return self._tool("swift", "--quiet", "delete", CONTAINER, name)

    def list(self) -> Command:
        """Return the command that lists all names."""
        return self._tool("swift", "list", CONTAINER)

    def _upload(self, task: Task, *options: str) -> Command:
        size = str(task.segment * MIB)
        return self._tool(
            "swift", "--quiet", "upload", *options, "--use-slo", "--segment-size", size, "--object-name", task.name,
            CONTAINER, str(task.path),
        )  # fmt: skip


class Curl(CommandLines):
    """curl with one plain PUT of the whole file, which only takes the server's time; up to 5 GiB."""

    name = "curl"

    def upload(self, task: Task) -> Command | None:
        if task.path.stat().st_size > 5 * 1024 * MIB:
            return None
        return self._curl(task.name, "--upload-file", str(task.path))

    def upload_again(self, task: Task) -> None:
        return None

    def download(self, name: str, path: Path) -> Command:
        return self._curl(name, "--output", str(path))

    def _curl(self, name: str, *options: str) -> Command:
        token = f"X-Auth-Token: {self.target.store.token}"
        url = self.target.store.url(CONTAINER, name)
        return ["curl", "--silent", "--show-error", "--fail", "--header", token, *options, url]


class Rclone(CommandLines):
    """rclone, which cuts files that are larger than a segment."""

    name = "rclone"

    @property
    def environ(self) -> Mapping[str, str]:
        settings = {"TYPE": "swift", "ENV_AUTH": "true"}
        if self.target.is_far:
            settings = {
                "TYPE": "swift",
                "STORAGE_URL": self.target.store.storage_url,
                "AUTH_TOKEN": self.target.store.token,
            }
        return {**super().environ, **{f"RCLONE_CONFIG_STORE_{name}": value for name, value in settings.items()}}

    def upload(self, task: Task) -> Command:
        target = f"store:{CONTAINER}/{task.name}"
        return self._tool("rclone", "copyto", "--swift-chunk-size", f"{task.segment}Mi", str(task.path), target)

    def download(self, name: str, path: Path) -> Command:
        return self._tool("rclone", "copyto", f"store:{CONTAINER}/{name}", str(path))

    def delete(self, name: str) -> Command:
        return self._tool("rclone", "deletefile", f"store:{CONTAINER}/{name}")


class Sdk(CommandLines):
    """openstacksdk's create_object."""

    name = "openstacksdk"

    def upload(self, task: Task) -> Command:
        return self._script("sdk.py", "upload", CONTAINER, task.name, str(task.path), str(task.segment * MIB))

    def delete(self, name: str) -> Command:
        return self._script("sdk.py", "delete", CONTAINER, name)


class CloudObject(CommandLines):
    """The module openstack.cloud.object, in a process of its own."""

    name = "openstack.cloud.object"

    def upload(self, task: Task) -> Command:
        options = {"cloud": "images", "container": CONTAINER, "name": task.name, "filename": str(task.path)}
        return self._module({**options, "state": "present"})

    def delete(self, name: str) -> Command:
        return self._module({"cloud": "images", "container": CONTAINER, "name": name, "state": "absent"})

    def _module(self, options: Mapping[str, Any]) -> Command:
        arguments = json.dumps({"ANSIBLE_MODULE_ARGS": options})
        return [str(self.python), "-m", "ansible_collections.openstack.cloud.plugins.modules.object", arguments]


class GlanceStore(CommandLines):
    """glance_store's Swift driver, which always writes and never compares."""

    name = "glance_store"

    def upload(self, task: Task) -> Command:
        return self._script("glance_add.py", CONTAINER, task.name, str(task.path), str(task.segment))

    def upload_again(self, task: Task) -> None:
        return None
