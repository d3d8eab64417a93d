# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Other clients' images for this collection, and its images for them; README has a table of the results."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imagestore.swift.tests.support.clients import CLIENTS, KINDS, SEGMENT, Client, Glance, Sdk
from ansible_collections.imagestore.swift.tests.support.cloud import Cloud
from ansible_collections.imagestore.swift.tests.support.modules import Modules
from ansible_collections.imagestore.swift.tests.support.store import Store
from ansible_collections.imagestore.swift.tests.support.writers import OURS, Place

# Names that are hard to encode somewhere; OTHER_NAMES are used with --all. "image" is a prefix of others, and
# "image-00001" is named like a segment of Glance.
COMMON_NAMES = ("image", "a+b Ünï ✓ 100% off")
OTHER_NAMES = (
    "image-2",
    "folder/a%20b?#1",
    "image-00001",
    "folder/b c",
    "with space",
    "a+b",
    "100% off",
    "a%20b",
    "what?",
    "no#1",
    "Ünï ✓",
)

README = Path(__file__).resolve().parents[2] / "README.md"


# Each client with each kind that it reads, and with each kind that it writes.
READ = [pytest.param(client, kind, id=f"{client.name}-{kind}") for client in CLIENTS for kind in KINDS]
WRITTEN = [pytest.param(client, kind, id=f"{client.name}-{kind}") for client in CLIENTS for kind in client.writes]


@pytest.fixture
def names(pytestconfig: pytest.Config) -> tuple[str, ...]:
    """The names of images."""
    return COMMON_NAMES + (OTHER_NAMES if pytestconfig.getoption("all") else ())


@pytest.fixture
def client(request: pytest.FixtureRequest, cloud: Cloud, container: str, modules: Modules, tmp_path: Path) -> Client:
    """The client under test."""
    made: Client = request.param(cloud, container, tmp_path)
    return made


@pytest.mark.parametrize(("client", "kind"), READ, indirect=["client"])
def test_other_clients_read_and_delete_our_images(
    client: Client, kind: str, names: tuple[str, ...], modules: Modules, image: Path, store: Store
) -> None:
    said = [name for name in names if client.can_say(name)]
    for name in said:
        put_ours(modules, client, name, image, kind)
    for name in said:
        assert client.get(name) == image.read_bytes(), name
    for name in said:
        if client.can_delete(name, kind):
            client.delete(name)
    if kind in client.deletes:
        assert not [path for path in all_of(store, client.container) if is_of(path, said, client, kind)]
    delete_all(modules, client, said)
    assert list(all_of(store, client.container)) == []


@pytest.mark.parametrize(("client", "kind"), WRITTEN, indirect=["client"])
def test_images_of_other_clients_are_unchanged_and_deleted(
    client: Client, kind: str, names: tuple[str, ...], modules: Modules, image: Path, store: Store
) -> None:
    written = put_theirs(client, kind, names, image)
    with store.watch(client.container) as watched:
        for name in written:
            result = modules("swift_image", name=name, src=str(image), multi_tenant=client.multi_tenant)
            assert not result.changed, name
    assert watched.changing == []
    assert watched.fetching == []
    assert all(delete_all(modules, client, written))
    assert list(all_of(store, client.container)) == []


@pytest.mark.parametrize(("client", "kind"), WRITTEN, indirect=["client"])
def test_images_of_other_clients_are_replaced(
    client: Client, kind: str, names: tuple[str, ...], place: Place, image: Path, other_image: Path
) -> None:
    written = put_theirs(client, kind, names, image)
    for name in written:
        put_ours(place.modules, client, name, other_image, OURS.lower())
    for name in written:
        where = f"{client.container}_{name}" if client.multi_tenant else client.container
        assert place.store.read(where, name) == other_image.read_bytes(), name
    left = [path for path in all_of(place.store, client.container) if "/.segments/" not in path]
    assert len(left) == len(written), left


def test_openstacksdk_finds_our_images_unchanged(
    cloud: Cloud, container: str, modules: Modules, image: Path, other_image: Path, tmp_path: Path
) -> None:
    """openstacksdk's own check finds an image unchanged if both digests that it asks for are recorded."""
    client = Sdk(cloud, container, tmp_path)
    modules("swift_image", name="image", src=str(image), hash_algorithms=["md5", "sha256"])
    modules("swift_image", name="unknown", src=str(image))
    assert not client.is_stale("image", image)
    assert client.is_stale("image", other_image)
    assert client.is_stale("unknown", image)


def test_an_unreadable_manifest_is_replaced(
    cloud: Cloud, container: str, modules: Modules, image: Path, tmp_path: Path, store: Store
) -> None:
    """An unreadable manifest is replaced: openstacksdk writes a non-ASCII name into a header that is not UTF-8."""
    Sdk(cloud, container, tmp_path).put("Ä", image, "dlo")
    assert store.read(container, "Ä") == b""
    (found,) = [one for one in modules("swift_image_info")["images"] if one["name"] == "Ä"]
    assert found["manifest"] == "dlo"
    assert found["segments"] == 0
    assert modules("swift_image", name="Ä", src=str(image)).changed
    assert store.read(container, "Ä") == image.read_bytes()


def test_the_example_playbook_shares_a_store_with_glance(place: Place, image: Path, other_image: Path) -> None:
    """The example playbook keeps or replaces Glance's images, and Glance reads all of them."""
    glance = Glance(place.cloud, place.container, place.folder)
    same, changed, plain, handed = (str(uuid.uuid4()) for _number in range(4))
    for name, kind in ((same, "dlo"), (changed, "dlo"), (plain, "none")):
        glance.put(name, image, kind)
    images = {
        "cloud": "images",
        "container": place.container,
        "reference": "ref",
        "kept": [{"name": same, "src": str(image)}, {"name": changed, "src": str(other_image)}],
        "handed": [{"name": handed, "src": str(other_image), "segment_size": "1MiB"}],
    }
    predicted = play("glance.yml", images, place.folder, "--check")
    done = play("glance.yml", images, place.folder)
    again = play("glance.yml", images, place.folder)
    # The changed image, and the new one.
    assert "changed=2 " in predicted
    assert "changed=2 " in done
    assert f"swift+config://ref/{place.container}/{handed}" in done
    assert hashlib.sha512(other_image.read_bytes()).hexdigest() in done
    assert "changed=0 " in again
    contents = {same: image, changed: other_image, plain: image, handed: other_image}
    assert all(glance.get(name) == path.read_bytes() for name, path in contents.items())
    for name in contents:
        glance.delete(name)
    assert place.names() == []


def play(example: str, variables: Mapping[str, Any], folder: Path, *arguments: str) -> str:
    """Run one of the examples, and return its output."""
    root = Path(__file__).resolve().parents[2]
    told = folder / "variables.json"
    told.write_text(json.dumps(variables), encoding="utf-8")
    environ = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": os.environ["PYTHONPATH"], "ANSIBLE_NOCOLOR": "1"}
    playbook = [str(Path(sys.executable).parent / "ansible-playbook"), str(root / "examples" / example)]
    command = [*playbook, "--inventory", "localhost,", "-e", f"@{told}", *arguments]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stdout + done.stderr
    return done.stdout


def test_the_readme_table_matches_the_client_tests() -> None:
    text = README.read_text("utf-8")
    assert table() in text
    for client in CLIENTS:
        for remark in client.remarks:
            assert " ".join(remark.split()) in " ".join(text.split())


def table() -> str:
    """Return README's table of all clients."""
    columns = ("reads ours", "deletes ours whole", "its own: unchanged", "replaced", "deleted whole")
    lines = [f"| client | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for client in CLIENTS:
        theirs = kinds(client.writes)
        cells = (kinds(KINDS), kinds(client.deletes), theirs, theirs, theirs)
        lines.append(f"| {client.name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def kinds(those: Collection[str]) -> str:
    """Return the kinds of images in README's words."""
    return ", ".join({"none": "plain", "slo": "SLO", "dlo": "DLO"}[kind] for kind in those)


def put_ours(modules: Modules, client: Client, name: str, path: Path, kind: str) -> None:
    """Store an image with this collection where the client looks for it."""
    cut = {"large_object_size": "1GiB"} if kind == "none" else {"manifest": kind}
    modules(
        "swift_image",
        name=name,
        src=str(path),
        segment_size=str(SEGMENT),
        multi_tenant=client.multi_tenant,
        create_container=True,
        **cut,
    )


def put_theirs(client: Client, kind: str, names: Collection[str], path: Path) -> list[str]:
    """Store images with the client, and return the names of those that it can write."""
    written = [name for name in names if client.can_write(name, kind)]
    for name in written:
        client.put(name, path, kind)
    return written


def delete_all(modules: Modules, client: Client, names: list[str]) -> list[bool]:
    """Delete images without a warning, and return whether each deletion changed something."""
    results = [modules("swift_image", name=name, state="absent", multi_tenant=client.multi_tenant) for name in names]
    assert not "".join(result.warned for result in results)
    return [result.changed for result in results]


def is_of(path: str, names: list[str], client: Client, kind: str) -> bool:
    """Return True if an object belongs to an image that the client can delete."""
    deleted = [name for name in names if client.can_delete(name, kind)]
    return any(path.endswith(f"/{name}") or f"/.segments/{name}/" in path for name in deleted)


def all_of(store: Store, container: str) -> Iterator[str]:
    """Yield the paths of all objects in the containers that begin with *container*."""
    for found in store.containers(container):
        yield from store.names(found)
