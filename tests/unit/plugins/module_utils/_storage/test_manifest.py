# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Static large objects of a store that does not return their manifests, or returns them in another form.

The functional tests on Ceph RGW compare the answers here with those of a real one, up to release 20. A newer release
may return entries as they were stored, which only this fake does today.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._model.image import (
    Image,
    ManifestKind,
    large_object_etag,
)
from ansible_collections.imagestore.swift.plugins.module_utils._model.location import locate
from ansible_collections.imagestore.swift.plugins.module_utils._storage.image_object import ImageObject
from ansible_collections.imagestore.swift.plugins.module_utils._storage.manifest import (
    read_image,
    read_segments,
)
from ansible_collections.imagestore.swift.plugins.module_utils._swift.client import SwiftClient
from ansible_collections.imagestore.swift.plugins.module_utils._swift.session import SwiftSession

HERE = locate("c", "img")
ETAGS = ("a" * 32, "b" * 32)


@dataclass
class Gateway:
    """A store whose ``/info`` is Ceph RGW's.

    :param manifest: the content that it returns for the manifest of an SLO
    :param listings: names and ETags of objects of five bytes, by container
    :param slo: its limits of static large objects
    """

    manifest: Any = None
    listings: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    slo: dict[str, int] = field(default_factory=lambda: {"max_manifest_segments": 1000})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    gateway: Gateway

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        parts = unquote(url.path).split("/", 4)
        if url.path.endswith("/info"):
            self._send(json.dumps({"swift": {}, "slo": self.gateway.slo}))
        elif "multipart-manifest" in query:
            self._send("" if self.gateway.manifest is None else json.dumps(self.gateway.manifest))
        else:
            entries = [] if "marker" in query else self.gateway.listings.get(parts[3], [])
            begin = query.get("prefix", [""])[0]
            self._send(json.dumps([_entry(*entry) for entry in entries if entry[0].startswith(begin)]))

    def do_HEAD(self) -> None:
        """Show the manifest itself, and no image: segments are missing, or a disk can't be reached for a moment."""
        is_manifest = "multipart-manifest" in self.path
        self.send_response(200 if is_manifest else 404)
        self.send_header("X-Trans-Id", "tx")
        self.send_header("Content-Length", "0")
        self.send_header("X-Object-Meta-Static-Large-Object", "True")
        self.end_headers()

    def _send(self, body: str) -> None:
        self.send_response(200)
        self.send_header("X-Trans-Id", "tx")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())


def _entry(name: str, etag: str) -> dict[str, Any]:
    return {"name": name, "hash": etag, "bytes": 5, "last_modified": "2026-11-29T17:37:45.141Z"}


@pytest.fixture(name="gateway")
def _gateway() -> Gateway:
    return Gateway()


@pytest.fixture(name="target")
def _target(
    gateway: Gateway, serve: Callable[..., ThreadingHTTPServer], session_for: Callable[..., SwiftSession]
) -> ImageObject:
    url = f"http://127.0.0.1:{serve(_Handler, gateway=gateway).server_port}/v1/AUTH_x"
    return ImageObject(SwiftClient(session_for(url), 0), HERE)


def slo(**facts: Any) -> Image:
    return Image(ManifestKind.SLO, 10, large_object_etag(ETAGS), **facts)


def names(image: Image) -> list[str]:
    return [f"{segment.container}/{segment.name}" for segment in image.segments]


def test_segments_of_an_unreturned_manifest_are_hidden(target: ImageObject) -> None:
    image = read_segments(target, slo(segment_count=2))
    assert image.hides_segments
    assert (image.segments, image.segment_count) == ((), 2)
    assert target.client.capabilities.hides_manifests


@pytest.mark.parametrize("keys", [("name", "hash", "bytes"), ("path", "etag", "size_bytes")])
def test_a_returned_manifest_updates_the_capabilities(
    target: ImageObject, gateway: Gateway, keys: tuple[str, str, str]
) -> None:
    gateway.manifest = [dict(zip(keys, (f"/c/s{number}", etag, 5))) for number, etag in enumerate(ETAGS)]
    assert target.client.capabilities.hides_manifests
    image = read_segments(target, slo())
    assert names(image) == ["c/s0", "c/s1"]
    assert not image.hides_segments
    # From then on, static large objects can be used, but still not in each other.
    assert target.client.capabilities.tells_manifests
    assert not target.client.capabilities.nests_manifests
    assert target.client.counting_anew().capabilities.tells_manifests


def test_a_temporary_404_is_not_a_broken_image_on_swift(target: ImageObject, gateway: Gateway) -> None:
    gateway.slo = {"max_manifest_segments": 1000, "min_segment_size": 1}
    gateway.manifest = [{"name": f"/c/s{number}", "hash": etag, "bytes": 5} for number, etag in enumerate(ETAGS)]
    image = read_image(target)
    assert image is not None and image.is_readable and not image.hides_segments
    assert names(image) == ["c/s0", "c/s1"]


def test_a_404_is_a_broken_image_on_ceph_rgw(target: ImageObject) -> None:
    image = read_image(target)
    assert image is not None and not image.is_readable and image.hides_segments
    assert "are missing" in image.problems[-1]


CLI = "img/slo/1795973856.607119/10/5"
FIRST, SECOND = ETAGS


@pytest.mark.parametrize(
    ("listings", "found"),
    [
        # These are segments of the swift CLI, and of openstacksdk.
        (
            {"c_segments": [(f"{CLI}/00000000", FIRST), (f"{CLI}/00000001", SECOND)]},
            [f"c_segments/{CLI}/00000000", f"c_segments/{CLI}/00000001"],
        ),
        ({"c": [("img/000000", FIRST), ("img/000001", SECOND)]}, ["c/img/000000", "c/img/000001"]),
        # The ETag proves no segments in another order, one too few or too many, or with other names.
        ({"c": [("img/000000", SECOND), ("img/000001", FIRST)]}, []),
        ({"c": [("img/000000", FIRST)]}, []),
        ({"c": [("img/000000", FIRST), ("img/000001", SECOND), ("img/000002", SECOND)]}, []),
        ({"c": [("img/a", FIRST), ("img/b", SECOND)]}, []),
        # The segments of an older upload are beside them.
        (
            {"c_segments": [(f"{CLI}0/00000000", SECOND), (f"{CLI}/00000000", FIRST), (f"{CLI}/00000001", SECOND)]},
            [f"c_segments/{CLI}/00000000", f"c_segments/{CLI}/00000001"],
        ),
        # These segments are in an unrelated container.
        ({"vault": [("img/000000", FIRST), ("img/000001", SECOND)]}, []),
    ],
)
def test_segments_are_proven_by_their_names_and_the_etag(
    target: ImageObject, gateway: Gateway, listings: dict[str, list[tuple[str, str]]], found: list[str]
) -> None:
    gateway.listings = listings
    image = read_segments(target, slo())
    assert names(image) == found
    # It is still unknown whether the manifest names other objects.
    assert image.hides_segments


def test_segments_of_our_own_slo_are_not_guessed(target: ImageObject, gateway: Gateway) -> None:
    gateway.listings = {"c": [("img/000000", FIRST), ("img/000001", SECOND)]}
    noted = {"x-object-meta-image-segments": "2"}
    assert names(read_segments(target, slo(kept_headers=noted))) == []
    # That the size is recorded, as an expiry has it recorded, does not make them ours.
    assert names(read_segments(target, slo(recorded_size=10))) == ["c/img/000000", "c/img/000001"]


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        ({"kept_headers": {"x-object-meta-mtime": "1795973856.607119"}}, [f"c_segments/{CLI}/00000000"]),
        # Segments are missing, so Ceph RGW returns no size.
        ({"kept_headers": {"x-object-meta-mtime": "1795973856.607119"}, "size": 0}, [f"c_segments/{CLI}/00000000"]),
        ({"kept_headers": {"x-object-meta-mtime": "1795973856.607110"}}, []),
        ({"kept_headers": {"x-object-meta-mtime": "1795973856.607119"}, "size": 11}, []),
        ({}, []),
    ],
)
def test_the_mtime_proves_the_remaining_segments_of_a_swift_cli_slo(
    target: ImageObject, gateway: Gateway, facts: dict[str, Any], found: list[str]
) -> None:
    gateway.listings = {"c_segments": [(f"{CLI}/00000000", FIRST)]}
    assert names(read_segments(target, replace(slo(), **facts))) == found
