# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checksum files: their content, from a web server or this host, and its signature."""

from __future__ import annotations

import base64
import binascii
import os
import re
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .._errors import OptionError, SourceError
from .file import open_to_read
from .url import UrlSource
from .web import RequestOptions

# Far more bytes than the checksums of a mirror's images need.
MAX_BYTES = 4 * 1024 * 1024

_GPGV = "gpgv"
_GPGV_SECONDS = 60
_SIGNED_MESSAGE = b"-----BEGIN PGP SIGNED MESSAGE-----"
_ARMORED_KEYS = re.compile(
    rb"-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n(?:[^\r\n]+\r?\n)*\r?\n(.*?)(?:^=[^\r\n]*\r?\n)?"
    rb"-----END PGP PUBLIC KEY BLOCK-----",
    re.DOTALL | re.MULTILINE,
)
_REFUSED = frozenset({"BADSIG", "EXPSIG", "EXPKEYSIG", "REVKEYSIG", "NODATA"})
# gpgv's exit status if it could not check a signature, and its reason in ERRSIG for a key that it does not have.
_SOME_FAILED = 2
_NO_PUBLIC_KEY = "9"


@dataclass(frozen=True)
class ChecksumReader:
    """A reader of checksum files.

    :param options: of requests to a web server
    :param signature: the URL or path of a detached or clear signature; None if the file itself is signed
    :param keyring: the path of the keys that may sign; None if no signature is required
    """

    options: RequestOptions
    signature: str | None = None
    keyring: str | None = None

    def read(self, place: str) -> bytes:
        """Return the content of a checksum file; of a signed one, only the content that is proved to be signed.

        :param place: its URL, or its path on this host
        :raises OptionError: gpgv is missing
        :raises SourceError: the file can't be read, is too large, or is not signed by one of the keys
        """
        data = self._read(place, "checksum")
        if self.keyring is None:
            return data
        signature = data if self.signature is None else self._read(self.signature, "checksum_signature")
        return verify(data, signature, self.keyring)

    def _read(self, place: str, option: str) -> bytes:
        if "://" in place:
            return UrlSource(place, self.options, option).read_whole(MAX_BYTES)
        return read_file(place, option)


def read_file(path: str, option: str) -> bytes:
    """Return the content of a small file on this host.

    :param option: the option that names it
    :raises SourceError: the file can't be read, or is too large
    """
    path = os.path.expanduser(path)
    descriptor = open_to_read(path, option)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise SourceError(f"{option} {path!r} is not a regular file: correct the path.")
    with open(descriptor, "rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise SourceError(f"{option} {path!r} is larger than the limit of {MAX_BYTES} bytes: correct the path.")
    return data


def verify(data: bytes, signature: bytes, keyring: str) -> bytes:
    """Check a signature with gpgv; return the content that it proves: the text of a clear signature, or *data*.

    :param signature: a detached signature, or a signed text
    :param keyring: the path of the keys, binary or with ASCII armor
    :raises OptionError: gpgv is missing
    :raises SourceError: none of the keys has signed these bytes, or the keyring can't be read
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # The name has no extension, because gpgv would guess another file's name from it.
        (folder / "signature").write_bytes(signature)
        (folder / "data").write_bytes(data)
        (folder / "keys").write_bytes(_dearmored(read_file(keyring, "checksum_keyring")))
        is_detached = _SIGNED_MESSAGE not in signature and signature != data
        if is_detached:
            _run_gpgv(folder, ["signature", "data"], keyring)
            return data
        _run_gpgv(folder, ["--output", "signed", "signature"], keyring)
        signed: bytes = (folder / "signed").read_bytes()
        return signed


def _run_gpgv(folder: Path, arguments: list[str], keyring: str) -> None:
    command = [_GPGV, "--homedir", str(folder), "--keyring", str(folder / "keys"), "--status-fd", "1", *arguments]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_GPGV_SECONDS,
        )
    except FileNotFoundError as error:
        raise OptionError(
            "checksum_keyring needs the program gpgv, which is not on this host: install the package gpgv or gnupg2."
        ) from error
    except subprocess.TimeoutExpired as error:
        raise SourceError(
            f"The signature of the checksum file could not be verified: gpgv did not end within {_GPGV_SECONDS} "
            "seconds."
        ) from error
    if not is_signed(done.stdout.decode("utf-8", "replace"), done.returncode):
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        why = f" (gpgv says: {said[-1].removeprefix('gpgv: ')})" if said else ""
        raise SourceError(
            f"No valid key of checksum_keyring {keyring!r} has signed the checksum file{why}. Get the publisher's "
            "keys, or correct checksum_signature."
        )


def is_signed(status: str, returncode: int) -> bool:
    """Return whether a valid key signed, from gpgv's status lines (GnuPG, doc/DETAILS).

    A file may have signatures of other keys, too, which gpgv does not know. A wrong signature is refused, and so is one
    of a key that was revoked or has expired.

    :param status: what gpgv wrote to ``--status-fd``
    """
    lines = [line.split()[1:] for line in status.splitlines() if line.startswith("[GNUPG:] ")]
    words = [line[0] for line in lines if line]
    is_refused = any(word in _REFUSED for word in words) or words.count("PLAINTEXT") > 1
    unknown = [line for line in lines if line and line[0] == "ERRSIG"]
    is_only_unknown = bool(unknown) and all(line[6:7] == [_NO_PUBLIC_KEY] for line in unknown)
    has_ended_well = returncode == 0 or (returncode == _SOME_FAILED and is_only_unknown)
    return has_ended_well and not is_refused and "GOODSIG" in words and "VALIDSIG" in words


def _dearmored(keys: bytes) -> bytes:
    """Return keys without ASCII armor, which gpgv does not read (RFC 9580, 6.2)."""
    blocks = _ARMORED_KEYS.findall(keys)
    if not blocks:
        return keys
    try:
        return b"".join(base64.b64decode(b"".join(block.split()), validate=True) for block in blocks)
    except binascii.Error as error:
        raise SourceError(
            "checksum_keyring has ASCII armor that can't be read: get the publisher's keys again."
        ) from error
