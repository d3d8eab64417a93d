# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The option checksum, and checksum files as they are published."""

from __future__ import annotations

import re

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._errors import OptionError, SourceError
from ansible_collections.imagestore.swift.plugins.module_utils._model.checksum import (
    Checksum,
    ChecksumFile,
    find_digest,
    parse_checksum,
)
from hypothesis import given
from hypothesis import strategies as st

A, B = "a1" * 32, "b2" * 32

GNU = f"{A}  debian-12.raw\n{B} *debian-12.qcow2\n"
BSD = f"SHA256 (debian-12.raw) = {A}\nMD5 (debian-12.raw) = {'c3' * 16}\nSHA256 (debian-12.qcow2) = {B}\n"
FEDORA = f"# Fedora-Cloud.raw: 1 bytes\nSHA256 (debian-12.raw) = {A}\n-----BEGIN PGP SIGNATURE-----\n{B[:40]}\n"
PATHS = f"{A}  ./images/debian-12.raw\n{B}  ./images/debian-12.raw.sig\n"
BESIDE_OTHER_LENGTHS = f"{'d4' * 64}  debian-12.raw\n{A}  debian-12.raw\n"


OPENSSL = f"SHA2-256(debian-12.raw)= {A}\nSHA1(debian-12.raw)= {'e5' * 20}\n"
OLD_OPENSSL = f"SHA256(debian-12.raw)= {A}\n"
UPPER = f"{A.upper()} *debian-12.raw\r\n{B.upper()} *other.raw\r\n"
CLEAR_SIGNED = (
    f"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n# x\n{A}  debian-12.raw\n{B}  b.raw\n"
    f"-----BEGIN PGP SIGNATURE-----\n\n{B}  debian-12.raw\n-----END PGP SIGNATURE-----\n"
)


def groups(digest: str, size: int = 8) -> list[str]:
    return [digest.upper()[first : first + size] for first in range(0, len(digest), size)]


PRINT_MD = f"debian-12.raw: {' '.join(groups(A))}\nother.raw: {' '.join(groups(B))}\n"
PRINT_MD_LONG = f"images/debian-12.raw: \n{' '.join(groups(A)[:5])}\n  {' '.join(groups(A)[5:])}\n"
PRINT_MDS = (
    f"debian-12.raw:    MD5 = {' '.join(groups('c3' * 16, 2))}\n"
    f"debian-12.raw:   SHA1 = {' '.join(groups('e5' * 20, 4))}\n"
    f"debian-12.raw: SHA256 = {' '.join(groups(A)[:7])}\n                {groups(A)[7]}\n"
)
ESCAPED = f"\\{A}  debian\\\\12.raw\n"


@pytest.mark.parametrize("value", [f"sha256:{A}", f"SHA256: {A.upper()} "])
def test_parse_digest(value: str) -> None:
    assert parse_checksum(value) == Checksum("sha256", A)


@pytest.mark.parametrize(
    ("value", "place", "name"),
    [
        ("sha256:https://images.example.com/SHA256SUMS", "https://images.example.com/SHA256SUMS", None),
        ("sha256:https://x/SUMS#debian-12.raw", "https://x/SUMS", "debian-12.raw"),
        ("sha256:https://x/SUMS?a=b#debian-12.raw", "https://x/SUMS?a=b", "debian-12.raw"),
        ("sha256:/srv/images/SHA256SUMS", "/srv/images/SHA256SUMS", None),
        ("sha256:./SHA256SUMS#debian-12.raw", "./SHA256SUMS", "debian-12.raw"),
        ("SHA256: ~/SUMS", "~/SUMS", None),
    ],
)
def test_parse_checksum_file_location(value: str, place: str, name: str | None) -> None:
    assert parse_checksum(value) == ChecksumFile("sha256", place, name)


@pytest.mark.parametrize(
    "text",
    [
        GNU,
        BSD,
        FEDORA,
        PATHS,
        BESIDE_OTHER_LENGTHS,
        OPENSSL,
        OLD_OPENSSL,
        UPPER,
        CLEAR_SIGNED,
        PRINT_MD,
        PRINT_MD_LONG,
        PRINT_MDS,
        A,
        f"{A}\n",
        f"{A}  -\n",
        f"{A}  debian-12.raw",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_digest_is_found_in_each_file_format(text: str, encoding: str, end: str) -> None:
    data = text.replace("\r\n", "\n").replace("\n", end).encode(encoding)
    assert find_digest(data, "sha256", "/srv/debian-12.raw", "SUMS") == A


def test_a_name_escaped_by_sha256sum_is_found() -> None:
    tagged = f"\\SHA256 (debian\\\\12.raw) = {A}\n"
    for text in (ESCAPED, tagged):
        assert find_digest(text.encode(), "sha256", "debian\\12.raw", "SUMS") == A


def test_a_name_in_several_directories_is_matched_by_its_path() -> None:
    text = f"{A}  ./amd64/disk.img\n{B}  ./arm64/disk.img\n{'c3' * 32}  ./disk.img.sig\n".encode()
    assert find_digest(text, "sha256", "/images/12/amd64/disk.img", "SUMS") == A
    assert find_digest(text, "sha256", "/images/12/arm64/disk.img", "SUMS") == B
    with pytest.raises(SourceError, match=r"several sha256 digests for 'disk\.img'"):
        find_digest(text, "sha256", "disk.img", "SUMS")


def test_a_bare_name_takes_precedence_over_one_in_a_directory() -> None:
    text = f"{A}  foo.img\n{B}  old/foo.img\n".encode()
    assert find_digest(text, "sha256", "/p/foo.img", "SUMS") == A
    assert find_digest(text, "sha256", "/p/old/foo.img", "SUMS") == B
    assert ChecksumFile("sha256", "/SUMS", "foo.img").find(text, "/x") == Checksum("sha256", A)
    assert ChecksumFile("sha256", "/SUMS", "old/foo.img").find(text, "/x") == Checksum("sha256", B)


def test_half_of_a_longer_digest_is_not_a_digest() -> None:
    sha512 = "d4" * 64
    text = f"debian-12.raw: {' '.join(groups(sha512)[:8])}\n       {' '.join(groups(sha512)[8:])}\n".encode()
    assert find_digest(text, "sha512", "debian-12.raw", "SUMS") == sha512
    with pytest.raises(SourceError, match="no sha256"):
        find_digest(text, "sha256", "debian-12.raw", "SUMS")
    both = text + f"debian-12.raw: {' '.join(groups(A))}".encode()
    assert find_digest(both, "sha256", "debian-12.raw", "SUMS") == A


def test_an_unnamed_digest_does_not_match_an_explicit_name() -> None:
    for text in (A, f"{A}  -", f"SHA2-256(stdin)= {A}"):
        assert find_digest(text.encode(), "sha256", "x", "SUMS") == A
        with pytest.raises(SourceError, match="no sha256 digest for 'other'"):
            ChecksumFile("sha256", "/SUMS", "other").find(text.encode(), "x")


def test_long_lines_are_parsed_quickly() -> None:
    for line in ("x:" + " " * 1_000_000 + "!", "SHA256 (" + ") " * 500_000, A + " " * 1_000_000 + "y", ":" * 1_000_000):
        with pytest.raises(SourceError):
            find_digest(line.encode(), "sha256", "x", "SUMS")


def test_an_explicit_name_overrides_the_source_name() -> None:
    found = ChecksumFile("sha256", "https://x/SUMS", "debian-12.qcow2").find(GNU.encode(), "/x/latest.qcow2")
    assert found == Checksum("sha256", B)


@given(st.binary(max_size=2000))
def test_arbitrary_bytes_raise_a_source_error(data: bytes) -> None:
    with pytest.raises(SourceError, match="The checksum file 'SUMS' has no sha256 digest for 'x'"):
        find_digest(data, "sha256", "x", "SUMS")


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (A, "write <algorithm>"),
        (f"crc32:{A}", "write <algorithm>"),
        (f"sha256:{A[:-1]}", "63 characters, which are not the 64 hex digits of a sha256"),
        (f"sha256:{'x' * 64}", "64 characters, which are not the 64 hex digits of a sha256"),
        ("sha256:", "0 characters"),
    ],
)
def test_invalid_checksum(value: str, sentence: str) -> None:
    with pytest.raises(OptionError, match=sentence):
        parse_checksum(value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no sha256 digest for 'debian-12.raw': correct checksum"),
        ("<html>not found</html>", "no sha256"),
        (f"{A}  other.raw\n", "no sha256 digest for 'debian-12.raw'; the names in it are 'other.raw'. Add #"),
        (f"{A}\n{B}\n", "several sha256"),
        (f"{A}  debian-12.raw\n{B}  debian-12.raw\n", "several sha256"),
        (f"{'c3' * 16}  debian-12.raw\n", "no sha256"),
        (f"{A}\n{B}  other.raw\n", "no sha256"),
        (
            "".join(f"{A}  {number}.raw\n" for number in range(9)),
            "names in it are '0.raw', '1.raw', '2.raw', '3.raw', '4.raw', …. Add",
        ),
    ],
)
def test_a_file_without_a_unique_digest_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(SourceError, match=re.escape(sentence)):
        find_digest(text.encode(), "sha256", "debian-12.raw", "SUMS")


def test_a_checksum_mismatch_is_refused() -> None:
    Checksum("sha256", A).check({"md5": "x", "sha256": A}, "src 'x'")
    with pytest.raises(SourceError, match=f"has the sha256 {B}, but checksum requires {A}"):
        Checksum("sha256", A).check({"sha256": B}, "src 'x'")
