# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Access control lists of containers: the grammar of Swift's ``X-Container-Read`` and ``X-Container-Write``.

Pure: this module does not use Ansible or the network. The rules are those of Swift's ``swift.common.middleware.acl``.
Commas separate the elements. An element that begins with ``.r:`` is about the Referer header. Of these, the last one
that matches a request decides, so that their order counts. The order of all others does not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from .._errors import OptionError

EVERYONE = ".r:*"
LISTINGS = ".rlistings"

# Any user of any tenant. Ceph RGW accepts such elements, but they give no access.
_ANYBODY = frozenset({"*", "*:*"})

_REFERRER = ".r:"
_EXCEPTION = ".r:-"
_REFERRER_WORDS = frozenset({".r", ".ref", ".referer", ".referrer"})


class Dialect(str, Enum):
    """The kinds of stores, by the meaning of the elements of their ACLs (seen on Ceph RGW 16 to 20).

    :cvar SWIFT: OpenStack Swift's
    :cvar RGW: Ceph RGW's with Keystone; reading a container includes listing it
    :cvar RGW_V1: Ceph RGW's with its own users, who are named without a colon
    """

    SWIFT = "swift"
    RGW = "rgw"
    RGW_V1 = "rgw with v1 users"


@dataclass(frozen=True)
class Acl:
    """A list of elements, each in Swift's normal form."""

    elements: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ",".join(self.elements)

    @property
    def referrers(self) -> tuple[str, ...]:
        """The elements whose order counts."""
        return tuple(element for element in self.elements if element.startswith(_REFERRER))

    @property
    def others(self) -> frozenset[str]:
        """The elements whose order does not count."""
        return frozenset(self.elements).difference(self.referrers)

    def says_same_as(self, other: Acl) -> bool:
        """Return whether both ACLs allow the same requests."""
        return self.referrers == other.referrers and self.others == other.others

    def plus(self, other: Acl) -> Acl:
        """Return an ACL that allows what this one or *other* allows, and nothing else.

        Referrer elements of *other* are appended in their order. The referrer elements stay unchanged if these are
        already there in that order, and no element excludes hosts from them.
        """
        referrers = self.referrers
        exceptions = {element for element in referrers if element.startswith(_EXCEPTION)}
        if exceptions.difference(other.referrers) or not _is_within(other.referrers, _deciding(referrers)):
            # Elements before the one for everyone decide nothing.
            before = () if EVERYONE in other.referrers else referrers
            referrers = tuple(element for element in before if element not in other.referrers) + other.referrers
        others = [element for element in (*self.elements, *other.elements) if not element.startswith(_REFERRER)]
        return Acl((*referrers, *dict.fromkeys(others)))

    def minus(self, other: Acl) -> Acl:
        """Return this ACL without the elements of *other*."""
        return Acl(tuple(element for element in self.elements if element not in other.elements))


def _deciding(referrers: Sequence[str]) -> Sequence[str]:
    """Return each element at its last position, because in Swift the last one that matches decides."""
    return tuple(reversed(dict.fromkeys(reversed(referrers))))


def _is_within(few: Sequence[str], many: Iterable[str]) -> bool:
    """Return whether *few* are among *many*, in their order."""
    rest = iter(many)
    return all(element in rest for element in few)


def parse_acl(text: str, is_write: bool = False) -> Acl:
    """Return the ACL of a header or an option.

    :param is_write: whether it is about writing, where Swift allows no referrers
    :raises OptionError: Swift would refuse it
    """
    return Acl(tuple(_normal_elements(text, is_write)))


def _normal_elements(text: str, is_write: bool) -> Iterator[str]:
    for raw in text.split(","):
        element = raw.strip()
        word, colon, value = (part.strip() for part in element.partition(":"))
        if not element:
            continue
        if not colon or not word.startswith("."):
            yield element
        elif word not in _REFERRER_WORDS:
            raise OptionError(
                f"ACL element {element!r} begins with a word that Swift does not know: write .r: before a referrer's "
                "host."
            )
        elif is_write:
            raise OptionError(f"ACL element {element!r} is for referrers, which can't have write access: remove it.")
        else:
            yield _normal_referrer(element, value)


def _normal_referrer(element: str, value: str) -> str:
    sign = "-" if value.startswith("-") else ""
    host = value[len(sign) :].strip()
    if host.startswith("*") and host != "*":
        host = host[1:].strip()
    if host in ("", "."):
        raise OptionError(f"ACL element {element!r} names no host: write .r:* for all, or .r:www.example.com.")
    return f"{_REFERRER}{sign}{host}"


def tenant_element(tenant: str) -> str:
    """Return the element that gives access to all users of a tenant.

    :param tenant: its ID
    :raises OptionError: the ID is not valid, or would mean more than a tenant
    """
    blank = not tenant or tenant != tenant.strip() or not tenant.isprintable()
    if blank or tenant.startswith((".", "*")) or set(tenant) & set(",:%"):
        raise OptionError(
            f"{tenant!r} is not a valid tenant: write only the project's ID. Other elements belong in read_acl and "
            "write_acl."
        )
    return f"{tenant}:*"


def tenant_of(element: str, dialect: Dialect = Dialect.SWIFT) -> str | None:
    """Return the tenant to whose users *element* gives access; None for any other element."""
    tenant = element.removesuffix(":*")
    if dialect is Dialect.RGW_V1:
        return None if ":" in element or element.startswith((".", "*")) else element
    try:
        return tenant if tenant_element(tenant) == element else None
    except OptionError:
        return None


def is_public(read: Acl) -> bool:
    """Return whether everybody may read and list, without an exception, as with a public image of Glance's."""
    return read.referrers == (EVERYONE,) and LISTINGS in read.others


def options_of(read: Acl, write: Acl, dialect: Dialect = Dialect.SWIFT) -> dict[str, object]:
    """Return the options of swift_image_acl that create these two ACLs.

    Writers that were given as admin_tenants are among write_tenants, because an ACL does not distinguish them.
    """
    public = is_public(read)
    implied = {EVERYONE, LISTINGS} if public else set()
    read_tenants, read_raw = _split((element for element in read.elements if element not in implied), dialect)
    write_tenants, write_raw = _split(write.elements, dialect)
    return {
        "public": public,
        "read_tenants": read_tenants,
        "read_acl": read_raw,
        "write_tenants": write_tenants,
        "write_acl": write_raw,
    }


def _split(elements: Iterable[str], dialect: Dialect) -> tuple[list[str], list[str]]:
    """Return the tenants, sorted, and all other elements: referrers in their order, then the others sorted."""
    tenants, raw = [], []
    for element in elements:
        tenant = tenant_of(element, dialect)
        if tenant is None:
            raw.append(element)
        else:
            tenants.append(tenant)
    return sorted(set(tenants)), sorted(raw, key=lambda element: "" if element.startswith(_REFERRER) else element)


_READERS = ("public", "read_tenants", "read_acl")
_WRITERS = ("write_tenants", "admin_tenants", "write_acl")


class Mode(str, Enum):
    """The effect on existing grants."""

    REPLACE = "replace"
    ADD = "add"
    REMOVE = "remove"


@dataclass(frozen=True)
class Grants:
    """The desired grants of one container.

    :param read: the readers; None keeps the current ones
    :param write: the writers; None keeps the current ones
    """

    read: Acl | None
    write: Acl | None
    mode: Mode

    def apply_to(self, read: Acl, write: Acl) -> tuple[Acl, Acl]:
        """Return the two new ACLs; an ACL that already has the same meaning stays unchanged."""
        return _applied(self.mode, read, self.read), _applied(self.mode, write, self.write)

    def in_dialect(self, dialect: Dialect) -> Grants:
        """Return the same grants in the dialect of a store, which may name a tenant's users differently.

        :raises OptionError: an element would give no access there, or more access than it says
        """
        if dialect is Dialect.SWIFT:
            return self
        is_removal = self.mode is Mode.REMOVE
        sides = [_in_dialect(side, dialect, is_removal) for side in (self.read, self.write)]
        read = self.read
        if not is_removal and read and EVERYONE in read.elements and LISTINGS not in read.elements:
            raise OptionError(
                f"read_acl has {EVERYONE} without {LISTINGS}, but on this store (Ceph RGW) everyone could list the "
                f"container, too: add {LISTINGS} to accept that."
            )
        return Grants(sides[0], sides[1], self.mode)

    def for_segments(self, is_listed: bool) -> Grants:
        """Return the desired grants of a container of segments, which the readers of the image must be able to read.

        :param is_listed: whether Swift lists it to read an image, as it does for a dynamic large object
        """
        read = self.read
        if read is not None and not is_listed and self.mode is not Mode.REMOVE:
            read = read.minus(Acl((LISTINGS,)))
        return Grants(read, None, self.mode)


def _names_user(element: str) -> bool:
    return ":" in element and not element.startswith(_REFERRER)


def _in_dialect(acl: Acl | None, dialect: Dialect, is_removal: bool) -> Acl | None:
    if acl is None:
        return None
    written: dict[str, None] = {}
    for element in acl.elements:
        tenant = tenant_of(element)
        if is_removal:
            # The spelling of an earlier release is removed, too.
            written[element] = None
        elif element in _ANYBODY or (dialect is Dialect.RGW_V1 and tenant is None and _names_user(element)):
            raise OptionError(
                f"ACL element {element!r} grants no access on this store (Ceph RGW): name each "
                f"{'user' if dialect is Dialect.RGW_V1 else 'project'} in read_tenants or write_tenants."
            )
        written[tenant if tenant is not None and dialect is Dialect.RGW_V1 else element] = None
    return Acl(tuple(written))


def _applied(mode: Mode, there: Acl, desired: Acl | None) -> Acl:
    if desired is None:
        return there
    after = {Mode.REPLACE: desired, Mode.ADD: there.plus(desired), Mode.REMOVE: there.minus(desired)}[mode]
    return there if after.says_same_as(there) else after


def read_grants(params: Mapping[str, Any]) -> Grants:
    """Return the grants that the options ask for.

    :param params: with ``public``, ``read_tenants``, ``read_acl``, ``write_tenants``, ``admin_tenants``,
        ``write_acl``, ``purge`` and ``state``
    :raises OptionError: the options name no grant, contradict each other, or Swift would refuse the ACL
    """
    read = _readers(params) if _is_given(params, _READERS) else None
    write = _writers(params) if _is_given(params, _WRITERS) else None
    if read is None and write is None:
        raise OptionError(f"Nothing to do: set at least one of {', '.join((*_READERS, *_WRITERS))}.")
    if params["state"] == "absent":
        return Grants(read, write, Mode.REMOVE)
    return Grants(read, write, Mode.REPLACE if params["purge"] else Mode.ADD)


def _is_given(params: Mapping[str, Any], options: Sequence[str]) -> bool:
    return any(params[option] is not None for option in options)


def _readers(params: Mapping[str, Any]) -> Acl:
    raw = _elements("read_acl", params["read_acl"])
    excepts = any(element.startswith(".r:-") for element in raw)
    if params["public"] and excepts and params["state"] == "present":
        raise OptionError(
            "public gives everyone read access, but read_acl has an exception to that: remove public, and write .r:* "
            "and .rlistings before the exception in read_acl."
        )
    everybody = (EVERYONE, LISTINGS) if params["public"] else ()
    return _acl((*everybody, *_tenants(params["read_tenants"]), *raw))


def _writers(params: Mapping[str, Any]) -> Acl:
    tenants = (*_tenants(params["write_tenants"]), *_tenants(params["admin_tenants"]))
    return _acl((*tenants, *_elements("write_acl", params["write_acl"], is_write=True)))


def _acl(elements: Sequence[str]) -> Acl:
    """Return an ACL without duplicates; all referrer elements stay, because the last one that matches decides."""
    kept = dict.fromkeys(element for element in elements if not element.startswith(".r:"))
    referrers = [element for element in elements if element.startswith(".r:")]
    return Acl((*referrers, *kept))


def _tenants(tenants: Sequence[str] | None) -> list[str]:
    return [tenant_element(tenant) for tenant in tenants or ()]


def _elements(option: str, texts: Sequence[str] | None, is_write: bool = False) -> list[str]:
    found: list[str] = []
    for text in texts or ():
        elements = parse_acl(text, is_write).elements
        if len(elements) != 1 or not text.isprintable():
            raise OptionError(
                f"{option} has {text!r}, which is not a single ACL element: write a list with one element per item."
            )
        found.extend(elements)
    return found
