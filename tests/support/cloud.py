# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cluster of the tests, as its configuration describes it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    import pytest

_SECONDS = 60.0


def told() -> dict[str, Any]:
    """Return the description of the cluster that the tests use."""
    facts: dict[str, Any] = json.loads(Path(os.environ["IMAGESTORE_CLUSTER"]).read_text("utf-8"))
    return facts


def forget_credentials(patch: pytest.MonkeyPatch) -> None:
    """Remove the variables with credentials of the user who runs the tests."""
    for name in [name for name in os.environ if name.startswith(("OS_", "ST_"))]:
        patch.delenv(name)


IS_RGW = told()["store"] == "rgw"


@dataclass(frozen=True)
class Cloud:
    """One project of the cluster.

    :param told: the description that ``tests/cluster env`` prints
    """

    told: Mapping[str, Any]
    project_name: str = "images"

    @property
    def auth_url(self) -> str:
        """Keystone's URL."""
        return str(self.told["auth_url"])

    @property
    def project(self) -> Mapping[str, str]:
        """The project's names, identifiers and password."""
        found: Mapping[str, str] = self.told["projects"][self.project_name]
        return found

    @property
    def storage_url(self) -> str:
        """The URL of the project's account."""
        return self.project["storage_url"]

    @property
    def clouds_yaml(self) -> str:
        """The path of the ``clouds.yaml`` for the cluster."""
        return str(self.told["clouds_yaml"])

    @property
    def requests_log(self) -> str:
        """The path of the log of all requests."""
        return str(self.told["requests_log"])

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables that other clients read."""
        return {
            "OS_AUTH_URL": self.auth_url,
            "OS_IDENTITY_API_VERSION": "3",
            "OS_USERNAME": self.project["user_name"],
            "OS_PASSWORD": self.project["password"],
            "OS_PROJECT_NAME": self.project["project_name"],
            "OS_USER_DOMAIN_ID": "default",
            "OS_PROJECT_DOMAIN_ID": "default",
        }

    def token(self) -> str:
        """Return a new token of the project's user."""
        user = {"name": self.project["user_name"], "domain": {"id": "default"}, "password": self.project["password"]}
        scope = {"project": {"name": self.project["project_name"], "domain": {"id": "default"}}}
        identity = {"methods": ["password"], "password": {"user": user}}
        body: dict[str, Any] = {"auth": {"identity": identity, "scope": scope}}
        response = requests.post(f"{self.auth_url}/auth/tokens", json=body, timeout=_SECONDS)
        response.raise_for_status()
        return response.headers["X-Subject-Token"]


@dataclass(frozen=True)
class V1Cloud(Cloud):
    """One user of the store's own v1 authentication: Swift's tempauth, or that of Ceph RGW."""

    user_name: str = "test:tester"

    @property
    def auth_url(self) -> str:
        """The URL of the login."""
        return str(self.told["v1"]["auth_url"])

    @property
    def project(self) -> Mapping[str, str]:
        """The user's name and password, and the URL of its account."""
        user = self.told["v1"]["users"][self.user_name]
        return {"user_name": self.user_name, "password": user["key"], "storage_url": user["storage_url"]}

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables that the swift CLI reads."""
        return {"ST_AUTH": self.auth_url, "ST_USER": self.user_name, "ST_KEY": self.project["password"]}

    def token(self) -> str:
        """Return a token of the user."""
        login: dict[str, str | bytes] = {
            "X-Auth-User": self.user_name,
            # It may contain characters that are not ASCII.
            "X-Auth-Key": self.project["password"].encode(),
        }
        response = requests.get(self.auth_url, headers=login, timeout=_SECONDS)
        response.raise_for_status()
        return response.headers["X-Auth-Token"]
