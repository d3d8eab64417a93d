# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Random and invalid options: a module may fail with a message, and never with a traceback."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._ansible.options import CONNECTION
from ansible_collections.imagestore.swift.tests.support.modules import Modules
from ansible_collections.imagestore.swift.tests.support.writers import Place
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

MODULES = (
    "swift_image",
    "swift_images",
    "swift_image_info",
    "swift_image_acl",
    "swift_image_download",
    "swift_image_cleanup",
)
PLUGINS = "ansible_collections.imagestore.swift.plugins"
TEXTS = st.one_of(
    st.text(max_size=30),
    st.text(alphabet="\x00\x01\n\r\t\x1b\x7f\u0085\u2028 ", min_size=1, max_size=5),
    st.sampled_from(["", " ", "..", "a/../b", ".segments/a/b", "/", "%", "%zz", "'\"`$(x){{ y }}", "ä" * 600]),
    st.integers(250, 1100).map(lambda length: "n" * length),
)
NUMBERS = st.one_of(st.integers(-2, 2), st.integers(), st.sampled_from([2**31, 2**63, 10**400, -(10**30)]))
SIZES = st.one_of(NUMBERS.map(str), st.sampled_from(["1 MiB", "-1MiB", "1e3", "nanGiB", "9" * 500, "0x10", "1.5KiB"]))
ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.floats(), TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
WAYS_IN: dict[str, st.SearchStrategy[Any]] = {
    "auth_url": st.one_of(
        st.sampled_from(["http://127.0.0.1:9/v3", "127.0.0.1", "ftp://127.0.0.1", "http://[::1"]), TEXTS
    ),
    "endpoint": st.one_of(st.just("http://127.0.0.1:9/v1/AUTH_a"), TEXTS),
    "token": TEXTS,
    "username": TEXTS,
    "password": ANYTHING,
    "project_name": TEXTS,
    "auth": st.dictionaries(TEXTS, TEXTS, max_size=2),
}


@pytest.fixture
def paths(tmp_path: Path) -> Iterator[list[str]]:
    """Paths of ordinary, unusual and missing files."""
    folder = tmp_path / "strange"
    folder.mkdir()
    (folder / "empty").touch()
    (folder / "file").write_bytes(b"an image")
    (folder / "loop").symlink_to("pool")
    (folder / "pool").symlink_to("loop")
    (folder / "nowhere").symlink_to("missing")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "socket"))
        names = ("", "empty", "file", "loop", "nowhere", "missing", "socket", "file/below", "missing/below", "s" * 300)
        yield [*(str(folder / name) for name in names), "/dev/null", "/proc/self/mem", "/dev/tty", "."]


@pytest.mark.parametrize("name", MODULES)
def test_invalid_options_never_cause_a_traceback(
    name: str, place: Place, paths: list[str], pytestconfig: pytest.Config
) -> None:
    modules = Modules(place.folder, {**place.modules.defaults, "retries": 0, "api_timeout": 2})

    @settings(
        max_examples=pytestconfig.getoption("cases") // len(MODULES),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(options_of(name, paths))
    def check(options: Mapping[str, Any]) -> None:
        process = modules.start(name, **options)
        check_answer(process.wait(), process.output)

    check()


def options_of(module: str, paths: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    """Generate a few of a module's options, and often those without which it would not look at the others."""
    spec = (CONNECTION + import_module(f"{PLUGINS}.modules.{module}").SPEC).options
    values = {option: value_of(option, told, paths) for option, told in spec.items()}
    likely = {
        "name": st.just("image"),
        "src": st.sampled_from(paths),
        "dest": st.sampled_from(paths),
        "images": values.get("images", st.nothing()),
    }
    usual = st.fixed_dictionaries({}, optional={option: likely[option] for option in sorted(likely) if option in spec})
    chosen = st.lists(st.sampled_from(sorted(values)), max_size=3, unique=True).flatmap(
        lambda names: st.fixed_dictionaries({option: values[option] for option in names})
    )
    return st.builds(lambda first, then: {**first, **then}, usual, chosen)


def image_of(spec: Mapping[str, Mapping[str, Any]], paths: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    """Generate an image of a catalogue."""
    values = {option: value_of(option, told, paths) for option, told in spec.items()}
    usual = {"name": st.one_of(st.just("image"), values["name"]), "src": st.sampled_from(paths)}
    chosen = st.lists(st.sampled_from(sorted(values)), max_size=2, unique=True).flatmap(
        lambda names: st.fixed_dictionaries({option: values[option] for option in names})
    )
    return st.builds(lambda first, then: {**first, **then}, st.fixed_dictionaries(usual), chosen)


def value_of(option: str, spec: Mapping[str, Any], paths: list[str]) -> st.SearchStrategy[Any]:
    """Generate values that a user could give, by mistake or on purpose."""
    if option == "images":
        return st.lists(image_of(spec["options"], paths), max_size=3)
    if option in ("src", "dest", "buffer_dir", "ca_cert", "client_cert", "client_key", "glance_config"):
        return st.one_of(st.sampled_from(paths), TEXTS)
    if option in ("checksum", "checksum_signature", "checksum_keyring"):
        places = st.one_of(st.sampled_from(paths), TEXTS, TEXTS.map(lambda text: f"http://127.0.0.1:9/{text}"))
        return st.one_of(
            places, places.map(lambda place: f"sha256:{place}"), places.map(lambda place: f"md5:/{place}#x")
        )
    if option in ("auth", "cloud"):
        return st.one_of(st.fixed_dictionaries({}, optional=WAYS_IN), ANYTHING)
    if option == "retries":
        # Many retries of an unreachable address take hours by design.
        return ANYTHING.filter(lambda value: not isinstance(value, (int, float, list)) or value in (-1, 0, 1))
    if "choices" in spec and spec["type"] == "str":
        return st.one_of(st.sampled_from(spec["choices"]), TEXTS)
    if spec.get("type") == "int":
        # ansible-core itself ends with a traceback for some lists (seen with 2.21: decimal takes them for digits).
        return st.one_of(NUMBERS, ANYTHING.filter(lambda value: not isinstance(value, list)))
    by_type = {
        "str": st.one_of(TEXTS, SIZES),
        "bool": st.booleans(),
        "list": st.lists(TEXTS, max_size=4),
        "dict": st.dictionaries(TEXTS, TEXTS, max_size=4),
        "path": st.one_of(st.sampled_from(paths), TEXTS),
    }
    return st.one_of(by_type.get(spec.get("type", "str"), ANYTHING), ANYTHING)


def check_answer(status: int, output: bytes) -> None:
    """Check that the output is a result, and that a failure has a message of reasonable length."""
    assert status in (0, 1), output
    result = json.loads(output.splitlines()[-1])
    assert b"Traceback" not in output, output
    if result.get("failed"):
        message = result["msg"]
        assert isinstance(message, str)
        assert message.strip()
        assert len(message) < 6000, message
