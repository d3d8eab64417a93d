# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The option checksum, and checksum files as they are published."""

from __future__ import annotations

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._errors import OptionError, SourceError
from ansible_collections.imagestore.swift.plugins.module_utils._model.checksum import (
    Checksum,
    find_digest,
    parse_checksum,
)

A, B = "a1" * 32, "b2" * 32

GNU = f"{A}  debian-12.raw\n{B} *debian-12.qcow2\n"
BSD = f"SHA256 (debian-12.raw) = {A}\nMD5 (debian-12.raw) = {'c3' * 16}\nSHA256 (debian-12.qcow2) = {B}\n"
FEDORA = f"# Fedora-Cloud.raw: 1 bytes\nSHA256 (debian-12.raw) = {A}\n-----BEGIN PGP SIGNATURE-----\n{B[:40]}\n"
PATHS = f"{A}  ./images/debian-12.raw\n{B}  ./images/debian-12.raw.sig\n"
BESIDE_OTHER_LENGTHS = f"{'d4' * 64}  debian-12.raw\n{A}  debian-12.raw\n"


def read_nothing(url: str) -> str:
    raise AssertionError(url)


@pytest.mark.parametrize("value", [f"sha256:{A}", f"SHA256: {A.upper()} "])
def test_a_digest(value: str) -> None:
    assert parse_checksum(value, "debian-12.raw", read_nothing) == Checksum("sha256", A)


@pytest.mark.parametrize("text", [GNU, BSD, FEDORA, PATHS, BESIDE_OTHER_LENGTHS, A, f"{A}\n", f"{A}  debian-12.raw"])
def test_a_checksum_file(text: str) -> None:
    asked = []

    def read(url: str) -> str:
        asked.append(url)
        return text

    found = parse_checksum("sha256:https://images.example.com/SHA256SUMS", "debian-12.raw", read)
    assert found == Checksum("sha256", A)
    assert asked == ["https://images.example.com/SHA256SUMS"]


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (A, "write <algorithm>"),
        (f"crc32:{A}", "write <algorithm>"),
        (f"sha256:{A[:-1]}", "63 characters where sha256 has 64 hex digits"),
        (f"sha256:{'x' * 64}", "64 characters where sha256 has 64 hex digits"),
        ("sha256:", "0 characters"),
    ],
)
def test_what_is_no_checksum(value: str, sentence: str) -> None:
    with pytest.raises(OptionError, match=sentence):
        parse_checksum(value, "debian-12.raw", read_nothing)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no sha256 for 'debian-12.raw'"),
        ("<html>not found</html>", "no sha256"),
        (f"{A}  other.raw\n", "no sha256"),
        (f"{A}\n{B}\n", "no sha256"),
        (f"{A}  debian-12.raw\n{B}  debian-12.raw\n", "more than one sha256"),
        (f"{'c3' * 16}  debian-12.raw\n", "no sha256"),
    ],
)
def test_a_file_that_does_not_say(text: str, sentence: str) -> None:
    with pytest.raises(SourceError, match=sentence):
        find_digest(text, "sha256", "debian-12.raw")


def test_a_source_is_compared() -> None:
    Checksum("sha256", A).check({"md5": "x", "sha256": A}, "src 'x'")
    with pytest.raises(SourceError, match=f"has the sha256 {B}, and checksum says {A}"):
        Checksum("sha256", A).check({"sha256": B}, "src 'x'")
