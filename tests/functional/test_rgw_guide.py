# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guide to Ceph RGW: each feature in its table is proved by tests."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.rgw


# Features that the guide promises, and the tests that prove them: on Ceph RGW alone, or on both stores.
FEATURES = {
    "Plain images": ["test_rgw_expiry.py::test_an_expiry_is_set_and_taken_off", "test_upload.py::test_names"],
    "Dynamic large objects (DLO)": ["test_rgw.py::test_large_images_become_dlos"],
    "Storing static large objects (SLO)": ["test_rgw.py::test_an_slo_is_refused"],
    "Reading, replacing and deleting existing SLOs": [
        "test_rgw.py::test_an_slo_is_downloaded",
        "test_rgw.py::test_an_slo_is_replaced_whole",
        "test_rgw.py::test_an_slo_is_deleted_whole",
    ],
    "Storing equal segments once": ["test_audit.py::test_segments_that_come_twice_are_in_their_places"],
    "Resuming interrupted uploads and downloads": [
        "test_upload.py::test_a_killed_upload_is_gone_on_with",
        "test_download.py::test_killed_again_and_again_it_is_resumed",
    ],
    "Metadata and content type": ["test_attributes.py::test_metadata"],
    "Expiry": [
        "test_rgw_expiry.py::test_an_expiry_is_set_and_taken_off",
        "test_rgw_expiry.py::test_an_image_that_has_expired_is_gone",
    ],
    "Access for projects and for everybody": [
        "test_rgw_access.py::test_a_project_is_let_in",
        "test_rgw_access.py::test_a_public_image_is_read_without_credentials",
    ],
    "Access for roles and for all logged-in users": [
        "test_rgw_access.py::test_an_element_without_its_effect_is_refused"
    ],
    "v1 authentication": ["test_rgw_access.py::test_a_v1_user_stores_grants_and_deletes"],
    "Access without credentials": ["test_rgw_access.py::test_a_public_image_is_read_without_credentials"],
    "Catalogues and ``prune``": [
        "test_rgw.py::test_a_catalogue_beside_objects_of_others",
        "test_catalogue.py::test_images_of_each_kind",
    ],
    "Checking each segment with ``verify: true``": [
        "test_audit.py::test_a_whole_image_passes",
        "test_rgw.py::test_a_broken_slo_is_damaged_and_healed",
    ],
    "Reading every byte with ``verify: content``": [
        "test_rgw.py::test_a_segment_that_is_missing_further_on_is_found_by_reading",
        "test_audit.py::test_a_whole_image_passes",
    ],
    "Repair of damaged images": [
        "test_heal.py::test_a_dlo_gets_the_segment_that_it_lacks",
        "test_rgw.py::test_a_broken_slo_is_damaged_and_healed",
    ],
    "Cleanup of orphaned segments": [
        "test_rgw_cleanup.py::test_a_clean_up_deletes_what_no_image_refers_to",
        "test_rgw.py::test_a_clean_up_deletes_nothing_beside_an_slo",
    ],
    "Symlinks": ["test_links.py::test_a_broken_link_is_told_and_deleted"],
    "Containers that keep versions": ["test_versions.py::test_absent_tells_what_comes_back"],
    "Images of Glance, the swift CLI, rclone and openstacksdk": [
        "test_clients.py::test_theirs_is_unchanged_and_deleted",
        "test_rgw.py::test_an_slo_of_another_client_leaves_nothing",
    ],
}


def test_the_guide_promises_what_tests_prove() -> None:
    guide = Path(__file__).resolve().parents[2] / "docs" / "docsite" / "rst" / "guide_rgw.rst"
    table = guide.read_text("utf-8").partition("What works")[2].partition("What differs")[0]
    assert re.findall(r"^   \* - (.+)$", table, re.MULTILINE)[1:] == list(FEATURES)
    for tests in FEATURES.values():
        for test in tests:
            file, _colons, function = test.partition("::")
            assert f"def {function}(" in Path(__file__).with_name(file).read_text("utf-8"), test
