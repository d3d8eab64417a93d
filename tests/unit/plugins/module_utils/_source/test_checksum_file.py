# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checksum files on this host, and their signatures, which gpg makes during the tests."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._errors import OptionError, SourceError
from ansible_collections.imagestore.swift.plugins.module_utils._source import checksum_file
from ansible_collections.imagestore.swift.plugins.module_utils._source.checksum_file import ChecksumReader, is_signed
from ansible_collections.imagestore.swift.plugins.module_utils._source.web import RequestOptions

A, B = "a1" * 32, "b2" * 32
UBUNTU = f"{A} *noble-server-cloudimg-amd64.img\n{B} *noble-server-cloudimg-arm64.img\n"
FEDORA = f"# Fedora-Cloud-43.qcow2: 1 bytes\nSHA256 (Fedora-Cloud-43.qcow2) = {A}\n"

OPTIONS = RequestOptions(retries=0)

needs_gpg = pytest.mark.skipif(
    not (shutil.which("gpg") and shutil.which("gpgv")), reason="NOT TESTED here, for want of gpg: signatures"
)


class Publisher:
    """A publisher that signs files with its own key."""

    def __init__(self, home: Path) -> None:
        home.mkdir(mode=0o700)
        self._home = home
        self.gpg(
            "--passphrase", "", "--quick-generate-key", "Publisher <images@example.com>", "ed25519", "sign", "never"
        )

    def gpg(self, *arguments: str) -> bytes:
        command = ["gpg", "--homedir", str(self._home), "--batch", "--quiet", *arguments]
        return subprocess.run(command, check=True, capture_output=True).stdout

    def end(self) -> None:
        subprocess.run(["gpgconf", "--homedir", str(self._home), "--kill", "all"], check=False)


@pytest.fixture(scope="module", name="publishers")
def _publishers() -> Iterator[tuple[Publisher, Publisher]]:
    # The path of the agent's socket has to be short.
    import tempfile

    with tempfile.TemporaryDirectory(prefix="gpg-") as folder:
        both = Publisher(Path(folder, "a")), Publisher(Path(folder, "b"))
        yield both
        for one in both:
            one.end()


class Published:
    """The files of a publisher, in a folder."""

    def __init__(self, folder: Path, publisher: Publisher, text: str) -> None:
        self.sums = folder / "SUMS"
        self.sums.write_text(text)
        self.detached = folder / "SUMS.gpg"
        self.armored = folder / "SUMS.sign"
        self.clear = folder / "SUMS.asc"
        self.inline = folder / "SUMS.pgp"
        self.keys = folder / "keys.gpg"
        self.armored_keys = folder / "keys.asc"
        for options, path in [
            (["--detach-sign"], self.detached),
            (["--armor", "--detach-sign"], self.armored),
            (["--clear-sign"], self.clear),
            (["--sign"], self.inline),
        ]:
            publisher.gpg(*options, "--output", str(path), str(self.sums))
        publisher.gpg("--output", str(self.keys), "--export")
        publisher.gpg("--armor", "--output", str(self.armored_keys), "--export")

    def read(self, place: Path, signature: Path | None = None, keys: Path | None = None) -> bytes:
        reader = ChecksumReader(OPTIONS, signature and str(signature), str(keys or self.keys))
        return reader.read(str(place))


@pytest.fixture(params=[UBUNTU, FEDORA], ids=["Ubuntu", "Fedora"], name="published")
def _published(request: pytest.FixtureRequest, tmp_path: Path, publishers: tuple[Publisher, Publisher]) -> Published:
    return Published(tmp_path, publishers[0], request.param)


@needs_gpg
def test_each_signature_format_is_accepted(published: Published) -> None:
    text = published.sums.read_bytes()
    for keys in (published.keys, published.armored_keys):
        assert published.read(published.sums, published.detached, keys) == text
        assert published.read(published.sums, published.armored, keys) == text
        assert published.read(published.clear, None, keys) == text
        assert published.read(published.inline, None, keys) == text
        assert published.read(published.clear, published.clear, keys) == text


@needs_gpg
def test_unsigned_text_beside_a_clear_signature_is_ignored(published: Published) -> None:
    evil = f"{B}  noble-server-cloudimg-amd64.img\n".encode()
    text, clear = published.sums.read_bytes(), published.clear.read_bytes()
    published.clear.write_bytes(evil + clear + evil)
    assert published.read(published.clear) == text
    # A clear signature covers the text in it, whatever the checksum file says.
    published.sums.write_bytes(evil)
    assert published.read(published.sums, published.clear) == text


@needs_gpg
@pytest.mark.parametrize("signature", ["detached", "armored", "inline", None])
def test_a_modified_file_is_refused(published: Published, signature: str | None) -> None:
    changed = published.sums if signature else published.clear
    changed.write_bytes(changed.read_bytes().replace(A.encode(), B.encode()))
    with pytest.raises(SourceError, match="No valid key of checksum_keyring"):
        published.read(changed, signature and getattr(published, signature))


@needs_gpg
def test_an_unsigned_file_is_refused(published: Published) -> None:
    for signature in (None, published.sums):
        with pytest.raises(SourceError, match="No valid key of checksum_keyring"):
            published.read(published.sums, signature)


@needs_gpg
def test_a_signature_by_a_key_outside_the_keyring_is_refused(
    published: Published, tmp_path: Path, publishers: tuple[Publisher, Publisher]
) -> None:
    other = tmp_path / "other.gpg"
    publishers[1].gpg("--output", str(other), "--export")
    with pytest.raises(SourceError, match=r"No valid key of checksum_keyring .*No public key"):
        published.read(published.sums, published.detached, other)


@needs_gpg
@pytest.mark.parametrize(
    "content", [b"", b"no keys", b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n@@@@\n-----END PGP PUBLIC KEY BLOCK-----\n"]
)
def test_a_keyring_without_keys_is_refused(published: Published, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "none").write_bytes(content)
    with pytest.raises(SourceError, match="checksum_keyring"):
        published.read(published.sums, published.detached, tmp_path / "none")


@needs_gpg
def test_the_users_own_keyring_is_ignored(
    published: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, publishers: tuple[Publisher, Publisher]
) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    shutil.copy(published.keys, home / "trustedkeys.gpg")
    monkeypatch.setenv("GNUPGHOME", str(home))
    other = tmp_path / "other.gpg"
    publishers[1].gpg("--output", str(other), "--export")
    with pytest.raises(SourceError, match="No valid key"):
        published.read(published.sums, published.detached, other)


@needs_gpg
def test_a_valid_signature_among_several_is_sufficient(
    published: Published, tmp_path: Path, publishers: tuple[Publisher, Publisher]
) -> None:
    """A publisher that changes keys signs with both of them."""
    for number in (0, 1):
        output = tmp_path / f"sig{number}"
        publishers[number].gpg("--detach-sign", "--output", str(output), str(published.sums))
    both = tmp_path / "both"
    both.write_bytes((tmp_path / "sig1").read_bytes() + (tmp_path / "sig0").read_bytes())
    assert published.read(published.sums, both) == published.sums.read_bytes()
    published.sums.write_bytes(b"changed")
    with pytest.raises(SourceError, match="No valid key"):
        published.read(published.sums, both)


@needs_gpg
def test_a_revoked_key_is_refused(tmp_path: Path) -> None:
    import tempfile

    with tempfile.TemporaryDirectory(prefix="gpg-") as folder:
        publisher = Publisher(Path(folder, "a"))
        try:
            published = Published(tmp_path, publisher, UBUNTU)
            home = Path(folder, "a")
            revocation = next((home / "openpgp-revocs.d").glob("*.rev"))
            # gpg puts a colon before the revocation, so that it is not used by mistake.
            (tmp_path / "revocation").write_text(revocation.read_text().replace(":-----BEGIN", "-----BEGIN"))
            publisher.gpg("--import", str(tmp_path / "revocation"))
            publisher.gpg("--output", str(tmp_path / "revoked.gpg"), "--export")
        finally:
            publisher.end()
    with pytest.raises(SourceError, match="No valid key"):
        published.read(published.sums, published.detached, tmp_path / "revoked.gpg")


GOOD = "[GNUPG:] GOODSIG 1 T\n[GNUPG:] VALIDSIG 1 2\n"
UNKNOWN = "[GNUPG:] ERRSIG 1 22 8 00 1 9 X\n[GNUPG:] NO_PUBKEY 1\n"


@pytest.mark.parametrize(
    ("status", "returncode", "is_right"),
    [
        (GOOD, 0, True),
        (GOOD + UNKNOWN, 2, True),
        (GOOD, 2, False),
        (UNKNOWN, 2, False),
        (GOOD + "[GNUPG:] BADSIG 1 T\n", 0, False),
        (GOOD.replace("GOODSIG", "EXPKEYSIG"), 0, False),
        (GOOD.replace("GOODSIG", "REVKEYSIG"), 0, False),
        (GOOD + UNKNOWN.replace(" 9 X", " 4 X"), 2, False),
        ("[GNUPG:] PLAINTEXT 62 0\n[GNUPG:] PLAINTEXT 62 0\n" + GOOD, 0, False),
        ("", 0, False),
        ("[GNUPG:]\nGOODSIG\nVALIDSIG\n", 0, False),
    ],
)
def test_gpgv_status_is_evaluated(status: str, returncode: int, is_right: bool) -> None:
    assert is_signed(status, returncode) is is_right


def test_a_missing_gpgv_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SUMS", "keys"):
        (tmp_path / name).write_text("x")
    monkeypatch.setattr(checksum_file, "_GPGV", "gpgv-that-is-not-there")
    with pytest.raises(OptionError, match="install the package gpgv"):
        ChecksumReader(OPTIONS, None, str(tmp_path / "keys")).read(str(tmp_path / "SUMS"))


def test_a_local_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "SUMS").write_text(UBUNTU)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for place in (str(tmp_path / "SUMS"), "~/SUMS", "./SUMS"):
        assert ChecksumReader(OPTIONS).read(place) == UBUNTU.encode()


def test_an_invalid_checksum_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "large").write_bytes(bytes(101))
    monkeypatch.setattr(checksum_file, "MAX_BYTES", 100)
    for place, sentence in [
        (str(tmp_path / "none"), "There is no file"),
        ("./none", f"looked for in '{tmp_path}'"),
        (str(tmp_path), "checksum .* is not a regular file"),
        (str(tmp_path / "fifo"), "is not a regular file"),
        (str(tmp_path / "large"), "larger than the limit of 100 bytes"),
    ]:
        with pytest.raises(SourceError, match=sentence):
            ChecksumReader(OPTIONS).read(place)
    with pytest.raises(OptionError, match="checksum begins with file://"):
        ChecksumReader(OPTIONS).read(f"file://{tmp_path}/large")
