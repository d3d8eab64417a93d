# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses of files on web servers, as users write them and as they are requested. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Optional
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

from .._errors import OptionError

_PORTS = {"http": 80, "https": 443}

# The characters that browsers do not encode in a path and in a query (URL Standard, percent-encode sets). The percent
# sign is one of them, so that encoded text stays as it is.
_IN_PATH = "/%:@!$&'()*+,;=~|[]^\\"
_IN_QUERY = "/%:@!$&()*+,;=~|[]^\\?`{}"

Origin = tuple[str, str, Optional[int]]


@dataclass(frozen=True)
class Address:
    """The address of a file on a web server.

    :param url: percent-encoded, without a login and a fragment
    :param login: the user and the password that the user wrote into it; None if there are none
    """

    url: str
    login: tuple[str, str] | None = None

    @property
    def name(self) -> str:
        """The last part of the path, decoded."""
        return PurePosixPath(self.path).name

    @property
    def path(self) -> str:
        """The path, decoded."""
        return unquote(urlsplit(self.url).path)

    @property
    def scheme(self) -> str:
        """The scheme, ``http`` or ``https``."""
        return urlsplit(self.url).scheme

    @property
    def origin(self) -> Origin:
        """The scheme, host and port: one server, to which credentials belong (RFC 9110, 4.3.1)."""
        parts = urlsplit(self.url)
        return parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme)

    @property
    def shown(self) -> str:
        """The address for messages, without a query, which may hold a signature."""
        return urlsplit(self.url)._replace(query="").geturl()

    def follow(self, location: str) -> Address:
        """Return the address that a redirect leads to.

        :param location: relative or absolute, as the header has it
        :raises ValueError: the new address is not one of HTTP or HTTPS
        """
        found = _read(urljoin(self.url, location))
        if found is None or not location:
            raise ValueError("not an HTTP address")
        return found


def parse_address(text: str, option: str) -> Address:
    """Return an address that a user wrote, parsed.

    :param option: the option that holds it
    :raises OptionError: it is not an address of HTTP or HTTPS
    """
    address = _read(text.strip())
    if address is not None:
        return address
    scheme = text.strip().partition("://")[0].lower()
    if scheme == "file":
        raise OptionError(
            f"{option} begins with file://, which is not on a web server: write only the path"
            + (" in src." if option == "url" else ".")
        )
    raise OptionError(f"{option} is not the URL of a file: write a URL that begins with http:// or https://.")


def _read(text: str) -> Address | None:
    parts = _split(text)
    if parts is None or parts.scheme not in _PORTS or not parts.hostname:
        return None
    host = _encode_host(parts.hostname)
    if host is None:
        return None
    user, _at, _host = parts.netloc.rpartition("@")
    name, _colon, password = user.partition(":")
    encoded = parts._replace(
        netloc=host if parts.port is None else f"{host}:{parts.port}",
        path=quote(urlsplit(urljoin("http://host/", parts.path.replace("\\", "/") or "/")).path, safe=_IN_PATH),
        query=quote(parts.query, safe=_IN_QUERY),
        fragment="",
    )
    return Address(encoded.geturl(), (unquote(name), unquote(password)) if user else None)


def _split(text: str) -> SplitResult | None:
    """Return the parts of an address; None if no request can be sent to it."""
    try:
        parts = urlsplit(text)
        # urlsplit checks the port only when it is read.
        can_be_asked = parts.port != 0 and text.isprintable() and " " not in parts.netloc
    except ValueError:
        return None
    return parts if can_be_asked else None


def _encode_host(host: str) -> str | None:
    """Return a host's name as DNS knows it; None if it can't be one."""
    if ":" in host:
        return f"[{host}]"
    if host.isascii():
        return host
    # A dependency of requests, which python-swiftclient needs.
    import idna

    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError:
        return None
