# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rights that swift_image_acl gives: to projects, to users of v1 authentication, and without credentials."""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imagestore.swift.tests.support.clients import SwiftCli
from ansible_collections.imagestore.swift.tests.support.cloud import (
    IS_RGW,
    Cloud,
    V1Cloud,
    forget_credentials,
    told,
)
from ansible_collections.imagestore.swift.tests.support.modules import Modules, Result
from ansible_collections.imagestore.swift.tests.support.rights import LIST, WRITE, rights
from ansible_collections.imagestore.swift.tests.support.store import Store
from ansible_collections.imagestore.swift.tests.support.writers import Place

OTHER, READER = (told()["projects"][name]["project_id"] for name in ("other", "reader"))
READER_USER = told()["projects"]["reader"]["user_id"]

# The names of the images. The segments of those "apart" are in another container. On Ceph RGW, only its own project can
# read such a DLO.
OWN = frozenset({"plain", "dlo"} if IS_RGW else {"plain", "slo", "dlo"})
APART: frozenset[str] = frozenset() if IS_RGW else frozenset({"slo apart", "dlo apart"})
READ = OWN | APART | {LIST}
# Only a client that may list the segments can read a DLO.
UNLISTED = frozenset({"plain", "slo", "slo apart"})
# A segment's size in bytes, and an image of two segments.
SEGMENT, DATA = 1000, b"the bytes of an image".ljust(2000, b".")

PUBLIC = ".r:*,.rlistings"


@dataclass(frozen=True)
class Case:
    """A change of the access to a container.

    :param may: the rights of each client afterwards; a client that is left out has none
    :param read: the ACL for reading before the change
    :param write: the ACL for writing before the change
    """

    options: Mapping[str, Any]
    may: Mapping[str, Collection[str]] = field(default_factory=dict)
    read: str = ""
    write: str = ""


@dataclass(frozen=True)
class SharedImages:
    """Images of each kind that several tests share, and the headers of the clients that try to access them."""

    place: Place
    clients: Mapping[str, Mapping[str, str]]

    @property
    def segments(self) -> str:
        """The name of the container for the swift CLI's segments."""
        return f"{self.place.container}_segments"

    def set_acls(self, read: str, write: str) -> None:
        """Set the container's ACLs, and let the same clients read the segments in the other container."""
        acls = {"X-Container-Read": read, "X-Container-Write": write}
        self.place.store.do("POST", self.place.container, headers=acls)
        if APART:
            self.place.store.do("POST", self.segments, headers={**acls, "X-Container-Write": ""})

    def rights(self) -> dict[str, set[str]]:
        """Return the rights of each client."""
        return {name: rights(self.place, headers, OWN | APART, DATA) for name, headers in self.clients.items()}


@contextmanager
def sharing(cloud: Cloud, others: Mapping[str, Cloud], path: Path) -> Iterator[SharedImages]:
    """Store the images in a container of *cloud* within the block.

    :param others: the clients with credentials
    :param path: for the image's file
    """
    path.write_bytes(DATA)
    store = Store(cloud.storage_url, cloud.token(), Path(cloud.requests_log))
    container = f"test-{uuid.uuid4().hex[:8]}"
    auth = {"endpoint": store.storage_url, "token": store.token}
    modules = Modules(path.parent, {"auth_type": "admin_token", "auth": auth, "container": container})
    clients: dict[str, Mapping[str, str]] = {
        "anonymous": {},
        "with a referrer": {"Referer": "http://www.example.com/page"},
    }
    clients.update({name: {"X-Auth-Token": other.token()} for name, other in others.items()})
    with pytest.MonkeyPatch.context() as patch:
        forget_credentials(patch)
        store.create(container)
        try:
            large = [{"name": kind, "src": str(path), "manifest": kind} for kind in OWN - {"plain"}]
            plain = {"name": "plain", "src": str(path), "large_object_size": "1MiB"}
            modules("swift_images", images=[plain, *large], segment_size=str(SEGMENT))
            swift_cli = SwiftCli(cloud, container, path.parent)
            for name in APART:
                swift_cli.cut(name, path, SEGMENT, name.split()[0])
            yield SharedImages(Place(modules, store, cloud, container, path.parent), clients)
        finally:
            store.remove(container)


@pytest.fixture(scope="module")
def keystone(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedImages]:
    """Images in a project of Keystone, and clients from other projects."""
    others = {name: replace(cloud, project_name=name) for name in ("other", "reader")}
    with sharing(cloud, others, tmp_path_factory.mktemp("keystone") / "image") as shared:
        yield shared


@pytest.fixture(scope="module")
def tempauth(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedImages]:
    """Images in an account of tempauth, and other users of tempauth."""
    others = {name: V1Cloud(cloud.told, user_name=name) for name in ("other:tester", "test:reader")}
    with sharing(V1Cloud(cloud.told), others, tmp_path_factory.mktemp("tempauth") / "image") as shared:
        yield shared


def change_access(place: Place, **options: Any) -> Result:
    """Run swift_image_acl, which has to change what check mode predicts, and nothing in a second run."""
    with place.store.watch(place.container) as watched:
        predicted = place.modules.predict("swift_image_acl", **options)
    assert predicted.changed
    assert watched.changing == []
    done = place.modules("swift_image_acl", **options)
    assert done.changed
    assert all(done[key] == predicted[key] for key in ("diff", "acl", "segment_acls"))
    again = keep_access(place, **options)
    assert again["diff"]["before"] == done["diff"]["after"]
    return done


def keep_access(place: Place, **options: Any) -> Result:
    """Run swift_image_acl, which has to change nothing, and to send no request that could."""
    with place.store.watch(place.container) as watched:
        result = place.modules("swift_image_acl", **options)
    assert not result.changed
    assert result["diff"]["before"] == result["diff"]["after"]
    assert watched.changing == []
    return result


def check(shared: SharedImages, case: Case) -> None:
    """Check a change, and the rights that it leaves to each client."""
    shared.set_acls(case.read, case.write)
    done = change_access(shared.place, **case.options)
    has_readers = any(option == "public" or option.startswith("read_") for option in case.options)
    changes_segments = APART and has_readers and case.options.get("segments", True)
    assert [acl["container"] for acl in done["segment_acls"]] == ([shared.segments] if changes_segments else [])
    assert shared.rights() == {name: set(case.may.get(name, ())) for name in shared.clients}


KEYSTONE = {
    "everybody may read": Case(
        {"public": True}, {"anonymous": READ, "with a referrer": READ, "other": READ, "reader": READ}
    ),
    "one project replaces everybody": Case({"read_tenants": [OTHER]}, {"other": READ}, read=PUBLIC),
    "a project is added to the readers and the writers": Case(
        {"read_tenants": [READER], "admin_projects": [READER], "purge": False},
        {"other": READ | {WRITE}, "reader": READ | {WRITE}},
        read=f"{OTHER}:*",
        write=f"{OTHER}:*",
    ),
    "a project is removed": Case(
        {"read_projects": [OTHER], "state": "absent"}, {"reader": READ}, read=f"{OTHER}:*,{READER}:*"
    ),
    "a writer replaces readers and writers": Case(
        {"write_tenants": [OTHER], "read_tenants": []}, {"other": {WRITE}}, read=f"{READER}:*", write=f"{READER}:*"
    ),
    "segments elsewhere stay private": Case(
        {"public": True, "segments": False},
        {
            "anonymous": OWN | {LIST},
            "with a referrer": OWN | {LIST},
            "other": OWN | {LIST},
            "reader": OWN | {LIST, WRITE},
        },
        write=f"{READER}:*",
    ),
    "all access is removed": Case({"public": False, "write_tenants": []}, read=PUBLIC, write=f"{READER}:*"),
}

# Elements that Ceph RGW does not know.
KEYSTONE_ELEMENTS = {
    "everybody except one domain": Case(
        {"read_acl": [".r:*", ".r:-.example.com", ".rlistings"]},
        {"anonymous": READ, "other": READ, "reader": READ},
        read=f"{READER}:*",
    ),
    "everybody without listings": Case(
        {"read_acl": [".r:*"]},
        {"anonymous": UNLISTED, "with a referrer": UNLISTED, "other": UNLISTED, "reader": UNLISTED},
    ),
    "everybody who is logged in": Case({"read_acl": ["*:*"]}, {"other": READ, "reader": READ}, read=".r:*"),
    "a user of a project": Case({"read_acl": [f"{READER}:{READER_USER}"]}, {"reader": READ}, read="*:*"),
}

# tempauth identifies users by their names, and does not know tenant:*.
TEMPAUTH = {
    "everybody may read": Case(
        {"public": True}, {"anonymous": READ, "with a referrer": READ, "other:tester": READ, "test:reader": READ}
    ),
    "one user replaces everybody": Case({"read_acl": ["other:tester"]}, {"other:tester": READ}, read=PUBLIC),
    "the users of an account are added": Case(
        {"read_acl": ["test"], "purge": False}, {"other:tester": READ, "test:reader": READ}, read="other:tester"
    ),
    "a writer replaces readers": Case(
        {"write_acl": ["test:reader"], "read_acl": []}, {"test:reader": {WRITE}}, read="other:tester,test"
    ),
    "a domain replaces a writer": Case(
        {"read_acl": [".r:.example.com", ".rlistings"], "write_acl": []}, {"with a referrer": READ}, write="test:reader"
    ),
}


@pytest.mark.parametrize("case", KEYSTONE.values(), ids=KEYSTONE.keys())
def test_a_change_gives_each_project_its_rights(keystone: SharedImages, case: Case) -> None:
    check(keystone, case)


@pytest.mark.swift_only("Ceph RGW knows no referrers, no users of a project, and no *:*")
@pytest.mark.parametrize("case", KEYSTONE_ELEMENTS.values(), ids=KEYSTONE_ELEMENTS.keys())
def test_an_acl_element_gives_each_client_its_rights(keystone: SharedImages, case: Case) -> None:
    check(keystone, case)


@pytest.mark.swift_only("Ceph RGW grants nothing to account:user; test_rgw_access.py covers its v1 authentication")
@pytest.mark.parametrize("case", TEMPAUTH.values(), ids=TEMPAUTH.keys())
def test_a_change_gives_each_user_of_tempauth_its_rights(tempauth: SharedImages, case: Case) -> None:
    check(tempauth, case)


def test_the_reported_access_is_accepted_as_options(place: Place, small: list[Path]) -> None:
    place.modules("swift_image", name="img", src=str(small[0]))
    options = {"read_projects": [OTHER, READER], "write_projects": [READER]} | (
        {"public": True} if IS_RGW else {"read_acl": [".r:*", ".r:-.example.com", ".rlistings"], "write_acl": ["*:*"]}
    )
    done = change_access(place, **options)
    (image,) = place.modules("swift_image_info", name="img", acl=True)["images"]
    assert {**image["acl"], "container": place.container} == done["acl"]
    assert image["acl"]["read_tenants"] == sorted([OTHER, READER])
    kept = keep_access(place, segments=False, **image["acl"])
    assert kept["acl"] == done["acl"]


def test_access_to_an_image_with_its_own_container_keeps_its_metadata(place: Place, small: list[Path]) -> None:
    own = f"{place.container}_own"
    image = {"name": "own", "multi_tenant": True}
    place.modules("swift_image", src=str(small[0]), create_container=True, **image)
    kept = {"X-Container-Meta-Colour": "blue"}
    if not IS_RGW:
        # Ceph RGW does not show a quota.
        kept["X-Container-Meta-Quota-Bytes"] = "1000000000"
    place.store.do("POST", own, headers=kept)
    public = change_access(place, public=True, read_tenants=[READER, OTHER], **image)
    assert public["acl"]["container"] == own
    grants = [".r:*", ".rlistings", *(f"{project}:*" for project in sorted([OTHER, READER]))]
    assert public["diff"] == {"before": "", "after": "".join(f"{own} read {grant}\n" for grant in grants)}
    headers = place.store.do("HEAD", own).headers
    assert {name: headers.get(name) for name in kept} == kept
    assert set(headers["X-Container-Read"].split(",")) == set(grants)
    assert "X-Container-Read" not in place.store.do("HEAD", place.container).headers
    # The location of the image replaces its name.
    uri = f"swift+{place.store.storage_url}/{own}/own"
    login = {name: value for name, value in place.modules.defaults.items() if name != "container"}
    modules = replace(place.modules, defaults=login)
    closed = modules("swift_image_acl", uri=uri, multi_tenant=True, public=True, state="absent")
    assert closed.changed
    assert closed["acl"]["public"] is False
    assert closed["acl"]["read_tenants"] == sorted([OTHER, READER])


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({}, "Nothing to do: set at least one of"),
        ({"multi_tenant": True, "public": True}, "choose the container by the image's name: set name"),
        ({"container": "test-none", "public": True}, "There is no container 'test-none'"),
        (
            {"read_acl": [f"project{number:019}:user" for number in range(400)]},
            r"makes the header X-Container-Read 12\d+ bytes long, but this cluster allows at most 8192",
        ),
    ],
    ids=["no grant", "no name", "no container", "too long"],
)
def test_an_impossible_change_of_the_access_is_refused(place: Place, options: Mapping[str, Any], reason: str) -> None:
    with place.store.watch(place.container) as watched:
        refused = place.modules.try_to("swift_image_acl", **options)
    assert refused["failed"] and re.search(reason, refused["msg"])
    assert watched.changing == []


def test_a_reader_of_another_project_may_not_change_the_access(place: Place, small: list[Path]) -> None:
    place.modules("swift_image", name="img", src=str(small[0]))
    place.modules("swift_image_acl", read_tenants=[READER])
    reader = replace(place.cloud, project_name="reader")
    auth = {"endpoint": place.store.storage_url, "token": reader.token()}
    modules = replace(place.modules, defaults={**place.modules.defaults, "auth": auth})
    with place.store.watch(place.container) as watched:
        refused = modules.try_to("swift_image_acl", public=True)
    assert refused["failed"] and re.search("ask (for )?an operator", refused["msg"])
    # Ceph RGW shows the ACL to readers, too, and refuses only the change itself.
    assert IS_RGW or watched.changing == []
    assert place.store.do("HEAD", place.container).headers["X-Container-Read"] == f"{READER}:*"
