# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wrong options: each gets a sentence of its own, and nothing is sent that could change the store."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imagestore.swift.tests.support.cloud import IS_RGW
from ansible_collections.imagestore.swift.tests.support.modules import Modules, result_of
from ansible_collections.imagestore.swift.tests.support.writers import Place

SECRET = "not-the-password"
_GIB = 1024**3

# The words in angle brackets are replaced by facts of the test; see the fixture.
AUTH = {
    "auth_url": "<auth_url>",
    "username": "<user_name>",
    "password": "<password>",
    "project_name": "<project_name>",
    "user_domain_id": "default",
    "project_domain_id": "default",
}
NOWHERE = "http://127.0.0.1:9"

REFUSED: list[tuple[dict[str, Any], str]] = [
    # The source.
    ({"src": "<folder>/none"}, "correct src"),
    ({"src": "<folder>"}, "is a folder: name an image file"),
    ({"src": None}, "neither src nor url"),
    ({"size": "1"}, "has 300000 bytes, but size is 1"),
    ({"size": "-1"}, "size is -1"),
    ({"src": "x", "url": f"{NOWHERE}/x"}, "parameters are mutually exclusive: src|url"),
    ({"url": "ftp://127.0.0.1/x"}, "begins with http:// or https://"),
    ({"url": f"{NOWHERE}/x"}, "no answer"),
    ({"checksum": "abc"}, "write <algorithm>:<hex digits>"),
    ({"checksum": "sha256:abc"}, "3 characters, which are not the 64 hex digits of a sha256 digest"),
    ({"buffer_dir": "<folder>/none"}, "not a folder on this host"),
    # The image.
    ({"delete_at": 1}, "which has passed"),
    ({"delete_after": "-1"}, "is not a duration"),
    ({"delete_after": "1", "delete_at": 1}, "parameters are mutually exclusive: delete_at|delete_after"),
    ({"content_type": "a\nb"}, "is not a media type"),
    ({"metadata": {"os.distro": "x"}}, "letters, digits, dashes and underscores"),
    ({"metadata": {"os_distro": "x", "os-distro": "x"}}, "are the same in Swift"),
    ({"metadata": {"long": "v" * 257}}, "257 bytes, but this cluster allows at most 256"),
    # Names.
    ({"name": None}, "name is null"),
    ({"name": "n" * 1025}, "1025 bytes long, but Swift allows at most 1024"),
    ({"name": ""}, "name is empty"),
    ({"name": "a/../b"}, "only dots"),
    ({"name": ".segments/a"}, "reserved for segments"),
    ({"container": "a/b"}, "has a slash"),
    ({"container": "c" * 257}, "257 bytes long, but Swift allows at most 256"),
    ({"container": "no-such-container"}, "create_container"),
    ({"containers_seed": 33}, "must be between 0 and 32"),
    ({"containers_seed": 1, "multi_tenant": True}, "leave one of them out"),
    ({"name": "a/b", "multi_tenant": True}, "a part of the container's name"),
    # Segments.
    ({"segment_prefix": "image-"}, "set manifest to dlo"),
    ({"segment_prefix": "image", "manifest": "dlo"}, "end it with -"),
    ({"segment_prefix": ".segments/x/", "manifest": "dlo"}, "nor .segments/"),
    ({"segment_prefix": "i-", "name": "i-mage", "manifest": "dlo"}, "a part of itself"),
    ({"segment_size": "many"}, "segment_size 'many' is not a size"),
    ({"segment_size": "0"}, "segment_size is 0"),
    ({"src": "<huge>", "segment_size": "6GiB"}, "large_object_size makes an object of 6442450944 bytes"),
    (
        {"src": "<huge>", "segment_size": "6GiB", "large_object_size": "1GiB"},
        "segment_size makes an object of 6442450944 bytes",
    ),
    # The transfer.
    ({"concurrency": 0}, "concurrency is 0"),
    ({"retries": -1}, "retries is -1"),
    ({"api_timeout": -5}, "api_timeout is -5"),
    # The login.
    ({"ca_cert": "<folder>/none"}, "correct the path"),
    ({"cloud": "no-such-cloud"}, "There is no cloud 'no-such-cloud' in "),
    ({"cloud": {"auth": AUTH}, "auth": AUTH}, "put all settings into cloud"),
    ({"cloud": {"auth": AUTH}, "interface": "internal"}, "put all settings into cloud"),
    ({"cloud": f'{{"auth": {{"password": "{SECRET}"}}}}'}, "neither the name of a cloud"),
    ({"region_name": "no-such-region"}, "no-such-region is not a valid region name"),
    ({"service_type": "no-such-type"}, "correct service_type, interface or region_name"),
    ({"cloud": None, "auth": {**AUTH, "password": SECRET}}, "refused the credentials"),
    ({"cloud": None, "auth": {**AUTH, "auth_url": f"{NOWHERE}/v3"}}, "can't be reached"),
    ({"cloud": None, "auth": {**AUTH, "auth_url": "<v1_auth_url>"}}, "auth_type to v1password"),
    ({"cloud": None, "auth": {"username": "only"}}, "auth_url"),
    ({"cloud": None, "auth_type": "none"}, "needs the address of Swift"),
    # Ceph RGW answers the same for a container that is missing and for one of another project.
    ({"cloud": "reader"}, "There is no container" if IS_RGW else "these credentials lack permission"),
    # Locations.
    ({"name": "a", "uri": "swift+https://h/v1/AUTH_x/c/o"}, "parameters are mutually exclusive: name|uri"),
    ({"uri": f"http://u:{SECRET}@h/c/o"}, "a scheme that is not one of swift"),
    ({"uri": f"swift://u:{SECRET}@https://h/c/o"}, "two schemes"),
    ({"uri": f"swift://{SECRET}@h/c/o"}, "an @, but no key"),
    ({"uri": "swift://u:@h/c/o"}, "an empty key"),
    ({"uri": f"swift://:{SECRET}@h/c/o"}, "an empty user"),
    ({"uri": f"swift://u:{SECRET}@h//o"}, "an empty container"),
    ({"uri": f"swift://u:{SECRET}@h/c/"}, "an empty image name"),
    ({"uri": f"swift://u:{SECRET}@h/o"}, "names no container"),
    ({"uri": f"swift://a:u:{SECRET}@h/c/o"}, "uri holds credentials, and cloud names other credentials"),
    ({"uri": "swift+config://none/c/o"}, "uri names credentials, and cloud names other credentials"),
    ({"cloud": None, "uri": "swift+config://none/c/o"}, "There is no cloud 'none' in "),
    (
        {"cloud": None, "uri": "swift+config://x/c/o", "glance_config_file": "<folder>/none"},
        "can't be read: No such file or directory",
    ),
    ({"cloud": None, "uri": f"swift://u:{SECRET}@h/v3/c/o"}, "names no account"),
    ({"uri": "swift+https://h/v1/AUTH_x/c/o", "multi_tenant": True}, "does not end in _ and"),
]


@pytest.fixture
def facts(place: Place, tmp_path: Path) -> dict[str, str]:
    """The values for the words in angle brackets."""
    huge = tmp_path / "huge"
    huge.touch()
    os.truncate(huge, 6 * _GIB)
    return {
        "<folder>": str(tmp_path),
        "<huge>": str(huge),
        "<auth_url>": place.cloud.auth_url,
        "<v1_auth_url>": place.cloud.told["v1"]["auth_url"],
        **{f"<{name}>": place.cloud.project[name] for name in ("user_name", "password", "project_name")},
    }


def filled(value: Any, facts: Mapping[str, str]) -> Any:
    """Return options with facts for the words in angle brackets."""
    if isinstance(value, dict):
        return {name: filled(inner, facts) for name, inner in value.items()}
    if isinstance(value, str):
        for word, fact in facts.items():
            value = value.replace(word, fact)
    return value


@pytest.mark.parametrize(("options", "says"), REFUSED, ids=[says for _options, says in REFUSED])
def test_wrong_options_are_refused_in_one_sentence(
    place: Place, tmp_path: Path, facts: Mapping[str, str], options: dict[str, Any], says: str
) -> None:
    source = tmp_path / "image"
    source.write_bytes(bytes(300_000))
    usual = {} if "url" in options else {"src": str(source)}
    usual |= {} if "uri" in options else {"name": "image", "container": place.container}
    modules = Modules(place.folder, {"cloud": "images", "retries": 0})
    with place.store.watch(place.container) as watched:
        process = modules.start("swift_image", **{**usual, **filled(options, facts)})
        assert process.wait() == 1
    message = result_of(process)["msg"]
    assert says in message and "\n" not in message
    assert SECRET.encode() not in process.output and b"Traceback" not in process.output
    assert watched.changing == []


@pytest.mark.parametrize("login", ["a name", "a dict"])
def test_public_values_are_shown_if_options_have_wrong_types(
    place: Place, facts: Mapping[str, str], login: str
) -> None:
    """The cloud, the project and the option have the same name."""
    options: dict[str, Any] = {"cloud": "images"} if login == "a name" else {"auth": filled(AUTH, facts)}
    refused = Modules(place.folder, {}).try_to("swift_images", images={"a": 1}, container=place.container, **options)
    assert refused["msg"].startswith("argument 'images' is of type dict")


def test_a_short_secret_does_not_hide_other_text(place: Place, facts: Mapping[str, str]) -> None:
    auth = {**filled(AUTH, facts), "password": "e"}
    refused = Modules(place.folder, {}).try_to("swift_image_info", auth=auth, container=place.container)
    assert refused["msg"].startswith("The identity service refused the credentials: check user, password")
