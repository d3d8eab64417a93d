# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Expected digests of images, and checksum files as publishers write them. Pure.

The formats are those of sha256sum, BSD, openssl dgst and gpg --print-md. PGP's lines around signed text are skipped.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from .._errors import OptionError, SourceError

# The number of hex digits by algorithm, for digests that can be recorded with an image.
DIGEST_LENGTHS = {"md5": 32, "sha1": 40, "sha224": 56, "sha256": 64, "sha384": 96, "sha512": 128}

_HEX = re.compile(r"[0-9a-fA-F]+")
# "SHA256 (file) = digest" of BSD, and "SHA2-256(file)= digest" of OpenSSL 3.
_TAGGED_LINE = re.compile(r"(?P<escaped>\\?)(?P<algorithm>[A-Za-z0-9-]+) ?\((?P<name>.+)\) ?= ?(?P<hex>[0-9a-fA-F]+)")
# "digest  file", with one of "*", " " or nothing for the mode it was read in; a backslash if the name is escaped.
_PLAIN_LINE = re.compile(r"(?P<escaped>\\?)(?P<hex>[0-9a-fA-F]{32,128})(?:\s+\*?(?P<name>.+))?")
# The digest of gpg --print-md, which follows "file: ", or of --print-mds, which follows "file: SHA256 = ", continues in
# lines of its own.
_GROUPS = re.compile(r"[0-9A-F ]*")
_LONGEST_LINE = 16 * 1024
_SIGNATURE = "-----BEGIN PGP SIGNATURE-----"

_MOST_NAMES = 5

# The names of sha256sum and openssl for their standard input.
_UNNAMED = (None, "-", "stdin")


@dataclass(frozen=True)
class Checksum:
    """A digest of a whole image.

    :param algorithm: as hashlib names it
    :param hex: in lower case
    """

    algorithm: str
    hex: str

    def check(self, checksums: Mapping[str, str], label: str) -> None:
        """Compare the digest with the source's.

        :param checksums: the source's, by algorithm
        :param label: the source's name in the message
        :raises SourceError: the digests differ
        """
        found = checksums[self.algorithm]
        if found != self.hex:
            raise SourceError(
                f"{label} has the {self.algorithm} {found}, but checksum requires {self.hex}: get the image again, or "
                "correct checksum."
            )


@dataclass(frozen=True)
class ChecksumFile:
    """A file of digests, of which one is the image's.

    :param place: its URL, or its path on the host that runs the task
    :param name: the image's name in the file; None for the source's own name
    """

    algorithm: str
    place: str
    name: str | None = None

    @property
    def is_url(self) -> bool:
        """True if the checksum file is on a web server."""
        return "://" in self.place

    def find(self, data: bytes, source: str) -> Checksum:
        """Return the source's digest.

        :param data: the file's content
        :param source: the source's path, of which the last part is its name
        :raises SourceError: the checksum file has no digest for the file, or has several
        """
        label = self.place.partition("?")[0].rpartition("/")[2]
        return Checksum(self.algorithm, find_digest(data, self.algorithm, self.name or source, label, not self.name))


def parse_checksum(value: str) -> Checksum | ChecksumFile:
    """Parse the option ``checksum``: a digest, or a file that has it.

    :param value: ``<algorithm>:<hex>``, ``<algorithm>:<URL or path>``, or the latter with ``#<name in the file>``
    :raises OptionError: the value does not have one of these forms
    """
    algorithm, colon, rest = value.partition(":")
    algorithm, rest = algorithm.strip().lower(), rest.strip()
    if not colon or algorithm not in DIGEST_LENGTHS:
        raise OptionError(
            "checksum is not valid: write <algorithm>:<hex digits>, or <algorithm>:<URL or path of a checksum file>, "
            f"with one of {', '.join(DIGEST_LENGTHS)}."
        )
    if "/" in rest:
        place, _hash, name = rest.partition("#")
        return ChecksumFile(algorithm, place, name or None)
    if not _is_digest(rest, algorithm):
        raise OptionError(
            f"checksum has {len(rest)} characters, which are not the {DIGEST_LENGTHS[algorithm]} hex digits of a "
            f"{algorithm} digest: correct checksum, or write the path of a checksum file with a slash in it."
        )
    return Checksum(algorithm, rest.lower())


@dataclass
class _Search:
    """The digests of a checksum file that may be the source's.

    :param source: the source's path, by its parts
    :param best: the rank of the best name so far: whether all of it matches the source's, and how many parts do
    :param found: the digests of names with this rank
    :param unnamed: digests without a name
    :param names: the first names of other files
    """

    source: tuple[str, ...]
    best: tuple[bool, int] = (False, 1)
    found: set[str] = field(default_factory=set)
    unnamed: set[str] = field(default_factory=set)
    names: list[str] = field(default_factory=list)

    def add(self, digest: str, name: str | None) -> None:
        """Consider one digest of the file."""
        if name in _UNNAMED:
            self.unnamed.add(digest)
            return
        parts = PurePosixPath(str(name)).parts
        common = _count_common(parts, self.source)
        if common == 0:
            if len(self.names) <= _MOST_NAMES and name not in self.names:
                self.names.append(str(name))
            return
        # Files in several folders may have the same name.
        rank = (common == len(parts), common)
        if rank > self.best:
            self.best, self.found = rank, set()
        if rank == self.best:
            self.found.add(digest)


def find_digest(data: bytes, algorithm: str, source: str, label: str, takes_unnamed: bool = True) -> str:
    """Return a source's digest from a checksum file's content, which may be a single digest without a name.

    :param source: the source's path; its folders decide if several files have its name
    :param label: the file's name for messages
    :param takes_unnamed: whether a digest without a name may be the source's
    :raises SourceError: the checksum file has no digest for the file, or has several
    """
    search = _Search(tuple(part for part in PurePosixPath(source).parts if part != "/"))
    for digest, name in _entries(_lines(data), algorithm):
        search.add(digest, name)
    digests = search.found or (search.unnamed if takes_unnamed and not search.names else set())
    if len(digests) == 1:
        return digests.pop()
    name = PurePosixPath(source).name
    if digests:
        raise SourceError(
            f"The checksum file {label!r} has several {algorithm} digests for {name!r}: add # and the name with its "
            "folder to checksum."
        )
    others = ", ".join(map(repr, search.names[:_MOST_NAMES])) + (", …" if len(search.names) > _MOST_NAMES else "")
    raise SourceError(
        f"The checksum file {label!r} has no {algorithm} digest for {name!r}"
        + (f"; the names in it are {others}. Add # and the right one to checksum." if others else ": correct checksum.")
    )


def _count_common(name: tuple[str, ...], source: tuple[str, ...]) -> int:
    """Return how many of the last parts of two paths are the same."""
    count = 0
    for one, other in zip(reversed(name), reversed(source)):
        if one != other:
            break
        count += 1
    return count


def _lines(data: bytes) -> Iterator[str]:
    """Yield the lines of a text in UTF-8 or UTF-16, up to a PGP signature, without white space at their ends."""
    encoding = "utf-8-sig"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    elif b"\0" in data[:2]:
        encoding = "utf-16-be" if data[:1] == b"\0" else "utf-16-le"
    for line in io.TextIOWrapper(io.BytesIO(data), encoding, "replace"):
        if line.startswith(_SIGNATURE):
            return
        yield line.rstrip()


def _entries(lines: Iterator[str], algorithm: str) -> Iterator[tuple[str, str | None]]:
    """Yield the digests that may be of *algorithm*, each with the name of its file."""
    block: _Block | None = None
    for line in lines:
        if block and line and _GROUPS.fullmatch(line):
            block.groups += line.replace(" ", "")
            continue
        if block:
            yield from block.entry(algorithm)
        block = None
        entry = _read_line(line.strip(), algorithm)
        if entry:
            yield entry
        elif len(line) <= _LONGEST_LINE:
            block = _begin_block(line)
    if block:
        yield from block.entry(algorithm)


def _read_line(line: str, algorithm: str) -> tuple[str, str | None] | None:
    """Return the digest of *algorithm* and the name in one line; None if the line has no such digest."""
    if len(line) > _LONGEST_LINE:
        return None
    found = _TAGGED_LINE.fullmatch(line)
    if found is None:
        found = _PLAIN_LINE.fullmatch(line)
    elif not _is_named(algorithm, found["algorithm"]):
        return None
    if found is None or not _is_digest(found["hex"], algorithm):
        return None
    return found["hex"].lower(), _unescaped(found["name"]) if found["escaped"] else found["name"]


@dataclass
class _Block:
    """A digest in groups, which may continue in the next line.

    :param algorithm: None if only the digest's length shows it
    """

    name: str
    algorithm: str | None
    groups: str

    def entry(self, algorithm: str) -> Iterator[tuple[str, str | None]]:
        """Yield the digest and the name if the digest is of *algorithm*."""
        if _is_digest(self.groups, algorithm) and _is_named(algorithm, self.algorithm or algorithm):
            yield self.groups.lower(), self.name


def _begin_block(line: str) -> _Block | None:
    name, colon, rest = line.rpartition(":")
    algorithm, equals, groups = rest.rpartition("=")
    if not colon or not name or not _GROUPS.fullmatch(groups.strip()):
        return None
    return _Block(name, algorithm.strip() if equals else None, groups.replace(" ", ""))


def _is_named(algorithm: str, written: str) -> bool:
    """Return whether *written* is *algorithm* in the spelling of BSD (SHA256) or OpenSSL (SHA2-256)."""
    name = written.lower()
    return (f"sha{name[5:]}" if name.startswith("sha2-") else name.replace("-", "")) == algorithm


def _unescaped(name: str | None) -> str | None:
    """Return a name as it was before sha256sum escaped it."""
    return name and re.sub(r"\\(.)", lambda found: {"n": "\n", "r": "\r"}.get(found[1], found[1]), name)


def _is_digest(text: str, algorithm: str) -> bool:
    return len(text) == DIGEST_LENGTHS[algorithm] and bool(_HEX.fullmatch(text))
