# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options and fixtures of the campaign, which ``tests/cluster run --restart`` starts a cluster for."""

from __future__ import annotations

import json
import os
import shlex
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.imagestore.swift.tests.faults.disks import can_mount
from ansible_collections.imagestore.swift.tests.faults.scenario import choose
from ansible_collections.imagestore.swift.tests.faults.scene import Stage
from ansible_collections.imagestore.swift.tests.faults.servers import Servers
from ansible_collections.imagestore.swift.tests.support.cloud import Cloud, forget_credentials, told
from ansible_collections.imagestore.swift.tests.support.fault_proxy import FaultProxy
from ansible_collections.imagestore.swift.tests.support.store import Store


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that choose the runs."""
    parser.addoption("--cluster", required=True, help="the command of the cluster, to kill its servers with")
    parser.addoption("--runs", type=int, default=40)
    parser.addoption("--seed", type=int, default=1, help="of the first run")
    parser.addoption("--step", type=int, default=1, help="from one run's seed to the next one's")
    parser.addoption("--only", default="", help="leave out runs whose description does not hold this text")
    parser.addoption("--result", type=Path, help="a file for the counts of the faults that happened, as JSON")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one case of each seed."""
    if "seed" in metafunc.fixturenames:
        chosen = metafunc.config.option
        seeds = range(chosen.seed, chosen.seed + chosen.runs * chosen.step, chosen.step)
        metafunc.parametrize("seed", [seed for seed in seeds if chosen.only in str(choose(seed))])


@pytest.fixture(scope="session")
def stage(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The cluster, and the proxy in front of it."""
    cloud = Cloud(told())
    store = Store(cloud.storage_url, cloud.token(), Path(cloud.requests_log))
    command = shlex.split(pytestconfig.option.cluster)
    servers = Servers(command, Path(os.environ["IMAGESTORE_CLUSTER"]).parent)
    proxy = FaultProxy(cloud.told["object_store_url"], cloud.auth_url)
    with pytest.MonkeyPatch.context() as patch:
        forget_credentials(patch)
        yield Stage(cloud, store, proxy, servers, tmp_path_factory.mktemp("stage"))
    proxy.close()


@pytest.fixture(scope="session")
def can_fill_disks(stage: Stage) -> bool:
    """True if this user may make a small disk."""
    return can_mount(stage.folder / "mount")


@pytest.fixture(scope="session")
def met(pytestconfig: pytest.Config) -> Iterator[Counter[str]]:
    """Counts of the faults that happened; written to the file that ``--result`` names."""
    counts: Counter[str] = Counter()
    yield counts
    path: Path | None = pytestconfig.option.result
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(counts), encoding="utf-8")
