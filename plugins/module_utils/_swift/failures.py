# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Explanations of failed requests and logins, as errors of this collection."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from .._errors import (
    ConflictError,
    ForbiddenError,
    ImageStoreError,
    IntegrityError,
    LoginError,
    NotFoundError,
    QuotaError,
    SwiftError,
    UnreachableError,
)
from .._retry import is_temporary
from .credentials import ANONYMOUS, APPLICATION_CREDENTIAL, EXCHANGED_TOKENS, READY_TOKEN, V1

# The verbs of requests whose failures have explanations of their own.
READ = "read"
CREATE = "create container"

# Swift's answers to failed requests are in HTML.
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True)
class Failure:
    """A failed try of a request.

    :param error: the error for the user, if this try is the last one
    :param is_temporary: whether another try may succeed
    :param cause: the exception of a library
    :param retry_after: the server's ``Retry-After`` header
    """

    error: ImageStoreError
    is_temporary: bool
    cause: BaseException | None
    retry_after: str | None = None


def explain_silence(error: Exception, verb: str, thing: str, has_certificate: bool) -> Failure:
    """Explain a request without an answer.

    :param error: of requests, or of the operating system
    :param verb: the action of the request
    :param thing: the object of the action
    :param has_certificate: whether the client shows a certificate
    """
    text = str(error)
    hint = missing_certificate(text, has_certificate)
    why = tls_failure(text) or f"no answer ({type(error).__name__}); check the network{hint}, and run again."
    return Failure(UnreachableError(f"Swift can't {verb} {thing}: {why}"), not is_untrusted(text), error)


def explain_nonsense(error: Exception, verb: str, thing: str) -> Failure:
    """Explain an answer that Swift would not give, or an address that no request can be sent to.

    :param error: a library's, about data that it can't read or write
    """
    sentence = (
        f"Swift can't {verb} {thing}: the address is not valid, or the server there is not Swift "
        f"({type(error).__name__}); correct the address."
    )
    return Failure(UnreachableError(sentence), False, error)


def explain_answer(error: Any, verb: str, thing: str, remedy: str) -> Failure:
    """Explain an answer that is not a success.

    :param error: swiftclient's ClientException
    :param remedy: what to do about refused credentials
    """
    status = error.http_status
    if status is None:
        return Failure(UnreachableError(f"Swift can't be asked to {verb} {thing}: {error.msg}"), False, error)
    headers = error.http_response_headers or {}
    return Failure(_error_of(error, verb, thing, remedy), is_temporary(status), error, headers.get("retry-after"))


def _error_of(error: Any, verb: str, thing: str, remedy: str) -> ImageStoreError:
    status = error.http_status
    failed = f"Swift can't {verb} {thing}"
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return SwiftError(
            f"{failed}: the server redirects to another address ({status}), which is not followed; correct the "
            "address.",
            status,
        )
    if status == HTTPStatus.UNAUTHORIZED:
        return LoginError(f"{failed}: access is refused; {remedy}")
    if status == HTTPStatus.FORBIDDEN:
        return ForbiddenError(
            f"{failed}: these credentials lack permission; ask for an operator's role in the project, or for an ACL.",
            status,
        )
    if status == HTTPStatus.NOT_FOUND:
        return NotFoundError(f"{failed}: there is no such container or object.", status)
    if status == HTTPStatus.CONFLICT and verb == READ:
        # Swift's SLO middleware answers 409 to a GET if the first segment of the requested bytes is not the manifest's.
        return IntegrityError(
            f"{failed}: a segment is missing or damaged ({status}). Check it with verify: true of swift_image_info, "
            "then store it again."
        )
    if status == HTTPStatus.CONFLICT and verb == CREATE:
        return ConflictError(
            f"{failed}: a container with this name belongs to another owner ({status}); choose another container.",
            status,
        )
    if status in (HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED):
        return ConflictError(f"{failed}: another client changed it meanwhile ({status}); run again.", status)
    if status in (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.INSUFFICIENT_STORAGE):
        return QuotaError(
            f"{failed}: the request exceeds a quota or the cluster's limits ({status}); make room first.", status
        )
    if status == HTTPStatus.UNPROCESSABLE_ENTITY:
        return IntegrityError(f"{failed}: the data was corrupted in transit; run again.")
    return SwiftError(f"{failed}: the server answered {status} {error.http_reason}{_body_text(error)}.", status)


def _body_text(error: Any) -> str:
    """Return the text of the answer's body on one line: Swift explains a 400 there."""
    body = error.http_response_content or b""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body)
    words = " ".join(_TAG.sub(" ", text).split())
    return f" ({words[:200]})" if words else ""


CORRECT_ENDPOINT = "correct service_type, interface or region_name."

SET_DOMAINS = "set user_domain_name and project_domain_name in auth (often to Default)."
# The messages of Keystone (400) and of keystoneauth about a user or a project that is named without a domain.
_LACKS_DOMAIN = ("Expecting to find domain in", "is only unique within a domain")

# The remedies for refused credentials, by their type.
_RENEW = "can't be renewed: get a new token, or use credentials instead."
_REMEDIES = {
    ANONYMOUS: "the object or container is not public, and there are no credentials: set cloud or auth.",
    READY_TOKEN: f"the token is another account's, or has expired and {_RENEW}",
    **dict.fromkeys(EXCHANGED_TOKENS, f"the token is wrong, or has expired and {_RENEW}"),
    APPLICATION_CREDENTIAL: "check the application credential's id and secret, and whether it has expired.",
    V1: "check user and key.",
}
_CHECK_PASSWORD = "check user, password, project and domains."

# Python's message, up to the line of its source.
_UNTRUSTED = re.compile(r"certificate verify failed: (.*?) \(_ssl")
# With TLS 1.3, a connection that lacks a client's certificate ends in one of these ways.
_CUT = ("RemoteDisconnected", "ConnectionReset", "BrokenPipe")
# The resolver's messages for a name that does not exist. Its messages for its own failures differ (getaddrinfo(3)).
_NO_SUCH_HOST = ("Name or service not known", "nodename nor servname", "No address associated")


def remedy_for(auth_type: str) -> str:
    """Return the remedy if Swift or the authentication service refuses credentials of this type."""
    return _REMEDIES.get(auth_type, _CHECK_PASSWORD)


def lacks_domain(text: str) -> bool:
    """Return whether credentials lack a domain, by a library's or Keystone's message."""
    return any(sign in text for sign in _LACKS_DOMAIN)


def is_untrusted(text: str) -> bool:
    """Return whether a server's certificate is not trusted, by a library's message."""
    return bool(_UNTRUSTED.search(text))


def tls_failure(text: str) -> str | None:
    """Return the problem with TLS, and the remedy; None if something else is wrong.

    :param text: a library's message about the failure
    """
    untrusted = _UNTRUSTED.search(text)
    if untrusted:
        return f"the server's certificate is not trusted ({untrusted[1]}): set ca_cert to its CA."
    if "SSL" in text:
        return f"TLS failed: check the address, client_cert and client_key. ({text})"
    return None


def missing_certificate(text: str, has_certificate: bool) -> str:
    """Return another possible cause of a failed connection, for the end of a sentence.

    :param text: a library's message about the failure
    """
    if not has_certificate and any(sign in text for sign in _CUT):
        return ", and client_cert if the server asks for a certificate"
    return ""


def is_broken_off(error: Exception) -> bool:
    """Return whether an answer was truncated.

    :param error: the exception of keystoneauth
    """
    from keystoneauth1.exceptions.connection import UnknownConnectionError
    from requests.exceptions import ChunkedEncodingError

    return isinstance(error, UnknownConnectionError) and isinstance(error.original, ChunkedEncodingError)


def login_error(error: Exception, auth_type: str, has_certificate: bool) -> ImageStoreError:
    """Return the error for a failed login.

    :param error: the exception that keystoneauth raised, its own or another library's
    :param auth_type: the type of the credentials
    :param has_certificate: whether the client shows a certificate
    """
    from keystoneauth1 import exceptions
    from keystoneauth1.exceptions import connection

    if isinstance(error, ImageStoreError):
        return error
    if is_broken_off(error):
        return UnreachableError("The identity service's answer is truncated: check the network, and run again.")
    if isinstance(error, connection.UnknownConnectionError) or not isinstance(error, exceptions.ClientException):
        # The exception's message may quote a header.
        cause = getattr(error, "original", None) or error
        return LoginError(
            f"The login failed ({type(cause).__name__}): check auth_url, and that all values in auth are text."
        )
    text = first_sentence(error)
    if isinstance(error, connection.ConnectionError):
        hint = missing_certificate(text, has_certificate)
        why = tls_failure(text) or f"check auth_url and the network{hint}. ({text})"
        may_pass = not (is_untrusted(text) or any(sign in text for sign in _NO_SUCH_HOST))
        return UnreachableError(f"The identity service can't be reached: {why}", may_pass)
    if isinstance(error, exceptions.HttpError) and is_temporary(error.http_status):
        return UnreachableError(f"The identity service is not available: {text} Run again later.")
    # Keystone answers 404 for an expired token that it should exchange for another one.
    if isinstance(error, exceptions.Unauthorized) or (
        isinstance(error, exceptions.NotFound) and auth_type in EXCHANGED_TOKENS
    ):
        return LoginError(f"The identity service refused the credentials: {remedy_for(auth_type)}")
    if lacks_domain(text):
        return LoginError(f"The login failed, because the credentials lack a domain: {SET_DOMAINS}")
    if isinstance(error, exceptions.CatalogException):
        return LoginError(f"{text} Please {CORRECT_ENDPOINT}")
    return LoginError(f"The login failed: {text}")


def first_sentence(error: Exception) -> str:
    """Return the first line of a library's message, with a full stop at its end."""
    line = (str(error).strip() or type(error).__name__).splitlines()[0].strip()
    return line if line.endswith((".", "!", "?")) else f"{line}."
