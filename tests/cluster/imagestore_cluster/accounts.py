# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The users of the cluster."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

REGION = "RegionOne"
# Keystone's catalogue also has other endpoints than the main one. They differ by the host in their address.
OTHER_REGION = "RegionTwo"
OTHER_HOST = "localhost"
OTHER_SERVICE_TYPE = "object-archive"
DOMAIN = "default"
# The name that keystone-manage bootstrap gives to the domain; Ceph's gateway does not take the ID.
DOMAIN_NAME = "Default"

# Names that Swift's middleware is configured with.
OPERATOR_ROLE = "swiftoperator"
RESELLER_ROLE = "ResellerAdmin"
V3_PREFIX = "AUTH_"
V1_PREFIX = "TEMP_"

ADMIN = "admin"
SERVICE_USER = "swift"
SERVICE_PROJECT = "service"


@dataclass(frozen=True)
class Member:
    """A Keystone user, in a project that has the same name."""

    name: str
    roles: tuple[str, ...]


# `reader` owns nothing: it can only see what another project's container ACL shows it.
MEMBERS = (
    Member("images", ("member", OPERATOR_ROLE)),
    Member("other", ("member", OPERATOR_ROLE)),
    Member("cleaner", ("member", OPERATOR_ROLE)),
    Member("reader", ("member",)),
)


@dataclass(frozen=True)
class V1User:
    """A user of Swift's own v1 authentication."""

    account: str
    user: str
    groups: str = ""

    @property
    def name(self) -> str:
        """The name to log in with."""
        return f"{self.account}:{self.user}"


V1_USERS = (
    V1User("test", "tester", ".admin"),
    V1User("test", "reader"),
    V1User("other", "tester", ".admin"),
)


# Characters that a password may hold, and that a client therefore has to encode.
ODD = "@:/%?#+é"
ODD_PASSWORDS = ("other", "other:tester")


def new_secrets() -> dict[str, str]:
    """Return a password for each user and the salt of Swift's hashes, different in each cluster."""
    names = ["hash-path-suffix", ADMIN, SERVICE_USER]
    names += [member.name for member in MEMBERS]
    names += [user.name for user in V1_USERS]
    return {name: secrets.token_hex(16) + (ODD if name in ODD_PASSWORDS else "") for name in names}
