# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Objects forged by an attacker with write access to one container, which change nothing in other containers."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from ansible_collections.imagestore.swift.tests.support.clients import SEGMENT
from ansible_collections.imagestore.swift.tests.support.writers import OURS, WRITERS, Place
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

UUID = "6b1e5a36-63b1-4f2c-9a0e-0c0d5f1f2a11"
JOURNAL = ".segments/img/journal-0000000000000000-00000000"

State = dict[str, tuple[Any, ...]]


@pytest.fixture
def vault(place: Place) -> str:
    """Another container of the operator, with images and with objects that are named like segments."""
    name = f"{place.container}-vault"
    place.store.create(name)
    for thing in ("golden", "sdk", "sdk/000000", f"{UUID}-00001", f"{UUID}-00002", "roll/2026/00000001", "x/00000001"):
        place.store.do("PUT", name, thing, data=f"bytes of {thing}".encode())
    place.store.do("PUT", name, UUID, headers={"X-Object-Manifest": f"{name}/{UUID}-"})
    return name


def state_of(place: Place, container: str) -> State:
    """Return everything about a container that others could notice."""
    acls = place.store.do("HEAD", container).headers
    found: State = {"": (acls.get("X-Container-Read"), acls.get("X-Container-Write"))}
    for path in place.store.names(container):
        name = path.partition("/")[2]
        headers = place.store.do("HEAD", container, name).headers
        found[name] = (place.store.read(container, name), headers.get("X-Delete-At"), headers["X-Timestamp"])
    return found


def forge_journal(place: Place, *noted: tuple[str, str], name: str = JOURNAL) -> None:
    """Store a journal that lists objects in any containers, with their actual sizes and ETags."""
    entries = []
    for container, thing in noted:
        answer = place.store.request("HEAD", container, thing)
        headers = answer.headers if answer.ok else {}
        entries.append(
            {
                "container": container,
                "name": thing,
                "bytes": int(headers.get("Content-Length", 0)),
                "hash": headers.get("ETag", "").strip('"'),
            }
        )
    place.store.do("PUT", place.container, name, data=json.dumps(entries))


def dlo(place: Place, name: str, container: str, prefix: str, data: bytes = b"") -> None:
    """Put a DLO's manifest."""
    header = f"{quote(container)}/{quote(prefix)}"
    place.store.do("PUT", place.container, name, data=data, headers={"X-Object-Manifest": header})


@pytest.mark.parametrize("state", ["replaced", "absent", "pending"])
def test_a_forged_journal_deletes_nothing_in_other_containers(
    place: Place, vault: str, image: Path, other_image: Path, state: str
) -> None:
    WRITERS[OURS](place, "img", image)
    forge_journal(
        place, (vault, "golden"), (vault, f"{UUID}-00001"), ("../AUTH_other/c", "x"), ("..", "AUTH_other/c/x")
    )
    options: dict[str, Any] = {"name": "img", "src": str(image), "segment_size": str(SEGMENT)}
    if state == "absent":
        options = {"name": "img", "state": "absent"}
    elif state == "pending":
        headers = place.store.do("HEAD", place.container, "img").headers
        kept = {name: value for name, value in headers.items() if name.lower().startswith("x-object-meta-")}
        place.store.do("POST", place.container, "img", headers={**kept, "X-Object-Meta-Image-Pending": "true"})
    else:
        options["src"] = str(other_image)
    before = state_of(place, vault)
    place.modules.predict("swift_image", **options)
    result = place.modules("swift_image", **options)
    assert f"{vault}/golden" in result.warned
    assert state_of(place, vault) == before
    assert not [path for path in place.names() if "journal-" in path]
    again = place.modules("swift_image", **options)
    assert not again.changed and not again.warned


@pytest.mark.parametrize(
    "body",
    [
        b"[[1, 2]]",
        b'[{"container": 1, "name": {}, "bytes": "x", "hash": null}]',
        b"{}",
        b"[" * 100000,
        b"no JSON",
        b"",
        b'"x"',
    ],
    ids=lambda body: repr(body[:20]),
)
def test_an_invalid_journal_is_deleted(place: Place, image: Path, body: bytes) -> None:
    WRITERS[OURS](place, "img", image)
    place.store.do("PUT", place.container, JOURNAL, data=body)
    place.modules("swift_image", name="img", state="absent")
    assert place.names() == []


def test_a_journal_is_valid_in_its_own_container(place: Place, image: Path) -> None:
    """A journal is valid in its own container, so that the deletion of another client's image is finished."""
    place.store.do("PUT", place.container, "img-00001", data=b"x")
    forge_journal(place, (place.container, "img-00001"))
    place.modules("swift_image", name="img", state="absent")
    assert place.names() == []


@pytest.mark.parametrize("prefix", [f"{UUID}-", "sdk", "roll/2026/", "golden", "x/"])
@pytest.mark.parametrize("data", [b"", b"a manifest with bytes of its own"])
def test_a_forged_dlo_deletes_nothing_in_other_containers(place: Place, vault: str, prefix: str, data: bytes) -> None:
    dlo(place, "img", vault, prefix, data)
    before = state_of(place, vault)
    result = place.modules("swift_image", name="img", state="absent")
    assert vault in result.warned
    assert place.store.names(place.container) == []
    assert state_of(place, vault) == before


def test_a_forged_dlo_is_pruned_without_its_segments(place: Place, vault: str, image: Path) -> None:
    dlo(place, "img", vault, f"{UUID}-")
    before = state_of(place, vault)
    result = place.modules("swift_images", images=[{"name": "kept", "src": str(image)}], prune=True)
    assert result["summary"]["pruned"] == 1
    assert state_of(place, vault) == before


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.slo
def test_a_forged_slo_deletes_nothing_in_other_containers(place: Place, vault: str, image: Path, force: bool) -> None:
    place.store.do("PUT", place.container, "own", data=b"x")
    body = json.dumps(
        [{"path": f"/{vault}/golden"}, {"path": f"/{vault}/{UUID}-00001"}, {"path": f"/{place.container}/own"}]
    )
    headers = {"X-Object-Meta-Image-Segment-Container": "..%2FAUTH_x%2Fc", "X-Object-Meta-Image-Segments": "3"}
    place.store.do("PUT", place.container, "img", params="multipart-manifest=put", data=body, headers=headers)
    before = state_of(place, vault)
    options = {"name": "img", "src": str(image), "large_object_size": "1GiB", "force_segments": force}
    result = place.modules("swift_image", **options)
    assert f"{vault}/golden" in result.warned
    assert state_of(place, vault) == before
    assert place.store.names(place.container) == [f"{place.container}/img"]
    assert not place.modules("swift_image", **options).changed


@pytest.mark.parametrize("kind", ["SLO", "DLO"])
def test_segments_in_the_given_segment_container_are_deleted(place: Place, image: Path, kind: str) -> None:
    apart = f"{place.container}-apart"
    place.store.create(apart)
    options = {"name": "img", "segment_container": apart}
    WRITERS[kind](place, "other", image)
    place.modules("swift_image", src=str(image), segment_size=str(SEGMENT), manifest=kind.lower(), **options)
    assert place.store.names(apart)
    # This collection's segment names show which image they belong to, even if the task does not name their container.
    result = place.modules("swift_image", name="img", state="absent")
    assert not result.warned and place.store.names(apart) == []
    place.modules(
        "swift_image", src=str(image), segment_size=str(SEGMENT), manifest="dlo", segment_prefix="p/", **options
    )
    kept = place.modules("swift_image", name="img", state="absent")
    assert "segment_container" in kept.warned and len(place.store.names(apart)) == 3
    dlo(place, "img", apart, "p/")
    assert not place.modules("swift_image", state="absent", **options).warned
    assert place.store.names(apart) == []


@pytest.mark.swift_only("a dynamic large object with segments in another container can be read by its own project only")
def test_a_forged_manifest_does_not_extend_access_to_its_container(place: Place, vault: str) -> None:
    dlo(place, "img", vault, "x/")
    before = state_of(place, vault)
    options = {"container": place.container, "public": True}
    predicted = place.modules.predict("swift_image_acl", **options)
    result = place.modules("swift_image_acl", **options)
    assert vault in result.warned and vault in predicted.warned
    assert "segment_containers" in result.warned
    assert state_of(place, vault) == before
    meant = place.modules("swift_image_acl", segment_containers=[vault], **options)
    assert meant.changed and not meant.warned
    assert place.store.do("HEAD", vault).headers["X-Container-Read"] == ".r:*,.rlistings"


def test_access_is_extended_to_containers_of_proven_segments(place: Place, image: Path) -> None:
    WRITERS["the swift CLI's SLO"](place, "img", image)
    result = place.modules("swift_image_acl", container=place.container, public=True)
    assert not result.warned
    assert place.store.do("HEAD", f"{place.container}_segments").headers["X-Container-Read"] == ".r:*"


@pytest.mark.parametrize("kind", ["SLO", "the swift CLI's SLO", "Glance's DLO"])
def test_segments_shared_with_another_manifest_do_not_expire(place: Place, image: Path, kind: str) -> None:
    WRITERS[kind](place, "img", image)
    copy = place.store.do("GET", place.container, "img", params="multipart-manifest=get")
    if kind == "Glance's DLO":
        dlo(place, "copied", place.container, "img-")
    else:
        entries = [
            {"path": entry["name"], "etag": entry["hash"], "size_bytes": entry["bytes"]} for entry in copy.json()
        ]
        body = json.dumps(entries)
        place.store.do("PUT", place.container, "copied", params="multipart-manifest=put", data=body)
    options = {"name": "img", "src": str(image), "segment_size": str(SEGMENT), "delete_after": 3600}
    result = place.modules("swift_image", **options)
    assert "copied" in result.warned
    assert "X-Delete-At" in place.store.do("HEAD", place.container, "img").headers
    for path in place.names():
        container, _slash, name = path.partition("/")
        if name != "img":
            assert "X-Delete-At" not in place.store.do("HEAD", container, name).headers, path
    assert not place.modules("swift_image", **options).changed


def test_prune_keeps_openstacksdk_segments_without_a_listed_manifest(place: Place, image: Path) -> None:
    WRITERS["openstacksdk's DLO"](place, "ubuntu", image)
    place.store.do("DELETE", place.container, "ubuntu")
    place.store.do("PUT", place.container, "lonely", data=b"x")
    kept = [{"name": "kept", "src": str(image), "segment_size": "1GiB"}]
    result = place.modules("swift_images", images=kept, prune=True)
    assert {entry["name"] for entry in result["not_pruned"]} == {f"ubuntu/{number:06d}" for number in range(3)}
    assert [image["name"] for image in result["pruned"]] == ["lonely"]
    assert "ubuntu/000000" in result.warned
    again = place.modules("swift_images", images=kept, prune=True)
    assert not again.changed


def test_a_dlo_manifest_with_data_is_not_treated_as_a_plain_image(place: Place, image: Path) -> None:
    """The listing shows the size and the MD5 of the manifest's own bytes, which a reader does not get."""
    data = image.read_bytes()
    place.store.do("PUT", place.container, "seg/00000001", data=b"what readers get")
    dlo(place, "img", place.container, "seg/", data)
    # Another image is made of the same segment.
    dlo(place, "alias", place.container, "seg/")
    place.modules("swift_image", name="alias", state="absent")
    assert place.read("img") == b"what readers get"
    images = [{"name": "img", "src": str(image), "segment_size": "1GiB"}]
    result = place.modules("swift_images", images=images)
    assert result["summary"]["replaced"] == 1
    assert place.read("img") == data


def test_prune_keeps_the_segments_of_a_dlo_manifest_with_data(place: Place, image: Path) -> None:
    place.store.do("PUT", place.container, "roll-a", data=b"part one, ")
    place.store.do("PUT", place.container, "roll-b", data=b"part two")
    dlo(place, "img", place.container, "roll-", b"x")
    images = [{"name": "img", "src": str(image), "force": False}]
    result = place.modules("swift_images", images=images, prune=True)
    assert {entry["name"] for entry in result["not_pruned"]} == {"roll-a", "roll-b"}
    assert place.read("img") == b"part one, part two"


@pytest.mark.parametrize("kind", ["slo", "dlo"])
def test_segments_with_wrong_content_are_uploaded_again(
    place: Place, image: Path, other_image: Path, kind: str
) -> None:
    options = {"name": "img", "src": str(image), "segment_size": str(SEGMENT), "manifest": kind}
    place.modules("swift_image", **options)
    first = next(path for path in place.names() if "/.segments/img/" in path).partition("/")[2]
    place.store.do("PUT", place.container, first, data=other_image.read_bytes()[:SEGMENT])
    if kind == "slo":
        entries = place.store.do("GET", place.container, "img", params="multipart-manifest=get").json()
        body = json.dumps([{"path": entry["name"]} for entry in entries])
        headers = {
            name: value
            for name, value in place.store.do("HEAD", place.container, "img").headers.items()
            if name.lower().startswith("x-object-meta-")
        }
        place.store.do("PUT", place.container, "img", params="multipart-manifest=put", data=body, headers=headers)
    assert place.read("img") != image.read_bytes()
    place.change(**options)
    assert place.read("img") == image.read_bytes()


# The number of hostile stores; the variable FORGERIES raises it for a long campaign.
FORGERIES = int(os.environ.get("FORGERIES", "25"))
# Targets of forged manifests and journals: (container, name). A test puts its own containers in their place.
TARGETS = (
    ("vault", "golden"),
    ("vault", "sdk/000000"),
    ("vault", f"{UUID}-00001"),
    ("vault", "x/00000001"),
    ("segments", "golden/slo/1795369775.123/12/5/00000000"),
    ("segments", "other"),
)
PREFIXES = ("golden", "sdk", f"{UUID}-", "x/", "roll/2026/", "golden/slo/1795369775.123/12/5/")
RUNS: dict[str, tuple[str, dict[str, Any]]] = {
    "store": ("swift_image", {"large_object_size": "1GiB"}),
    "store an SLO": ("swift_image", {"segment_size": str(SEGMENT), "manifest": OURS.lower()}),
    "store a DLO": ("swift_image", {"segment_size": str(SEGMENT), "manifest": "dlo"}),
    "expire": ("swift_image", {"force": False, "delete_after": 3600, "metadata": {"os": "x"}}),
    "delete": ("swift_image", {"state": "absent"}),
    "prune": ("swift_images", {"prune": True}),
    "make it public": ("swift_image_acl", {"public": True, "write_tenants": ["p"]}),
    "make it private": ("swift_image_acl", {"public": False}),
    "look": ("swift_image_info", {"verify": True, "orphans": True, "segments": True, "acl": True}),
}
METADATA = st.dictionaries(
    st.sampled_from(["Pending", "Size", "Segments", "Segment-Container", "Md5", "Delete-After", "Source"]),
    st.sampled_from(["true", "0", "12", "abc", "..%2FAUTH_x%2Fc", "vault", "d41d8cd98f00b204e9800998ecf8427e"]),
    max_size=3,
)
FORGED = st.lists(
    st.one_of(
        st.tuples(st.just("journal"), st.sets(st.sampled_from(TARGETS), max_size=4)),
        st.tuples(
            st.just("dlo"), st.tuples(st.sampled_from(["vault", "segments", "..", "."]), st.sampled_from(PREFIXES))
        ),
        st.tuples(st.just("slo"), st.sets(st.sampled_from(TARGETS), min_size=1, max_size=4)),
        st.tuples(st.just("link"), st.sampled_from(TARGETS)),
    ),
    min_size=1,
    max_size=3,
)


@dataclass(frozen=True)
class Forgery:
    """A hostile store, and the operator's run.

    :param objects: kinds of forged objects, with their targets; the last one has the image's name
    :param metadata: of the forged objects
    """

    objects: list[tuple[str, Any]]
    metadata: dict[str, str]
    run: str
    force: bool
    check_mode: bool


@settings(max_examples=FORGERIES, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.builds(Forgery, FORGED, METADATA, st.sampled_from(sorted(RUNS)), st.booleans(), st.booleans()))
def test_forged_objects_change_nothing_in_other_containers(place: Place, image: Path, forgery: Forgery) -> None:
    containers = {"vault": f"{place.container}-vault", "segments": f"{place.container}_segments", "..": "..", ".": "."}
    place.store.remove(place.container)
    for container in (place.container, containers["vault"], containers["segments"]):
        place.store.create(container)
    for container, name in TARGETS:
        place.store.do("PUT", containers[container], name, data=f"bytes of {name}".encode())
    headers = {f"X-Object-Meta-Image-{name}": value for name, value in forgery.metadata.items()}
    for number, (kind, what) in enumerate(forgery.objects):
        name = "img" if number == len(forgery.objects) - 1 else f"forged-{number}"
        if kind == "journal":
            forge_journal(place, *((containers[container], thing) for container, thing in what), name=JOURNAL)
        elif kind == "dlo":
            header = f"{quote(containers[what[0]])}/{quote(what[1])}"
            place.store.do("PUT", place.container, name, headers={**headers, "X-Object-Manifest": header})
        elif kind == "slo":
            body = json.dumps([{"path": f"/{containers[container]}/{thing}"} for container, thing in sorted(what)])
            place.store.do("PUT", place.container, name, params="multipart-manifest=put", data=body, headers=headers)
        else:
            target = f"{quote(containers[what[0]])}/{quote(what[1])}"
            place.store.do("PUT", place.container, name, headers={**headers, "X-Symlink-Target": target})
    before = {container: state_of(place, containers[container]) for container in ("vault", "segments")}
    module, options = RUNS[forgery.run]
    options = {**options, "_ansible_check_mode": forgery.check_mode}
    if module == "swift_images":
        options["images"] = [{"name": "kept", "src": str(image)}]
    elif module == "swift_image":
        options.update(
            {"name": "img", "force_segments": forgery.force} | ({} if "state" in options else {"src": str(image)})
        )
    result = place.modules.try_to(module, **options)
    assert not result.get("failed"), result["msg"]
    assert {container: state_of(place, containers[container]) for container in ("vault", "segments")} == before
