# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files for clients of the cluster, in its folder."""

from __future__ import annotations

import json
import shlex
from typing import Any

import yaml

from .accounts import (
    ADMIN,
    DOMAIN,
    MEMBERS,
    OTHER_HOST,
    OTHER_REGION,
    OTHER_SERVICE_TYPE,
    REGION,
    V1_USERS,
    V3_PREFIX,
)
from .cluster import Cluster
from .layout import Layout
from .state import write_secret

V1_CLOUD = "tempauth"


def write_client_files(cluster: Cluster) -> None:
    """Write clouds.yaml, and a JSON file with the same and more facts."""
    layout = cluster.layout
    write_secret(layout, layout.clouds.name, yaml.safe_dump(_clouds(cluster), sort_keys=False))
    write_secret(layout, layout.client.name, json.dumps(_facts(cluster), indent=2) + "\n")


def shell_text(layout: Layout) -> str:
    """Return shell commands that let a client find the cluster."""
    told = told_to_clients(layout)
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in told.items())


def told_to_clients(layout: Layout) -> dict[str, str]:
    """Return the environment variables that name our files."""
    return {"OS_CLIENT_CONFIG_FILE": str(layout.clouds), "IMAGESTORE_CLUSTER": str(layout.client)}


def _facts(cluster: Cluster) -> dict[str, Any]:
    identities = json.loads(cluster.layout.identities.read_text(encoding="utf-8"))
    return {
        "store": cluster.settings.store,
        "auth_url": cluster.auth_url,
        "region": REGION,
        "other": {"region": OTHER_REGION, "host": OTHER_HOST, "service_type": OTHER_SERVICE_TYPE},
        "projects": {name: _project(cluster, name, ids) for name, ids in identities.items()},
        "v1": {"cloud": V1_CLOUD, "auth_url": cluster.v1_auth_url, "users": _v1_users(cluster)},
        "object_store_url": cluster.object_store_url,
        "ca_file": _text(cluster.ca_file),
        "client_cert_file": _text(cluster.client_cert_file),
        "client_key_file": _text(cluster.client_key_file),
        "clouds_yaml": str(cluster.layout.clouds),
        "requests_log": str(cluster.layout.requests_log),
    }


def _project(cluster: Cluster, name: str, ids: dict[str, str]) -> dict[str, str]:
    return {
        "cloud": name,
        "project_name": name,
        "project_id": ids["project_id"],
        "user_name": name,
        "user_id": ids["user_id"],
        "domain_id": DOMAIN,
        "password": cluster.secrets[name],
        "storage_url": cluster.storage_url(V3_PREFIX + ids["project_id"]),
    }


def _v1_users(cluster: Cluster) -> dict[str, dict[str, str]]:
    return {
        user.name: {
            "key": cluster.secrets[user.name],
            "storage_url": cluster.v1_storage_url(user.account),
        }
        for user in V1_USERS
    }


def _clouds(cluster: Cluster) -> dict[str, Any]:
    names = [member.name for member in MEMBERS] + [ADMIN]
    clouds = {name: _v3_cloud(cluster, name) for name in names}
    clouds[V1_CLOUD] = _v1_cloud(cluster)
    return {"clouds": {name: {**cloud, **_tls(cluster)} for name, cloud in clouds.items()}}


def _v3_cloud(cluster: Cluster, name: str) -> dict[str, Any]:
    return {
        "auth_type": "password",
        "auth": {
            "auth_url": cluster.auth_url,
            "username": name,
            "password": cluster.secrets[name],
            "user_domain_id": DOMAIN,
            "project_name": name,
            "project_domain_id": DOMAIN,
        },
        "region_name": REGION,
    }


def _v1_cloud(cluster: Cluster) -> dict[str, Any]:
    user = V1_USERS[0]
    return {
        "auth_type": "v1password",
        "auth": {
            "auth_url": cluster.v1_auth_url,
            "username": user.name,
            "password": cluster.secrets[user.name],
        },
    }


def _tls(cluster: Cluster) -> dict[str, str]:
    files = {"cacert": cluster.ca_file, "cert": cluster.client_cert_file, "key": cluster.client_key_file}
    return {key: str(path) for key, path in files.items() if path is not None}


def _text(path: object | None) -> str | None:
    return None if path is None else str(path)
