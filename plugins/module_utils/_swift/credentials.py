# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Choice of a task's credentials: from its options, its ``uri``, a file of Glance's, or the environment.

This module does not use Ansible or the network. The settings have openstacksdk's names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .._errors import OptionError
from .._model.uri import CONFIG_SCHEME, parse_uri
from .glance_config import DOMAINS, read_reference

ANONYMOUS = "none"
V1 = "v1password"
APPLICATION_CREDENTIAL = "v3applicationcredential"
# A storage URL and a token, neither of which comes from an authentication service.
READY_TOKEN = "admin_token"
# Keystone exchanges a token of these types for another one.
EXCHANGED_TOKENS = ("token", "v3token")
# The credentials of these types are sent in an HTTP header.
HEADER_AUTH_TYPES = (V1, READY_TOKEN, *EXCHANGED_TOKENS)

_AUTH_TYPES = {"1": V1, "2": "v2password", "3": "v3password"}
_NEWER_KEYSTONE = ("password", "v3password")

# The version at the end of an authentication URL's path: /v1, /v1.0, /v2.0, /v3.
_VERSION = re.compile(r"/v([123])(?:\.\d+)?/?$")

# openstacksdk's environment variables; each of them means that the environment has credentials.
_OPENSTACK_VARIABLES = ("OS_CLOUD", "OS_AUTH_URL", "OS_AUTH_TYPE", "OS_TOKEN")
# The swift CLI's own variables, which take precedence over OpenStack's in the CLI, too, and those for their version.
_SWIFT_VARIABLES = ("ST_AUTH", "ST_USER", "ST_KEY")
_SWIFT_VERSION_VARIABLES = ("ST_AUTH_VERSION", "OS_AUTH_VERSION", "OS_IDENTITY_API_VERSION")

# The options that a cloud given as a dict holds itself, as in openstack.cloud.
_IN_CLOUD_DICT = (
    "auth",
    "auth_type",
    "region_name",
    "validate_certs",
    "ca_cert",
    "client_cert",
    "client_key",
    "api_timeout",
)


@dataclass(frozen=True)
class Credentials:
    """Credentials, and their origin.

    :param settings: of openstacksdk, under its names
    :param are_complete: whether ``clouds.yaml`` and the ``OS_*`` variables have nothing to add
    :param storage_url: Swift's address, if the task itself names it
    """

    settings: Mapping[str, Any] = field(repr=False)
    are_complete: bool
    storage_url: str | None = None


def choose(params: Mapping[str, Any], environ: Mapping[str, str]) -> Credentials:
    """Choose the credentials of a task; nothing is sent, and no cloud's configuration is read.

    :param params: the options of ``options.CONNECTION``, with ``uri``
    :param environ: the environment's variables
    :raises OptionError: options that contradict each other or lack something
    """
    uri = None if params.get("uri") is None else parse_uri(params["uri"])
    if uri is not None and uri.user is not None and uri.key is not None:
        _refuse_others(params, "uri holds credentials")
        auth_type = params["auth_type"] or _auth_type_of(uri.url)
        return _complete(params, environ, _user_settings(auth_type, uri.url, uri.user, uri.key, params["auth"] or {}))
    if uri is not None and uri.scheme == CONFIG_SCHEME:
        _refuse_others(params, "uri names credentials")
        return _of_reference(params, environ, uri.address)
    storage_url = None if uri is None else uri.url
    if params["auth_type"] == ANONYMOUS or (storage_url and not _are_given(params, environ)):
        return _complete(params, environ, _anonymous_settings(params, storage_url), storage_url)
    if _are_of_swift(params, environ):
        return _complete(params, environ, _swift_settings(params, environ), storage_url)
    settings = _settings(params, storage_url)
    if _have_all(settings):
        return _complete(params, environ, settings, storage_url)
    return Credentials(settings, False, storage_url)


def _complete(
    params: Mapping[str, Any], environ: Mapping[str, str], settings: Mapping[str, Any], storage_url: str | None = None
) -> Credentials:
    """Return complete credentials, with the options for reaching the servers."""
    # The swift CLI takes these from the environment with any credentials.
    files = {"cacert": "OS_CACERT", "cert": "OS_CERT", "key": "OS_KEY"}
    found = {name: environ[variable] for name, variable in files.items() if environ.get(variable)}
    return Credentials({**found, **_transport(params), **settings}, True, storage_url)


def _transport(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options for reaching the servers, under openstacksdk's names."""
    settings = {
        "region_name": params["region_name"],
        "interface": params["interface"],
        "verify": params["validate_certs"],
        "cacert": params["ca_cert"],
        "cert": params["client_cert"],
        "key": params["client_key"],
        "api_timeout": params["api_timeout"],
    }
    return {name: value for name, value in settings.items() if value is not None}


def _settings(params: Mapping[str, Any], storage_url: str | None) -> dict[str, Any]:
    """Return the options under openstacksdk's names."""
    cloud = params["cloud"]
    if isinstance(cloud, dict):
        _refuse_doubles(params)
        if not isinstance(cloud.get("auth") or {}, Mapping):
            raise OptionError("auth in cloud is not a dict: write it like the option auth.")
        return _with_auth_type(_with_token(dict(cloud)))
    if cloud is not None and (not isinstance(cloud, str) or cloud.lstrip().startswith("{")):
        raise OptionError(
            "cloud is neither the name of a cloud in clouds.yaml nor a dict with its settings: correct cloud."
        )
    auth = params["auth"]
    if params["auth_type"] == READY_TOKEN and storage_url:
        auth = {"endpoint": storage_url, **(auth or {})}
    named = {"cloud": cloud, "auth": auth, "auth_type": params["auth_type"]}
    given = {name: value for name, value in named.items() if value is not None}
    return _with_auth_type(_with_token({**_transport(params), **given}))


def _have_all(settings: Mapping[str, Any]) -> bool:
    """Return whether *settings* are complete, for a plugin that fails if it gets settings for Keystone.

    openstacksdk would add the ``OS_*`` variables' user, project and domains.
    """
    auth = settings.get("auth") or {}
    needed = "endpoint" if settings.get("auth_type") == READY_TOKEN else "auth_url"
    return (
        settings.get("auth_type") in HEADER_AUTH_TYPES
        and not {"cloud", "profile"}.intersection(settings)
        and bool(auth.get(needed))
    )


def _with_token(settings: dict[str, Any]) -> dict[str, Any]:
    """Add a second copy of a token, because openstacksdk before 4.5 loses the one in ``auth``."""
    token = (settings.get("auth") or {}).get("token")
    return {"auth_token": token, **settings} if token else settings


def _with_auth_type(settings: dict[str, Any]) -> dict[str, Any]:
    """Add the type of an application credential, which openstacksdk before 4 does not recognize."""
    is_credential = "application_credential_secret" in (settings.get("auth") or {})
    if is_credential and not settings.get("auth_type"):
        return {**settings, "auth_type": APPLICATION_CREDENTIAL}
    return settings


def _of_reference(params: Mapping[str, Any], environ: Mapping[str, str], name: str) -> Credentials:
    """Return the credentials that ``swift+config`` names: a section of Glance's file, or without a file, a cloud."""
    path = params["glance_config_file"]
    if path is None:
        if params["auth"] or params["auth_type"]:
            raise OptionError(
                "uri names a cloud of clouds.yaml, and auth or auth_type is given: leave one of them out."
            )
        return Credentials({**_transport(params), "cloud": name}, False)
    reference = read_reference(path, name)
    if reference.is_application_credential:
        auth_type = params["auth_type"] or APPLICATION_CREDENTIAL
    else:
        version = reference.auth_version
        if version is not None and version not in _AUTH_TYPES:
            raise OptionError(
                f"glance_config_file {path!r} has an auth_version that is not 1, 2 or 3: correct auth_version."
            )
        auth_type = params["auth_type"] or (_AUTH_TYPES[version] if version else _auth_type_of(reference.auth_url))
    settings = _user_settings(
        auth_type, reference.auth_url, reference.user, reference.key, {**reference.domains, **(params["auth"] or {})}
    )
    return _complete(params, environ, settings)


def _swift_settings(params: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings that the swift CLI's variables make."""
    auth_url, user, key = (environ[name] for name in _SWIFT_VARIABLES)
    auth_type = params["auth_type"] or _auth_type_in(environ)
    return _user_settings(auth_type, auth_url, user, key, {})


def _auth_type_in(environ: Mapping[str, str]) -> str:
    """Return the plugin for the version that the environment names; v1 if it names none."""
    variable = next((name for name in _SWIFT_VERSION_VARIABLES if environ.get(name)), None)
    if variable is None:
        return V1
    auth_type = _AUTH_TYPES.get(environ[variable].partition(".")[0])
    if auth_type is None:
        raise OptionError(f"{variable} names a version that is not 1, 2 or 3: correct the variable in the environment.")
    return auth_type


def _anonymous_settings(params: Mapping[str, Any], storage_url: str | None) -> dict[str, Any]:
    endpoint = storage_url or (params["auth"] or {}).get("endpoint")
    if not endpoint:
        raise OptionError(
            "auth_type none needs the address of Swift: set uri with the storage URL in it, or endpoint in auth."
        )
    return {"auth_type": ANONYMOUS, "auth": {"endpoint": endpoint}}


def _user_settings(auth_type: str, auth_url: str, user: str, key: str, domains: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings for a user and a key, under the names of the plugin *auth_type*.

    :param user: ``account:user``, unless the plugin has no accounts
    :param domains: names or ids of domains; Keystone's default domain if there are none, as in Glance
    """
    if auth_type == V1:
        auth = {"username": user, "password": key}
    elif auth_type == APPLICATION_CREDENTIAL:
        auth = {"application_credential_id": user, "application_credential_secret": key}
    elif auth_type == "v2password":
        account, name = _split_user(user)
        auth = {"tenant_name": account, "username": name, "password": key}
    elif auth_type in _NEWER_KEYSTONE:
        account, name = _split_user(user)
        auth = {"project_name": account, "username": name, "password": key, **_with_default_domain(domains)}
    else:
        raise OptionError(
            f"auth_type {auth_type} does not log in with a user and a key: set it to {V1}, v2password, v3password, "
            f"password or {APPLICATION_CREDENTIAL}, or remove it."
        )
    return {"auth_type": auth_type, "auth": {"auth_url": auth_url, **auth}}


def _split_user(user: str) -> tuple[str, str]:
    account, colon, name = user.partition(":")
    if not (colon and account and name):
        raise OptionError(
            "The user names no account (project or tenant), which Keystone requires: write account:user, or set "
            f"auth_type to {V1} if the service is not Keystone."
        )
    return account, name


def _with_default_domain(domains: Mapping[str, str]) -> dict[str, str]:
    found = {name: value for name, value in domains.items() if name in DOMAINS}
    for owner in ("user", "project"):
        if not (f"{owner}_domain_id" in found or f"{owner}_domain_name" in found):
            found[f"{owner}_domain_id"] = "default"
    return found


def _auth_type_of(auth_url: str) -> str:
    """Return the plugin for the version in *auth_url*; if there is none, the plugin that asks Keystone for it."""
    version = _VERSION.search(auth_url)
    return _AUTH_TYPES[version[1]] if version else "password"


def _are_given(params: Mapping[str, Any], environ: Mapping[str, str]) -> bool:
    """Return whether the options or the environment have credentials.

    If a task names a storage URL and no cloud, a cloud that is only in ``clouds.yaml`` does not count.
    """
    return any(params[name] is not None for name in ("cloud", "auth", "auth_type")) or (
        any(environ.get(name) for name in _OPENSTACK_VARIABLES) or _are_of_swift(params, environ)
    )


def _are_of_swift(params: Mapping[str, Any], environ: Mapping[str, str]) -> bool:
    return (
        params["cloud"] is None
        and params["auth"] is None
        and params["auth_type"] in (None, V1)
        and all(environ.get(name) for name in _SWIFT_VARIABLES)
    )


def _refuse_others(params: Mapping[str, Any], why: str) -> None:
    """Refuse other credentials beside those of ``uri``; domains are allowed."""
    if params["cloud"] is not None:
        raise OptionError(
            f"{why}, and cloud names other credentials: remove one of them (set cloud to null if a default sets it)."
        )
    if set(params["auth"] or {}).difference(DOMAINS):
        raise OptionError(f"{why}, and auth has other credentials: remove one of them; auth may have only domains.")


def _refuse_doubles(params: Mapping[str, Any]) -> None:
    doubles = [name for name in _IN_CLOUD_DICT if params[name] is not None]
    if params["interface"] != "public":
        # An explicit "public" can't be told from the default.
        doubles.append("interface")
    if doubles:
        raise OptionError(f"cloud is a dict, but the task also sets {', '.join(doubles)}: put all settings into cloud.")
