# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A clean-up on Ceph RGW, in an account without static large objects, which no other test uses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.imagestore.swift.tests.support.clients import SEGMENT
from ansible_collections.imagestore.swift.tests.support.cloud import Cloud
from ansible_collections.imagestore.swift.tests.support.store import Store
from ansible_collections.imagestore.swift.tests.support.writers import Place

pytestmark = pytest.mark.rgw


@pytest.fixture(scope="module")
def cloud(cloud: Cloud) -> Cloud:
    """The cluster, and the project of these tests."""
    return replace(cloud, project_name="other")


@pytest.fixture(scope="module")
def store(cloud: Cloud) -> Store:
    """The store of that project."""
    return Store(cloud.storage_url, cloud.token(), Path(cloud.requests_log))


def test_cleanup_deletes_orphans(place: Place, image: Path) -> None:
    options = {"src": str(image), "segment_size": str(SEGMENT)}
    place.modules("swift_image", name="kept", **options)
    before = place.names()
    place.modules.kill_before(3, "swift_image", name="img", concurrency=1, **options)
    assert len(place.names()) == len(before) + 2
    orphans = place.modules("swift_image_info", orphans=True, orphan_age=0)["orphans"]
    assert len(orphans) == 2
    predicted = place.modules.predict("swift_image_cleanup", min_age="0")
    done = place.modules("swift_image_cleanup", min_age="0")
    assert done["diff"] == predicted["diff"]
    assert done["objects_deleted"] == 2
    assert place.names() == before
    assert not place.modules("swift_image_cleanup", min_age="0").changed
