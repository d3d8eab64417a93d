# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sessions from credentials, as openstacksdk and keystoneauth make them, without a login."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from .._errors import LoginError, OptionError
from .credentials import HEADER_AUTH_TYPES, V1, Credentials
from .failures import first_sentence
from .lazy_imports import openstack_config, swift_connection_class

if TYPE_CHECKING:
    from keystoneauth1.session import Session
    from openstack.config.cloud_region import CloudRegion


# No request may wait forever, which is openstacksdk's own default.
DEFAULT_TIMEOUT_SECONDS = 60.0
_LONGEST_TIMEOUT_SECONDS = 24 * 60 * 60

_DEFAULT_PORTS = {"http": 80, "https": 443}

_CHECK_CLOUDS = (
    "openstacksdk finds clouds.yaml and that it is valid YAML (OS_CLIENT_CONFIG_FILE can name another file)."
)
# A plugin's parameter, in Python's message about a missing or an unexpected argument.
_PARAMETER = re.compile(r"'(\w+)'")


def configure(credentials: Credentials, hide: Callable[[Mapping[str, Any]], None]) -> tuple[CloudRegion, Session]:
    """Return openstacksdk's configuration from options, variables and files, and a session; nothing is sent.

    :param hide: keeps the secrets in an ``auth`` mapping out of results
    :raises LoginError: the cloud does not exist, or the credentials are incomplete
    :raises OptionError: a value can't be used
    """
    config = openstack_config()
    # This comes before keystoneauth's plugin for v1, which would import all of swiftclient.
    swift_connection_class()
    may_read = not credentials.are_complete
    with _explained():
        region = config.OpenStackConfig(load_yaml_config=may_read, load_envvars=may_read).get_one(
            **credentials.settings
        )
        auth = region.config.get("auth") or {}
        hide(auth)
        _check_auth(auth, region.config.get("auth_type"))
        # The session reads this when it is created.
        region.config["api_timeout"] = _timeout(region.config.get("api_timeout"))
        session = region.get_session()
        if region.config["auth_type"] == V1:
            _speak_utf8(session.auth)
    session.session.hooks["response"].append(_refuse_redirect)
    return region, session


def check_files(verify: bool | str, certificate: Any) -> None:
    """Refuse paths that do not exist, before a TLS library reports them in its own words.

    :raises OptionError: there is no such file
    """
    names = certificate if isinstance(certificate, tuple) else (certificate,)
    for path in (verify, *names):
        if isinstance(path, str) and not os.path.exists(path):
            raise OptionError(f"There is no file {path!r} for TLS: correct the path.")


def server_of(url: str) -> tuple[str, str | None, int | None]:
    """Return scheme, host and port, which identify the server that receives a request."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme)


@contextmanager
def _explained() -> Iterator[None]:
    """Turn the libraries' errors about a configuration into errors of this collection.

    openstacksdk and keystoneauth do not check their input, so that they may raise any exception.
    """
    from keystoneauth1.exceptions import ClientException as KeystoneauthError
    from openstack.exceptions import ConfigException
    from yaml import YAMLError

    try:
        yield
    except (LoginError, OptionError):
        raise
    except ConfigException as error:
        raise LoginError(
            f"The cloud's configuration can't be used: {first_sentence(error)} Check the name, and that {_CHECK_CLOUDS}"
        ) from error
    except YAMLError:
        # The error's message quotes the line.
        raise LoginError(f"The cloud's configuration can't be used: check that {_CHECK_CLOUDS}") from None
    except KeystoneauthError as error:
        raise LoginError(
            f"The credentials can't be used: {first_sentence(error)} Name a cloud of clouds.yaml in cloud, "
            "give auth (and auth_type), or set the OS_* variables."
        ) from error
    except Exception as error:
        parameters = _PARAMETER.findall(str(error)) if isinstance(error, TypeError) else []
        about = f" ({', '.join(parameters)})" if parameters else ""
        raise LoginError(
            "The credentials can't be used: a parameter is missing, is not for this auth_type, or is not "
            f"text{about}. Correct auth, the cloud in clouds.yaml, or the OS_* variables."
        ) from None


def _check_auth(auth: Mapping[str, Any], auth_type: str | None) -> None:
    """Refuse values at which libraries would fail later, perhaps with a message that quotes them."""
    auth_url = auth.get("auth_url")
    if auth_url is not None and "://" not in str(auth_url):
        raise LoginError("auth_url has no scheme: begin it with https:// or http://.")
    if auth_type not in HEADER_AUTH_TYPES:
        return
    for name in ("username", "password", "token"):
        value = auth.get(name)
        if value is not None and not (isinstance(value, str) and value == value.strip() and value.isprintable()):
            raise LoginError(
                f"The {name} begins or ends with a space or a line break, or has a control character, which is not "
                "valid in a header: remove it (the filter trim does)."
            )


def _timeout(seconds: Any) -> float:
    if not seconds:
        return DEFAULT_TIMEOUT_SECONDS
    try:
        timeout = float(seconds)
    except (TypeError, ValueError) as error:
        raise OptionError(f"api_timeout is {seconds!r}, but must be a number of seconds.") from error
    if timeout <= 0:
        raise OptionError(f"api_timeout is {seconds}, but must be greater than 0.")
    if math.isnan(timeout) or timeout > _LONGEST_TIMEOUT_SECONDS:
        raise OptionError(f"api_timeout is {seconds}, but must be {_LONGEST_TIMEOUT_SECONDS} or less.")
    return timeout


def _speak_utf8(plugin: Any) -> None:
    """Let v1's headers hold any user and key: Python writes headers in Latin-1, and Swift reads them in UTF-8."""
    plugin.user = plugin.user.encode("utf-8").decode("latin-1")
    plugin.key = plugin.key.encode("utf-8").decode("latin-1")


def _refuse_redirect(response: Any, *_arguments: Any, **_options: Any) -> None:
    """Refuse a redirect of the authentication service to another server, which would receive the credentials."""
    location = response.headers.get("location")
    if response.is_redirect and server_of(urljoin(response.url, location)) != server_of(response.url):
        raise LoginError(
            "The identity service redirects to another server, to which the credentials are not sent: correct auth_url."
        )
