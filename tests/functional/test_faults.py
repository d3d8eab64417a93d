# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Regression tests for the findings of the fault campaign, and for cases that it does not reach by chance."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imagestore.swift.tests.support.clients import SEGMENT
from ansible_collections.imagestore.swift.tests.support.cloud import Cloud
from ansible_collections.imagestore.swift.tests.support.fault_proxy import FaultProxy
from ansible_collections.imagestore.swift.tests.support.faults import Fault, Kind, Script, Target
from ansible_collections.imagestore.swift.tests.support.modules import (
    Modules,
    Result,
    hurry,
    result_of,
    stop_after,
    stop_at,
)
from ansible_collections.imagestore.swift.tests.support.processes import Process
from ansible_collections.imagestore.swift.tests.support.web import serving_files
from ansible_collections.imagestore.swift.tests.support.writers import OURS, WRITERS, Place

ALL = ("GET", "HEAD", "PUT", "POST", "DELETE")


class Way:
    """The modules behind a fault proxy to Swift and Keystone."""

    def __init__(self, proxy: FaultProxy, place: Place) -> None:
        self._proxy = proxy
        options = {"cloud": proxy.cloud(place.cloud, 2), "container": place.container, "retries": 1}
        self._modules = Modules(place.folder, options)
        self.script = Script()

    def meet(self, fault: Fault | None, module: str = "swift_image", /, **options: Any) -> Result:
        """Run a module with a fault, which has to happen."""
        self.script = Script([fault] if fault else [])
        result = self.play(module, **options)
        assert fault is None or fault.fired
        return result

    def play(self, module: str = "swift_image", /, **options: Any) -> Result:
        """Run a module with the faults of the script."""
        name = {} if module == "swift_images" else {"name": "image"}
        with self._proxy.play(self.script):
            result = self._modules.try_to(module, hurry, **name, **options)
        return result


@pytest.fixture
def way(cloud: Cloud, place: Place) -> Iterator[Way]:
    """The modules behind a fault proxy, for the place."""
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
def test_a_failed_login_is_retried(way: Way, image: Path, fault: Fault) -> None:
    done = way.meet(fault, src=str(image))
    assert done.get("changed"), done["msg"]
    fault.fired, fault.times = 0, 100
    refused = way.meet(fault, src=str(image))
    assert "identity service" in refused["msg"]


@pytest.mark.parametrize("answers", [[401], [413, 401], [503, 413, 401]])
def test_a_nested_token_request_does_not_deadlock(way: Way, image: Path, answers: list[int]) -> None:
    """A login does not deadlock if Keystone refuses to show its versions without a token.

    keystoneauth then asks for a token while it fetches one.
    """
    faults = [Fault(Kind.STATUS, ("GET",), [Target.KEYSTONE], status=status) for status in answers]
    way.script = Script(faults)
    way.play(src=str(image))
    assert way.script.fired
    assert not way.meet(None, src=str(image)).get("failed")


@pytest.mark.parametrize("kind", ["SLO", "DLO"])
def test_a_deletion_leaves_the_image_complete_or_absent(way: Way, place: Place, image: Path, kind: str) -> None:
    """A deletion leaves the image whole or absent if Swift answers 404, as it may while a disk is unreachable."""
    WRITERS[kind](place, "image", image)
    fault = Fault(Kind.STATUS, ("HEAD", "GET"), [Target.IMAGE], times=100, status=404)
    way.meet(fault, state="absent")
    assert place.read("image") in (None, image.read_bytes())


@pytest.mark.parametrize("kind", ["plain", "the swift CLI's SLO"])
def test_an_image_hidden_by_temporary_404s_is_replaced(
    way: Way, place: Place, image: Path, other_image: Path, kind: str
) -> None:
    """The image is replaced, and not just overwritten, which would leave its segments as orphans."""
    WRITERS[kind](place, "image", image)
    fault = Fault(Kind.STATUS, ("HEAD",), [Target.IMAGE], times=2, status=404)
    options = {"src": str(other_image), "segment_size": str(SEGMENT)}
    assert way.meet(fault, **options).changed
    assert place.read("image") == other_image.read_bytes()
    assert all("_segments" not in path for path in place.names())


@pytest.mark.parametrize("kind", ["slo", "dlo", "none"])
def test_an_image_stored_despite_a_503_is_recognised(way: Way, place: Place, image: Path, kind: str) -> None:
    fault = Fault(Kind.STORED_503, ("PUT",), [Target.IMAGE])
    options = {"manifest": kind, "segment_size": str(SEGMENT)} if kind != "none" else {}
    done = way.meet(fault, src=str(image), **options)
    assert done.changed
    assert place.read("image") == image.read_bytes()
    assert not way.meet(None, src=str(image), **options).changed


@pytest.mark.parametrize("kind", ["Glance's DLO", "the swift CLI's DLO", "DLO"])
@pytest.mark.parametrize("times", [1, 100])
def test_a_deletion_with_an_incomplete_listing_leaves_no_orphans(
    way: Way, place: Place, image: Path, kind: str, times: int
) -> None:
    WRITERS[kind](place, "image", image)
    fault = Fault(Kind.SHORT_LISTING, ("GET",), [Target.LISTING], times=times, amount=1)
    result = way.meet(fault, state="absent")
    if result.get("failed"):
        assert "listing" in result["msg"]
        assert place.read("image") == image.read_bytes()
        way.meet(None, state="absent")
    assert place.names() == []


def test_an_image_missing_from_a_listing_is_not_treated_as_new(
    way: Way, place: Place, image: Path, other_image: Path, tmp_path: Path
) -> None:
    """A catalogue does not take an image for new just because a listing lacks it."""
    plain = tmp_path / "plain"
    plain.write_bytes(b"plain")
    cut: list[dict[str, object]] = [
        {"name": "slo", "src": str(image), "segment_size": "500KiB"},
        {"name": "dlo", "src": str(image), "segment_size": "500KiB", "manifest": "dlo"},
    ]
    images = [*cut, {"name": "plain", "src": str(plain)}]
    lacking = partial(Fault, Kind.SHORT_LISTING, ("GET",), [Target.LISTING], amount=100)
    assert way.meet(None, "swift_images", images=images)["summary"]["added"] == 3
    kept = way.meet(lacking(times=3), "swift_images", images=images)
    assert kept["summary"]["unchanged"] == 3, kept
    kept = way.meet(lacking(times=3), "swift_images", images=images, force=False)
    assert kept["summary"]["unchanged"] == 3, kept
    for entry in cut:
        entry["src"] = str(other_image)
    plain.write_bytes(b"another")
    replaced = way.meet(lacking(times=3), "swift_images", images=images)
    assert replaced["summary"]["replaced"] == 3, replaced
    assert [place.read(name) for name in ("slo", "dlo", "plain")] == [other_image.read_bytes()] * 2 + [b"another"]
    assert not way.meet(None, "swift_images", images=images)["changed"]
    assert len(place.names()) == 3 + 5 + 5


def test_a_journal_corrupted_in_transit_stops_the_deletion(way: Way, place: Place, image: Path) -> None:
    WRITERS["Glance's DLO"](place, "image", image)
    refused = way.meet(Fault(Kind.GARBLE_REQUEST, ("PUT",), [Target.SEGMENT]), state="absent")
    assert "corrupted in transit" in refused["msg"]
    assert place.read("image") == image.read_bytes()
    assert way.meet(None, state="absent").changed
    assert place.names() == []


@pytest.mark.parametrize("kind", ["slo", "dlo"])
@pytest.mark.parametrize("exists", [False, True])
def test_an_upload_overtaken_by_another_upload_succeeds(
    place: Place, image: Path, other_image: Path, third_image: Path, kind: str, exists: bool
) -> None:
    """A paused upload succeeds after another one, to which its segments look like leftovers."""
    cut = {"segment_size": "150KiB", "manifest": kind}
    if exists:
        place.modules("swift_image", name="image", src=str(third_image), **cut)
    process = place.amid("PUT", 5, Process.stop, name="image", src=str(image), **cut)
    assert place.modules("swift_image", name="image", src=str(other_image), **cut).changed
    assert place.read("image") == other_image.read_bytes()
    process.go_on()
    assert process.wait() == 0, process.output
    assert place.read("image") == image.read_bytes()
    # The image has 17 segments of that size.
    assert len(place.names()) == 1 + 17


@pytest.mark.parametrize("kind", ["slo", "dlo"])
def test_an_upload_keeps_the_segments_of_a_concurrent_upload(
    place: Place, image: Path, other_image: Path, kind: str
) -> None:
    """An upload keeps the segments of another upload that is still running, although they looked like leftovers."""
    cut = {"name": "image", "segment_size": "150KiB", "manifest": kind}
    first = place.amid("PUT", 3, Process.stop, src=str(image), **cut)
    second = place.amid("PUT", 5, Process.stop, src=str(other_image), **cut)
    begin = place.store.log.stat().st_size
    first.go_on()
    place.store.await_requests(begin, place.container, "PUT", 10)
    first.stop()
    second.go_on()
    assert second.wait() == 0, second.output
    assert place.read("image") == other_image.read_bytes()
    first.go_on()
    assert first.wait() == 0, first.output
    assert place.read("image") == image.read_bytes()
    # All segments still existed when the first upload had to replace the other image.
    assert result_of(first)["transfer"]["segments_reused"] == 17
    assert len(place.names()) == 1 + 17


@pytest.mark.parametrize("kind", ["Glance's DLO", "the swift CLI's DLO"])
@pytest.mark.parametrize("lacking", [1, 100])
@pytest.mark.parametrize("times", [1, 100])
def test_an_incomplete_listing_does_not_truncate_a_download(
    way: Way, place: Place, image: Path, kind: str, lacking: int, times: int
) -> None:
    WRITERS[kind](place, "image", image)
    fault = Fault(Kind.SHORT_LISTING, ("GET",), [Target.LISTING], times=times, amount=lacking)
    dest = place.folder / "fetched"
    result = way.meet(fault, "swift_image_download", dest=str(dest))
    if result.get("failed"):
        assert "listing" in result["msg"] and times == 100
        assert not dest.exists()
    else:
        assert dest.read_bytes() == image.read_bytes()


@pytest.mark.parametrize("kind", ["slo", "dlo"])
@pytest.mark.parametrize("options", [{}, {"delete_after": 100000}], ids=["", "expiring"])
def test_an_upload_deleted_concurrently_leaves_no_objects(
    place: Place, image: Path, kind: str, options: dict[str, int]
) -> None:
    """Nothing is left of the 17 segments and the manifest, and nothing is stored again."""
    cut = {"name": "image", "src": str(image), "segment_size": "150KiB", "manifest": kind, "concurrency": 1}
    process = place.modules.start("swift_image", partial(stop_after, 18), **cut, **options)
    process.await_stop()
    assert place.modules("swift_image", name="image", state="absent").changed
    process.go_on()
    assert process.wait() == 0, process.output
    assert place.names() == []


def test_a_deletion_includes_a_concurrently_uploaded_image(place: Place, image: Path) -> None:
    """A deletion also deletes the segments of an image that was stored meanwhile, which would become orphans."""
    options = {"name": "image", "src": str(image), "segment_size": "500KiB", "concurrency": 1}
    upload = place.modules.start("swift_image", partial(stop_at, (3,), ()), **options)
    upload.await_stop()
    deletion = place.modules.start("swift_image", partial(stop_at, (1,), ()), name="image", state="absent")
    deletion.await_stop()
    upload.go_on()
    assert upload.wait() == 0, upload.output
    assert place.read("image") == image.read_bytes()
    deletion.go_on()
    assert deletion.wait() == 0, deletion.output
    assert place.names() == []


def test_a_deletion_keeps_the_segments_of_a_concurrent_upload(place: Place, image: Path, other_image: Path) -> None:
    """A deletion keeps the segments of an upload that ended meanwhile, although they looked like leftovers."""
    cut = {"name": "image", "segment_size": "500KiB", "concurrency": 1}
    place.modules("swift_image", src=str(image), **cut)
    upload = place.modules.start("swift_image", partial(stop_at, (3,), ()), src=str(other_image), **cut)
    upload.await_stop()
    deletion = place.modules.start("swift_image", partial(stop_at, (), (1,)), name="image", state="absent")
    deletion.await_stop()
    upload.go_on()
    assert upload.wait() == 0, upload.output
    assert place.read("image") == other_image.read_bytes()
    with place.store.watch(place.container) as watched:
        deletion.go_on()
        assert deletion.wait() == 0, deletion.output
    assert place.read("image") == other_image.read_bytes()
    named = {path for path in place.names() if "/.segments/" in path}
    assert len(named) == 5
    assert not [one for one in watched.changing if one["path"].partition("/AUTH_")[2].partition("/")[2] in named]


def test_a_deletion_includes_a_concurrent_replacement(place: Place, image: Path, other_image: Path) -> None:
    """A deletion also deletes the segments of an image that has replaced the known one meanwhile."""
    WRITERS["the swift CLI's DLO"](place, "image", image)
    # The first requests check the right to delete its segments, and write the journal.
    deletion = place.modules.start("swift_image", partial(stop_at, (1,), ()), name="image", state="absent")
    deletion.await_stop()
    place.modules("swift_image", name="image", src=str(other_image), segment_size="500KiB")
    deletion.go_on()
    assert deletion.wait() == 0, deletion.output
    assert place.names() == []


def test_an_upload_deleted_concurrently_leaves_no_journal(place: Place, image: Path, tmp_path: Path) -> None:
    """An upload leaves no journal of the image that it replaced, even if its own image is deleted meanwhile."""
    WRITERS["the swift CLI's DLO"](place, "image", image)
    plain = tmp_path / "plain"
    plain.write_bytes(b"another")
    deletion = place.modules.start("swift_image", partial(stop_at, (3,), ()), name="image", state="absent")
    deletion.await_stop()
    upload = place.modules.start("swift_image", partial(stop_at, (), (2,)), name="image", src=str(plain))
    upload.await_stop()
    assert place.read("image") == b"another"
    deletion.go_on()
    assert deletion.wait() == 0, deletion.output
    upload.go_on()
    assert upload.wait() == 0, upload.output
    assert place.names() == []


def test_concurrent_uploads_leave_no_journal(place: Place, image: Path, other_image: Path) -> None:
    """Neither upload leaves a journal, although both looked at the current image before either of them wrote."""
    WRITERS["the swift CLI's DLO"](place, "image", image)
    third = place.folder / "third"
    third.write_bytes(image.read_bytes()[::-1])
    cut = {"name": "image", "segment_size": "1MiB", "concurrency": 1}
    # The requests are three segments, the journal, and the manifest.
    first = place.modules.start("swift_image", partial(stop_at, (4,), (5,)), src=str(other_image), **cut)
    second = place.modules.start("swift_image", partial(stop_at, (4, 5), ()), src=str(third), **cut)
    for process in (first, second):
        process.await_stop()
    for process in (second, first):
        process.go_on()
        wait_until_it_goes_on(process)
        process.await_stop()
    for process in (second, first):
        process.go_on()
        assert process.wait() == 0, process.output
    assert place.read("image") == third.read_bytes()
    assert not [path for path in place.names() if "journal" in path]
    assert len(place.names()) == 4


@pytest.mark.slo
def test_leftovers_of_a_killed_upload_of_the_same_content_are_deleted(place: Place, image: Path) -> None:
    """A run deletes the leftovers of a killed upload, even if the image need not change.

    The killed run had sent segments, because only the end of a stream shows whether the image changes.
    """
    WRITERS["Glance's DLO"](place, "image", image)
    before = place.names()
    options = {"name": "image", "manifest": OURS.lower(), "segment_size": str(SEGMENT)}
    with serving_files(image.parent) as address:
        options["url"] = f"{address}/{image.name}"
        assert place.amid("PUT", 2, Process.kill, **options).wait() < 0
        assert len(place.names()) > len(before)
        place.modules("swift_image", **options)
    assert place.names() == before
    assert place.read("image") == image.read_bytes()


def wait_until_it_goes_on(process: Process) -> None:
    """Wait for a moment, in which a continued process may still look paused."""
    time.sleep(0.2)
    assert process.status is None
