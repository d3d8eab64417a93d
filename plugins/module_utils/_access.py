# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Credentials to a session: the way in, as openstack.cloud reads it.

openstacksdk finds and merges ``clouds.yaml``, ``OS_*`` variables and options; keystoneauth logs in.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ._credentials import ANONYMOUS, APPLICATION_CREDENTIAL, READY_TOKEN, V1, Credentials, choose
from ._errors import LoginError, OptionError, UnreachableError
from ._libraries import openstack_config, swift_connection_class
from ._secrets import secrets_of

if TYPE_CHECKING:
    from keystoneauth1.session import Session
    from openstack.config.cloud_region import CloudRegion

# No request may wait for ever, and openstacksdk's own default is to do so.
DEFAULT_TIMEOUT_SECONDS = 60.0

_CORRECT_ENDPOINT = "correct service_type, interface or region_name."

# What to do about credentials that are refused, by what they are.
_RENEW = "can't be renewed: get a new one, or give credentials in its place."
_EXCHANGED_TOKENS = ("token", "v3token")
_REMEDIES = {
    ANONYMOUS: "what was asked for is not public, and there are no credentials: give cloud or auth.",
    READY_TOKEN: f"the token is another account's, or has ended and {_RENEW}",
    **dict.fromkeys(_EXCHANGED_TOKENS, f"the token is wrong, or has ended and {_RENEW}"),
    APPLICATION_CREDENTIAL: "check the application credential's id and secret, and whether it has expired.",
    V1: "check user and key.",
}
_CHECK_PASSWORD = "check user, password, project and domains."

# Python's words, before the line of its source.
_UNTRUSTED = re.compile(r"certificate verify failed: (.*?) \(_ssl")

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Access:
    """A session that can log in, and what Swift's address is looked up by.

    :param auth_type: keystoneauth's name of what the session logs in with
    :param interface: one, or several in the order they are looked for
    :param verify: False, True, or the path of a CA bundle, as requests has it
    :param certificate: the client's certificate and key, if there is one
    :param timeout: of one request, in seconds
    :param storage_url: Swift's address where the task names it
    :param override: Swift's address where the cloud's configuration has one instead of the catalogue's
    :param snet: whether Swift is reached over its service network
    """

    session: Session
    auth_type: str
    service_type: str
    interface: str | list[str]
    region_name: str | None
    verify: bool | str
    certificate: tuple[str | None, str | None]
    timeout: float
    storage_url: str | None
    override: str | None
    snet: bool

    @property
    def remedy(self) -> str:
        """What to do when Swift or the authentication service refuses the credentials."""
        return _REMEDIES.get(self.auth_type, _CHECK_PASSWORD)

    def missing_certificate(self, text: str) -> str:
        """What else may be the matter where a connection failed, for the end of a sentence.

        :param text: what a library says of the failure
        """
        # Such is the end of a connection, with TLS 1.3, that lacks a client's certificate.
        is_cut = any(sign in text for sign in ("RemoteDisconnected", "ConnectionReset", "BrokenPipe"))
        if is_cut and self.certificate[0] is None:
            return ", and client_cert where the server asks for a certificate"
        return ""

    def token(self) -> str | None:
        """A token that does not end at once, None where there are no credentials.

        keystoneauth asks for a new one in good time, before Swift cuts a body off because its token has ended.

        :raises LoginError: there is none to be had
        :raises UnreachableError: the authentication service does not answer
        """
        from keystoneauth1.exceptions import ClientException as KeystoneauthError

        if self.auth_type == ANONYMOUS:
            # keystoneauth's plugin has one that says "notused", which Swift would refuse.
            return None
        try:
            return self.session.get_token()
        except KeystoneauthError as error:
            raise login_error(error, self) from error

    def renew(self) -> bool:
        """Forget a token that was refused; False where there can't be another."""
        return bool(self.session.invalidate())


def open_access(params: Mapping[str, Any], hide: Callable[[Iterable[str]], None]) -> Access:
    """Turn a module's connection options into a session; nothing is sent yet.

    :param params: the options of ``_options.CONNECTION``, with ``uri``
    :param hide: is told every secret that is found on the way
    :raises OptionError: options that contradict each other or lack something
    :raises LoginError: no such cloud, or credentials that lack something
    """
    credentials = choose(params, os.environ)
    hide(secrets_of({"auth": credentials.settings.get("auth")}))
    region, session = _configure(credentials, hide)
    verify, certificate = region.get_requests_verify_args()
    verify = True if verify is None else verify
    _check_files(verify, certificate)
    service_type = params["service_type"]
    return Access(
        session=session,
        auth_type=region.config["auth_type"],
        service_type=service_type,
        interface=region.get_interface(service_type) or "public",
        region_name=region.get_region_name(service_type) or None,
        verify=verify,
        certificate=certificate if isinstance(certificate, tuple) else (certificate, None),
        timeout=region.config["api_timeout"],
        storage_url=credentials.storage_url,
        override=region.get_endpoint(service_type),
        snet=params["snet"],
    )


def _configure(credentials: Credentials, hide: Callable[[Iterable[str]], None]) -> tuple[CloudRegion, Session]:
    """What openstacksdk makes of options, variables and files, and a session from it."""
    config = openstack_config()
    # Before keystoneauth's plugin for v1 imports all of swiftclient.
    swift_connection_class()
    from keystoneauth1.exceptions import ClientException as KeystoneauthError
    from openstack.exceptions import ConfigException
    from yaml import YAMLError

    may_read = not credentials.are_complete
    try:
        region = config.OpenStackConfig(load_yaml_config=may_read, load_envvars=may_read).get_one(
            **credentials.settings
        )
        hide(secrets_of({"auth": region.config.get("auth")}))
        # The session reads this itself when it is made.
        region.config["api_timeout"] = _timeout(region.config.get("api_timeout"))
        session = region.get_session()
    except ConfigException as error:
        raise LoginError(
            f"The cloud's configuration can't be used: {_first_sentence(error)} "
            "Check the name, and that openstacksdk finds your clouds.yaml (OS_CLIENT_CONFIG_FILE names another one)."
        ) from error
    except YAMLError:
        # What is said of the error quotes the line.
        raise LoginError(
            "The clouds.yaml that openstacksdk finds (OS_CLIENT_CONFIG_FILE names another one) is no YAML: correct it."
        ) from None
    except KeystoneauthError as error:
        raise LoginError(
            f"The credentials can't be used: {_first_sentence(error)} Name a cloud of clouds.yaml in cloud, "
            "give auth (and auth_type), or set the OS_* variables."
        ) from error
    if region.config["auth_type"] == V1:
        _speak_utf8(session.auth)
    return region, session


def _speak_utf8(plugin: Any) -> None:
    """Let v1's headers hold any user and key: HTTP's are Latin-1 to Python, and UTF-8 to Swift."""
    plugin.user = plugin.user.encode("utf-8").decode("latin-1")
    plugin.key = plugin.key.encode("utf-8").decode("latin-1")


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


def _check_files(verify: bool | str, certificate: Any) -> None:
    """Refuse paths that are not there, before a TLS library says so in its own words."""
    names = certificate if isinstance(certificate, tuple) else (certificate,)
    for path in (verify, *names):
        if isinstance(path, str) and not os.path.exists(path):
            raise OptionError(f"There is no file {path!r}, which is to be used for TLS: correct the path.")


def find_storage_url(access: Access) -> str:
    """Log in, and look up Swift's address.

    :raises LoginError: the credentials are refused, or the service catalogue has no such Swift
    :raises UnreachableError: the authentication service does not answer
    """
    from keystoneauth1.exceptions import ClientException as KeystoneauthError

    try:
        _discover(access.session)
        if access.storage_url is not None:
            _refuse_stranger(access, access.storage_url)
        return access.storage_url or access.override or _ask_catalogue(access)
    except KeystoneauthError as error:
        raise login_error(error, access) from error


def _ask_catalogue(access: Access) -> str:
    url = access.session.get_endpoint(
        service_type=access.service_type, interface=access.interface, region_name=access.region_name
    )
    if not url:
        raise LoginError(f"The login names no {access.service_type} endpoint: {_CORRECT_ENDPOINT}")
    return str(url)


def _refuse_stranger(access: Access, storage_url: str) -> None:
    """Show a cloud's token to none but its own servers, whatever address a task was given.

    :raises LoginError: *storage_url* is at a server that the cloud does not name
    """
    if access.auth_type in (ANONYMOUS, READY_TOKEN):
        return
    if _server(storage_url) not in {_server(url) for url in _catalogue_urls(access)}:
        raise LoginError(
            "The storage URL in uri is at a server that the cloud does not name, which is not shown its token: "
            "name the cloud that it belongs to in cloud, or set auth_type to none for a public image."
        )


def _catalogue_urls(access: Access) -> list[str]:
    """All addresses of Swift that the login or the cloud's configuration names, in any region."""
    plugin: Any = access.session.auth
    ref = plugin.get_access(access.session)
    if access.auth_type == V1:
        urls = [ref.storage_url]
    else:
        urls = list(ref.service_catalog.get_urls(service_type=access.service_type))
    return [*urls, access.override] if access.override else urls


def _server(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme)


def over_service_network(url: str) -> str:
    """The address of Swift's service network, by the convention that the swift CLI and Glance follow."""
    parts = urlsplit(url)
    return parts._replace(netloc=f"snet-{parts.netloc}").geturl()


def is_untrusted(text: str) -> bool:
    """Whether a server's certificate is not trusted, by what a library says of the failure."""
    return bool(_UNTRUSTED.search(text))


def tls_failure(text: str) -> str | None:
    """Say what is the matter with TLS, and what to do; None where it is something else.

    :param text: what a library says of the failure
    """
    untrusted = _UNTRUSTED.search(text)
    if untrusted:
        return f"its certificate is not trusted ({untrusted[1]}): name the CA in ca_cert."
    if "SSL" in text:
        return f"TLS failed: check the address, client_cert and client_key. ({text})"
    return None


def login_error(error: Exception, access: Access) -> LoginError | UnreachableError:
    """Say what a failed login means.

    :param error: a keystoneauth exception
    """
    from keystoneauth1 import exceptions
    from keystoneauth1.exceptions import connection

    text = _first_sentence(error)
    if isinstance(error, connection.ConnectionError):
        why = tls_failure(text) or f"check auth_url and the network{access.missing_certificate(text)}. ({text})"
        return UnreachableError(f"The identity service can't be reached: {why}")
    # Keystone does not find a token that has ended, where it is to be exchanged for another.
    if isinstance(error, exceptions.Unauthorized) or (
        isinstance(error, exceptions.NotFound) and access.auth_type in _EXCHANGED_TOKENS
    ):
        return LoginError(f"The identity service refused the credentials: {access.remedy}")
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
