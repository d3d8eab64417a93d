# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures for the cluster that ``tests/cluster run`` has started, and for the modules."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.imagestore.swift.tests.support.cloud import IS_RGW, Cloud, forget_credentials, told
from ansible_collections.imagestore.swift.tests.support.downloads import Downloads
from ansible_collections.imagestore.swift.tests.support.modules import Modules
from ansible_collections.imagestore.swift.tests.support.store import Store
from ansible_collections.imagestore.swift.tests.support.web_site import Site, serving_site
from ansible_collections.imagestore.swift.tests.support.writers import Place, store_slo


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add options for campaigns, which take longer than a test should."""
    parser.addoption("--segments", type=int, default=300, help="of the image that has many; 12000 are a long campaign")
    parser.addoption("--cases", type=int, default=80, help="of bad input; 2000 are a long campaign")
    parser.addoption("--all", action="store_true", help="with every writer, name and kind, which takes long")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marks."""
    config.addinivalue_line("markers", "long: is run with the most common writers alone, unless --all is given")
    config.addinivalue_line("markers", "rgw: about what differs on a Ceph RGW, and is not run on another store")
    config.addinivalue_line("markers", "swift_only(why): a Ceph RGW can't do it")
    config.addinivalue_line("markers", "slo: about static large objects of this collection, which no RGW gets")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect or skip the tests for the other kind of store."""
    elsewhere = [item for item in items if (_is_of_slo(item) if IS_RGW else item.get_closest_marker("rgw"))]
    config.hook.pytest_deselected(items=elsewhere)
    items[:] = [item for item in items if item not in elsewhere]
    for item in items:
        mark = item.get_closest_marker("swift_only")
        if mark and IS_RGW:
            # The mark tells the reason, and make test prints the name of every skipped test.
            item.add_marker(pytest.mark.skip(reason=mark.args[0]))


def _is_of_slo(item: pytest.Item) -> bool:
    """Return True if a test is about static large objects, by its mark or by its parameters.

    The tests marked ``rgw`` are an exception: they cover the static large objects that an RGW already has.
    """
    if item.get_closest_marker("slo"):
        return True
    kind = item.callspec.id if isinstance(item, pytest.Function) and hasattr(item, "callspec") else ""
    return not item.get_closest_marker("rgw") and "slo" in kind.lower()


@pytest.fixture(scope="session")
def cloud() -> Cloud:
    """The cluster, and the project that the tests use."""
    return Cloud(told())


@pytest.fixture(scope="session")
def store(cloud: Cloud) -> Store:
    """The store, accessed with plain requests."""
    return Store(cloud.storage_url, cloud.token(), Path(cloud.requests_log))


@pytest.fixture
def container(store: Store) -> Iterator[str]:
    """The name of an existing container; all containers that begin with it are deleted after the test."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    store.create(name)
    yield name
    store.remove(name)


@pytest.fixture
def modules(cloud: Cloud, store: Store, container: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Modules:
    """The modules for images in the container, with a ready token that spares each run a login."""
    forget_credentials(monkeypatch)
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", cloud.clouds_yaml)
    auth = {"endpoint": store.storage_url, "token": store.token}
    return Modules(tmp_path, {"auth_type": "admin_token", "auth": auth, "container": container})


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image's file."""
    return _random_file(tmp_path_factory.mktemp("image") / "image", seed=1)


@pytest.fixture(scope="session")
def other_image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another image's file of the same size."""
    return _random_file(tmp_path_factory.mktemp("image") / "other", seed=2)


@pytest.fixture
def small(tmp_path: Path) -> list[Path]:
    """Small files with different contents."""
    paths = [tmp_path / f"small-{number}" for number in range(5)]
    for number, path in enumerate(paths):
        path.write_bytes(b"%d" % number * 1000)
    return paths


@pytest.fixture
def third_image(tmp_path: Path, image: Path) -> Path:
    """A third image's file of the same size."""
    path = tmp_path / "third"
    path.write_bytes(image.read_bytes()[::-1])
    return path


@pytest.fixture
def site(image: Path) -> Iterator[Site]:
    """A web server that has an image at every path."""
    with serving_site(Site(content=image.read_bytes())) as site:
        yield site


@pytest.fixture
def place(modules: Modules, store: Store, cloud: Cloud, container: str, tmp_path: Path) -> Place:
    """The container, with the means to store and read images there."""
    return Place(modules, store, cloud, container, tmp_path)


def _random_file(path: Path, seed: int) -> Path:
    path.write_bytes(random.Random(seed).randbytes(2_500_000))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the downloaded file, which other users may write to."""
    path = tmp_path / "shared"
    path.mkdir()
    path.chmod(0o1777)
    return path


@pytest.fixture
def download(place: Place, folder: Path) -> Downloads:
    return Downloads(place, folder)


@pytest.fixture
def slo(place: Place, image: Path) -> bytes:
    """The bytes of an SLO that is stored as ``img``."""
    store_slo(place, "img", image.read_bytes())
    return image.read_bytes()


@pytest.fixture
def apart(place: Place) -> Iterator[str]:
    """Another container, for segments."""
    name = f"{place.container}-apart"
    place.store.create(name)
    yield name
    place.store.remove(name)
