# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Access on Ceph RGW: projects of Keystone, users of RGW's own authentication, and clients without credentials."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from ansible_collections.imagestore.swift.tests.support.clients import SEGMENT
from ansible_collections.imagestore.swift.tests.support.cloud import Cloud, V1Cloud
from ansible_collections.imagestore.swift.tests.support.modules import Modules
from ansible_collections.imagestore.swift.tests.support.store import Store
from ansible_collections.imagestore.swift.tests.support.writers import Place

pytestmark = pytest.mark.rgw


@pytest.fixture
def reader(cloud: Cloud) -> Store:
    """The store as another project's user sees it."""
    token = replace(cloud, project_name="reader").token()
    return Store(cloud.storage_url, token, Path(cloud.requests_log))


def test_read_access_of_a_project_is_granted_and_revoked(
    place: Place, reader: Store, cloud: Cloud, image: Path
) -> None:
    place.modules("swift_image", name="img", src=str(image), segment_size=str(SEGMENT))
    assert reader.request("GET", place.container, "img").status_code == requests.codes.forbidden
    options = {"read_tenants": [cloud.told["projects"]["reader"]["project_id"]]}
    assert place.modules("swift_image_acl", **options).changed
    assert reader.read(place.container, "img") == image.read_bytes()
    assert not place.modules("swift_image_acl", **options).changed
    assert place.modules("swift_image_acl", state="absent", **options).changed
    assert reader.request("GET", place.container, "img").status_code == requests.codes.forbidden


def test_a_public_image_is_read_without_credentials(place: Place, image: Path, tmp_path: Path) -> None:
    place.modules("swift_image", name="img", src=str(image), segment_size=str(SEGMENT))
    place.modules("swift_image_acl", public=True)
    anonymous = replace(
        place.modules,
        defaults={"auth_type": "none", "auth": {"endpoint": place.store.storage_url}, "container": place.container},
    )
    assert anonymous("swift_image_info")["images"][0]["size"] == image.stat().st_size
    anonymous("swift_image_download", name="img", dest=str(tmp_path / "dest"))
    assert (tmp_path / "dest").read_bytes() == image.read_bytes()


def test_unreadable_segments_in_another_container_cause_a_warning(place: Place, image: Path, apart: str) -> None:
    options = {"segment_size": str(SEGMENT), "segment_container": apart}
    place.modules("swift_image", name="img", src=str(image), **options)
    with place.store.watch(place.container) as watched:
        warned = place.modules("swift_image_acl", public=True, _ansible_check_mode=True).warned
    assert "only its own project can read it" in warned
    assert watched.changing == []


@pytest.mark.parametrize("element", ["*:*", "*", ".r:*"])
def test_an_acl_element_without_effect_is_refused(place: Place, element: str) -> None:
    with place.store.watch(place.container) as watched:
        failed = place.modules.try_to("swift_image_acl", read_acl=[element])
    assert failed["failed"] and "Ceph RGW" in failed["msg"]
    assert watched.changing == []


# Users of RGW's own authentication.


@pytest.fixture
def v1(cloud: Cloud, tmp_path: Path) -> Iterator[Modules]:
    """The modules with a user of RGW's own authentication, for images in a container of their own."""
    user = V1Cloud(cloud.told)
    auth = {"auth_url": user.auth_url, "username": user.user_name, "password": user.project["password"]}
    container = f"v1-{uuid.uuid4().hex[:8]}"
    yield Modules(tmp_path, {"auth_type": "v1password", "auth": auth, "container": container})
    v1_store(cloud, "test:tester").remove(container)


def v1_store(cloud: Cloud, user: str) -> Store:
    """Return the account of ``test``, accessed by a user of RGW's own authentication."""
    return Store(V1Cloud(cloud.told).storage_url, V1Cloud(cloud.told, user_name=user).token(), Path(cloud.requests_log))


def test_a_v1_auth_user_uploads_grants_access_and_deletes(v1: Modules, cloud: Cloud, image: Path) -> None:
    options = {"name": "img", "src": str(image), "segment_size": str(SEGMENT), "create_container": True}
    assert v1("swift_image", **options).changed
    assert not v1("swift_image", **options).changed
    container = v1.defaults["container"]
    other = v1_store(cloud, "other:tester")
    assert other.request("GET", container, "img").status_code == requests.codes.forbidden
    done = v1("swift_image_acl", read_tenants=["other"])
    assert done.changed and done["acl"]["read_tenants"] == ["other"]
    assert other.read(container, "img") == image.read_bytes()
    assert not v1("swift_image_acl", read_tenants=["other"]).changed
    failed = v1.try_to("swift_image_acl", read_acl=["other:tester"])
    assert failed["failed"] and "grants no access" in failed["msg"]
    # A token of the gateway's own users, however it came.
    store = v1_store(cloud, "test:tester")
    ready = {"auth_type": "admin_token", "auth": {"endpoint": store.storage_url, "token": store.token}}
    again = replace(v1, defaults={**ready, "container": container})
    assert not again("swift_image_acl", read_tenants=["other"]).changed
    v1("swift_image", name="img", state="absent")
    assert v1_store(cloud, "test:tester").names(container) == []


def test_the_containers_of_another_project_are_not_listed(place: Place) -> None:
    """With another project's login, Ceph RGW 20 lists that project's containers, and RGW 16 refuses."""
    reader = replace(place.cloud, project_name="reader")
    login = {
        "auth_url": place.cloud.auth_url,
        "username": reader.project["user_name"],
        "password": reader.project["password"],
        "project_name": reader.project["project_name"],
        "user_domain_id": "default",
        "project_domain_id": "default",
    }
    cloud = {"auth": login, "region_name": place.cloud.told["region"]}
    cloud["object_store_endpoint_override"] = place.cloud.storage_url
    modules = Modules(place.folder, {"cloud": cloud, "container": place.container})
    result = modules.try_to("swift_image_info", multi_tenant=True)
    assert result["failed"] and "does not list the containers of another project" in result["msg"]
    own = {**cloud, "auth": {**login, "username": place.cloud.project["user_name"]}}
    own["auth"].update(password=place.cloud.project["password"], project_name=place.cloud.project["project_name"])
    assert modules("swift_image_info", multi_tenant=True, cloud=own)["images"] == []
