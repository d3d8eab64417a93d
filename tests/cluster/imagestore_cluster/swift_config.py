# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The content of Swift's configuration files."""

from __future__ import annotations

from .accounts import (
    DOMAIN,
    OPERATOR_ROLE,
    RESELLER_ROLE,
    SERVICE_PROJECT,
    SERVICE_USER,
    V1_PREFIX,
    V1_USERS,
    V3_PREFIX,
)
from .cluster import Cluster
from .errors import ClusterError
from .ports import LOOPBACK

Section = dict[str, object]

CONSTRAINTS = "swift-constraints"
PROXY_APP = "app:proxy-server"

# Our request-log comes first, to see a request before one of Swift's filters can answer it. Keystone does not know v1
# tokens, so tempauth decides last, on accounts that have a prefix of their own.
PIPELINE = (
    "request-log catch_errors gatekeeper healthcheck proxy-logging cache listing_formats bulk tempurl"
    " ratelimit authtoken keystoneauth tempauth copy container-quotas account-quotas slo dlo"
    " versioned_writes symlink proxy-logging proxy-server"
)

# There is only one disk: Swift has to wait for it, and must never set it aside as broken.
PATIENCE: Section = {"node_timeout": 60, "conn_timeout": 5, "error_suppression_limit": 1_000_000}

# By default Swift sends one small segment a second to a reader, after the first ten.
NO_SEGMENT_RATE_LIMIT: Section = {"rate_limit_segments_per_sec": 1000}


def cluster_sections(cluster: Cluster) -> dict[str, Section]:
    """Return swift.conf, which all servers read."""
    sections: dict[str, Section] = {
        "swift-hash": {"swift_hash_path_suffix": cluster.secrets["hash-path-suffix"]},
        CONSTRAINTS: {},
    }
    for section, key, value in cluster.settings.overrides:
        if section == CONSTRAINTS:
            sections[section][key] = value
    return sections


def storage_sections(cluster: Cluster, server: str) -> dict[str, Section]:
    """Return the configuration of the account, container or object server."""
    return {
        "DEFAULT": {
            **_server_options(cluster, server),
            "devices": cluster.layout.devices,
            "mount_check": "false",
            "disable_fallocate": "true",
            "fallocate_reserve": 0,
        },
        "pipeline:main": {"pipeline": f"healthcheck {server}-server"},
        "filter:healthcheck": {"use": "egg:swift#healthcheck"},
        f"app:{server}-server": {"use": f"egg:swift#{server}"},
    }


def proxy_sections(cluster: Cluster) -> dict[str, Section]:
    """Return the configuration of the proxy."""
    sections: dict[str, Section] = {
        "DEFAULT": _server_options(cluster, "proxy"),
        "pipeline:main": {"pipeline": PIPELINE},
        PROXY_APP: {"use": "egg:swift#proxy", "account_autocreate": "true", **PATIENCE},
        "filter:request-log": {
            "paste.filter_factory": f"{__package__}.request_log:filter_factory",
            "path": cluster.layout.requests_log,
        },
        "filter:cache": _cache(cluster),
        "filter:authtoken": _authtoken(cluster),
        "filter:tempauth": _tempauth(cluster),
    }
    for name, options in _plain_filters().items():
        sections[f"filter:{name}"] = {"use": f"egg:swift#{name.replace('-', '_')}", **options}
    _override(sections, cluster)
    return sections


def _server_options(cluster: Cluster, server: str) -> Section:
    return {
        "bind_ip": LOOPBACK,
        "bind_port": cluster.ports[server],
        # Serve in the process that the supervisor started, without a fork.
        "workers": 0,
        "swift_dir": cluster.layout.swift,
        "log_custom_handlers": f"{__package__}.swift_server.without_syslog",
    }


def _plain_filters() -> dict[str, Section]:
    return {
        "catch_errors": {},
        "gatekeeper": {},
        "healthcheck": {},
        "proxy-logging": {},
        "listing_formats": {},
        "bulk": {},
        "tempurl": {},
        "ratelimit": {},
        "keystoneauth": {
            "reseller_prefix": V3_PREFIX,
            "operator_roles": f"admin, {OPERATOR_ROLE}",
            "reseller_admin_role": RESELLER_ROLE,
        },
        "copy": {},
        "container-quotas": {},
        "account-quotas": {},
        "slo": {"minimum_segment_size": 1, **NO_SEGMENT_RATE_LIMIT},
        "dlo": NO_SEGMENT_RATE_LIMIT,
        "versioned_writes": {"allow_versioned_writes": "true", "allow_object_versioning": "true"},
        "symlink": {},
    }


def _cache(cluster: Cluster) -> Section:
    """Return the options of the cache. Only the cache holds v1 tokens: Swift must not give it up if it is slow."""
    return {
        "use": "egg:swift#memcache",
        "memcache_servers": f"{LOOPBACK}:{cluster.ports['memcache']}",
        "memcache_max_connections": 50,
        "connect_timeout": 10,
        "io_timeout": 10,
        "pool_timeout": 10,
        "error_suppression_interval": 0,
    }


def _authtoken(cluster: Cluster) -> Section:
    options: Section = {
        "paste.filter_factory": "keystonemiddleware.auth_token:filter_factory",
        "www_authenticate_uri": cluster.identity_url,
        "auth_url": cluster.identity_url,
        "auth_type": "password",
        "username": SERVICE_USER,
        "password": cluster.secrets[SERVICE_USER],
        "user_domain_id": DOMAIN,
        "project_name": SERVICE_PROJECT,
        "project_domain_id": DOMAIN,
        # tempauth, later in the pipeline, knows the tokens that Keystone does not.
        "delay_auth_decision": "true",
        "include_service_catalog": "false",
        "service_token_roles_required": "true",
        # As in Swift's sample configuration. Without it, each request would cost Keystone a validation.
        "cache": "swift.cache",
    }
    files = {"cafile": cluster.ca_file, "certfile": cluster.client_cert_file, "keyfile": cluster.client_key_file}
    return {**options, **{key: path for key, path in files.items() if path is not None}}


def _tempauth(cluster: Cluster) -> Section:
    options: Section = {
        "use": "egg:swift#tempauth",
        "reseller_prefix": V1_PREFIX,
        "token_life": cluster.settings.token_lifetime,
        "storage_url_scheme": cluster.scheme,
    }
    for user in V1_USERS:
        options[f"user_{user.account}_{user.user}"] = f"{cluster.secrets[user.name]} {user.groups}".strip()
    return options


def _override(sections: dict[str, Section], cluster: Cluster) -> None:
    for section, key, value in cluster.settings.overrides:
        if section == CONSTRAINTS:
            continue
        if section not in sections:
            known = ", ".join(sorted([CONSTRAINTS, *sections]))
            raise ClusterError(f"--set: there is no section {section}; there are {known}")
        sections[section][key] = value
