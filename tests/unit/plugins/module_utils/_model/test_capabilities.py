# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Capabilities, read from a cluster's /info."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._model.capabilities import Capabilities

DEFAULTS = Capabilities()


def test_slo_manifests_are_hidden_without_min_segment_size() -> None:
    assert not DEFAULTS.hides_manifests
    assert Capabilities.from_info({"slo": {"max_manifest_segments": 1000}}).hides_manifests
    assert not Capabilities.from_info({"slo": {"min_segment_size": 1}}).hides_manifests


@pytest.mark.parametrize(
    ("info", "capabilities"),
    [
        ({}, DEFAULTS),
        (None, DEFAULTS),
        ([], DEFAULTS),
        ({"dlo": {}}, replace(DEFAULTS, is_known=True)),
        (
            {"slo": {"max_manifest_segments": 5, "min_segment_size": 2}},
            replace(
                DEFAULTS,
                is_known=True,
                has_slo=True,
                tells_manifests=True,
                nests_manifests=True,
                max_manifest_segments=5,
                min_segment_size=2,
            ),
        ),
        # Ceph RGW.
        (
            {"slo": {"max_manifest_segments": 1000}, "bulk_delete": {}},
            replace(DEFAULTS, is_known=True, has_slo=True),
        ),
        (
            {"bulk_delete": {"max_deletes_per_request": 10000}},
            replace(DEFAULTS, is_known=True, max_deletes_per_request=10000),
        ),
        (
            {"swift": {"max_file_size": 7, "max_header_size": 8, "version": "2"}},
            replace(DEFAULTS, is_known=True, max_file_size=7, max_header_size=8),
        ),
        (
            {"swift": {"policies": [{"name": "gold", "default": True}, {"aliases": "silver"}, "x"]}},
            replace(DEFAULTS, is_known=True, policies=("gold",)),
        ),
        ({"swift": {"max_file_size": "large", "policies": None}}, replace(DEFAULTS, is_known=True)),
        ({"swift": [], "slo": None}, replace(DEFAULTS, is_known=True, has_slo=True)),
    ],
)
def test_capabilities_are_read_from_info(info: Any, capabilities: Capabilities) -> None:
    assert Capabilities.from_info(info) == capabilities
