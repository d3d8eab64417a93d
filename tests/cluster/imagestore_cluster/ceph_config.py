# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ceph's configuration: one monitor, one OSD, and a gateway that speaks Swift's API."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from .accounts import DOMAIN_NAME, OPERATOR_ROLE, RESELLER_ROLE, SERVICE_PROJECT, SERVICE_USER
from .ceph import Ceph
from .cluster import Cluster
from .errors import ClusterError
from .ini import Sections
from .ports import LOOPBACK

# The disk is a sparse file.
DISK_BYTES = 20 << 30
# A user with one of these roles owns the project's account. The gateway refuses all others, whatever an ACL grants.
OWNERS = ("admin", "member", OPERATOR_ROLE)


def ceph_sections(cluster: Cluster) -> Sections:
    """Return the sections of ceph.conf."""
    folder = cluster.layout.ceph
    return {
        "global": {
            "fsid": uuid.uuid4(),
            "mon_host": f"[v2:{LOOPBACK}:{cluster.ports['ceph-mon']}]",
            "mon_initial_members": "a",
            "public_addr": LOOPBACK,
            "cluster_addr": LOOPBACK,
            "ms_bind_msgr1": "false",
            "auth_cluster_required": "cephx",
            "auth_service_required": "cephx",
            "auth_client_required": "cephx",
            "keyring": folder / "keyring",
            "run_dir": folder,
            # There is no socket, because its path may be too long for the kernel.
            "admin_socket": "",
            "log_file": "",
            "log_to_stderr": "true",
            "err_to_stderr": "true",
            "crash_dir": folder,
            "osd_pool_default_size": 1,
            "osd_pool_default_min_size": 1,
            "osd_pool_default_pg_num": 4,
            "osd_pool_default_pgp_num": 4,
            "osd_pool_default_pg_autoscale_mode": "off",
            "osd_crush_chooseleaf_type": 0,
            "mon_max_pg_per_osd": 2000,
            **dict(Ceph(cluster).folders()),
        },
        "mon": {
            "mon_data": folder / "mon",
            "mon_allow_pool_size_one": "true",
            "mon_allow_pool_delete": "true",
            "mon_data_avail_crit": 1,
            "mon_data_avail_warn": 1,
        },
        "osd": {
            "osd_data": folder / "osd",
            "osd_objectstore": "bluestore",
            "bluestore_block_create": "true",
            "bluestore_block_size": DISK_BYTES,
            "bluestore_fsck_on_mount": "false",
            "osd_memory_target": 1 << 30,
            "osd_scrub_load_threshold": 0,
        },
        "client.rgw": {**_gateway_options(cluster), **dict(_overrides(cluster))},
    }


def _gateway_options(cluster: Cluster) -> dict[str, object]:
    return {
        "rgw_data": cluster.layout.ceph,
        "rgw_frontends": f"beast endpoint={LOOPBACK}:{cluster.ports['radosgw']}",
        "rgw_enable_apis": "s3, swift, swift_auth, admin",
        "rgw_swift_account_in_url": "true",
        "rgw_swift_versioning_enabled": "true",
        "rgw_keystone_url": f"http://{LOOPBACK}:{cluster.ports['keystone']}",
        "rgw_keystone_api_version": 3,
        "rgw_keystone_admin_user": SERVICE_USER,
        "rgw_keystone_admin_password": cluster.secrets[SERVICE_USER],
        "rgw_keystone_admin_project": SERVICE_PROJECT,
        "rgw_keystone_admin_domain": DOMAIN_NAME,
        "rgw_keystone_accepted_roles": ", ".join((*OWNERS, RESELLER_ROLE)),
        "rgw_keystone_accepted_admin_roles": RESELLER_ROLE,
        "rgw_keystone_implicit_tenants": "true",
        "rgw_thread_pool_size": 64,
        "rgw_enable_usage_log": "false",
        "rgw_run_sync_thread": "false",
    }


def _overrides(cluster: Cluster) -> Iterator[tuple[str, str]]:
    for section, key, value in cluster.settings.overrides:
        if section != "rgw":
            raise ClusterError(f"--set: with --store rgw there is one section, rgw, and not {section}")
        yield key, value
