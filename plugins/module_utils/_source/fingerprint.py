# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fingerprints of the state of a URL's file, by its server's headers. Pure.

A fingerprint is recorded with the image. It shows without a download that the file is unchanged. It has two parts: one
from the file's ETag, and one from its time and length. Some servers send another ETag with each request, as the edges
of a CDN may. Such an ETag is left out, and time and length decide.
"""

from __future__ import annotations

import hashlib
import re
from urllib.parse import urlsplit

from .address import Address
from .answer import AnswerFacts

_DIGITS = 32
_UNKNOWN = "-"
# The parameters of signatures: Amazon S3, CloudFront, Google Cloud Storage, Azure, Swift's temp URLs, and others.
_SIGNATURE = re.compile(
    r"x-(amz|goog)-.*|temp_url_(sig|expires)|signature|sig|s[eprtv]|st|skoid|sktid|ske|sks|skv|token|expires|policy|"
    r"key-pair-id|awsaccesskeyid|googleaccessid"
)
_FINGERPRINT = re.compile(rf"([0-9a-f]{{{_DIGITS}}}|-)\.([0-9a-f]{{{_DIGITS}}}|-)")


def fingerprint_of(address: Address, facts: AnswerFacts) -> str | None:
    """Return the fingerprint of a file; None if the headers are not sufficient.

    :param address: the address that the user named, whose query may include a signature
    """
    resource = _without_signature(address.url)
    etag = _hash(resource, facts.etag) if facts.etag else _UNKNOWN
    date = _hash(resource, str(facts.modified), str(facts.length)) if facts.is_dated else _UNKNOWN
    return None if etag == date == _UNKNOWN else f"{etag}.{date}"


def is_same_state(recorded: str | None, told: str | None) -> bool:
    """Return whether a recorded fingerprint shows that the file is unchanged."""
    old, new = _parts(recorded), _parts(told)
    if old is None or new is None:
        return False
    if _UNKNOWN in (old[0], new[0]):
        return old[1] == new[1] != _UNKNOWN
    return old[0] == new[0]


def after_comparison(recorded: str | None, told: str | None) -> str | None:
    """Return the fingerprint to record, after a comparison has shown that the file has the image's content.

    :param told: the current fingerprint of the file
    """
    old, new = _parts(recorded), _parts(told)
    if old is None or new is None:
        return told or recorded
    is_unstable = old[0] != new[0] and (old[1] == new[1] != _UNKNOWN or old[0] == _UNKNOWN)
    return _without_etag(new) if is_unstable else told


def in_common(first: str | None, second: str | None) -> str | None:
    """Return a file's fingerprint from two requests, without an ETag that changes; None if the time changes."""
    old, new = _parts(first), _parts(second)
    if old is None or new is None or old == new:
        return first
    return _without_etag(old) if old[1] == new[1] else None


def _without_etag(parts: tuple[str, str]) -> str | None:
    return None if parts[1] == _UNKNOWN else f"{_UNKNOWN}.{parts[1]}"


def _parts(fingerprint: str | None) -> tuple[str, str] | None:
    """Return both parts; None if there is no fingerprint, or it is not valid."""
    found = _FINGERPRINT.fullmatch(fingerprint or "")
    return None if found is None else (found[1], found[2])


def _without_signature(url: str) -> str:
    """Return a URL without the parameters of its query that give access, and do not select the file."""
    parts = urlsplit(url)
    kept = [pair for pair in parts.query.split("&") if not _SIGNATURE.fullmatch(pair.partition("=")[0].lower())]
    return parts._replace(query="&".join(kept)).geturl()


def _hash(*parts: str) -> str:
    """Return one hash of all parts, which reveals nothing of a URL that may be signed."""
    return hashlib.sha256("\n".join(parts).encode("utf-8")).hexdigest()[:_DIGITS]
