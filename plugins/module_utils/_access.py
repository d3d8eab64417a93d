# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Credentials to a session: the way in, as openstack.cloud reads it.

openstacksdk finds and merges ``clouds.yaml``, ``OS_*`` variables and options; keystoneauth logs in.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ._errors import LoginError, MissingLibraryError, OptionError, UnreachableError

if TYPE_CHECKING:
    from keystoneauth1.session import Session
    from openstack.config.cloud_region import CloudRegion

# No request may wait for ever, and openstacksdk's own default is to do so.
DEFAULT_TIMEOUT_SECONDS = 60.0

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

_CORRECT_ENDPOINT = "correct service_type, interface or region_name."


@dataclass(frozen=True)
class Access:
    """A session that can log in, and what Swift's address is looked up by.

    :param interface: one, or several in the order they are looked for
    :param verify: False, True, or the path of a CA bundle, as requests has it
    :param certificate: the client's certificate and key, if there is one
    :param timeout: of one request, in seconds
    :param storage_url: Swift's address where the configuration overrides the catalogue's
    """

    session: Session
    service_type: str
    interface: str | list[str]
    region_name: str | None
    verify: bool | str
    certificate: tuple[str | None, str | None]
    timeout: float
    storage_url: str | None


def open_access(params: Mapping[str, Any]) -> Access:
    """Turn a module's connection options into a session; nothing is sent yet.

    :param params: the options of ``_options.CONNECTION``
    :raises LoginError: no such cloud, or credentials that lack something
    """
    region, session = _configure(params)
    verify, certificate = region.get_requests_verify_args()
    verify = True if verify is None else verify
    _check_files(verify, certificate)
    service_type = params["service_type"]
    return Access(
        session=session,
        service_type=service_type,
        interface=region.get_interface(service_type) or "public",
        region_name=region.get_region_name(service_type) or None,
        verify=verify,
        certificate=certificate if isinstance(certificate, tuple) else (certificate, None),
        timeout=region.config["api_timeout"],
        storage_url=region.get_endpoint(service_type),
    )


def _configure(params: Mapping[str, Any]) -> tuple[CloudRegion, Session]:
    """What openstacksdk makes of options, variables and files, and a session from it."""
    try:
        from keystoneauth1.exceptions import ClientException as KeystoneauthError
        from openstack import config
        from openstack.exceptions import ConfigException
    except ImportError as error:
        raise MissingLibraryError("openstacksdk") from error
    try:
        region = config.OpenStackConfig().get_one(**_settings(params))
        # The session reads this itself when it is made.
        region.config["api_timeout"] = _timeout(region.config.get("api_timeout"))
        return region, region.get_session()
    except ConfigException as error:
        raise LoginError(
            f"The cloud's configuration can't be used: {_first_sentence(error)} "
            "Check the name, and that openstacksdk finds your clouds.yaml (OS_CLIENT_CONFIG_FILE names another one)."
        ) from error
    except KeystoneauthError as error:
        raise LoginError(
            f"The credentials can't be used: {_first_sentence(error)} Name a cloud of clouds.yaml in cloud, "
            "give auth (and auth_type), or set the OS_* variables."
        ) from error


def _timeout(seconds: Any) -> float:
    if not seconds:
        return DEFAULT_TIMEOUT_SECONDS
    try:
        timeout = float(seconds)
    except ValueError as error:
        raise OptionError(f"api_timeout is {seconds!r}: it has to be a number of seconds.") from error
    if timeout <= 0:
        raise OptionError(f"api_timeout is {seconds}: it has to be above zero.")
    return timeout


def _settings(params: Mapping[str, Any]) -> dict[str, Any]:
    """The options under openstacksdk's names."""
    cloud = params["cloud"]
    if isinstance(cloud, dict):
        _refuse_doubles(params)
        return dict(cloud)
    if cloud is not None and (not isinstance(cloud, str) or cloud.lstrip().startswith("{")):
        raise OptionError("cloud is neither the name of a cloud in clouds.yaml nor a dict with its settings.")
    settings = {
        "cloud": cloud,
        "auth": params["auth"],
        "auth_type": params["auth_type"],
        "region_name": params["region_name"],
        "interface": params["interface"],
        "verify": params["validate_certs"],
        "cacert": params["ca_cert"],
        "cert": params["client_cert"],
        "key": params["client_key"],
        "api_timeout": params["api_timeout"],
    }
    return {name: value for name, value in settings.items() if value is not None}


def _refuse_doubles(params: Mapping[str, Any]) -> None:
    doubles = [name for name in _IN_CLOUD_DICT if params[name] is not None]
    if params["interface"] != "public":
        # Its default can't be told from the same word given.
        doubles.append("interface")
    if doubles:
        raise OptionError(f"cloud is a dict and {', '.join(doubles)} given beside it: put all of it into cloud.")


def _check_files(verify: bool | str, certificate: Any) -> None:
    """Refuse paths that are not there, before a TLS library says so in its own words."""
    names = certificate if isinstance(certificate, tuple) else (certificate,)
    for path in (verify, *names):
        if isinstance(path, str) and not os.path.exists(path):
            raise OptionError(f"There is no file {path!r}, which is to be used for TLS: correct the path.")


def find_storage_url(access: Access) -> str:
    """Log in, and look up Swift's address.

    :raises LoginError: the credentials are refused, or the service catalogue has no such Swift
    :raises UnreachableError: the identity service does not answer
    """
    if access.storage_url:
        return access.storage_url
    from keystoneauth1.exceptions import ClientException as KeystoneauthError

    try:
        _discover(access.session)
        url = access.session.get_endpoint(
            service_type=access.service_type, interface=access.interface, region_name=access.region_name
        )
    except KeystoneauthError as error:
        raise login_error(error) from error
    if not url:
        raise LoginError(f"The login names no {access.service_type} endpoint: {_CORRECT_ENDPOINT}")
    return str(url)


def login_error(error: Exception) -> LoginError | UnreachableError:
    """Say what a failed login means.

    :param error: a keystoneauth exception
    """
    from keystoneauth1 import exceptions
    from keystoneauth1.exceptions import connection

    text = _first_sentence(error)
    if isinstance(error, connection.SSLError):
        return UnreachableError(f"The identity service's certificate is not trusted: name the CA in ca_cert. ({text})")
    if isinstance(error, connection.ConnectionError):
        return UnreachableError(f"The identity service can't be reached: check auth_url and the network. ({text})")
    if isinstance(error, exceptions.Unauthorized):
        return LoginError("The identity service refused the credentials: check user, password, project and domains.")
    if isinstance(error, exceptions.CatalogException):
        return LoginError(f"{text} Please {_CORRECT_ENDPOINT}")
    return LoginError(f"The login failed: {text}")


def _discover(session: Session) -> None:
    """Ask which versions the identity service speaks, before the plugin does, and leave it the answer.

    Where the address answers 401, the plugin would ask again with a token, and wait for ever for the lock
    that it holds while it fetches one (seen with keystoneauth1 5.18.1). A session without a plugin can't.
    """
    from keystoneauth1 import exceptions
    from keystoneauth1.identity.generic.base import BaseGenericPlugin
    from keystoneauth1.session import Session as PlainSession

    if not isinstance(session.auth, BaseGenericPlugin):
        return
    anonymous = PlainSession(verify=session.verify, cert=session.cert, timeout=session.timeout)
    try:
        session.auth.get_discovery(anonymous, session.auth.auth_url, authenticated=False)
    except exceptions.MissingAuthPlugin as error:
        raise LoginError(
            "The address in auth_url asks for a login before it says what it is, and so is no Keystone: "
            "correct it, or set auth_type to v1password for tempauth, swauth or Ceph RGW."
        ) from error
    except (exceptions.DiscoveryFailure, exceptions.HttpError):
        # The plugin then goes by the version in the address, as old Keystones behind proxies need.
        return


def _first_sentence(error: Exception) -> str:
    """The first line of a library's message, ended with a full stop."""
    line = (str(error).strip() or type(error).__name__).splitlines()[0].strip()
    return line if line.endswith((".", "!", "?")) else f"{line}."
