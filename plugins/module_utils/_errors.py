# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Errors, one type for each thing that a user would do something else about.

The text of every error is one sentence (or two short ones): what is wrong, and what to do.
No text may hold a secret: they reach the playbook's output as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any


def printable(text: str) -> str:
    """Return *text* with control characters escaped: a name from the store may hold those that move a cursor."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text)


class ImageStoreError(Exception):
    """The base of all errors that a module ends with in a sentence.

    :ivar result: what it returns besides
    """

    result: Mapping[str, Any] = MappingProxyType({})

    def __str__(self) -> str:
        return printable(super().__str__())

    def add(self, sentence: str) -> None:
        """Tell the user one thing more."""
        self.args = (f"{self} {sentence}",)


class PartlyFailedError(ImageStoreError):
    """Some of many images failed.

    :param result: what became of all
    """

    def __init__(self, message: str, result: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.result = result


class OptionError(ImageStoreError):
    """An option's value can't be used; nothing was sent."""


class SourceError(ImageStoreError):
    """The image's source can't be read, or is not what it was said to be."""


class SourceChangedError(SourceError):
    """The image's source was replaced while it was read; from the beginning it may be read whole."""


class DestinationError(ImageStoreError):
    """The image can't be written where it is to go."""


class ReadOnlyFolderError(DestinationError):
    """This user may not make a file in the folder."""


class NoRoomError(DestinationError):
    """The disk, or the user's part of it, is full."""


class MissingLibraryError(ImageStoreError):
    """A Python library is missing on the host that runs the task.

    :param package: its name on PyPI
    """

    def __init__(self, package: str) -> None:
        super().__init__(f"The Python library {package} is missing.")
        self.package = package


class LoginError(ImageStoreError):
    """The credentials are incomplete, unknown or refused."""


class UnreachableError(ImageStoreError):
    """No answer: the address, the network or TLS is in the way.

    :param may_pass: whether there may be one later
    """

    def __init__(self, message: str, may_pass: bool = True) -> None:
        super().__init__(message)
        self.may_pass = may_pass


class SwiftError(ImageStoreError):
    """Swift answered, and not with what was asked for.

    :param status: the HTTP status
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class NotFoundError(SwiftError):
    """No such container, or it may not be seen (404)."""


class ForbiddenError(SwiftError):
    """These credentials may not do that (403)."""


class ConflictError(SwiftError):
    """Somebody else changed the same thing (409, 412)."""


class AppearedError(ConflictError):
    """An image stands where there was none when the upload began."""


class QuotaError(SwiftError):
    """Too large for the quota, the cluster's limits or its disks (413, 507)."""


class DamagedImagesError(ImageStoreError):
    """Images were found damaged, which the task said is a failure."""


class IntegrityError(ImageStoreError):
    """Bytes arrived other than they were sent, or a manifest does not hold what it says."""
