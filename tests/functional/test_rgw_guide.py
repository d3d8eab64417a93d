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
    "Plain images": [
        "test_rgw_expiry.py::test_an_expiry_is_set_and_removed",
        "test_upload.py::test_unusual_image_names_are_preserved",
    ],
    "Dynamic large objects (DLO)": ["test_rgw.py::test_large_images_are_stored_as_dlos"],
    "Storing static large objects (SLO)": ["test_rgw.py::test_storing_an_slo_is_refused"],
    "Reading, replacing and deleting existing SLOs": [
        "test_rgw.py::test_an_slo_is_downloaded",
        "test_rgw.py::test_an_slo_is_replaced_without_leaving_segments",
        "test_rgw.py::test_an_slo_is_deleted_with_its_segments",
    ],
    "Storing equal segments once": ["test_audit.py::test_an_image_with_repeated_segments_is_complete"],
    "Resuming interrupted uploads and downloads": [
        "test_upload.py::test_the_next_run_resumes_a_killed_upload",
        "test_download.py::test_a_repeatedly_killed_download_is_resumed",
    ],
    "Metadata and content type": ["test_attributes.py::test_metadata_is_set_updated_kept_and_removed"],
    "Expiry": [
        "test_rgw_expiry.py::test_an_expiry_is_set_and_removed",
        "test_rgw_expiry.py::test_an_expired_image_does_not_exist",
    ],
    "Access for projects and for everybody": [
        "test_rgw_access.py::test_read_access_of_a_project_is_granted_and_revoked",
        "test_rgw_access.py::test_a_public_image_is_read_without_credentials",
    ],
    "Access for roles and for all logged-in users": [
        "test_rgw_access.py::test_an_acl_element_without_effect_is_refused"
    ],
    "v1 authentication": ["test_rgw_access.py::test_a_v1_auth_user_uploads_grants_access_and_deletes"],
    "Access without credentials": ["test_rgw_access.py::test_a_public_image_is_read_without_credentials"],
    "Catalogues and ``prune``": [
        "test_rgw.py::test_a_catalogue_is_idempotent_alongside_foreign_objects",
        "test_catalogue.py::test_a_catalogue_stores_images_of_each_kind",
    ],
    "Checking each segment with ``verify: true``": [
        "test_audit.py::test_an_intact_image_is_complete",
        "test_rgw.py::test_a_broken_slo_is_reported_and_repaired",
    ],
    "Reading every byte with ``verify: content``": [
        "test_rgw.py::test_a_missing_later_segment_is_found_only_by_reading_the_content",
        "test_audit.py::test_an_intact_image_is_complete",
    ],
    "Repair of damaged images": [
        "test_heal.py::test_a_missing_dlo_segment_is_repaired",
        "test_rgw.py::test_a_broken_slo_is_reported_and_repaired",
    ],
    "Cleanup of orphaned segments": [
        "test_rgw_cleanup.py::test_cleanup_deletes_orphans",
        "test_rgw.py::test_cleanup_deletes_nothing_in_a_container_with_an_slo",
    ],
    "Symlinks": ["test_symlinks.py::test_a_broken_symlink_is_reported_not_downloaded_and_deleted"],
    "Containers that keep versions": ["test_versions.py::test_absent_reports_the_restored_version"],
    "Images of Glance, the swift CLI, rclone and openstacksdk": [
        "test_clients.py::test_images_of_other_clients_are_unchanged_and_deleted",
        "test_rgw.py::test_an_slo_of_another_client_leaves_no_segments",
    ],
}


def test_each_feature_in_the_guide_is_tested() -> None:
    guide = Path(__file__).resolve().parents[2] / "docs" / "docsite" / "rst" / "guide_rgw.rst"
    table = guide.read_text("utf-8").partition("What works")[2].partition("What differs")[0]
    assert re.findall(r"^   \* - (.+)$", table, re.MULTILINE)[1:] == list(FEATURES)
    for tests in FEATURES.values():
        for test in tests:
            file, _colons, function = test.partition("::")
            assert f"def {function}(" in Path(__file__).with_name(file).read_text("utf-8"), test
