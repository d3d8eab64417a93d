# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the fault harness found, one test for each, and what it could not do by chance."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cloud import Cloud
from faults import Fault, Kind, Script, Target
from modules import Modules, Result
from proxy import FaultProxy
from writers import Place

ALL = ("GET", "HEAD", "PUT", "POST", "DELETE")


class Way:
    """The modules' way to Swift and Keystone, with faults on it."""

    def __init__(self, proxy: FaultProxy, place: Place) -> None:
        self._proxy = proxy
        options = {"cloud": proxy.cloud(place.cloud, 2), "container": place.container, "retries": 1}
        self._modules = Modules(place.folder, options)
        self.script = Script()

    def meet(self, fault: Fault | None, module: str = "swift_image", /, **options: Any) -> Result:
        """Run a module that meets it."""
        self.script = Script([fault] if fault else [])
        with self._proxy.play(self.script):
            result = self._modules.try_to(module, name="image", **options)
        assert fault is None or fault.fired
        return result


@pytest.fixture
def way(cloud: Cloud, place: Place) -> Iterator[Way]:
    """One for the place."""
    proxy = FaultProxy(cloud.told["object_store_url"], cloud.auth_url)
    yield Way(proxy, place)
    proxy.close()


@pytest.mark.parametrize(
    "fault",
    [
        Fault(Kind.CUT_ANSWER, ("POST",), [Target.KEYSTONE], amount=1),
        Fault(Kind.CUT_ANSWER, ("GET",), [Target.KEYSTONE], amount=1),
        Fault(Kind.CUT_ANSWER, ("POST",), [Target.KEYSTONE], amount=0),
        Fault(Kind.STATUS, ("POST",), [Target.KEYSTONE], status=503),
        Fault(Kind.STATUS, ("POST",), [Target.KEYSTONE], status=429),
        Fault(Kind.STALL, ("POST",), [Target.KEYSTONE], amount=3),
    ],
    ids=lambda fault: f"{fault.name} of {fault.methods[0]}, {fault.amount}",
)
def test_a_login_is_tried_again(way: Way, image: Path, fault: Fault) -> None:
    done = way.meet(fault, src=str(image))
    assert done.get("changed"), done["msg"]
    fault.fired, fault.times = 0, 100
    refused = way.meet(fault, src=str(image))
    assert "identity service" in refused["msg"]
