# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plans of access, made without a server: new ACLs, containers of segments, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._errors import OptionError
from ansible_collections.imagestore.swift.plugins.module_utils._model.acl import Acl, Dialect, parse_acl, read_grants
from ansible_collections.imagestore.swift.plugins.module_utils._model.image import Image, ManifestKind, Segment
from ansible_collections.imagestore.swift.plugins.module_utils._model.location import locate
from ansible_collections.imagestore.swift.plugins.module_utils._operations.access import (
    AccessChange,
    AccessPlan,
    SegmentContainers,
    check_length,
    diff_of,
    segment_containers,
    unreadable_images,
)

HERE = locate("glance", "a")
OWN = ".segments/a/glance:" + "0" * 64 + "-5"


def _image(kind: ManifestKind, container: str | None, *segments: Segment) -> Image:
    return Image(kind, 5, "e", segments, segment_container=container)


PLAIN = _image(ManifestKind.NONE, None)
BESIDE = _image(ManifestKind.SLO, "glance", Segment("glance", "s", 5, "e"))
SLO = _image(ManifestKind.SLO, "apart", Segment("apart", OWN, 5, "e"))
DLO = _image(
    ManifestKind.DLO, "apart", Segment("apart", ".segments/a/glance:0000000000000000-00000000/00000001", 5, "e")
)
CLI = _image(ManifestKind.DLO, "glance_segments", Segment("glance_segments", "a/1.5/12/00000000", 5, "e"))
# The manifest names another manifest, whose segments are in a third container.
NESTED = _image(
    ManifestKind.SLO, "inner", Segment("inner", OWN, 5, "e", inner=(Segment("deep", OWN.replace("0", "1"), 5, "e"),))
)
EMPTY_DLO = _image(ManifestKind.DLO, "empty")
HOSTILE_SLO = _image(ManifestKind.SLO, "vault", Segment("vault", "golden", 5, "e"))
HOSTILE_DLO = _image(ManifestKind.DLO, "vault", Segment("vault", "golden-00001", 5, "e"))
MIXED = _image(ManifestKind.SLO, "apart", Segment("apart", OWN, 5, "e"), Segment("vault", "golden", 5, "e"))
OTHER_ACCOUNT = _image(ManifestKind.SLO, "..", Segment("..", "AUTH_other/c/o", 5, "e"))


@pytest.mark.parametrize(
    ("images", "meant", "proved", "unproved"),
    [
        ([], [], {}, {}),
        ([PLAIN, BESIDE], [], {}, {}),
        ([SLO], [], {"apart": False}, {}),
        ([DLO], [], {"apart": True}, {}),
        ([SLO, DLO], [], {"apart": True}, {}),
        ([DLO, SLO], [], {"apart": True}, {}),
        ([CLI], [], {"glance_segments": True}, {}),
        ([NESTED], [], {"deep": False, "inner": False}, {}),
        ([EMPTY_DLO], [], {}, {"empty": "a"}),
        ([HOSTILE_SLO], [], {}, {"vault": "a"}),
        ([HOSTILE_DLO], [], {}, {"vault": "a"}),
        ([HOSTILE_DLO], ["vault"], {"vault": True}, {}),
        ([HOSTILE_SLO], ["other"], {}, {"vault": "a"}),
        ([MIXED], [], {"apart": False}, {"vault": "a"}),
        ([OTHER_ACCOUNT], [], {}, {"..": "a"}),
    ],
)
def test_segment_containers_are_proven_or_unproven(
    images: list[Image], meant: list[str], proved: dict[str, bool], unproved: dict[str, str]
) -> None:
    found = segment_containers([(HERE, image) for image in images], meant)
    assert list(found.proved.items()) == list(proved.items())
    assert found.unproved == unproved


@pytest.mark.parametrize(
    ("image", "elsewhere"),
    [
        (PLAIN, {}),
        (BESIDE, {}),
        (SLO, {}),
        (DLO, {"a": "apart"}),
        (EMPTY_DLO, {"a": "empty"}),
        (_image(ManifestKind.DLO, "glance"), {}),
        (_image(ManifestKind.DLO, None), {}),
    ],
)
def test_dynamic_large_objects_with_segments_elsewhere(image: Image, elsewhere: dict[str, str]) -> None:
    assert segment_containers([(HERE, image)]).listed_elsewhere == elsewhere


NONE = Acl(())
PUBLIC = parse_acl(".r:*,.rlistings")
ONE = parse_acl("one:*")
BOTH = parse_acl("one:*,two:*")


def change(read: Acl, write: Acl, **options: Any) -> AccessChange:
    """Return the change that the module's options make of two ACLs."""
    unset = dict.fromkeys(("read_tenants", "write_tenants", "admin_tenants", "read_acl", "write_acl"))
    grants = read_grants({"public": None, "purge": True, "state": "present", **unset, **options})
    return AccessChange("c", (read, write), grants.apply_to(read, write), grants)


@pytest.mark.parametrize(
    ("read", "write", "options", "headers"),
    [
        (NONE, NONE, {"public": True}, {"X-Container-Read": ".r:*,.rlistings"}),
        (PUBLIC, NONE, {"public": True}, {}),
        (PUBLIC, NONE, {"public": False}, {"X-Container-Read": ""}),
        (PUBLIC, NONE, {"read_tenants": ["one"]}, {"X-Container-Read": "one:*"}),
        (ONE, NONE, {"read_tenants": ["two"], "purge": False}, {"X-Container-Read": "one:*,two:*"}),
        (BOTH, NONE, {"read_tenants": ["two"], "state": "absent"}, {"X-Container-Read": "one:*"}),
        (BOTH, NONE, {"read_tenants": ["two", "one"]}, {}),
        (NONE, ONE, {"write_tenants": []}, {"X-Container-Write": ""}),
        (NONE, NONE, {"admin_tenants": ["one"]}, {"X-Container-Write": "one:*"}),
        # What the options leave out stays.
        (ONE, BOTH, {"write_tenants": ["one"]}, {"X-Container-Write": "one:*"}),
    ],
)
def test_an_access_change_sets_the_acl_headers_idempotently(
    read: Acl, write: Acl, options: dict[str, Any], headers: dict[str, str]
) -> None:
    planned = change(read, write, **options)
    assert planned.headers() == headers
    assert planned.changed is bool(headers)
    shown = diff_of([planned])
    assert (shown["before"] != shown["after"]) is bool(headers)
    # The second run changes nothing.
    assert not change(*planned.after, **options).changed


def test_a_diff_has_a_line_for_each_grant() -> None:
    shown = diff_of([change(PUBLIC, BOTH, read_tenants=["two", "one"])])
    assert shown["before"] == "c read .r:*\nc read .rlistings\nc write one:*\nc write two:*\n"
    assert shown["after"] == "c read one:*\nc read two:*\nc write one:*\nc write two:*\n"


def test_a_plan_warns_about_unchanged_containers() -> None:
    alone, unreadable = AccessPlan([], {"vault": "a"}, {"b": "apart"}).warnings()
    assert "'vault' is not changed" in alone and "segment_containers" in alone
    assert alone.count("'a'") == 1
    assert unreadable.startswith("'b' is a dynamic large object with segments in container 'apart'.")


ELSEWHERE = SegmentContainers({}, {}, {"b": "apart"})


@pytest.mark.parametrize("dialect", [Dialect.RGW, Dialect.RGW_V1])
def test_an_image_unreadable_for_new_readers_on_ceph_rgw(dialect: Dialect) -> None:
    grants = change(NONE, NONE, public=True).grants
    assert unreadable_images(grants, dialect, ELSEWHERE, None) == {"b": "apart"}
    assert unreadable_images(grants, dialect, ELSEWHERE, "b's neighbour") == {"b": "apart"}
    with pytest.raises(OptionError, match="'b' is a dynamic large object with segments in container 'apart'"):
        unreadable_images(grants, dialect, ELSEWHERE, "b")


@pytest.mark.parametrize(
    ("options", "dialect"),
    [
        ({"public": True}, Dialect.SWIFT),
        ({"read_tenants": ["one"], "state": "absent"}, Dialect.RGW),
        ({"public": False}, Dialect.RGW),
        ({"write_tenants": ["one"]}, Dialect.RGW),
    ],
)
def test_no_image_is_unreadable_without_new_readers(options: dict[str, Any], dialect: Dialect) -> None:
    assert unreadable_images(change(NONE, NONE, **options).grants, dialect, ELSEWHERE, "b") == {}


def test_an_acl_exceeding_the_header_limit_is_refused() -> None:
    header = {"X-Container-Read": "one:*"}
    length = len("X-Container-Read: one:*\r\n")
    check_length(header, length)
    with pytest.raises(OptionError, match=f"X-Container-Read {length} bytes long"):
        check_length(header, length - 1)
