# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What it means when Swift refuses a request or does not answer, as errors of this collection's own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from ._access import Access
from ._errors import (
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
from ._login_errors import is_untrusted, missing_certificate, tls_failure
from ._retry import is_temporary

# Swift answers errors in HTML.
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True)
class Failure:
    """One try of a request that failed.

    :param error: what to tell the user when it was the last
    :param is_temporary: whether another may succeed
    :param cause: what a library raised
    :param retry_after: when the server wants it, as it says that
    """

    error: ImageStoreError
    is_temporary: bool
    cause: BaseException | None
    retry_after: str | None = None


def explain_silence(error: Exception, verb: str, thing: str, access: Access) -> Failure:
    """No answer.

    :param error: of requests, or of the operating system
    :param verb: what was to be done
    :param thing: to what
    """
    text = str(error)
    hint = missing_certificate(text, access.has_certificate)
    why = tls_failure(text) or f"no answer ({type(error).__name__}); check the network{hint}, and run again."
    return Failure(UnreachableError(f"Swift can't {verb} {thing}: {why}"), not is_untrusted(text), error)


def explain_nonsense(error: Exception, verb: str, thing: str) -> Failure:
    """An answer that Swift would not give, or an address that no request can be sent to.

    :param error: a library's, about what it can't read or write
    """
    sentence = (
        f"Swift can't {verb} {thing}: what answers, or its address, is none of Swift's ({type(error).__name__}); "
        "correct the address."
    )
    return Failure(UnreachableError(sentence), False, error)


def explain_answer(error: Any, verb: str, thing: str, remedy: str) -> Failure:
    """An answer that is no success.

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
        return SwiftError(f"{failed}: it names another address ({status}), which is not followed; correct it.", status)
    if status == HTTPStatus.UNAUTHORIZED:
        return LoginError(f"{failed}: access is refused; {remedy}")
    if status == HTTPStatus.FORBIDDEN:
        return ForbiddenError(
            f"{failed}: these credentials may not; ask for an operator's role in the project or for an ACL.",
            status,
        )
    if status == HTTPStatus.NOT_FOUND:
        return NotFoundError(f"{failed}: there is no such container or object.", status)
    if status in (HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED):
        return ConflictError(f"{failed}: it was changed meanwhile ({status}); run again.", status)
    if status in (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.INSUFFICIENT_STORAGE):
        return QuotaError(f"{failed}: over a quota or the cluster's limits ({status}); make room first.", status)
    if status == HTTPStatus.UNPROCESSABLE_ENTITY:
        return IntegrityError(f"{failed}: the bytes arrived changed; run again.")
    return SwiftError(f"{failed}: it answered {status} {error.http_reason}{_body_text(error)}.", status)


def _body_text(error: Any) -> str:
    """What the answer's body adds, on one line; Swift explains a 400 there."""
    body = error.http_response_content or b""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body)
    words = " ".join(_TAG.sub(" ", text).split())
    return f" ({words[:200]})" if words else ""
