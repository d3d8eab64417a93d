# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Accounts of Keystone's projects and of v1 authentication, each with an image, and their credentials."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests
from ansible_collections.imagestore.swift.tests.support.cloud import Cloud, V1Cloud
from ansible_collections.imagestore.swift.tests.support.modules import Modules
from ansible_collections.imagestore.swift.tests.support.store import Store

# The image's name and its bytes.
NAME = "a/b ä"
DATA = b"an image"

# The domains of user and project, as parts of the option auth.
BY_ID = {"user_domain_id": "default", "project_domain_id": "default"}
BY_NAME = {"user_domain_name": "Default", "project_domain_name": "Default"}

_SECONDS = 60.0


def encoded(text: str) -> str:
    """Return *text* as a part of a location, percent-encoded."""
    return quote(text, safe="")


@dataclass(frozen=True)
class Account:
    """An account with one image.

    :param cloud: the project of Keystone, or the user of v1 authentication, that owns the account
    """

    cloud: Cloud
    container: str

    @property
    def password(self) -> str:
        """The owner's password."""
        return self.cloud.project["password"]

    @property
    def place(self) -> str:
        """The end of the image's location."""
        return f"{self.container}/{encoded(NAME)}"

    @property
    def location(self) -> str:
        """The image's location without credentials."""
        return f"swift+{self.cloud.storage_url}/{self.place}"

    def location_with(self, user: str, key: str, auth_url: str = "") -> str:
        """Return the image's location with encoded credentials.

        :param auth_url: the URL of the login, if it is not the account's
        """
        return f"swift+{(auth_url or self.cloud.auth_url).replace('://', f'://{user}:{key}@')}/{self.place}"

    def auth(self, **domains: str) -> dict[str, str]:
        """Return the option ``auth`` with names."""
        project = self.cloud.project
        login = {"auth_url": self.cloud.auth_url, "username": project["user_name"], "password": self.password}
        return {**login, "project_name": project["project_name"], **domains} if domains else login


@dataclass(frozen=True)
class Accounts:
    """The accounts with an image, and other credentials than passwords.

    The passwords of ``odd_project`` and ``odd_user`` contain characters that have to be encoded.
    """

    project: Account
    odd_project: Account
    user: Account
    odd_user: Account
    folder: Path

    @property
    def source(self) -> Path:
        """The image's file."""
        return self.folder / "image"

    @property
    def region(self) -> str:
        """The region of the store in Keystone's catalogue."""
        return str(self.project.cloud.told["region"])

    @property
    def clouds(self) -> dict[str, str]:
        """The variable for the cluster's clouds.yaml."""
        return {"OS_CLIENT_CONFIG_FILE": self.project.cloud.clouds_yaml}

    @cached_property
    def token(self) -> str:
        """A token of Keystone's."""
        return self.project.cloud.token()

    @cached_property
    def application_credential(self) -> tuple[str, str]:
        """The ID and the secret of an application credential."""
        cloud = self.project.cloud
        answer = requests.post(
            f"{cloud.auth_url}/users/{cloud.project['user_id']}/application_credentials",
            headers={"X-Auth-Token": self.token},
            json={"application_credential": {"name": f"test-{uuid.uuid4().hex}"}},
            timeout=_SECONDS,
        )
        answer.raise_for_status()
        made = answer.json()["application_credential"]
        return made["id"], made["secret"]

    @cached_property
    def glance_config(self) -> str:
        """The path of a configuration file of Glance's Swift driver."""
        project, user = self.project.cloud, self.user.cloud
        credential, secret = self.application_credential
        path = self.folder / "glance-swift.conf"
        path.write_text(
            f"""[ref1]
user = "images:images"
key = {project.project["password"]}
user_domain_name = Default
project_domain_id = default
auth_version = 3
auth_address = {project.auth_url}
[ref2]
user = {user.project["user_name"]}
key = '{user.project["password"]}'
auth_address = {user.auth_url}
[ref3]
application_credential_id = {credential}
application_credential_secret = {secret}
auth_address = {project.auth_url}
"""
        )
        return str(path)


@contextmanager
def stored_images(cloud: Cloud, folder: Path) -> Iterator[Accounts]:
    """Store an image in each account within the block.

    :param folder: for files
    """
    owners = [
        cloud,
        replace(cloud, project_name="other"),
        V1Cloud(cloud.told),
        V1Cloud(cloud.told, user_name="other:tester"),
    ]
    # On Ceph RGW, two accounts can't have containers with the same name.
    project, odd_project, user, odd_user = (Account(owner, f"test-{uuid.uuid4().hex[:8]}") for owner in owners)
    accounts = Accounts(project, odd_project, user, odd_user, folder)
    accounts.source.write_bytes(DATA)
    with ExitStack() as stack:
        for account in (project, odd_project, user, odd_user):
            store = Store(account.cloud.storage_url, account.cloud.token(), Path(account.cloud.requests_log))
            stack.callback(store.remove, account.container)
            if isinstance(account.cloud, V1Cloud):
                login: dict[str, Any] = {"auth_type": "v1password", "auth": account.auth()}
            else:
                login = {"auth": account.auth(**BY_ID), "region_name": accounts.region}
            modules = Modules(folder, {**login, "container": account.container})
            assert modules("swift_image", name=NAME, src=str(accounts.source), create_container=True).changed
        yield accounts
