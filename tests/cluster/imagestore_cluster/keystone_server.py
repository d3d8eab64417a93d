# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keystone: make its database, then serve it.

Both happen in one process, because importing Keystone takes longer than anything else here.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from pathlib import Path

import waitress
from cryptography.fernet import Fernet
from keystone.cmd import cli
from keystone.server.wsgi import initialize_public_application

from .accounts import ADMIN, REGION
from .cluster import Cluster
from .errors import ClusterError
from .ini import Sections, write_ini
from .ports import bind

SETUP_SECONDS = 100.0
# One request at a time: of two logins after a failed one, both of which reset its count, SQLite refuses one.
THREADS = 1
BODY_LIMIT = 1024 * 1024

# Keystone's own tests use this cache, and it is right for a Keystone of one process: a token is validated ten times as
# fast, and is still forgotten as soon as it is revoked.
IN_PROCESS_CACHE = {
    "backend": "dogpile.cache.memory",
    "proxies": "oslo_cache.testing.CacheIsolatingProxy",
}


def main(cluster: Cluster, name: str) -> None:
    """Serve until the process is ended."""
    folder = cluster.layout.keystone
    folder.mkdir()
    config = folder / "keystone.conf"
    write_ini(config, _sections(cluster))
    for repository in ("fernet-keys", "receipt-keys", "credential-keys"):
        _make_keys(folder / repository)
    _manage(config, "db_sync")
    _manage(config, "bootstrap", *_bootstrap_arguments(cluster))
    _serve(config, cluster.ports[name])


def _sections(cluster: Cluster) -> Sections:
    folder = cluster.layout.keystone
    return {
        "DEFAULT": {"public_endpoint": cluster.identity_url, "use_stderr": "true"},
        "database": {"connection": f"sqlite:///{folder}/keystone.db"},
        "token": {"provider": "fernet", "expiration": cluster.settings.token_lifetime},
        "fernet_tokens": {"key_repository": folder / "fernet-keys"},
        "fernet_receipts": {"key_repository": folder / "receipt-keys"},
        "credential": {"key_repository": folder / "credential-keys"},
        "cache": IN_PROCESS_CACHE,
        # As few as bcrypt allows: these passwords live as long as the cluster.
        "identity": {"password_hash_rounds": 4},
    }


def _make_keys(repository: Path) -> None:
    """Make keys as `keystone-manage fernet_setup` does, which needs a user with an entry in passwd."""
    repository.mkdir()
    for number in ("0", "1"):
        (repository / number).write_bytes(Fernet.generate_key())


def _bootstrap_arguments(cluster: Cluster) -> list[str]:
    options = {
        "username": ADMIN,
        "password": cluster.secrets[ADMIN],
        "project-name": ADMIN,
        "region-id": REGION,
        "public-url": cluster.auth_url,
        "internal-url": cluster.auth_url,
        "admin-url": cluster.auth_url,
    }
    return [word for key, value in options.items() for word in (f"--bootstrap-{key}", value)]


def _manage(config: Path, *arguments: str) -> None:
    """Run keystone-manage, in a fork: its global configuration must not reach the server's."""
    command = ["keystone-manage", "--config-file", str(config), *arguments]
    process = multiprocessing.get_context("fork").Process(target=cli.main, args=(command,))
    process.start()
    process.join(SETUP_SECONDS)
    if process.exitcode != 0:
        raise ClusterError(f"keystone-manage {arguments[0]} ended with {process.exitcode}")


def _serve(config: Path, port: int) -> None:
    os.environ["OS_KEYSTONE_CONFIG_FILES"] = str(config)
    # Keystone reads the command line of the process that it runs in.
    sys.argv[1:] = []
    waitress.serve(
        initialize_public_application(),
        sockets=[bind(port)],
        threads=THREADS,
        max_request_body_size=BODY_LIMIT,
        ident=None,
    )
