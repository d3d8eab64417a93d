# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An image's location as Glance writes it, parsed and composed.

Pure: this module does not use Ansible or the network. The grammar is that of glance_store's Swift driver:

=================================================  ==================================================
``swift://user:key@auth.example.com/v3/c/o``       credentials, and the authentication service (https)
``swift+http://…``, ``swift+https://…``            the same, with the scheme of that service
``swift+https://swift.example.com/v1/AUTH_x/c/o``  no credentials: the account's own URL, the storage URL
``swift+config://reference/c/o``                   credentials that are kept elsewhere under a name
=================================================  ==================================================

No message holds any part of the parsed text, because any part of a malformed URI may be the key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit

from .._errors import OptionError

CONFIG_SCHEME = "swift+config"
_DEFAULT_PORTS = {"http": 80, "https": 443}
_SCHEMES = ("swift", "swift+http", "swift+https", CONFIG_SCHEME)

_EXAMPLE = "swift+https://account%3Auser:key@auth.example.com/v3/container/image"
_ENCODE = "percent-encode special characters in names and keys"

# The characters that RFC 3986 allows in a host with a port, and in a path, without those that mean something else here.
_ADDRESS = re.compile(r"[\w.~!$&'()*+,;=:%/\[\]-]+", re.ASCII)


@dataclass(frozen=True)
class Uri:
    """A location in Glance's grammar, with its credentials.

    :param scheme: one of Glance's four
    :param address: without its scheme, the authentication service's URL if there are credentials, and the storage URL
        if there are none; with ``swift+config`` the name under which credentials are kept
    :param user: ``account:user``, or a name in the form of the authentication service; None if *key* is None
    """

    scheme: str
    address: str
    container: str
    name: str
    user: str | None = None
    key: str | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """The address as a URL: ``swift+http`` means http, everything else https, as in Glance."""
        return f"{'http' if self.scheme == 'swift+http' else 'https'}://{self.address}"

    def compose(self) -> str:
        """Return the URI in Glance's grammar, every part percent-encoded; :func:`parse_uri` is the inverse function."""
        credentials = "" if self.user is None or self.key is None else f"{_quote(self.user)}:{_quote(self.key)}@"
        address = _quote(self.address) if self.scheme == CONFIG_SCHEME else self.address
        return f"{self.scheme}://{credentials}{address}/{_quote(self.container)}/{_quote(self.name)}"


def uri_of_storage_url(storage_url: str, container: str, name: str) -> Uri:
    """Return the location of an image by its account's URL, without credentials.

    :param storage_url: such as ``https://swift.example.com/v1/AUTH_x``
    """
    scheme, _separator, address = storage_url.partition("://")
    host, slash, path = address.partition("/")
    # A password in the address is left out.
    return Uri(f"swift+{scheme}", f"{host.rpartition('@')[2]}{slash}{path}".rstrip("/"), container, name)


def normalize_storage_url(url: str) -> str:
    """Return an account's URL in one form, to which a container can be appended (RFC 3986, section 6.2).

    Scheme and host are in lower case. A default port, empty parts of the path, and anything after the path are left
    out. Swift would take an empty part for a container without a name. Percent-encoding stays, for Swift to decode.

    :param url: from an option, a file or a service catalogue; returned as it is if it is not a valid URL
    """
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        return url
    if not host:
        return url
    user = parts.netloc.rpartition("@")[0]
    netloc = "".join(
        (
            f"{user}@" if user else "",
            f"[{host}]" if ":" in host else host,
            "" if port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f":{port}",
        )
    )
    path = "".join(f"/{part}" for part in parts.path.split("/") if part)
    return f"{parts.scheme}://{netloc}{path}"


def parse_uri(text: str) -> Uri:
    """Parse a location.

    :returns: its parts, decoded
    :raises OptionError: it is not in Glance's grammar
    """
    scheme, rest = _split_scheme(text)
    _check_characters(rest)
    credentials, at, rest = rest.rpartition("@")
    user, key = _parse_credentials(credentials) if at else (None, None)
    address, container, name = _split_path(rest)
    if scheme == CONFIG_SCHEME:
        if at:
            raise OptionError(
                "uri has a user and a key, but swift+config names other credentials: remove user and key from uri."
            )
        address = _unquote(address)
    else:
        _check_address(address)
    return Uri(scheme, address, container, name, user, key)


def _split_scheme(text: str) -> tuple[str, str]:
    if text.count("://") > 1:
        raise OptionError(
            "uri has two schemes: write swift+http://user:key@auth.example.com/… if the authentication service uses "
            "http, or swift+https:// if it uses https."
        )
    scheme, separator, rest = text.partition("://")
    if not separator:
        raise OptionError(f"uri has no scheme: write it like {_EXAMPLE}.")
    if scheme not in _SCHEMES:
        raise OptionError(f"uri has a scheme that is not one of {', '.join(_SCHEMES)}: correct the scheme.")
    return scheme, rest


def _check_characters(rest: str) -> None:
    """Refuse characters that could be a part of a key as well as a separator."""
    if any(character.isspace() or not character.isprintable() for character in rest):
        raise OptionError(f"uri has a space or a control character: {_ENCODE}.")
    if "?" in rest or "#" in rest:
        raise OptionError(f"uri has a ? or a #, which have no meaning in it: {_ENCODE} (%3F, %23).")
    if rest.count("@") > 1:
        raise OptionError(f"uri has more than one @: {_ENCODE} (%40).")
    if "/" in rest.partition("@")[0] and "@" in rest:
        raise OptionError(f"uri has a / before its @, or an @ after the host: {_ENCODE} (%2F, %40).")


def _parse_credentials(text: str) -> tuple[str, str]:
    """Return user and key; the last colon that is not encoded separates them."""
    user, colon, key = text.rpartition(":")
    if not colon:
        raise OptionError("uri has an @, but no key before it: write user:key@, or remove the user and the @.")
    if not user:
        raise OptionError("uri has an empty user: write user:key@.")
    if not key:
        raise OptionError("uri has an empty key: write user:key@.")
    return _unquote(user), _unquote(key)


def _split_path(rest: str) -> tuple[str, str, str]:
    """Return the text before the container, the container, and the object."""
    if "/" not in rest.strip("/"):
        raise OptionError(f"uri names no container and image: write it like {_EXAMPLE}.")
    address, _slash, name = rest.rpartition("/")
    if not name:
        raise OptionError("uri ends with an empty image name: add the image's name.")
    address, slash, container = address.rpartition("/")
    if not slash:
        raise OptionError(
            "uri names no container, because only one part follows the host: write container/image there."
        )
    if not container:
        raise OptionError("uri has an empty container before the image's name: add the container's name.")
    address = address.rstrip("/")
    if not address:
        raise OptionError("uri names no host: write the host after ://, or after the @.")
    return address, _unquote(container), _unquote(name)


def _check_address(address: str) -> None:
    """Refuse text that is not a host, with an optional port and path."""
    if not _ADDRESS.fullmatch(address):
        raise OptionError(f"uri has a character before the container that is not valid in a URL: {_ENCODE}.")
    try:
        parts = urlsplit(f"https://{address}")
        port = parts.port
    except ValueError:
        raise OptionError(
            "uri has an invalid host or port: correct the host and the port, and percent-encode a / in the key (%2F)."
        ) from None
    if not parts.hostname or port == 0 or parts.netloc.endswith(":"):
        raise OptionError("uri has an empty host or port: correct the host and the port.")


def _quote(text: str) -> str:
    return quote(text, safe="")


def _unquote(text: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise OptionError("uri has percent-encoded bytes that are not UTF-8: encode names and keys as UTF-8.") from None
