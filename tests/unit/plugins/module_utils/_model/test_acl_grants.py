# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the options about access make of the ACLs that there are."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._errors import OptionError
from ansible_collections.imagestore.swift.plugins.module_utils._model.acl import Acl, options_of, parse_acl, read_grants
from hypothesis import given
from hypothesis import strategies as st

UNSAID = {
    "public": None,
    "read_tenants": None,
    "read_acl": None,
    "write_tenants": None,
    "admin_tenants": None,
    "write_acl": None,
    "purge": True,
    "state": "present",
}

READ = st.lists(st.sampled_from([".r:*", ".r:a", ".r:-b", ".rlistings", "a:*", "b:*", "a:user", "*:*"]), max_size=5)
WRITE = st.lists(st.sampled_from(["a:*", "b:*", "a:user", "*:*"]), max_size=4)


def applied(there: tuple[str, str], **options: Any) -> tuple[str, str]:
    """The two ACLs after a task with *options*."""
    read, write = read_grants({**UNSAID, **options}).apply_to(parse_acl(there[0]), parse_acl(there[1], is_write=True))
    return str(read), str(write)


@pytest.mark.parametrize(
    ("there", "options", "expected"),
    [
        # Glance's meaning.
        (("x:*", ""), {"public": True}, (".r:*,.rlistings", "")),
        (("x:*", "y:*"), {"read_tenants": ["a", "b"]}, ("a:*,b:*", "y:*")),
        (("x:*", "y:*"), {"public": False}, ("", "y:*")),
        (("x:*", "y:*"), {"read_tenants": []}, ("", "y:*")),
        (("x:*", "y:*"), {"write_tenants": ["a"], "admin_tenants": ["b", "a"]}, ("x:*", "a:*,b:*")),
        (("x:*", "y:*"), {"write_tenants": []}, ("x:*", "")),
        (("", ""), {"public": True, "read_tenants": ["a"]}, (".r:*,.rlistings,a:*", "")),
        # Raw elements, as they are normal.
        (("", ""), {"read_acl": ["a:user", ".referrer: *.example.com", "role"]}, (".r:.example.com,a:user,role", "")),
        (("", ""), {"write_acl": [" a : user "]}, ("", "a : user")),
        # What says the same stays as it is written.
        (
            ("b:*,.r:*,a:*,.rlistings", ""),
            {"public": True, "read_tenants": ["a", "b"]},
            ("b:*,.r:*,a:*,.rlistings", ""),
        ),
        # Adding, and taking away.
        (("x:*,.r:*,.r:-bad", ""), {"public": True, "purge": False}, (".r:*,x:*,.rlistings", "")),
        ((".r:*,.r:-bad,x:*", ""), {"public": True, "read_acl": [".r:-bad"], "state": "absent"}, ("x:*", "")),
        (("x:*", "y:*"), {"read_tenants": ["a"], "purge": False}, ("x:*,a:*", "y:*")),
        (("x:*,a:*", "y:*"), {"read_tenants": ["a"], "state": "absent"}, ("x:*", "y:*")),
        ((".r:*,.rlistings,x:*", ""), {"public": True, "state": "absent"}, ("x:*", "")),
        (("x:*", ""), {"public": False, "state": "absent"}, ("x:*", "")),
    ],
)
def test_what_becomes_of_acls(there: tuple[str, str], options: dict[str, Any], expected: tuple[str, str]) -> None:
    assert applied(there, **options) == expected
    assert applied(expected, **options) == expected


@given(READ, WRITE)
def test_what_is_told_of_access_makes_it_again(read: list[str], write: list[str]) -> None:
    there = Acl(tuple(read)), Acl(tuple(write))
    options = options_of(*there)
    made = read_grants({**UNSAID, **options}).apply_to(Acl(), Acl())
    assert all(new.says_same_as(old) for new, old in zip(made, there))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({}, "nobody to be let in"),
        ({"write_acl": [".r:*"]}, "can't be let write"),
        ({"read_acl": [".r:"]}, "names no host"),
        ({"read_acl": [".r:-"]}, "names no host"),
        ({"read_acl": ["a:*,b:*"]}, "not one element"),
        ({"read_acl": [""]}, "not one element"),
        ({"read_acl": ["a:\tb"]}, "not one element"),
        ({"read_acl": [".x:a"]}, "does not know"),
        ({"read_tenants": ["a,b"]}, "is no tenant"),
        ({"read_tenants": ["a:b"]}, "is no tenant"),
        ({"admin_tenants": [""]}, "is no tenant"),
        ({"public": True, "read_acl": [".r:-bad.example.com"]}, "undoes the other"),
    ],
)
def test_what_is_refused(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(OptionError, match=reason):
        read_grants({**UNSAID, **options})


def test_segments_are_listed_only_where_it_has_to_be() -> None:
    grants = read_grants({**UNSAID, "public": True, "write_tenants": ["a"]})
    assert [str(acl) for acl in grants.for_segments(False).apply_to(Acl(), parse_acl("x:*"))] == [".r:*", "x:*"]
    assert [str(acl) for acl in grants.for_segments(True).apply_to(Acl(), Acl())] == [".r:*,.rlistings", ""]
