# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job: create our projects, our users and Swift's endpoints in Keystone, through its own API."""

from __future__ import annotations

import json
from typing import Any

from keystoneauth1.identity.v3 import Password
from keystoneauth1.session import Session
from keystoneclient.v3.client import Client

from .accounts import (
    ADMIN,
    DOMAIN,
    MEMBERS,
    OPERATOR_ROLE,
    OTHER_HOST,
    OTHER_REGION,
    OTHER_SERVICE_TYPE,
    REGION,
    RESELLER_ROLE,
    SERVICE_PROJECT,
    SERVICE_USER,
    V3_PREFIX,
)
from .cluster import Cluster
from .ports import LOOPBACK

REQUEST_SECONDS = 60


class Identities:
    """Keystone's API with the rights of an administrator."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._session = _session(cluster, ADMIN, ADMIN)
        self._keystone = Client(session=self._session, region_name=REGION)
        for name in (OPERATOR_ROLE, RESELLER_ROLE):
            self._keystone.roles.create(name)
        self._roles = {role.name: role for role in self._keystone.roles.list()}

    def add_member(self, project_name: str, user_name: str, roles: tuple[str, ...]) -> dict[str, str]:
        """Make a project with a user in it; return the ids of both."""
        project = self._keystone.projects.create(project_name, DOMAIN)
        password = self._cluster.secrets[user_name]
        user = self._keystone.users.create(user_name, domain=DOMAIN, password=password)
        for role in roles:
            self._keystone.roles.grant(self._roles[role], user=user, project=project)
        # Keystone records the day of a user's last login. Several first logins at once would lock its database.
        _session(self._cluster, user_name, project_name).get_token()
        return {"project_id": project.id, "user_id": user.id}

    def let_admin_manage_accounts(self) -> dict[str, Any]:
        """Let the administrator set quotas in Swift; return the ids as for a member."""
        ids = {"project_id": self._session.get_project_id(), "user_id": self._session.get_user_id()}
        self._keystone.roles.grant(self._roles[RESELLER_ROLE], user=ids["user_id"], project=ids["project_id"])
        return ids

    def add_object_stores(self) -> None:
        """Add Swift to the catalogue: with endpoints in two regions, and again as a service of another type."""
        url = self._cluster.storage_url(f"{V3_PREFIX}%(project_id)s")
        other_url = url.replace(LOOPBACK, OTHER_HOST)
        swift: Any = self._keystone.services.create("swift", type="object-store")
        archive: Any = self._keystone.services.create("archive", type=OTHER_SERVICE_TYPE)
        for interface in ("public", "internal", "admin"):
            self._add_endpoint(swift, other_url if interface == "internal" else url, interface, REGION)
            self._add_endpoint(swift, other_url, interface, OTHER_REGION)
            self._add_endpoint(archive, other_url, interface, REGION)

    def _add_endpoint(self, service: Any, url: str, interface: str, region: str) -> None:
        self._keystone.endpoints.create(service, url, interface=interface, region=region)


def _session(cluster: Cluster, user_name: str, project_name: str) -> Session:
    auth = Password(
        auth_url=cluster.auth_url,
        username=user_name,
        password=cluster.secrets[user_name],
        user_domain_id=DOMAIN,
        project_name=project_name,
        project_domain_id=DOMAIN,
    )
    certificate = (str(cluster.client_cert_file), str(cluster.client_key_file))
    return Session(
        auth=auth,
        verify=str(cluster.ca_file) if cluster.ca_file else True,
        cert=certificate if cluster.client_cert_file else None,
        timeout=REQUEST_SECONDS,
    )


def main(cluster: Cluster, _name: str) -> None:
    """Create all of them in Keystone, and write the ids of projects and users to a file."""
    identities = Identities(cluster)
    identities.add_object_stores()
    identities.add_member(SERVICE_PROJECT, SERVICE_USER, ("service",))
    ids = {member.name: identities.add_member(member.name, member.name, member.roles) for member in MEMBERS}
    ids[ADMIN] = identities.let_admin_manage_accounts()
    cluster.layout.identities.write_text(json.dumps(ids), encoding="utf-8")
