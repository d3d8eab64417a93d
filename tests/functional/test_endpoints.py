# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses of Swift as people and service catalogues write them, and logins that find none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from ansible_collections.imagestore.swift.tests.support import without_override
from ansible_collections.imagestore.swift.tests.support.modules import Modules
from ansible_collections.imagestore.swift.tests.support.writers import Place

_SECONDS = 60.0


def password_auth(place: Place) -> dict[str, Any]:
    """Return the project's credentials for the option ``auth``."""
    return {
        "auth_url": place.cloud.auth_url,
        "username": place.cloud.project["user_name"],
        "password": place.cloud.project["password"],
        "project_name": place.cloud.project["project_name"],
        "user_domain_id": "default",
        "project_domain_id": "default",
    }


def without(auth: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return *auth* without some of its keys."""
    return {name: value for name, value in auth.items() if name not in names}


@pytest.fixture
def login(place: Place) -> Modules:
    """The modules without credentials."""
    return Modules(place.folder, {"container": place.container})


@pytest.fixture
def region(place: Place) -> Iterator[str]:
    """A region whose service catalogue has a slash after Swift's address."""
    admin = replace(place.cloud, project_name="admin")
    url, name = place.cloud.auth_url, f"region-{uuid.uuid4().hex[:8]}"
    with requests.Session() as session:
        session.headers["X-Auth-Token"] = admin.token()

        def call(method: str, path: str, body: Any = None) -> Any:
            response = session.request(method, f"{url}/{path}", json=body, timeout=_SECONDS)
            response.raise_for_status()
            return response.json() if response.content else None

        (service,) = call("GET", "services?type=object-store")["services"]
        call("POST", "regions", {"region": {"id": name}})
        address = place.store.storage_url.replace(place.cloud.project["project_id"], "%(project_id)s") + "/"
        endpoint = {"interface": "public", "region_id": name, "url": address, "service_id": service["id"]}
        made = call("POST", "endpoints", {"endpoint": endpoint})["endpoint"]
        yield name
        call("DELETE", f"endpoints/{made['id']}")
        call("DELETE", f"regions/{name}")


def check_found(place: Place, modules: Modules, image: Path, **options: Any) -> None:
    """Check that the modules find, keep and delete the image that is stored as ``img``."""
    found = modules("swift_image_info", name="img", **options)["images"][0]
    assert found["exists"] and found["size"] == image.stat().st_size
    assert found["uri"] == f"swift+{place.store.storage_url}/{place.container}/img"
    assert not modules("swift_image", name="img", src=str(image), **options).changed
    assert modules("swift_image", name="img", state="absent", **options).changed
    assert place.names() == []


@pytest.mark.parametrize("end", ["/", "//"])
def test_slashes_after_an_endpoint_are_ignored(place: Place, image: Path, end: str) -> None:
    place.modules("swift_image", name="img", src=str(image))
    auth = {"endpoint": place.store.storage_url + end, "token": place.store.token}
    check_found(place, place.modules, image, auth=auth)


def test_slashes_within_an_endpoint_are_ignored(place: Place, image: Path) -> None:
    place.modules("swift_image", name="img", src=str(image))
    scheme, _separator, address = place.store.storage_url.partition("://")
    auth = {"endpoint": f"{scheme.upper()}://{address.replace('/', '//')}", "token": place.store.token}
    check_found(place, place.modules, image, auth=auth)


def test_a_slash_after_an_endpoint_override_is_ignored(
    place: Place, login: Modules, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.modules("swift_image", name="img", src=str(image))
    cloud = {"auth": password_auth(place), "object_store_endpoint_override": f"{place.store.storage_url}/"}
    path = place.folder / "clouds.yaml"
    path.write_text(yaml.safe_dump({"clouds": {"slash": cloud}}), encoding="utf-8")
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(path))
    check_found(place, login, image, cloud="slash")


def test_a_slash_after_the_address_in_the_service_catalogue_is_ignored(
    place: Place, login: Modules, image: Path, region: str
) -> None:
    place.modules("swift_image", name="img", src=str(image))
    check_found(place, login, image, auth=password_auth(place), region_name=region)


@pytest.mark.parametrize("auth_type", [None, "password", "v3password"])
def test_a_login_without_a_project_names_the_missing_option(
    place: Place, login: Modules, auth_type: str | None
) -> None:
    auth = without(password_auth(place), "project_name", "project_domain_id")
    failed = login.try_to("swift_image_info", auth=auth, auth_type=auth_type)
    assert failed["msg"] == "The login is not for a project: set project_name (or project_id) in auth."


@pytest.mark.parametrize("auth_type", [None, "password", "v3password"])
@pytest.mark.parametrize(
    "missing", [("user_domain_id",), ("project_domain_id",), ("user_domain_id", "project_domain_id")], ids="-".join
)
def test_a_login_without_domains_names_the_missing_options(
    place: Place, login: Modules, auth_type: str | None, missing: tuple[str, ...]
) -> None:
    failed = login.try_to("swift_image_info", auth=without(password_auth(place), *missing), auth_type=auth_type)
    assert failed["failed"]
    assert failed["msg"].endswith("set user_domain_name and project_domain_name in auth (often to Default).")


def test_an_unknown_cloud_is_reported_with_the_file_and_its_clouds(
    place: Place, login: Modules, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = place.folder / "clouds.yaml"
    path.write_text(yaml.safe_dump({"clouds": {"one": {}, "two": {}}}), encoding="utf-8")
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(path))
    failed = login.try_to("swift_image_info", cloud="three")
    assert failed["msg"] == f"There is no cloud 'three' in {path}, whose clouds are one, two: correct cloud."


def test_an_unknown_cloud_without_any_file_is_reported_with_the_searched_paths(
    place: Place, login: Modules, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = place.folder / "none.yaml"
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(missing))
    monkeypatch.setenv("HOME", str(place.folder))
    failed = login.try_to("swift_image_info", cloud="three")
    assert failed["msg"].startswith("There is no cloud 'three' because there is no clouds.yaml")
    assert str(missing) in failed["msg"] and "OS_CLIENT_CONFIG_FILE" in failed["msg"]


def test_an_unreadable_file_of_clouds_is_named(place: Place, login: Modules) -> None:
    path = place.folder / "clouds.yaml"
    path.write_text("clouds: {}", encoding="utf-8")
    path.chmod(0)
    module = "ansible_collections.imagestore.swift.plugins.modules.swift_image_info"
    options = {"ANSIBLE_MODULE_ARGS": {**login.defaults, "cloud": "three"}}
    process = subprocess.run(
        [sys.executable, without_override.__file__, "-m", module],
        input=json.dumps(options),
        env={**os.environ, "OS_CLIENT_CONFIG_FILE": str(path)},
        capture_output=True,
        text=True,
        check=False,
    )
    failed = json.loads(process.stdout)
    assert failed["msg"] == (
        f"There is no cloud 'three' in the files that can be read, and this user may not read {path}: "
        "correct cloud, or the mode of that file."
    )
