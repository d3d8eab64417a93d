# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The credentials that a task uses. Other tests prove with a real Swift and Keystone that these work."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._ansible.options import CONNECTION, STORE
from ansible_collections.imagestore.swift.plugins.module_utils._errors import OptionError
from ansible_collections.imagestore.swift.plugins.module_utils._swift.credentials import Credentials, choose

DEFAULTS = {name: option.get("default") for name, option in (CONNECTION + STORE).options.items()}
STORAGE = "swift+https://swift.example.com/v1/AUTH_x/c/o"
V1_VARIABLES = {"ST_AUTH": "https://h/auth/v1.0", "ST_USER": "a:u", "ST_KEY": "k"}
CREDENTIAL = {"auth_url": "https://h/v3", "application_credential_id": "i", "application_credential_secret": "s"}
DEFAULT_DOMAINS = {"user_domain_id": "default", "project_domain_id": "default"}


def chosen(environ: dict[str, str] | None = None, **options: Any) -> Credentials:
    """Return the credentials that a task with *options* would use."""
    return choose({**DEFAULTS, **options}, environ or {})


@pytest.mark.parametrize(
    ("url", "auth_type"),
    [
        ("h/v1", "v1password"),
        ("h/v1.0", "v1password"),
        ("h/auth/v1.0", "v1password"),
        ("h:5000/v2.0", "v2password"),
        ("h/identity/v3", "v3password"),
        ("h", "password"),
        ("h/v4", "password"),
        ("h/v3/identity", "password"),
    ],
)
def test_the_auth_url_of_a_uri_selects_the_auth_type(url: str, auth_type: str) -> None:
    assert chosen(uri=f"swift://a:u:k@{url}/c/o").settings["auth_type"] == auth_type
    assert chosen(uri=f"swift://a:u:k@{url}/c/o", auth_type="v1password").settings["auth_type"] == "v1password"


@pytest.mark.parametrize(
    ("auth_type", "auth"),
    [
        ("v1password", {"username": "a:u", "password": "k"}),
        ("v2password", {"tenant_name": "a", "username": "u", "password": "k"}),
        ("v3password", {"project_name": "a", "username": "u", "password": "k", **DEFAULT_DOMAINS}),
        ("password", {"project_name": "a", "username": "u", "password": "k", **DEFAULT_DOMAINS}),
        (
            "v3applicationcredential",
            {"application_credential_id": "a:u", "application_credential_secret": "k"},
        ),
    ],
)
def test_user_and_key_are_mapped_for_each_auth_type(auth_type: str, auth: dict[str, str]) -> None:
    found = chosen(uri="swift+http://a:u:k@h/x/c/o", auth_type=auth_type)
    assert found.settings["auth"] == {"auth_url": "http://h/x", **auth}
    assert found.are_complete and found.storage_url is None


@pytest.mark.parametrize("options", [{"auth": CREDENTIAL}, {"cloud": {"auth": CREDENTIAL}}], ids=["auth", "cloud"])
def test_an_application_credential_needs_no_auth_type(options: dict[str, Any]) -> None:
    assert chosen(**options).settings["auth_type"] == "v3applicationcredential"
    if "auth" in options:
        assert chosen(auth_type="password", **options).settings["auth_type"] == "password"


def test_domains_are_added_to_the_uri_credentials() -> None:
    found = chosen(uri="swift://a:u:k@h/v3/c/o", auth={"user_domain_name": "staff"})
    assert found.settings["auth"]["user_domain_name"] == "staff"
    assert found.settings["auth"]["project_domain_id"] == "default"
    assert "user_domain_id" not in found.settings["auth"]


def test_uri_credentials_are_not_mixed_with_the_environment() -> None:
    variables = {**V1_VARIABLES, "OS_CLOUD": "x", "OS_PROJECT_ID": "y", "OS_CACERT": "/ca.pem"}
    found = chosen(variables, uri="swift://a:u:k@h/v3/c/o")
    assert found.are_complete
    assert found.settings["auth"]["project_name"] == "a"
    assert found.settings["cacert"] == "/ca.pem"
    assert chosen(variables, uri="swift://a:u:k@h/v3/c/o", ca_cert="/other").settings["cacert"] == "/other"


@pytest.mark.parametrize(
    ("options", "environ", "auth_type"),
    [
        ({"uri": STORAGE}, {}, "none"),
        ({"uri": STORAGE, "auth_type": "none", "cloud": "x"}, {}, "none"),
        ({"uri": STORAGE}, V1_VARIABLES, "v1password"),
        ({"uri": STORAGE, "cloud": "x"}, V1_VARIABLES, None),
        ({"uri": STORAGE}, {"OS_CLOUD": "x"}, None),
        ({"uri": STORAGE}, {"OS_CLIENT_CONFIG_FILE": "x"}, "none"),
        ({"uri": STORAGE, "auth": {"token": "t"}, "auth_type": "admin_token"}, {}, "admin_token"),
        ({}, V1_VARIABLES, "v1password"),
        ({}, {**V1_VARIABLES, "OS_AUTH_URL": "x"}, "v1password"),
        ({}, {**V1_VARIABLES, "ST_AUTH_VERSION": "3"}, "v3password"),
        ({}, {**V1_VARIABLES, "OS_IDENTITY_API_VERSION": "2"}, "v2password"),
        ({"auth_type": "v1password"}, V1_VARIABLES, "v1password"),
        ({"auth_type": "v1password"}, {**V1_VARIABLES, "ST_AUTH_VERSION": "3"}, "v1password"),
        ({"auth_type": "token"}, V1_VARIABLES, "token"),
        ({"auth": {}}, V1_VARIABLES, None),
        ({}, {"ST_AUTH": "x", "ST_USER": "y"}, None),
    ],
)
def test_precedence_of_options_and_environment(
    options: dict[str, Any], environ: dict[str, str], auth_type: str | None
) -> None:
    assert chosen(environ, **options).settings.get("auth_type") == auth_type


def test_a_ready_token_is_used_at_the_endpoint_of_the_uri() -> None:
    found = chosen(uri=STORAGE, auth_type="admin_token", auth={"token": "t"})
    assert found.settings["auth"] == {"endpoint": "https://swift.example.com/v1/AUTH_x", "token": "t"}
    assert found.storage_url == "https://swift.example.com/v1/AUTH_x"


@pytest.mark.parametrize(
    ("options", "are_complete"),
    [
        ({"auth_type": "v1password", "auth": {"auth_url": "https://h"}}, True),
        ({"auth_type": "v1password", "auth": {"username": "u"}}, False),
        ({"auth_type": "v1password", "auth": {"auth_url": "https://h"}, "cloud": "x"}, False),
        ({"cloud": {"auth_type": "v1password", "auth": {"auth_url": "https://h"}}}, True),
        ({"auth_type": "admin_token", "auth": {"endpoint": "https://h", "token": "t"}}, True),
        ({"auth_type": "admin_token", "auth": {"token": "t"}, "uri": STORAGE}, True),
        ({"auth_type": "v3token", "auth": {"auth_url": "https://h", "token": "t"}}, True),
        ({"auth_type": "password", "auth": {"auth_url": "https://h"}}, False),
    ],
)
def test_completeness_of_credentials(options: dict[str, Any], are_complete: bool) -> None:
    assert chosen({"OS_USERNAME": "x"}, **options).are_complete is are_complete


def test_a_reference_is_a_cloud_without_a_glance_config_file() -> None:
    found = chosen(uri="swift+config://images/c/o")
    assert found.settings["cloud"] == "images"
    assert not found.are_complete


@pytest.mark.parametrize(
    ("options", "environ", "sentence"),
    [
        ({"uri": "swift://a:u:k@h/c/o", "cloud": "x"}, {}, "cloud names other credentials: remove one"),
        ({"uri": "swift://a:u:k@h/c/o", "auth": {"username": "x"}}, {}, "auth has other credentials: remove one"),
        ({"uri": "swift+config://x/c/o", "cloud": "x"}, {}, "cloud names other credentials: remove one"),
        ({"uri": "swift://u:k@h/v3/c/o"}, {}, "names no account"),
        ({"uri": "swift://a%3A:k@h/v3/c/o"}, {}, "names no account"),
        ({"uri": "swift://a:u:k@h/v3/c/o", "auth_type": "token"}, {}, "does not log in with a user and a key"),
        ({"auth_type": "none"}, {}, "needs the address of Swift"),
        ({"uri": "swift+config://x/c/o", "auth_type": "none"}, {}, "leave one of them out"),
        ({"uri": "swift+config://x/c/o", "auth": {"user_domain_id": "d"}}, {}, "leave one of them out"),
        ({}, {**V1_VARIABLES, "OS_IDENTITY_API_VERSION": "4"}, "OS_IDENTITY_API_VERSION names"),
        ({"cloud": {"auth": "text"}}, {}, "auth in cloud is not a dict"),
        ({}, {**V1_VARIABLES, "ST_AUTH_VERSION": "4"}, "ST_AUTH_VERSION"),
        ({"cloud": {"auth": {}}, "region_name": "x"}, {}, "the task also sets region_name"),
    ],
)
def test_invalid_or_conflicting_options(options: dict[str, Any], environ: dict[str, str], sentence: str) -> None:
    with pytest.raises(OptionError, match=sentence):
        chosen(environ, **options)


def test_the_repr_does_not_contain_credentials() -> None:
    assert "s3cret" not in repr(chosen(uri="swift://a:u:s3cret@h/v3/c/o"))
