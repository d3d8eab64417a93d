# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Errors: one type for each kind of failure that needs a different reaction from the user.

The text of every error is one sentence (or two short ones): what is wrong, and what to do.
No text may hold a secret, because the playbook's output shows it unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any


def printable(text: str) -> str:
    """Return *text* with control characters escaped: a name from the store may hold some that move the cursor."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text)


class ImageStoreError(Exception):
    """Base class of the errors that a module reports in a sentence.

    :ivar result: the values that the module returns beside the message
    """

    result: Mapping[str, Any] = MappingProxyType({})

    def __str__(self) -> str:
        return printable(super().__str__())

    def add(self, sentence: str) -> None:
        """Append a sentence to the message."""
        self.args = (f"{self} {sentence}",)


class PartlyFailedError(ImageStoreError):
    """Error for a run in which some of many images failed.

    :param result: the result for all images
    """

    def __init__(self, message: str, result: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.result = result


class OptionError(ImageStoreError):
    """Error for an option's value that can't be used."""


class SourceError(ImageStoreError):
    """Error for a source that can't be read, or does not match the options that describe it."""


class SourceChangedError(SourceError):
    """Error for a source that was replaced while it was read; a new read from the beginning may succeed."""


class DestinationError(ImageStoreError):
    """Error for a destination to which the image can't be written."""


class ReadOnlyFolderError(DestinationError):
    """Error for a folder in which this user may not create a file."""


class NoRoomError(DestinationError):
    """Error for a full disk, or an exhausted disk quota."""


class MissingLibraryError(ImageStoreError):
    """Error for a Python library that is missing on the host that runs the task.

    :param package: the library's name on PyPI
    """

    def __init__(self, package: str) -> None:
        super().__init__(f"The Python library {package} is missing.")
        self.package = package


class LoginError(ImageStoreError):
    """Error for credentials that are incomplete, unknown or refused."""


class UnreachableError(ImageStoreError):
    """Error for a request without an answer, because of the address, the network or TLS.

    :param may_pass: whether a later try may succeed
    """

    def __init__(self, message: str, may_pass: bool = True) -> None:
        super().__init__(message)
        self.may_pass = may_pass


class SwiftError(ImageStoreError):
    """Error for an answer of Swift that is not a success.

    :param status: the HTTP status
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class NotFoundError(SwiftError):
    """Error for a container or object that does not exist, or that these credentials may not see (404)."""


class ForbiddenError(SwiftError):
    """Error for a request that these credentials do not allow (403)."""


class ConflictError(SwiftError):
    """Error for a concurrent change by another client (409, 412)."""


class AppearedError(ConflictError):
    """Error for another image that got the same name while an upload was running."""


class QuotaError(SwiftError):
    """Error for a request that exceeds a quota, the cluster's limits or its disks (413, 507)."""


class DamagedImagesError(ImageStoreError):
    """Error for damaged images, if the task treats damage as a failure."""


class IntegrityError(ImageStoreError):
    """Error for bytes that changed in transit, or stored data that is damaged or can't be read."""
