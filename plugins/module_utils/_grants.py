# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is to be let in, as options say it, and what that makes of the ACLs that there are.

Pure: knows neither Ansible nor the network. The meaning of the options is that of Glance's Swift driver
(``set_acls``): a public image is read by ``.r:*,.rlistings``, a tenant is ``<tenant>:*``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ._acl import EVERYONE, LISTINGS, Acl, parse_acl, tenant_element
from ._errors import OptionError

_READERS = ("public", "read_tenants", "read_acl")
_WRITERS = ("write_tenants", "admin_tenants", "write_acl")


class Mode(StrEnum):
    """What becomes of grants that are there."""

    REPLACE = "replace"
    ADD = "add"
    REMOVE = "remove"


@dataclass(frozen=True)
class Grants:
    """What is wished of one container.

    :param read: None leaves that side alone
    :param write: likewise
    """

    read: Acl | None
    write: Acl | None
    mode: Mode

    def apply_to(self, read: Acl, write: Acl) -> tuple[Acl, Acl]:
        """What the two ACLs are to be; one that says the same already stays as it is written."""
        return _applied(self.mode, read, self.read), _applied(self.mode, write, self.write)

    def for_segments(self, is_listed: bool) -> Grants:
        """What is wished of another container, with segments, which those who read the image have to read.

        :param is_listed: whether Swift lists it to read an image, as it does for a dynamic large object
        """
        read = self.read
        if read is not None and not is_listed and self.mode is not Mode.REMOVE:
            read = read.minus(Acl((LISTINGS,)))
        return Grants(read, None, self.mode)


def _applied(mode: Mode, there: Acl, wished: Acl | None) -> Acl:
    if wished is None:
        return there
    after = {Mode.REPLACE: wished, Mode.ADD: there.plus(wished), Mode.REMOVE: there.minus(wished)}[mode]
    return there if after.says_same_as(there) else after


def read_grants(params: Mapping[str, Any]) -> Grants:
    """What the options wish.

    :param params: with ``public``, ``read_tenants``, ``read_acl``, ``write_tenants``, ``admin_tenants``,
        ``write_acl``, ``purge`` and ``state``
    :raises OptionError: they say nothing, contradict each other, or Swift would refuse it
    """
    read = _readers(params) if _is_given(params, _READERS) else None
    write = _writers(params) if _is_given(params, _WRITERS) else None
    if read is None and write is None:
        raise OptionError(f"There is nobody to be let in or kept out: give one of {', '.join((*_READERS, *_WRITERS))}.")
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
            "public lets everybody read and read_acl has an exception from that, so that one undoes the other: leave "
            "public out, and write .r:* and .rlistings before the exception in read_acl."
        )
    everybody = (EVERYONE, LISTINGS) if params["public"] else ()
    return _acl((*everybody, *_tenants(params["read_tenants"]), *raw))


def _writers(params: Mapping[str, Any]) -> Acl:
    tenants = (*_tenants(params["write_tenants"]), *_tenants(params["admin_tenants"]))
    return _acl((*tenants, *_elements("write_acl", params["write_acl"], is_write=True)))


def _acl(elements: Sequence[str]) -> Acl:
    """An ACL that names nobody twice; of elements about referrers the last one counts, and so all stay."""
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
            raise OptionError(f"{option} has {text!r}, which is not one element: write a list, an element each.")
        found.extend(elements)
    return found
