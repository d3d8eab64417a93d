# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Detection of secrets among the values of options.

Ansible hides every value of an option with ``no_log``. A project called ``images`` would thus turn the result's
``images/cirros`` into asterisks. The options stay ``no_log``, so that a failure before a module runs shows no secret.
Values that are known to be public are taken out of ``no_log`` again; all others stay hidden.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

from .._errors import OptionError
from .._model.uri import parse_uri

# keystoneauth's plugin options, and keys of clouds.yaml, whose values identify and do not authenticate.
_THINGS = ("application_credential", "default_domain", "domain", "project", "project_domain", "tenant", "user_domain")
_PUBLIC_KEYS = frozenset(
    {
        "api_timeout",
        "auth_type",
        "auth_url",
        "cacert",
        "cert",
        "cloud",
        "default_domain",
        "endpoint",
        "identity_api_version",
        "interface",
        "object_store_endpoint_override",
        "profile",
        "region_name",
        "regions",
        "system_scope",
        "trust_id",
        "user_id",
        "username",
        "verify",
        *(f"{thing}_{key}" for thing in _THINGS for key in ("id", "name")),
    }
)


# A shorter value in a query is not a signature, and hiding it would hide unrelated text.
_SHORTEST_SIGNATURE = 8
# Hiding a shorter secret within other text would hide unrelated text, too.
_SHORTEST_SECRET = 4
_HIDDEN = "********"

# The name of a cloud in clouds.yaml. Any other text may be a whole configuration, written as JSON.
_CLOUD_NAME = re.compile(r"[\w. -]+")


def secrets_of(params: Mapping[str, Any]) -> set[str]:
    """Return the values that must not appear in a result, or in any text of it.

    :param params: a module's options: those of ``options.CONNECTION``, ``options.LOCATION`` and ``source_options``, and
        a catalogue's images; any of them may be missing, or of a wrong type
    """
    return {secret for secret in _found_secrets(params) if len(secret) >= _SHORTEST_SECRET}


def short_secrets_of(params: Mapping[str, Any]) -> set[str]:
    """Return the secrets that are so short that only whole values are compared with them.

    :param params: as for ``secrets_of``
    """
    return {secret for secret in _found_secrets(params) if len(secret) < _SHORTEST_SECRET}


def hide_values(value: Any, secrets: Container[str]) -> Any:
    """Return *value* with asterisks for each text in it that is one of *secrets*."""
    if isinstance(value, Mapping):
        return {key: hide_values(inner, secrets) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [hide_values(inner, secrets) for inner in value]
    return _HIDDEN if isinstance(value, str) and value in secrets else value


def _found_secrets(params: Mapping[str, Any]) -> set[str]:
    """Return the secrets among the options, each in all its spellings."""
    found = set(_secrets_of_uri(params.get("uri")))
    found.update(_secret_leaves(params.get("auth")))
    cloud = params.get("cloud")
    if not (isinstance(cloud, str) and _CLOUD_NAME.fullmatch(cloud)):
        found.update(_secret_leaves(cloud))
    images = params.get("images")
    for source in (params, *(images if isinstance(images, (list, tuple)) else ())):
        found.update(_secrets_of_source(source) if isinstance(source, Mapping) else _secret_leaves(source))
    return {spelling for secret in found for spelling in _spellings(secret)}


def _secrets_of_source(params: Mapping[str, Any]) -> Iterator[str]:
    for option in ("url_password", "url_headers"):
        yield from _secret_leaves(params.get(option))
    for option in ("url", "checksum", "checksum_signature"):
        value = params.get(option)
        yield from _secrets_of_address(value) if isinstance(value, str) else _secret_leaves(value)


def _spellings(secret: str) -> Iterator[str]:
    """Yield a secret unchanged, and in the forms in which messages may quote it."""
    yield secret
    yield repr(secret)[1:-1]
    yield json.dumps(secret)[1:-1]
    if secret.strip():
        yield secret.strip()


def _secrets_of_uri(text: Any) -> Iterator[str]:
    """Yield a location's key in all its spellings; the whole text if it is not a location."""
    if not isinstance(text, str):
        yield from _secret_leaves(text)
        return
    if not text:
        return
    try:
        uri = parse_uri(text)
    except OptionError:
        yield text
        return
    if uri.key:
        yield from {text, uri.key, quote(uri.key), quote(uri.key, safe=""), text.rpartition("@")[0].rpartition(":")[2]}


def _secret_leaves(value: Any, is_public: bool = False) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _secret_leaves(inner, key in _PUBLIC_KEYS)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _secret_leaves(inner, is_public)
    elif value is None or isinstance(value, bool) or not str(value):
        return
    elif is_public:
        yield from _password_in(str(value))
    else:
        yield str(value)


def _secrets_of_address(text: str) -> Iterator[str]:
    """Yield the secrets in an HTTP URL: a password, and the query, which may hold a signature."""
    for password in _password_in(text.partition("?")[0]):
        yield from {password, unquote(password)}
    query = text.partition("?")[2].partition("#")[0]
    if query:
        yield query
        yield from (value for _name, value in parse_qsl(query) if len(value) >= _SHORTEST_SIGNATURE)


def _password_in(text: str) -> Iterator[str]:
    """Yield the password of a URL such as ``https://user:password@auth.example.com/v3``."""
    credentials, at, _rest = text.rpartition("@")
    if at and "://" in credentials:
        yield credentials.rpartition("://")[2].partition(":")[2] or credentials
