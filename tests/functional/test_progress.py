# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Progress of playbooks over a slow link."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imagestore.swift.tests.support.cloud import Cloud
from ansible_collections.imagestore.swift.tests.support.fault_proxy import FaultProxy
from ansible_collections.imagestore.swift.tests.support.faults import Fault, Kind, Script, Target
from ansible_collections.imagestore.swift.tests.support.writers import Place

# With SLOW bytes a second on each of four connections, the image takes eight to nine seconds.
SIZE = 2_500_000
SLOW = 75_000

LINE = re.compile(
    r"\[(?P<host>[^]]+)\] (?P<image>\S+): (?P<doing>\w+), (?P<percent>\d+) %, "
    r"(?P<done>[\d.]+ [KM]iB) of (?P<size>[\d.]+ [KM]iB), (?P<rate>[\d.]+ ([KM]i)?B)/s"
    r"(, (?P<time>\d+ s) (?P<which>left|in all))?(, (?P<reused>\d+) segments? reused)?"
)


class Slowly:
    """Playbooks over a slow link."""

    def __init__(self, proxy: FaultProxy, place: Place, folder: Path) -> None:
        self._proxy = proxy
        self._options = {
            "cloud": proxy.cloud(place.cloud, 60),
            "container": place.container,
            "name": "image",
        }
        self._folder = folder
        self.temporary = folder / "ansible"

    def start(
        self,
        module: str,
        hosts: str = "localhost,",
        play: Mapping[str, Any] | None = None,
        environ: Mapping[str, str] | None = None,
        **options: Any,
    ) -> subprocess.Popen[str]:
        """Start a play of one task.

        :param play: keywords of the play
        :param environ: environment variables for Ansible
        """
        cut = {"segment_size": "150KiB"} if module == "swift_image" else {}
        task = {f"imagestore.swift.{module}": {**self._options, **cut, **options}}
        path = Path(tempfile.mkdtemp(dir=self._folder)) / "play.json"
        path.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": [task], **(play or {})}]), "utf-8")
        collections = os.environ["PYTHONPATH"].split(os.pathsep)[0]
        command = [str(Path(sys.executable).with_name("ansible-playbook")), "--inventory", hosts]
        command += ["--connection", "local", "--extra-vars", f"ansible_python_interpreter={sys.executable}", str(path)]
        variables = {
            **os.environ,
            **(environ or {}),
            "ANSIBLE_COLLECTIONS_PATH": collections,
            "ANSIBLE_LOCAL_TEMP": str(self.temporary),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_LOCALHOST_WARNING": "false",
        }
        return subprocess.Popen(
            command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )

    def over(self, rate: int) -> AbstractContextManager[None]:
        """Limit each connection to *rate* bytes a second within the block."""
        fault = Fault(Kind.THROTTLE, ("PUT", "GET"), [Target.SEGMENT, Target.IMAGE], times=10**6, amount=rate)
        return self._proxy.play(Script([fault]))

    def run(self, module: str, **options: Any) -> tuple[str, list[str]]:
        """Run a play of one task, which has to succeed; return its stdout, and the lines of its stderr but warnings."""
        with self.over(SLOW):
            process = self.start(module, **options)
            out, err = process.communicate(timeout=120)
        assert process.returncode == 0, out + err
        return out, told(err)


@pytest.fixture
def slowly(cloud: Cloud, place: Place, tmp_path: Path) -> Iterator[Slowly]:
    """Playbooks over a slow link, for the place."""
    proxy = FaultProxy(cloud.told["object_store_url"], cloud.auth_url)
    yield Slowly(proxy, place, tmp_path)
    proxy.close()


def told(err: str) -> list[str]:
    """Return the lines of a play's stderr without warnings."""
    return [line for line in err.splitlines() if not line.startswith("[WARNING]")]


def read(lines: list[str]) -> list[dict[str, str]]:
    """Return the fields of each line of progress."""
    found = [LINE.fullmatch(line) for line in lines]
    assert all(found), lines
    return [one.groupdict() for one in found if one]


def left_behind(slowly: Slowly) -> list[Path]:
    """Return the progress files that still exist."""
    return list(slowly.temporary.rglob("imagestore-progress-*"))


def test_uploads_and_downloads_report_progress(slowly: Slowly, place: Place, image: Path, tmp_path: Path) -> None:
    for doing, module, options in [
        ("uploading", "swift_image", {"src": str(image)}),
        ("downloading", "swift_image_download", {"dest": str(tmp_path / "fetched")}),
    ]:
        out, lines = slowly.run(module, **options)
        said = read(lines)
        assert len(said) >= 2
        assert {(one["host"], one["doing"], one["size"]) for one in said} == {("localhost", doing, "2.38 MiB")}
        assert {one["image"] for one in said} == {f"{place.container}/image"}
        assert [one["which"] for one in said[:-1]] == ["left"] * (len(said) - 1)
        assert (said[-1]["percent"], said[-1]["done"], said[-1]["which"]) == ("100", "2.38 MiB", "in all")
        assert 0 < int(said[0]["percent"]) < 100
        assert "uploading" not in out and "downloading" not in out
        assert left_behind(slowly) == []
    assert (tmp_path / "fetched").read_bytes() == image.read_bytes()


def test_each_host_has_its_own_progress_lines(slowly: Slowly, image: Path) -> None:
    hosts = ["one", "two", "three"]
    _out, lines = slowly.run(
        "swift_image", hosts=",".join(hosts), name="image of {{ inventory_hostname }}", src=str(image)
    )
    for host in hosts:
        said = [line for line in lines if line.startswith(f"[{host}] ")]
        assert len(said) >= 2 and all(f"/image of {host}: uploading, " in line for line in said)
    assert all(line.startswith(tuple(f"[{host}] " for host in hosts)) for line in lines)


def test_no_progress_if_disabled_or_in_check_mode_or_for_short_tasks(
    slowly: Slowly, image: Path, tmp_path: Path
) -> None:
    """A play shows no progress if it is switched off, in check mode, or within the first five seconds."""
    (tmp_path / "short").write_bytes(bytes(1000))
    ways: dict[str, dict[str, Any]] = {
        "option": {"progress": False},
        "check mode": {"play": {"check_mode": True}},
        "module_defaults": {"play": {"module_defaults": {"group/imagestore.swift.swift": {"progress": False}}}},
        "variable": {"environ": {"ANSIBLE_SWIFT_PROGRESS": "false"}},
        "short": {"src": str(tmp_path / "short")},
    }
    with slowly.over(SLOW):
        plays = {
            way: slowly.start("swift_image", **{"name": way, "src": str(image), **options})
            for way, options in ways.items()
        }
        said = {way: play.communicate(timeout=120) for way, play in plays.items()}
    for way, play in plays.items():
        assert play.returncode == 0, said[way]
        assert told(said[way][1]) == [], way


def test_progress_is_not_requested_from_a_remote_host(slowly: Slowly, image: Path) -> None:
    """A remote host is not asked to report progress, because the file would be on that host."""
    with_ssh = {"connection": "ansible.builtin.ssh", "vars": {"ansible_ssh_executable": "/bin/false"}}
    process = slowly.start("swift_image", play=with_ssh, hosts="remote,", src=str(image))
    out, err = process.communicate(timeout=120)
    assert "unreachable=1" in out and "IMAGESTORE" not in out + err


def test_the_environment_of_a_task_is_kept(slowly: Slowly, place: Place, image: Path) -> None:
    options = {"cloud": None, "name": "image", "src": str(image)}
    environment = [{"OS_CLOUD": "{{ cloud_name }}"}, {"OS_CLIENT_CONFIG_FILE": place.cloud.told["clouds_yaml"]}]
    play = {"environment": environment, "vars": {"cloud_name": "images"}}
    slowly.run("swift_image", play=play, **options)
    assert place.read("image") == image.read_bytes()


def test_the_progress_file_is_private_and_deleted_on_interrupt(slowly: Slowly, image: Path) -> None:
    """The progress file is private, and is deleted when Ctrl-C interrupts all processes of the play."""
    with slowly.over(1000):
        process = slowly.start("swift_image", src=str(image))
        deadline = time.monotonic() + 60
        while not any(path.stat().st_size for path in left_behind(slowly)):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.1)
        (path,) = left_behind(slowly)
        assert path.stat().st_mode & 0o777 == 0o600
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=60)
    assert left_behind(slowly) == []
