# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The works that are measured, and the clients in each."""

from __future__ import annotations

import filecmp
import hashlib
import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.imagestore.swift.tests.benchmark import images, many
from ansible_collections.imagestore.swift.tests.benchmark.command_lines import (
    CloudObject,
    Command,
    CommandLines,
    Curl,
    GlanceStore,
    Ours,
    Rclone,
    Sdk,
    SwiftCli,
    Task,
)
from ansible_collections.imagestore.swift.tests.benchmark.measure import measure
from ansible_collections.imagestore.swift.tests.benchmark.slow_link import SlowLink
from ansible_collections.imagestore.swift.tests.benchmark.target import CONTAINER, Target

NAME = "image"
SMALL_IMAGES = 20
MANY_SMALL_IMAGES = 1000
FOLDER_IMAGES = 30


@dataclass(frozen=True)
class Entry:
    """One client in one work.

    :param prepare: brings the store to the state before the work; called before each run
    :param command: the work
    :param proof: returns whether the result is right; called after the first run
    """

    client: CommandLines
    prepare: Callable[[], None]
    command: Command
    proof: Callable[[], bool]


@dataclass(frozen=True)
class Work:
    """The entries that are compared; the first one is this project's."""

    title: str
    entries: Sequence[Entry]


@dataclass(frozen=True)
class Installed:
    """The paths of the programs that are compared.

    :param ours: Python with ansible-core and this project's libraries
    :param peers: Python with the other clients
    :param root: the folder of ``ansible_collections`` with this project
    """

    ours: Path
    peers: Path
    root: Path


class Bench:
    """All works of the benchmark.

    :param folder: a folder for images
    :param mebibytes: the size of the dense image
    :param images: the number of images that are listed
    """

    def __init__(self, target: Target, installed: Installed, folder: Path, mebibytes: int, images: int) -> None:
        self._target = target
        self._python = installed.ours
        self._root = installed.root
        self._folder = folder
        self._mebibytes = mebibytes
        self._images = images
        self._ours = self._module("swift_image")
        peers = installed.peers
        self._cli, self._curl, self._rclone = SwiftCli(target, peers), Curl(target, peers), Rclone(target, peers)
        self._sdk, self._object = Sdk(target, peers), CloudObject(target, peers)
        self._glance = GlanceStore(target, peers)

    def works(self) -> Sequence[Callable[[], Work]]:
        """Return functions, each of which makes a work, and the images for it, when its turn comes."""
        return (
            self.dense_in_small_segments,
            self.dense_as_each_does_it,
            self.unchanged,
            self.changed_in_one_place,
            self.sparse,
            self.over_a_slow_link,
            self.download,
            self.download_sparse,
            self.download_over_a_slow_link,
            self.delete_many_segments,
            self.list_many,
            self.small_and_unchanged_in_one_play,
            self.a_catalogue_again,
            self.a_folder,
        )

    def dense_in_small_segments(self) -> Work:
        dense = self._dense()
        clients = (self._ours, self._cli, self._curl, self._rclone, self._sdk, self._object, self._glance)
        return Work(
            f"a dense image of {self._mebibytes} MiB, in segments of 64 MiB",
            [self._upload(client, Task(dense, NAME, 64)) for client in clients],
        )

    def dense_as_each_does_it(self) -> Work:
        dense = self._dense()
        without = self._module("swift_image, hash_algorithms: []", hash_algorithms=[])
        return Work(
            "the same, in segments of 200 MiB",
            [self._upload(client, Task(dense, NAME, 200)) for client in (self._ours, without, self._cli, self._curl)],
        )

    def unchanged(self) -> Work:
        task = Task(self._dense(), NAME, 64)
        sums = self._module("swift_image, checksum", checksum=f"sha256:{images.sha256_of(task.path)}")
        clients = (self._ours, sums, self._cli, self._rclone, self._sdk, self._object)
        return Work("the same image again", [self._again(client, task) for client in clients])

    def changed_in_one_place(self) -> Work:
        dense = self._dense()
        at = self._mebibytes // 2
        changed = images.change(dense, self._folder / "changed", at, 64, 2)
        without = self._module("swift_image, hash_algorithms: []", hash_algorithms=[])
        clients = (self._ours, without, self._cli, self._rclone, self._sdk, self._object)
        return Work("64 MiB of it changed", [self._replace(client, dense, changed) for client in clients])

    def sparse(self) -> Work:
        path = images.make_sparse(self._folder / "sparse", 8 * self._mebibytes, self._mebibytes // 4, 3)
        without = self._module("swift_image, hash_algorithms: []", hash_algorithms=[])
        # openstack.cloud.object would read all of it into memory.
        clients = (self._ours, without, self._cli, self._rclone, self._sdk, self._glance)
        return Work(
            f"a sparse image of {8 * self._mebibytes} MiB with {self._mebibytes // 4} of data",
            [self._upload(client, Task(path, NAME, 64)) for client in clients],
        )

    def over_a_slow_link(self) -> Work:
        path = images.make_dense(self._folder / "slow", 256, 4)
        return Work(
            "256 MiB over a link of 20 ms and 20 MB/s a connection, in segments of 16 MiB",
            [self._upload(client, Task(path, NAME, 16)) for client in self._far_clients("swift_image")],
        )

    def download(self) -> Work:
        clients = (self._module("swift_image_download"), self._cli, self._curl, self._rclone)
        return self._downloads(
            "download the dense image, in segments of 64 MiB", Task(self._dense(), NAME, 64), clients
        )

    def download_sparse(self) -> Work:
        path = images.make_sparse(self._folder / "sparse", 8 * self._mebibytes, self._mebibytes // 4, 3)
        clients = (self._module("swift_image_download"), self._cli, self._curl, self._rclone)
        return self._downloads("download the sparse image", Task(path, NAME, 64), clients)

    def download_over_a_slow_link(self) -> Work:
        path = images.make_dense(self._folder / "slow", 256, 4)
        clients = self._far_clients("swift_image_download")
        return self._downloads("download 256 MiB over that link", Task(path, NAME, 16), clients)

    def _far_clients(self, module: str) -> Sequence[CommandLines]:
        """Return clients behind a slow link."""
        link = SlowLink(*self._target.address, rate=20e6, delay=0.02).open()
        far = self._target.over(link.port)
        own = {
            "cloud": None,
            "auth_type": "admin_token",
            "auth": {"endpoint": far.store.storage_url, "token": far.store.token},
        }
        ours = [
            Ours(far, self._python, self._root, f"{module}, concurrency: {count}", {**own, "concurrency": count})
            for count in (4, 1)
        ]
        peers = self._cli.python
        return [*ours, SwiftCli(far, peers), Curl(far, peers), Rclone(far, peers)]

    def delete_many_segments(self) -> Work:
        path = images.make_dense(self._folder / "many", 16, 5)
        store_it = self._module("", segment_size=str(path.stat().st_size // 1000 + 1), concurrency=8)
        command = store_it.upload_as_told(NAME, path)

        def prepare() -> None:
            self._target.empty()
            measure(command, store_it.environ)

        def is_gone() -> bool:
            return not self._target.has(NAME)

        clients = (self._ours, self._cli, self._rclone, self._sdk, self._object)
        entries = [(client, client.delete(NAME)) for client in clients]
        return Work(
            "delete an image of 1000 segments",
            [Entry(client, prepare, command, is_gone) for client, command in entries if command],
        )

    def list_many(self) -> Work:
        self._target.empty()
        many.fill(self._target.store, CONTAINER, self._images)
        listing = self._module("swift_image_info")

        def shows_all() -> bool:
            shown = subprocess.run(listing.list(), env=listing.environ, check=True, stdout=subprocess.PIPE).stdout
            return len(json.loads(shown)["images"]) == self._images

        return Work(
            f"list {self._images} images, beside which {self._images * many.SEGMENTS // 2} segments lie",
            [
                Entry(listing, _nothing, listing.list(), shows_all),
                # The swift CLI only shows names, including those of segments.
                Entry(self._cli, _nothing, self._cli.list(), lambda: True),
            ],
        )

    def small_and_unchanged_in_one_play(self) -> Work:
        folder = self._folder / "small"
        folder.mkdir()
        paths = [images.make_dense(folder / f"image-{number:02}", 1, number) for number in range(SMALL_IMAGES)]
        catalogue = self._play_of_catalogue(paths)
        ours = self._play("imagestore.swift.swift_image", "src", paths)
        theirs = self._play("openstack.cloud.object", "filename", paths)
        cli = [str(self._cli.python.parent / "swift"), "--quiet", "upload", "--skip-identical", CONTAINER]
        cli += ["--object-name", "", str(folder)]

        def prepared(client: CommandLines, command: Command) -> Entry:
            def prepare() -> None:
                self._target.empty()
                measure(command, client.environ)

            return Entry(client, prepare, command, lambda: self._target.count() == SMALL_IMAGES)

        return Work(
            f"{SMALL_IMAGES} small images again, in one play",
            [
                prepared(self._module("swift_images"), self._playbook(self._python, catalogue)),
                prepared(self._module("swift_image in a loop"), self._playbook(self._python, ours)),
                prepared(self._object, self._playbook(self._object.python, theirs)),
                prepared(self._cli, cli),
            ],
        )

    def a_catalogue_again(self) -> Work:
        folder = self._folder / "catalogue"
        folder.mkdir()
        paths = [folder / f"image-{number:04}" for number in range(MANY_SMALL_IMAGES)]
        for number, path in enumerate(paths):
            path.write_bytes(f"{number}\n".encode() * 10_000)

        def entry(count: int, algorithm: str) -> Entry:
            client = self._module(f"{count} images, with {algorithm or 'no'} checksum")
            told = [{"name": path.name, "src": str(path), **_checksum(path, algorithm)} for path in paths[:count]]
            command = client.catalogue(told, folder / f"options-{count}-{algorithm}")

            def prepare() -> None:
                self._target.empty()
                measure(command, client.environ)

            return Entry(client, prepare, command, lambda: self._target.count() == count)

        counts = (SMALL_IMAGES, MANY_SMALL_IMAGES)
        entries = [entry(count, algorithm) for algorithm in ("md5", "sha256", "") for count in counts]
        return Work("small images again, with swift_images alone", entries)

    def a_folder(self) -> Work:
        folder = self._folder / "folder"
        folder.mkdir()
        sizes = [round(4 * 50 ** (number / (FOLDER_IMAGES - 1))) for number in range(FOLDER_IMAGES)]
        paths = [images.make_dense(folder / f"image-{number:02}", size, number) for number, size in enumerate(sizes)]
        ours = self._module("swift_images", segment_size="200MiB", concurrency=4)
        told = [{"name": path.name, "src": str(path)} for path in paths]
        cli = [str(self._cli.python.parent / "swift"), "--quiet", "upload", "--object-threads", "4"]
        cli += ["--object-name", "", CONTAINER, str(folder)]

        def holds_all() -> bool:
            return all(self._target.holds(path.name, path) for path in paths)

        return Work(
            f"{FOLDER_IMAGES} images of {sizes[0]} to {sizes[-1]} MiB, {sum(sizes)} in all, by four threads",
            [
                Entry(ours, self._target.empty, ours.catalogue(told, self._folder / "options"), holds_all),
                Entry(self._cli, self._target.empty, cli, holds_all),
            ],
        )

    def _module(self, name: str, **options: Any) -> Ours:
        return Ours(self._target, self._python, self._root, name, options)

    def _dense(self) -> Path:
        path = self._folder / "dense"
        return path if path.exists() else images.make_dense(path, self._mebibytes, 1)

    def _upload(self, client: CommandLines, task: Task) -> Entry:
        return Entry(
            client, self._target.empty, _needed(client.upload(task)), lambda: self._target.holds(NAME, task.path)
        )

    def _downloads(self, title: str, task: Task, clients: Sequence[CommandLines]) -> Work:
        """Store an image once; return the work in which each client writes it to a new file."""
        self._target.empty()
        measure(self._ours.upload(task), self._ours.environ)
        target = self._folder / "downloaded"
        entries = [
            Entry(
                client,
                lambda: target.unlink(missing_ok=True),
                _needed(client.download(NAME, target)),
                lambda: filecmp.cmp(task.path, target, shallow=False),
            )
            for client in clients
        ]
        return Work(title, entries)

    def _again(self, client: CommandLines, task: Task) -> Entry:
        def prepare() -> None:
            self._target.empty()
            measure(_needed(client.upload(task)), client.environ)

        return Entry(client, prepare, _needed(client.upload_again(task)), lambda: self._target.holds(NAME, task.path))

    def _replace(self, client: CommandLines, old: Path, new: Path) -> Entry:
        def prepare() -> None:
            self._target.empty()
            measure(_needed(client.upload(Task(old, NAME, 64))), client.environ)

        command = _needed(client.upload_again(Task(new, NAME, 64)))
        return Entry(client, prepare, command, lambda: self._target.holds(NAME, new))

    def _play(self, module: str, source: str, paths: Sequence[Path]) -> Path:
        """Write a playbook that stores *paths* in a loop over *module*."""
        options = {"cloud": "images", "container": CONTAINER, "name": "{{ item | basename }}", source: "{{ item }}"}
        return self._write_play(module, {module: options, "loop": [str(path) for path in paths]})

    def _write_play(self, name: str, task: Mapping[str, Any]) -> Path:
        play = {
            "hosts": "localhost",
            "connection": "local",
            "gather_facts": False,
            "tasks": [{"name": "Store", **task}],
        }
        play["vars"] = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
        path = self._folder / f"{name}.json"
        path.write_text(json.dumps([play]), encoding="utf-8")
        return path

    def _play_of_catalogue(self, paths: Sequence[Path]) -> Path:
        """Write a playbook that stores *paths* in one task."""
        told = [{"name": path.name, "src": str(path)} for path in paths]
        return self._write_play(
            "swift_images",
            {"imagestore.swift.swift_images": {"cloud": "images", "container": CONTAINER, "images": told}},
        )

    def _playbook(self, python: Path, play: Path) -> Command:
        collections = f"ANSIBLE_COLLECTIONS_PATH={self._root}"
        found = [] if python != self._python else [collections]
        return ["env", *found, str(python.parent / "ansible-playbook"), "-i", "localhost,", str(play)]


def _checksum(path: Path, algorithm: str) -> Mapping[str, str]:
    """Return the option checksum; no option without an algorithm."""
    if not algorithm:
        return {}
    with path.open("rb") as file:
        return {"checksum": f"{algorithm}:{hashlib.file_digest(file, algorithm).hexdigest()}"}


def _nothing() -> None:
    """Leave the store as it is for the next run."""


def _needed(command: Command | None) -> Command:
    if command is None:
        raise ValueError("a client is asked for what it can't do")
    return command
