# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sessions that log in if needed, and the address of Swift, both found as in openstack.cloud."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .._errors import LoginError, UnreachableError
from .._model.uri import normalize_storage_url
from .config import check_files, configure, server_of
from .credentials import ANONYMOUS, READY_TOKEN, V1, choose
from .failures import CORRECT_ENDPOINT, login_error, remedy_for

if TYPE_CHECKING:
    from keystoneauth1.session import Session


@dataclass(frozen=True)
class SwiftSession:
    """A session that can log in, and the facts by which Swift's address is looked up.

    :param auth_type: keystoneauth's name of the plugin with which the session logs in
    :param interface: one, or several in the order of preference
    :param verify: False, True, or the path of a CA bundle, as requests has it
    :param certificate: the client's certificate and key, if there is one
    :param timeout: of one request, in seconds
    :param storage_url: Swift's address, if the task names it
    :param override: Swift's address in the cloud's configuration, if it has one instead of the catalogue's
    :param snet: whether Swift is reached over its service network
    """

    auth_session: Session
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
        """The advice if Swift or the authentication service refuses the credentials."""
        return remedy_for(self.auth_type)

    @property
    def has_certificate(self) -> bool:
        """True if the client shows a certificate."""
        return self.certificate[0] is not None

    def token(self) -> str | None:
        """Return a token that does not expire at once; None if there are no credentials.

        keystoneauth requests a new one in time, before Swift cuts off a body because the token has expired.

        :raises LoginError: no token can be obtained
        :raises UnreachableError: the authentication service does not answer
        """
        if self.auth_type == ANONYMOUS:
            # keystoneauth's plugin has the token "notused", which Swift would refuse.
            return None
        with self.explained():
            return self.auth_session.get_token()

    def project_id(self) -> str | None:
        """Return the project that Keystone logged these credentials in to; None if there is no Keystone login."""
        with self.explained():
            return self.auth_session.get_project_id()

    def renew(self) -> bool:
        """Discard a token that was refused; return False if there can't be another one."""
        return bool(self.auth_session.invalidate())

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn the libraries' errors about a login into errors of this collection."""
        try:
            yield
        except (LoginError, UnreachableError):
            raise
        except Exception as error:
            raise login_error(error, self.auth_type, self.has_certificate) from None


def open_session(params: Mapping[str, Any], hide: Callable[[Mapping[str, Any]], None]) -> SwiftSession:
    """Turn a module's connection options into a session; nothing is sent yet.

    :param params: the options of ``options.CONNECTION``, with ``uri``
    :param hide: keeps the secrets in an ``auth`` mapping out of results; called for each one found
    :raises OptionError: options that contradict each other or lack something
    :raises LoginError: the cloud does not exist, or the credentials are incomplete
    """
    credentials = choose(params, os.environ)
    hide(credentials.settings.get("auth") or {})
    region, session = configure(credentials, hide)
    verify, certificate = region.get_requests_verify_args()
    verify = True if verify is None else verify
    check_files(verify, certificate)
    service_type = params["service_type"]
    swift_session = SwiftSession(
        auth_session=session,
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
    _discover_without_token(swift_session)
    return swift_session


def find_storage_url(session: SwiftSession) -> str:
    """Log in, and look up Swift's address.

    :returns: the address in normal form, whatever it comes from
    :raises LoginError: the credentials are refused, or the service catalogue lacks the service
    :raises UnreachableError: the authentication service does not answer
    """
    with session.explained():
        if session.storage_url is not None:
            _refuse_stranger(session, session.storage_url)
        return normalize_storage_url(session.storage_url or session.override or _ask_catalogue(session))


def over_service_network(url: str) -> str:
    """Return the address of Swift's service network, by the convention that the swift CLI and Glance follow."""
    parts = urlsplit(url)
    return parts._replace(netloc=f"snet-{parts.netloc}").geturl()


def _ask_catalogue(session: SwiftSession) -> str:
    from keystoneauth1.exceptions import EmptyCatalog

    try:
        url = session.auth_session.get_endpoint(
            service_type=session.service_type, interface=session.interface, region_name=session.region_name
        )
    except EmptyCatalog:
        # The catalogue of a login without a project, or of a project without services.
        url = None
    if not url:
        raise _missing_endpoint(session)
    return str(url)


def _missing_endpoint(session: SwiftSession) -> LoginError:
    """Return the error for a login that names no endpoint of Swift.

    Keystone leaves endpoints with ``%(project_id)s`` out of the catalogue of a login that is not for a project.
    """
    is_keystone = session.auth_type not in (ANONYMOUS, READY_TOKEN, V1)
    if is_keystone and session.project_id() is None:
        return LoginError("The login is not for a project: set project_name (or project_id) in auth.")
    return LoginError(f"The login names no {session.service_type} endpoint: {CORRECT_ENDPOINT}")


def _refuse_stranger(session: SwiftSession, storage_url: str) -> None:
    """Refuse a storage URL at a server that is not the cloud's, because it would receive the cloud's token.

    :raises LoginError: *storage_url* is at a server that the cloud does not name
    """
    if session.auth_type == ANONYMOUS:
        return
    known = _known_urls(session)
    if not known:
        raise _missing_endpoint(session)
    if server_of(storage_url) not in {server_of(url) for url in known}:
        raise LoginError(
            "The storage URL in uri is on a server that does not belong to the cloud. The cloud's token is not sent "
            "to this server: set cloud to the server's cloud, or set auth_type to none for a public image."
        )


def _known_urls(session: SwiftSession) -> list[str]:
    """Return all addresses of Swift that the login or the cloud's configuration names, in any region."""
    plugin: Any = session.auth_session.auth
    if session.auth_type == READY_TOKEN:
        urls = [plugin.endpoint]
    elif session.auth_type == V1:
        urls = [plugin.get_access(session.auth_session).storage_url]
    else:
        catalogue = plugin.get_access(session.auth_session).service_catalog
        urls = list(catalogue.get_urls(service_type=session.service_type))
    return [*urls, session.override] if session.override else urls


def _discover_without_token(swift_session: SwiftSession) -> None:
    """Let the plugin discover the identity service's versions without a token, and fail if there is no answer.

    If the address answers 401, the plugin would repeat the request with a token. It would then wait forever for the
    lock that it holds while it fetches one (seen with keystoneauth1 5.18.1). A session without a plugin can't do that.
    """
    from keystoneauth1 import exceptions
    from keystoneauth1.identity.generic.base import BaseGenericPlugin
    from keystoneauth1.session import Session as PlainSession

    session = swift_session.auth_session
    if not isinstance(session.auth, BaseGenericPlugin):
        return
    anonymous = PlainSession(verify=session.verify, cert=session.cert, timeout=session.timeout)
    get_discovery = session.auth.get_discovery

    def get_discovery_without_token(_session: Session, url: str, authenticated: bool | None = None) -> Any:
        try:
            return get_discovery(anonymous, url, authenticated=False)
        except exceptions.MissingAuthPlugin as error:
            raise LoginError(
                "The server at auth_url asks for a login before it describes its API, so it is not a Keystone: "
                "correct auth_url, or set auth_type to v1password for tempauth, swauth or Ceph RGW."
            ) from error
        except exceptions.ConnectionError as error:
            raise login_error(error, swift_session.auth_type, swift_session.has_certificate) from None

    # keystoneauth1 has no setting for this, and a type checker refuses an assignment to a method.
    setattr(session.auth, "get_discovery", get_discovery_without_token)  # noqa: B010
