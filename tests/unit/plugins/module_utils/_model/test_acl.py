# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Access control lists, compared with Swift's own rules for them."""

from __future__ import annotations

from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._errors import OptionError
from ansible_collections.imagestore.swift.plugins.module_utils._model import acl as _acl
from ansible_collections.imagestore.swift.plugins.module_utils._model.acl import (
    Acl,
    Dialect,
    options_of,
    parse_acl,
    read_grants,
)
from hypothesis import example, given
from hypothesis import strategies as st


def _load_oracle() -> Any:
    """Return Swift's own module for ACLs, without importing Swift, which would replace modules of Python."""
    package = find_spec("swift")
    assert package and package.submodule_search_locations
    path = Path(package.submodule_search_locations[0]) / "common" / "middleware" / "acl.py"
    spec = spec_from_file_location("acl_of_swift", path)
    assert spec and spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


oracle = _load_oracle()

HOSTS = ["*", "example.com", ".example.com", "www.example.com", "bad.example.com", "unknown"]
REFERRERS = st.builds("{}{}".format, st.sampled_from([".r:", ".r:-"]), st.sampled_from(HOSTS))
OTHERS = st.sampled_from([".rlistings", "a:*", "b:*", "a:user", "*:*", "role", "*:user"])
ACLS = st.lists(st.one_of(REFERRERS, OTHERS), max_size=6).map(lambda elements: Acl(tuple(elements)))

# Texts that a user may write: pieces of the grammar, in any order and with any blanks.
PIECES = st.sampled_from(
    [
        *(".r", ".ref", ".referer", ".referrer", ".rlistings", ".x", ":", "-", "*", ".", "..", ",", " "),
        *("a", "b:c", "%2C", "*.example.com", "example.com", "é"),
    ]
)
WRITTEN = st.lists(PIECES, max_size=8).map("".join)


@given(WRITTEN, st.booleans())
def test_an_acl_is_normalised_as_by_swift(text: str, is_write: bool) -> None:
    header = "X-Container-Write" if is_write else "X-Container-Read"
    try:
        expected = oracle.clean_acl(header, text)
    except ValueError:
        with pytest.raises(OptionError):
            parse_acl(text, is_write)
    else:
        assert str(parse_acl(text, is_write)) == expected


@given(ACLS)
def test_acl_round_trip(acl: Acl) -> None:
    assert parse_acl(str(acl)) == acl


def allowed(acl: Acl, host: str) -> bool:
    """Return whether Swift admits a request that names *host* as its referrer."""
    referrers, _groups = oracle.parse_acl(str(acl))
    return bool(oracle.referrer_allowed(f"http://{host}/" if host != "unknown" else None, referrers))


def groups(acl: Acl) -> set[str]:
    return set(oracle.parse_acl(str(acl))[1])


@given(ACLS, ACLS)
@example(Acl((".r:-example.com", ".r:*", ".r:-example.com")), Acl((".r:-example.com", ".r:*")))
def test_merging_grants_exactly_the_requested_access(old: Acl, new: Acl) -> None:
    merged = old.plus(new)
    for host in ("example.com", "www.example.com", "bad.example.com", "other.org", "unknown"):
        assert not allowed(merged, host) or allowed(old, host) or allowed(new, host)
        assert allowed(merged, host) or not allowed(new, host)
    assert groups(merged) == groups(old) | groups(new)
    assert merged.plus(new) == merged


@given(ACLS, ACLS)
def test_removing_elements_keeps_the_others(old: Acl, gone: Acl) -> None:
    left = old.minus(gone)
    assert set(left.elements) == set(old.elements) - set(gone.elements)
    assert left.minus(gone) == left


@given(ACLS, ACLS)
def test_equivalent_acls_grant_the_same_access(one: Acl, other: Acl) -> None:
    if one.says_same_as(other):
        assert groups(one) == groups(other)
        assert all(allowed(one, host) == allowed(other, host) for host in HOSTS[1:])


def test_granting_everyone_removes_a_referrer_exception() -> None:
    assert str(parse_acl(".r:*,.r:-bad,a:*").plus(parse_acl(".r:*,.rlistings"))) == ".r:*,a:*,.rlistings"


def test_order_matters_only_among_referrers() -> None:
    assert parse_acl("b:*,.r:*,a:*").says_same_as(parse_acl(".r:*,a:*,b:*"))
    assert not parse_acl(".r:*,.r:-a").says_same_as(parse_acl(".r:-a,.r:*"))


@given(ACLS, st.lists(OTHERS, max_size=4).map(lambda elements: Acl(tuple(elements))))
def test_options_describe_the_acls_they_were_read_from(read: Acl, write: Acl) -> None:
    options = _acl.options_of(read, write)
    tenants = {side: [_acl.tenant_element(name) for name in options[f"{side}_tenants"]] for side in ("read", "write")}
    public = [_acl.EVERYONE, _acl.LISTINGS] if options["public"] else []
    assert Acl((*public, *tenants["read"], *options["read_acl"])).says_same_as(read)
    assert Acl((*tenants["write"], *options["write_acl"])).says_same_as(write)


@pytest.mark.parametrize("tenant", ["", " a", "a,b", "a:b", ".r", "*", "a%2Cb", "a\nb"])
def test_invalid_tenant(tenant: str) -> None:
    with pytest.raises(OptionError, match="is not a valid tenant"):
        _acl.tenant_element(tenant)


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
    """Return the two ACLs after a task with *options*."""
    read, write = read_grants({**UNSAID, **options}).apply_to(parse_acl(there[0]), parse_acl(there[1], is_write=True))
    return str(read), str(write)


@pytest.mark.parametrize(
    ("there", "options", "expected"),
    [
        # These options have the same meaning as in Glance.
        (("x:*", ""), {"public": True}, (".r:*,.rlistings", "")),
        (("x:*", "y:*"), {"read_tenants": ["a", "b"]}, ("a:*,b:*", "y:*")),
        (("x:*", "y:*"), {"public": False}, ("", "y:*")),
        (("x:*", "y:*"), {"read_tenants": []}, ("", "y:*")),
        (("x:*", "y:*"), {"write_tenants": ["a"], "admin_tenants": ["b", "a"]}, ("x:*", "a:*,b:*")),
        (("x:*", "y:*"), {"write_tenants": []}, ("x:*", "")),
        (("", ""), {"public": True, "read_tenants": ["a"]}, (".r:*,.rlistings,a:*", "")),
        # Raw elements are written in their normal form.
        (("", ""), {"read_acl": ["a:user", ".referrer: *.example.com", "role"]}, (".r:.example.com,a:user,role", "")),
        (("", ""), {"write_acl": [" a : user "]}, ("", "a : user")),
        # An ACL with the same meaning keeps its text.
        (
            ("b:*,.r:*,a:*,.rlistings", ""),
            {"public": True, "read_tenants": ["a", "b"]},
            ("b:*,.r:*,a:*,.rlistings", ""),
        ),
        # Elements are added and removed.
        (("x:*,.r:*,.r:-bad", ""), {"public": True, "purge": False}, (".r:*,x:*,.rlistings", "")),
        ((".r:*,.r:-bad,x:*", ""), {"public": True, "read_acl": [".r:-bad"], "state": "absent"}, ("x:*", "")),
        (("x:*", "y:*"), {"read_tenants": ["a"], "purge": False}, ("x:*,a:*", "y:*")),
        (("x:*,a:*", "y:*"), {"read_tenants": ["a"], "state": "absent"}, ("x:*", "y:*")),
        ((".r:*,.rlistings,x:*", ""), {"public": True, "state": "absent"}, ("x:*", "")),
        (("x:*", ""), {"public": False, "state": "absent"}, ("x:*", "")),
    ],
)
def test_options_are_applied_to_acls_idempotently(
    there: tuple[str, str], options: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert applied(there, **options) == expected
    assert applied(expected, **options) == expected


@given(READ, WRITE)
def test_reported_options_recreate_the_acls(read: list[str], write: list[str]) -> None:
    there = Acl(tuple(read)), Acl(tuple(write))
    options = options_of(*there)
    made = read_grants({**UNSAID, **options}).apply_to(Acl(), Acl())
    assert all(new.says_same_as(old) for new, old in zip(made, there))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({}, "Nothing to do: set at least one of"),
        ({"write_acl": [".r:*"]}, "can't have write access"),
        ({"read_acl": [".r:"]}, "names no host"),
        ({"read_acl": [".r:-"]}, "names no host"),
        ({"read_acl": ["a:*,b:*"]}, "not a single ACL element"),
        ({"read_acl": [""]}, "not a single ACL element"),
        ({"read_acl": ["a:\tb"]}, "not a single ACL element"),
        ({"read_acl": [".x:a"]}, "does not know"),
        ({"read_tenants": ["a,b"]}, "is not a valid tenant"),
        ({"read_tenants": ["a:b"]}, "is not a valid tenant"),
        ({"admin_tenants": [""]}, "is not a valid tenant"),
        ({"public": True, "read_acl": [".r:-bad.example.com"]}, "has an exception to that"),
    ],
)
def test_invalid_access_options(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(OptionError, match=reason):
        read_grants({**UNSAID, **options})


def test_rlistings_is_granted_for_segments_only_if_needed() -> None:
    grants = read_grants({**UNSAID, "public": True, "write_tenants": ["a"]})
    assert [str(acl) for acl in grants.for_segments(False).apply_to(Acl(), parse_acl("x:*"))] == [".r:*", "x:*"]
    assert [str(acl) for acl in grants.for_segments(True).apply_to(Acl(), Acl())] == [".r:*,.rlistings", ""]


NAMED = {"read_tenants": ["x"], "read_acl": [".r:*", ".rlistings"], "write_tenants": ["y"]}
ON_SWIFT = ".r:*,x:*,.rlistings", "y:*"


@pytest.mark.parametrize(
    ("dialect", "expected"),
    [
        (Dialect.SWIFT, ON_SWIFT),
        (Dialect.RGW, ON_SWIFT),
        # The gateway's own users are named without a colon.
        (Dialect.RGW_V1, (".r:*,x,.rlistings", "y")),
    ],
)
def test_tenant_elements_depend_on_the_dialect(dialect: Dialect, expected: tuple[str, str]) -> None:
    grants = read_grants({**UNSAID, **NAMED}).in_dialect(dialect)
    after = grants.apply_to(Acl(), Acl())
    assert (str(after[0]), str(after[1])) == expected
    assert grants.apply_to(*after) == after
    told = options_of(*after, dialect)
    assert (told["public"], told["read_tenants"], told["write_tenants"]) == (True, ["x"], ["y"])


def test_an_ineffective_element_is_replaced() -> None:
    grants = read_grants({**UNSAID, "read_tenants": ["x"]}).in_dialect(Dialect.RGW_V1)
    assert str(grants.apply_to(parse_acl("x:*"), Acl())[0]) == "x"


def test_elements_written_by_earlier_releases_are_removed() -> None:
    grants = read_grants({**UNSAID, "read_tenants": ["x"], "state": "absent"}).in_dialect(Dialect.RGW_V1)
    assert str(grants.apply_to(parse_acl("x:*,x,y"), Acl())[0]) == "y"


@pytest.mark.parametrize(
    ("dialect", "options", "reason"),
    [
        (Dialect.RGW, {"read_acl": ["*:*"]}, "grants no access"),
        (Dialect.RGW, {"write_acl": ["*"]}, "name each project in"),
        (Dialect.RGW, {"read_acl": [".r:*"]}, "everyone could list the container, too: add .rlistings"),
        (Dialect.RGW_V1, {"read_acl": ["x:user"]}, "'x:user' grants no access"),
        (Dialect.RGW_V1, {"write_acl": ["*:user"]}, "name each user in"),
    ],
)
def test_elements_without_effect_on_ceph_rgw_are_refused(
    dialect: Dialect, options: dict[str, Any], reason: str
) -> None:
    with pytest.raises(OptionError, match=reason):
        read_grants({**UNSAID, **options}).in_dialect(dialect)
    # Removing such an element does no harm.
    assert read_grants({**UNSAID, **options, "state": "absent"}).in_dialect(dialect)
