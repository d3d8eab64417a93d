# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clients of other projects for the store, each as its own project releases it."""

from __future__ import annotations

import os
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Collection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ansible_collections.imagestore.swift.tests.support.cloud import IS_RGW, Cloud
from ansible_collections.imagestore.swift.tests.support.processes import Process

_SECONDS = 120.0
_BIN = Path(sys.executable).parent

# Segment size in bytes: the smallest that glance_store can use, because its unit is 1000 KiB.
SEGMENT = 1_024_000

# Sizes from which glance_store splits an image into segments, in its unit.
_CUT = 1
_WHOLE = 100

# Kinds of images, as the collection calls them.
KINDS = ("none", "slo", "dlo")


class Client(ABC):
    """A client of the store.

    :param folder: for the client's files
    """

    name: str
    # Kinds of images that the client can write, and kinds that it deletes with all segments.
    writes: Collection[str] = KINDS
    deletes: Collection[str] = KINDS
    # Parts that a name must not contain, because the client itself can't handle them.
    unspeakable: Collection[str] = ()
    multi_tenant = False
    # Sentences of README about what the client can't do.
    remarks: Collection[str] = ()

    def __init__(self, cloud: Cloud, container: str, folder: Path) -> None:
        self.cloud = cloud
        self.container = container
        self.folder = folder

    def can_say(self, name: str) -> bool:
        """Return True if the client can handle an image of that name."""
        return not any(part in name for part in self.unspeakable)

    def can_write(self, name: str, kind: str) -> bool:
        """Return True if the client writes such an image so that it can be read."""
        return kind in self.writes and self.can_say(name)

    def can_delete(self, name: str, kind: str) -> bool:
        """Return True if the client can delete such an image of this collection."""
        return self.can_say(name)

    @abstractmethod
    def put(self, name: str, path: Path, kind: str) -> None:
        """Store a file."""

    @abstractmethod
    def get(self, name: str) -> bytes:
        """Read an image."""

    @abstractmethod
    def delete(self, name: str) -> None:
        """Delete an image."""

    @property
    def _environ(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LC_ALL": "C.UTF-8", **self.cloud.variables}


class SwiftCli(Client):
    """python-swiftclient's command."""

    name = "the swift CLI"

    def put(self, name: str, path: Path, kind: str) -> None:
        """Store a file; its segments, if any, are stored in another container."""
        self.cut(name, path, SEGMENT, kind)

    def cut(self, name: str, path: Path, size: int, kind: str = "slo") -> None:
        """Store a file with segments of so many bytes."""
        how = {"none": (), "slo": ("--use-slo", "-S", str(size)), "dlo": ("--use-dlo", "-S", str(size))}[kind]
        self._swift("upload", *how, "--object-name", name, self.container, str(path))

    def put_with_segments(self, name: str, path: Path, kind: str) -> None:
        """Store a file; its segments are stored in the same container."""
        how = (f"--use-{kind}", "-S", str(SEGMENT), "--segment-container", self.container)
        self._swift("upload", *how, "--object-name", name, self.container, str(path))

    def get(self, name: str) -> bytes:
        target = self.folder / "downloaded"
        self._swift("download", self.container, name, "--output", str(target))
        return target.read_bytes()

    def delete(self, name: str) -> None:
        self._swift("delete", self.container, name)

    def _swift(self, *arguments: str) -> None:
        process = Process("swiftclient.shell", arguments, self.folder, self._environ)
        assert process.wait() == 0, process.output


class Rclone(Client):
    """rclone, which writes no static large objects."""

    name = "rclone"
    writes = ("none", "dlo")
    remarks = (
        "rclone writes no static large objects. It decodes a `%` in the names of their segments. Because of "
        "that, it can't delete an SLO of this collection whose name has a `%`.",
    )

    def can_delete(self, name: str, kind: str) -> bool:
        return kind != "slo" or "%" not in name

    def put(self, name: str, path: Path, kind: str) -> None:
        size = "1000Ki" if kind == "dlo" else "5Gi"
        self._rclone("copyto", "--swift-chunk-size", size, str(path), f"store:{self.container}/{name}")

    def put_with_segments(self, name: str, path: Path) -> None:
        """Store a file; its segments are stored in the same container."""
        how = ("--swift-chunk-size", "1000Ki", "--swift-use-segments-container", "false")
        self._rclone("copyto", *how, str(path), f"store:{self.container}/{name}")

    def get(self, name: str) -> bytes:
        return self._rclone("cat", f"store:{self.container}/{name}")

    def delete(self, name: str) -> None:
        self._rclone("deletefile", f"store:{self.container}/{name}")

    def _rclone(self, *arguments: str) -> bytes:
        store = {"RCLONE_CONFIG_STORE_TYPE": "swift", "RCLONE_CONFIG_STORE_ENV_AUTH": "true"}
        done = subprocess.run(
            [_BIN / "rclone", *arguments],
            env={**self._environ, **store},
            cwd=self.folder,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
        assert not done.returncode, done.stderr.decode("utf-8", "replace")
        return done.stdout


class Sdk(Client):
    """openstacksdk, which the module openstack.cloud.object uses."""

    name = "openstacksdk"
    deletes = ("none", "slo")
    # openstacksdk does not encode names in URLs.
    unspeakable = ("?", "#", "%20")
    remarks = (
        "openstacksdk leaves the segments of every dynamic large object, including its own. `state: absent` "
        "then deletes those of this collection. It can't use names with `?` or `#`, or names that look "
        "percent-encoded. Its dynamic large objects are unreadable for every client if their names are not "
        "ASCII, or if another image's name begins with their name.",
    )

    def can_write(self, name: str, kind: str) -> bool:
        # The manifest of "image" has the prefix "image", so its readers get the bytes of "image-2", too.
        is_read_right = kind != "dlo" or (name.isascii() and not name.startswith("image-"))
        return super().can_write(name, kind) and is_read_right

    def __init__(self, cloud: Cloud, container: str, folder: Path) -> None:
        super().__init__(cloud, container, folder)
        import openstack

        self._cloud: Any = openstack.connect(cloud=cloud.project_name)

    def put(self, name: str, path: Path, kind: str) -> None:
        cut = {} if kind == "none" else {"segment_size": SEGMENT, "use_slo": kind == "slo"}
        self._cloud.create_object(self.container, name, filename=str(path), **cut)

    def get(self, name: str) -> bytes:
        data: bytes = self._cloud.object_store.download_object(name, container=self.container)
        return data

    def delete(self, name: str) -> None:
        self._cloud.delete_object(self.container, name)

    def is_stale(self, name: str, path: Path) -> bool:
        """Return True if openstacksdk would upload a file again."""
        return bool(self._cloud.is_object_stale(self.container, name, str(path)))


class Glance(Client):
    """glance_store's Swift driver with a reference file, as in Glance's documentation."""

    name = "glance_store, reference file"
    writes = ("none", "dlo")
    # glance_store's locations can't hold the first three. It does not encode its manifest header, which Swift decodes.
    # Ceph RGW reads the whole container if it can't decode the header.
    unspeakable = ("/", "?", "#", "%" if IS_RGW else "%20")
    remarks = (
        "glance_store writes no static large objects. Its locations can't hold names with `/`, `?` or `#`. "
        "Its dynamic large objects are unreadable for every client if their names look percent-encoded, or if "
        "another image's name begins with their name and a dash. Glance's own names are UUIDs, which have "
        "neither problem.",
    )

    def can_write(self, name: str, kind: str) -> bool:
        # The manifest of "image" has the prefix "image-", so its readers get the bytes of "image-2", too.
        return super().can_write(name, kind) and not (kind == "dlo" and name.startswith("image-"))

    def __init__(self, cloud: Cloud, container: str, folder: Path) -> None:
        super().__init__(cloud, container, folder)
        self._settings = {
            "stores": ["swift"],
            "default_store": "swift",
            "swift_store_container": container,
            "swift_store_create_container_on_put": True,
            "swift_store_large_object_chunk_size": 1,
            **self._access(),
        }
        # Drivers by the size from which they split an image.
        self._drivers: dict[int, Any] = {}
        self._context = SimpleNamespace(
            auth_token=cloud.token() if self.multi_tenant else None,
            service_catalog=[],
            user_id=None,
            project_id=cloud.project["project_id"],
        )

    def _access(self) -> dict[str, Any]:
        """Return the settings for logging in."""
        project = self.cloud.project
        user = f"{project['project_name']}:{project['user_name']}"
        reference = self.folder / "swift-store.conf"
        reference.write_text(
            f"[ref]\nuser = {user}\nkey = {project['password']}\nauth_address = {self.cloud.auth_url}\n"
            "auth_version = 3\nuser_domain_id = default\nproject_domain_id = default\n",
            encoding="utf-8",
        )
        return {"swift_store_config_file": str(reference), "default_swift_reference": "ref"}

    def put(self, name: str, path: Path, kind: str) -> None:
        # Sizes in its unit. If the size is known, glance_store can store whole chunks only, so a DLO's is left unknown.
        driver = self._driver(_CUT if kind == "dlo" else _WHOLE)
        size = 0 if kind == "dlo" else path.stat().st_size
        with path.open("rb") as file:
            driver.add(name, file, size, context=self._context)

    def get(self, name: str) -> bytes:
        chunks, _size = self._driver(_CUT).get(self._location(name), context=self._context)
        return b"".join(chunks)

    def delete(self, name: str) -> None:
        self._driver(_CUT).delete(self._location(name), context=self._context)

    def uri(self, name: str) -> str:
        """Return an image's location as Glance records it."""
        return f"swift+config://ref/{self.container}/{name}"

    def _driver(self, large_object_size: int) -> Any:
        if large_object_size not in self._drivers:
            self._drivers[large_object_size] = self._make_driver(large_object_size)
        return self._drivers[large_object_size]

    def _make_driver(self, large_object_size: int) -> Any:
        import glance_store
        from glance_store.location import SCHEME_TO_CLS_MAP
        from oslo_config import cfg

        # glance_store keeps the entries of an earlier configuration.
        SCHEME_TO_CLS_MAP.clear()
        self._conf = cfg.ConfigOpts()
        glance_store.register_opts(self._conf)
        self._conf([], default_config_files=[])
        for option, value in {**self._settings, "swift_store_large_object_size": large_object_size}.items():
            self._conf.set_override(option, value, group="glance_store")
        glance_store.create_stores(self._conf)
        return glance_store.get_store_from_scheme(self.uri("image").partition(":")[0])

    def _location(self, name: str) -> Any:
        from glance_store.location import get_location_from_uri

        return get_location_from_uri(self.uri(name), conf=self._conf)


class SingleTenantGlance(Glance):
    """glance_store's Swift driver, with the credentials in the locations."""

    name = "glance_store, single-tenant"

    def _access(self) -> dict[str, Any]:
        return {
            "swift_store_user": "images:images",
            "swift_store_key": self.cloud.project["password"],
            "swift_store_auth_address": self.cloud.auth_url,
            "swift_store_auth_version": "3",
        }

    def uri(self, name: str) -> str:
        scheme, _colon, address = self.cloud.auth_url.partition("://")
        return f"swift+{scheme}://images%3Aimages:{self.cloud.project['password']}@{address}/{self.container}/{name}"


class MultiTenantGlance(Glance):
    """glance_store's Swift driver, with a container for each image and the caller's own token."""

    name = "glance_store, multi-tenant"
    multi_tenant = True

    def _access(self) -> dict[str, Any]:
        return {
            "swift_store_multi_tenant": True,
            "swift_store_endpoint": self.cloud.storage_url,
            "swift_store_use_trusts": False,
        }

    def uri(self, name: str) -> str:
        scheme, _colon, address = self.cloud.storage_url.partition("://")
        return f"swift+{scheme}://{address}/{self.container}_{name}/{name}"


CLIENTS: tuple[type[Client], ...] = (Glance, SingleTenantGlance, MultiTenantGlance, SwiftCli, Rclone, Sdk)
