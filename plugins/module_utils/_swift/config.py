# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sessions from credentials, as openstacksdk and keystoneauth make them, without a login."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from .._errors import LoginError, OptionError
from .credentials import HEADER_AUTH_TYPES, V1, Credentials
from .failures import SET_DOMAINS, first_sentence, lacks_domain
from .lazy_imports import openstack_config, swift_connection_class

if TYPE_CHECKING:
    from keystoneauth1.session import Session
    from openstack.config import OpenStackConfig
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
        found = config.OpenStackConfig(load_yaml_config=may_read, load_envvars=may_read)
        _check_cloud(found, credentials.settings.get("cloud") or (os.environ.get("OS_CLOUD") if may_read else None))
        region = found.get_one(**credentials.settings)
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
        if lacks_domain(str(error)):
            raise LoginError(f"The credentials can't be used, because they lack a domain: {SET_DOMAINS}") from error
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


def _check_cloud(config: OpenStackConfig, name: Any) -> None:
    """Refuse a cloud that no file has.

    :raises LoginError: there is no such cloud
    """
    clouds = config.get_cloud_names()
    if name is not None and name not in clouds:
        raise LoginError(f"There is no cloud {name!r} {_searched(config.config_filename, clouds)}")


def _searched(read: str | None, clouds: Sequence[str]) -> str:
    """Return where a cloud was searched for, and what to do, for the end of a sentence.

    :param read: the file that openstacksdk read: the first one that exists and that it can read
    """
    override = os.environ.get("OS_CLIENT_CONFIG_FILE")
    paths = [*([override] if override else []), *_cloud_files()]
    skipped = [path for path in paths[: paths.index(read) if read in paths else None] if os.path.exists(path)]
    if skipped and not os.access(skipped[0], os.R_OK):
        return (
            f"in the files that can be read, and this user may not read {skipped[0]}: correct cloud, or the mode of "
            "that file."
        )
    if skipped:
        return f"in the files that can be read, and {skipped[0]} is not valid YAML: correct cloud, or that file."
    if read is None:
        folders = list(dict.fromkeys(os.path.dirname(path) for path in _cloud_files()))
        named = f", which now names {override}" if override else ""
        return (
            f"because there is no clouds.yaml: put one into {' or '.join(folders)}, or name it in "
            f"OS_CLIENT_CONFIG_FILE{named}."
        )
    known = f"whose clouds are {', '.join(clouds)}" if clouds else "which has no clouds"
    return f"in {read}, {known}: correct cloud."


def _cloud_files() -> list[str]:
    """Return the paths at which openstacksdk searches for ``clouds.yaml``, in their order."""
    from openstack.config.loader import CONFIG_FILES

    return list(CONFIG_FILES)


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
