# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Digests that sources have to have, written as in get_url: ``<algorithm>:<hex>`` or ``<algorithm>:<URL>``.

Pure: knows neither Ansible nor the network. Checksum files are those of ``sha256sum`` and of BSD's ``sha256``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from .._errors import OptionError, SourceError

# Digits in hex by algorithm: those that can be recorded with an image.
DIGEST_LENGTHS = {"md5": 32, "sha1": 40, "sha224": 56, "sha256": 64, "sha384": 96, "sha512": 128}

_HEX = re.compile(r"[0-9a-fA-F]+")
# "SHA256 (file) = digest", and "digest  file" with one of "*", " " or nothing for the mode it was read in.
_BSD_LINE = re.compile(r"(?P<algorithm>[A-Za-z0-9-]+) ?\((?P<name>.+)\) ?= ?(?P<hex>[0-9a-fA-F]+)")
_GNU_LINE = re.compile(r"\\?(?P<hex>[0-9a-fA-F]+)(?:\s+\*?(?P<name>.+))?")


@dataclass(frozen=True)
class Checksum:
    """A digest of a whole image.

    :param algorithm: as hashlib names it
    :param hex: in lower case
    """

    algorithm: str
    hex: str

    def check(self, checksums: Mapping[str, str], label: str) -> None:
        """Compare.

        :param checksums: the source's, by algorithm
        :param label: what the source is called
        :raises SourceError: they differ
        """
        found = checksums[self.algorithm]
        if found != self.hex:
            raise SourceError(
                f"{label} has the {self.algorithm} {found}, and checksum says {self.hex}: get the image anew, or "
                "correct checksum."
            )


def parse_checksum(value: str, file_name: str, read_url: Callable[[str], str]) -> Checksum:
    """Read the option ``checksum``.

    :param file_name: the source's own name, which is looked for in a checksum file
    :param read_url: gives the text at a URL
    :raises OptionError: it is no checksum
    :raises SourceError: the file at the URL has none for *file_name*
    """
    algorithm, colon, rest = value.partition(":")
    algorithm, rest = algorithm.strip().lower(), rest.strip()
    if not colon or algorithm not in DIGEST_LENGTHS:
        raise OptionError(
            "checksum is none: write <algorithm>:<hex digits> or <algorithm>:<URL of a checksum file>, with "
            f"one of {', '.join(DIGEST_LENGTHS)}."
        )
    if "://" in rest:
        rest = find_digest(read_url(rest), algorithm, file_name)
    if not _is_digest(rest, algorithm):
        raise OptionError(
            f"checksum has {len(rest)} characters where {algorithm} has {_digits(algorithm)}: correct it."
        )
    return Checksum(algorithm, rest.lower())


def find_digest(text: str, algorithm: str, file_name: str) -> str:
    """The digest of *file_name* in the text of a checksum file; of a file with one digest alone, that.

    :raises SourceError: there is none, or more than one
    """
    entries = list(_entries(text, algorithm))
    named = {digest for digest, name in entries if name is not None and PurePosixPath(name).name == file_name}
    found = named or ({entries[0][0]} if len(entries) == 1 and entries[0][1] is None else set())
    if len(found) != 1:
        how_many = "more than one" if found else "no"
        raise SourceError(f"The checksum file has {how_many} {algorithm} for {file_name!r}: correct checksum.")
    return found.pop()


def _entries(text: str, algorithm: str) -> Iterator[tuple[str, str | None]]:
    """Digests with the names they are of, as far as they are of *algorithm*."""
    for line in text.splitlines():
        bsd = _BSD_LINE.fullmatch(line.strip())
        found = bsd or _GNU_LINE.fullmatch(line.strip())
        if bsd and bsd["algorithm"].lower().replace("-", "") != algorithm:
            continue
        if found and _is_digest(found["hex"], algorithm):
            yield found["hex"].lower(), found["name"]


def _is_digest(text: str, algorithm: str) -> bool:
    return len(text) == DIGEST_LENGTHS[algorithm] and bool(_HEX.fullmatch(text))


def _digits(algorithm: str) -> str:
    return f"{DIGEST_LENGTHS[algorithm]} hex digits"
