# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Logins of every kind: with options, environment variables, configuration files and locations, and none at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from ansible_collections.imagestore.swift.tests.support.accounts import (
    BY_ID,
    BY_NAME,
    NAME,
    Account,
    Accounts,
    encoded,
    stored_images,
)
from ansible_collections.imagestore.swift.tests.support.cloud import Cloud, forget_credentials, told
from ansible_collections.imagestore.swift.tests.support.modules import Modules, result_of
from ansible_collections.imagestore.swift.tests.support.store import Store
from ansible_collections.imagestore.swift.tests.support.writers import Place


@pytest.fixture(scope="module")
def accounts(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Accounts]:
    """Accounts of Keystone and of v1 authentication, each with an image."""
    with stored_images(cloud, tmp_path_factory.mktemp("accounts")) as stored:
        yield stored


@dataclass(frozen=True)
class Way:
    """A way to log in.

    :param account: the account that it leads to
    :param options: of the module; without ``uri``, the image's container and name are added
    :param environ: environment variables of the module
    :param secret: the secret of the login, if that is not the account's password
    """

    account: Account
    options: Mapping[str, Any] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    secret: str = ""


def _ready(to: Accounts, **environ: str) -> Way:
    auth = {"endpoint": to.project.cloud.storage_url, "token": to.token}
    return Way(to.project, {"auth_type": "admin_token", "auth": auth}, environ, secret=to.token)


def _application_credential(to: Accounts, **options: str) -> Way:
    credential, secret = to.application_credential
    auth = {
        "auth_url": to.project.cloud.auth_url,
        "application_credential_id": credential,
        "application_credential_secret": secret,
    }
    return Way(to.project, {"auth": auth, "region_name": to.region, **options}, secret=secret)


def _location_with_application_credential(to: Accounts) -> Way:
    credential, secret = to.application_credential
    options = {"uri": to.project.location_with(credential, secret), "auth_type": "v3applicationcredential"}
    return Way(to.project, {**options, "region_name": to.region}, secret=secret)


def _ids(to: Accounts) -> Way:
    cloud = to.project.cloud
    auth = {
        "auth_url": cloud.auth_url,
        "user_id": cloud.project["user_id"],
        "password": to.project.password,
        "project_id": cloud.project["project_id"],
    }
    return Way(to.project, {"auth_type": "v3password", "auth": auth, "region_name": to.region})


def _keystone_token(to: Accounts) -> Way:
    cloud = to.project.cloud
    auth = {"auth_url": cloud.auth_url, "token": to.token, "project_id": cloud.project["project_id"]}
    return Way(to.project, {"auth_type": "v3token", "auth": auth, "region_name": to.region}, secret=to.token)


def _section(to: Accounts, account: Account, section: str, secret: str = "", **options: str) -> Way:
    uri = f"swift+config://{section}/{account.place}"
    return Way(account, {"uri": uri, "glance_config_file": to.glance_config, **options}, secret=secret)


def _v1(to: Accounts, **environ: str) -> Way:
    return Way(to.user, {"auth_type": "v1password", "auth": to.user.auth()}, environ)


WAYS: dict[str, Callable[[Accounts], Way]] = {
    "a name in clouds.yaml": lambda to: Way(to.project, {"cloud": "images"}, to.clouds),
    "a cloud as a dict": lambda to: Way(
        to.project, {"cloud": {"auth": to.project.auth(**BY_ID), "region_name": to.region}}
    ),
    "OS_CLOUD": lambda to: Way(to.project, {}, {**to.clouds, "OS_CLOUD": "images"}),
    "OS_ variables": lambda to: Way(to.project, {}, to.project.cloud.variables),
    "OS_ variables and a storage URL": lambda to: Way(
        to.project, {"uri": to.project.location}, to.project.cloud.variables
    ),
    "auth by names": lambda to: Way(to.project, {"auth": to.project.auth(**BY_ID), "region_name": to.region}),
    "auth by domain names": lambda to: Way(
        to.odd_project, {"auth": to.odd_project.auth(**BY_NAME), "region_name": to.region}
    ),
    "auth by ids": _ids,
    "an application credential": lambda to: _application_credential(to, auth_type="v3applicationcredential"),
    "an application credential without auth_type": _application_credential,
    "a token of Keystone": _keystone_token,
    "a storage URL and a token": _ready,
    "a location with a storage URL and a token": lambda to: Way(
        to.project, {"uri": to.project.location, "auth_type": "admin_token", "auth": {"token": to.token}}, {}, to.token
    ),
    "a location with a storage URL and a cloud": lambda to: Way(
        to.project, {"uri": to.project.location, "cloud": "images"}, to.clouds
    ),
    "a location with a key for Keystone": lambda to: Way(
        to.odd_project,
        {
            "uri": to.odd_project.location_with("other%3Aother", encoded(to.odd_project.password)),
            "region_name": to.region,
        },
    ),
    "a location with a key and domains": lambda to: Way(
        to.project,
        {
            "uri": to.project.location_with("images:images", to.project.password),
            "auth": BY_NAME,
            "region_name": to.region,
        },
    ),
    "a location with a key and no version": lambda to: Way(
        to.project,
        {
            "uri": to.project.location_with(
                "images:images", to.project.password, to.project.cloud.auth_url.removesuffix("/v3")
            ),
            "region_name": to.region,
        },
    ),
    "a location with a key for v1": lambda to: Way(
        to.odd_user, {"uri": to.odd_user.location_with("other%3Atester", encoded(to.odd_user.password))}
    ),
    "a location with an application credential": _location_with_application_credential,
    "a location that names a cloud": lambda to: Way(
        to.project, {"uri": f"swift+config://images/{to.project.place}"}, to.clouds
    ),
    "a location that names a section of Glance": lambda to: _section(to, to.project, "ref1", region_name=to.region),
    "a location that names a section of Glance for v1": lambda to: _section(to, to.user, "ref2"),
    "a location that names a section of Glance with an application credential": lambda to: _section(
        to, to.project, "ref3", to.application_credential[1], region_name=to.region
    ),
    "auth for v1": _v1,
    "auth for v1 despite OS_ variables": lambda to: _v1(to, **to.project.cloud.variables),
    "a storage URL and a token despite OS_ variables": lambda to: _ready(to, **to.odd_project.cloud.variables),
    "a v1 cloud in clouds.yaml": lambda to: Way(to.user, {"cloud": "tempauth"}, to.clouds),
    "ST_ variables": lambda to: Way(to.odd_user, {}, to.odd_user.cloud.variables),
    # The swift CLI has the same precedence.
    "ST_ variables despite OS_ variables": lambda to: Way(
        to.user, {}, {**to.project.cloud.variables, **to.user.cloud.variables, "ST_AUTH_VERSION": "1.0"}
    ),
    "ST_ variables for Keystone": lambda to: Way(
        to.project,
        {"region_name": to.region},
        {
            "ST_AUTH": to.project.cloud.auth_url,
            "ST_USER": "images:images",
            "ST_KEY": to.project.password,
            "ST_AUTH_VERSION": "3",
        },
    ),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_a_login_leads_to_its_account_and_is_kept_secret(
    accounts: Accounts, way: Callable[[Accounts], Way], store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = way(accounts)
    account = chosen.account
    forget_credentials(monkeypatch)
    for name, value in chosen.environ.items():
        monkeypatch.setenv(name, value)
    options = {"src": str(accounts.source), **chosen.options}
    if "uri" not in options:
        options.update(container=account.container, name=NAME)
    with store.watch(account.container) as watched:
        process = Modules(tmp_path, {}).start("swift_image", **options)
        assert process.wait() == 0, process.output
    result = result_of(process)
    image = result["image"]
    assert not result.changed and watched.seen and watched.changing == []
    assert (image["exists"], image["name"], image["uri"]) == (True, NAME, account.location)
    # Nothing of the image is hidden as if it were a secret.
    assert "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER" not in str(image) and "********" not in str(image)
    secret = chosen.secret or account.password
    output = process.output.decode() + json.dumps(result, ensure_ascii=False)
    assert secret not in output and quote(secret) not in output and encoded(secret) not in output


# Endpoints of Keystone's catalogue for the store; they differ by the host in their URL.
REGION, OTHER = told()["region"], told()["other"]


@pytest.mark.parametrize(
    ("options", "host"),
    [
        ({"region_name": REGION}, "127.0.0.1"),
        ({"region_name": OTHER["region"]}, OTHER["host"]),
        ({"region_name": REGION, "interface": "internal"}, OTHER["host"]),
        ({"region_name": REGION, "interface": "admin"}, "127.0.0.1"),
        ({"region_name": REGION, "service_type": OTHER["service_type"]}, OTHER["host"]),
    ],
    ids=["region", "other region", "internal interface", "admin interface", "service type"],
)
def test_options_choose_the_endpoint(accounts: Accounts, options: Mapping[str, str], host: str, tmp_path: Path) -> None:
    account = accounts.project
    login = Modules(tmp_path, {"auth": account.auth(**BY_ID), "container": account.container})
    (image,) = login("swift_image_info", name=NAME, **options)["images"]
    assert image["exists"]
    assert urlsplit(image["uri"]).hostname == host


@pytest.fixture
def location(place: Place, small: list[Path]) -> str:
    """The location of an image, which is private, without credentials."""
    place.modules("swift_image", name=NAME, src=str(small[0]))
    return f"swift+{place.store.url(place.container)}/{encoded(NAME)}"


def test_a_private_image_is_not_shown_without_credentials(place: Place, location: str) -> None:
    refused = Modules(place.folder, {}).try_to("swift_image_info", uri=location, auth_type="none")
    assert refused["failed"] and "not public" in refused["msg"]


@pytest.mark.parametrize(
    "options",
    [{}, {"auth_type": "none"}, {"auth_type": "none", "cloud": "images"}],
    ids=["no options", "auth_type none", "auth_type none despite a cloud"],
)
def test_a_public_image_is_shown_without_credentials(place: Place, location: str, options: Mapping[str, str]) -> None:
    place.store.do("POST", place.container, headers={"X-Container-Read": ".r:*"})
    (image,) = Modules(place.folder, {})("swift_image_info", uri=location, **options)["images"]
    assert (image["exists"], image["size"]) == (True, 1000)


def test_a_public_image_in_a_container_is_shown_without_credentials(place: Place, location: str) -> None:
    place.store.do("POST", place.container, headers={"X-Container-Read": ".r:*"})
    nobody = Modules(place.folder, {"auth_type": "none", "auth": {"endpoint": place.store.storage_url}})
    (image,) = nobody("swift_image_info", container=place.container, name=NAME)["images"]
    assert (image["exists"], image["size"]) == (True, 1000)


def test_a_public_image_is_not_replaced_without_credentials(place: Place, location: str, small: list[Path]) -> None:
    place.store.do("POST", place.container, headers={"X-Container-Read": ".r:*"})
    refused = Modules(place.folder, {}).try_to("swift_image", uri=location, auth_type="none", src=str(small[1]))
    assert refused["failed"] and "not public" in refused["msg"]
    assert place.read(NAME) == small[0].read_bytes()


@pytest.mark.parametrize("cloud_name", ["images", "tempauth", ""], ids=["keystone", "v1", "ready token"])
def test_the_token_of_a_cloud_is_not_sent_to_another_server(place: Place, cloud_name: str) -> None:
    """No server listens at the location: a module that sends the token fails with another message."""
    ready = {name: place.modules.defaults[name] for name in ("auth_type", "auth")}
    modules = Modules(place.folder, {"cloud": cloud_name or ready})
    refused = modules.try_to("swift_image_info", uri="swift+http://127.0.0.1:9/v1/AUTH_x/container/image")
    assert refused["failed"] and "token is not sent to this server" in refused["msg"]
