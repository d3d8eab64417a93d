# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sessions from credentials, as openstacksdk and keystoneauth make them; nothing logs in here."""

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


# No request may wait for ever, and openstacksdk's own default is to do so.
DEFAULT_TIMEOUT_SECONDS = 60.0
_LONGEST_TIMEOUT_SECONDS = 24 * 60 * 60

_DEFAULT_PORTS = {"http": 80, "https": 443}

_CHECK_CLOUDS = "openstacksdk finds your clouds.yaml, and it is YAML (OS_CLIENT_CONFIG_FILE names another one)."
# A plugin's parameter, in Python's words about a call that lacks it or has it too many.
_PARAMETER = re.compile(r"'(\w+)'")


def configure(credentials: Credentials, hide: Callable[[Mapping[str, Any]], None]) -> tuple[CloudRegion, Session]:
    """Return the configuration that openstacksdk makes of options, variables and files, and a session; nothing is sent.

    :param hide: keeps the secrets in an ``auth`` mapping out of results
    :raises LoginError: no such cloud, or credentials that lack something
    :raises OptionError: something that can't be used
    """
    config = openstack_config()
    # Before keystoneauth's plugin for v1 imports all of swiftclient.
    swift_connection_class()
    may_read = not credentials.are_complete
    with _explained():
        region = config.OpenStackConfig(load_yaml_config=may_read, load_envvars=may_read).get_one(
            **credentials.settings
        )
        auth = region.config.get("auth") or {}
        hide(auth)
        _check_auth(auth, region.config.get("auth_type"))
        # The session reads this itself when it is made.
        region.config["api_timeout"] = _timeout(region.config.get("api_timeout"))
        session = region.get_session()
        if region.config["auth_type"] == V1:
            _speak_utf8(session.auth)
    session.session.hooks["response"].append(_refuse_redirect)
    return region, session


def check_files(verify: bool | str, certificate: Any) -> None:
    """Refuse paths that are not there, before a TLS library says so in its own words.

    :raises OptionError: there is no such file
    """
    names = certificate if isinstance(certificate, tuple) else (certificate,)
    for path in (verify, *names):
        if isinstance(path, str) and not os.path.exists(path):
            raise OptionError(f"There is no file {path!r}, which is to be used for TLS: correct the path.")


def server_of(url: str) -> tuple[str, str | None, int | None]:
    """Return scheme, host and port: the server that sees what a request holds."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme)


@contextmanager
def _explained() -> Iterator[None]:
    """Turn what the libraries raise about a configuration into a sentence.

    openstacksdk and keystoneauth do not check what they are given, and so anything may come out of them.
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
        # What is said of the error quotes the line.
        raise LoginError(f"The cloud's configuration can't be used: see that {_CHECK_CLOUDS}") from None
    except KeystoneauthError as error:
        raise LoginError(
            f"The credentials can't be used: {first_sentence(error)} Name a cloud of clouds.yaml in cloud, "
            "give auth (and auth_type), or set the OS_* variables."
        ) from error
    except Exception as error:
        parameters = _PARAMETER.findall(str(error)) if isinstance(error, TypeError) else []
        about = f" {', '.join(parameters)}" if parameters else ""
        raise LoginError(
            "The credentials can't be used: auth, the cloud in clouds.yaml or an OS_* variable lacks something, or "
            f"holds something that is not for this auth_type, or is no text{about}: correct it."
        ) from None


def _check_auth(auth: Mapping[str, Any], auth_type: str | None) -> None:
    """Refuse what libraries would stumble over later, and then perhaps quote."""
    auth_url = auth.get("auth_url")
    if auth_url is not None and "://" not in str(auth_url):
        raise LoginError("auth_url has no scheme: begin it with https:// or http://.")
    if auth_type not in HEADER_AUTH_TYPES:
        return
    for name in ("username", "password", "token"):
        value = auth.get(name)
        if value is not None and not (isinstance(value, str) and value == value.strip() and value.isprintable()):
            raise LoginError(
                f"The {name} begins or ends with a space or a line break, or holds a control character, which no "
                "header can carry: take it out (the filter trim does)."
            )


def _timeout(seconds: Any) -> float:
    if not seconds:
        return DEFAULT_TIMEOUT_SECONDS
    try:
        timeout = float(seconds)
    except (TypeError, ValueError) as error:
        raise OptionError(f"api_timeout is {seconds!r}: it has to be a number of seconds.") from error
    if timeout <= 0:
        raise OptionError(f"api_timeout is {seconds}: it has to be above zero.")
    if math.isnan(timeout) or timeout > _LONGEST_TIMEOUT_SECONDS:
        raise OptionError(f"api_timeout is {seconds}: it has to be {_LONGEST_TIMEOUT_SECONDS} seconds at most.")
    return timeout


def _speak_utf8(plugin: Any) -> None:
    """Let v1's headers hold any user and key: HTTP's are Latin-1 to Python, and UTF-8 to Swift."""
    plugin.user = plugin.user.encode("utf-8").decode("latin-1")
    plugin.key = plugin.key.encode("utf-8").decode("latin-1")


def _refuse_redirect(response: Any, *_arguments: Any, **_options: Any) -> None:
    """Follow no answer of the authentication service to another server, which would be shown the credentials."""
    location = response.headers.get("location")
    if response.is_redirect and server_of(urljoin(response.url, location)) != server_of(response.url):
        raise LoginError("The identity service names another server, which is not shown the credentials: see auth_url.")
