# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The objects to which the manifests in a container refer, so that no other image's segments are deleted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from .._concurrency import WORKERS, parallel_map
from .._errors import ConflictError, ForbiddenError, ImageStoreError, IntegrityError, NotFoundError
from .._model.headers import image_of, kind_of
from .._model.image import Image, ManifestKind, Path
from .._model.location import Location
from .._model.names import is_numbered, parse_manifest_header
from .._model.owners import numbered_base, owner_of
from .._swift.client import SwiftClient
from .containers import list_entries
from .image_object import ImageObject
from .manifest import infer_segments, slo_segments

# Objects, each with the name of an image whose manifest refers to it.
Named = Mapping[Path, str]


@dataclass(frozen=True)
class References:
    """The references of one object.

    :param paths: the segments of an SLO
    :param prefix: the container and prefix of a DLO; None for other objects
    :param targets: the target of a symlink, which is not a segment, but is needed all the same
    :param is_unknown: whether the store does not return the object's manifest (Ceph RGW). *paths* are then those that
        names and ETags prove.
    :param is_own: whether this collection recorded that the manifest names its own segments
    """

    paths: frozenset[Path] = frozenset()
    prefix: Path | None = None
    targets: frozenset[Path] = frozenset()
    is_unknown: bool = False
    is_own: bool = False

    def among(self, paths: Collection[Path], name: str) -> Iterator[Path]:
        """Yield those of *paths* to which the object refers.

        A segment ``a-b-00001`` of an image ``a-b`` does not count for a DLO with the prefix ``a-``, although Swift
        reads it with that.

        :param name: of the image that the paths may belong to
        """
        yield from (self.paths | self.targets).intersection(paths)
        if self.prefix is None:
            return
        container, prefix = self.prefix
        for path in paths:
            is_under = path[0] == container and path[1].startswith(prefix)
            is_meant = prefix.endswith("/") or is_numbered(prefix, path[1]) or numbered_base(path[1]) != name
            if is_under and is_meant:
                yield path


class ManifestIndex:
    """The manifests in one container.

    Each is read once in a task, and again only if the listing shows a change. A DLO's manifest may have bytes of its
    own, so that only a HEAD tells it from a plain object. Objects that have bytes and a segment's name are not
    requested. Ceph RGW does not return the manifests of SLOs, so their references are unknown.
    """

    def __init__(self, container: str) -> None:
        self._container = container
        self._lock = threading.Lock()
        # By name, each with the state in which it is valid: for an SLO, the MD5 of its manifest.
        self._known: dict[str, tuple[object, References]] = {}
        self._deleted: set[str] = set()

    def forget(self, name: str) -> None:
        """Count an image as deleted: a listing may still show it, and in check mode does."""
        self._deleted.add(name)

    def find(
        self,
        client: SwiftClient,
        paths: Collection[Path],
        name: str,
        on_unreadable: Callable[[str, ImageStoreError], None] | None = None,
    ) -> Named:
        """Return those of *paths* to which manifests of other images than *name* refer.

        :param on_unreadable: called with the name of an object that can't be read, and the error. If it is None, the
            error is raised, and a manifest that the cluster does not return has no references.
        """

        def read(entry: Mapping[str, Any]) -> tuple[str, References]:
            try:
                references = self.read(client, entry)
                if references.is_unknown and on_unreadable is not None:
                    on_unreadable(entry["name"], HiddenManifestError(self._container, entry["name"], references.is_own))
                return entry["name"], references
            except (ConflictError, ForbiddenError, IntegrityError) as error:
                if on_unreadable is None:
                    raise
                on_unreadable(entry["name"], error)
                return entry["name"], References()

        others = (
            entry
            for entry in list_entries(client, self._container, "", with_folders=True)
            if entry["name"] not in (name, *self._deleted) and (self._container, entry["name"]) not in paths
        )
        found: dict[Path, str] = {}
        for other, references in parallel_map(read, others, WORKERS):
            found.update(dict.fromkeys(references.among(paths, name), other))
        return found

    def read(self, client: SwiftClient, entry: Mapping[str, Any]) -> References:
        """Return the references of a listed object.

        :raises IntegrityError: its manifest can't be read, or names too many segments
        """
        name = entry["name"]
        if "symlink_path" in entry:
            # The listing does not show a change of the target, so the link is read once.
            return self._read_once(name, "symlink", lambda: _through_link(client, (self._container, name), entry))
        if "slo_etag" in entry:
            return self._read_once(name, entry.get("hash"), lambda: _of_slo(client, (self._container, name)))
        if entry["bytes"] and owner_of(self._container, name, entry.get("content_type", "")):
            # An object with a segment's name and with bytes is a segment: no client's manifest has both.
            return References()
        state = tuple(entry.get(key) for key in ("hash", "last_modified", "bytes"))
        return self._read_once(name, state, lambda: _of_headers(client, (self._container, name)))

    def read_by_name(self, client: SwiftClient, name: str) -> References:
        """Return the references of an object that may have a segment's name, or may be missing in the listing."""
        return _of_headers(client, (self._container, name))

    def read_slo(self, client: SwiftClient, name: str, image: Image) -> References:
        """Return the references of an SLO that was requested by its name.

        :param image: as a HEAD describes it, or with its segments. Another object may have replaced it since.
        """
        if image.segments:
            paths = frozenset(found.path for found in image.objects)
            references = References(paths, is_unknown=image.hides_segments, is_own=image.records_segments)
            return self._read_once(name, image.manifest_etag, lambda: references)
        state = image.manifest_etag or image.etag
        return self._read_once(name, state, lambda: _of_former_slo(client, (self._container, name)))

    def unknown(self) -> list[str]:
        """Return the names of the manifests, as far as they were read, of which it is not known what they name."""
        with self._lock:
            known = list(self._known.items())
        return sorted(
            name for name, (_state, found) in known if found.is_unknown and not found.is_own and not found.paths
        )

    def _read_once(self, name: str, state: object, request: Callable[[], References]) -> References:
        known = self._known.get(name)
        if known is None or state is None or known[0] != state:
            known = state, request()
            with self._lock:
                self._known[name] = known
        return known[1]


def _of_slo(client: SwiftClient, path: Path) -> References:
    try:
        segments = slo_segments(client, *path)
    except NotFoundError:
        # The object was deleted after the listing.
        return References()
    if segments is None:
        return _of_hidden(client, path)
    return References(paths=frozenset(found.path for segment in segments for found in segment.objects()))


def _of_former_slo(client: SwiftClient, path: Path) -> References:
    """Return the references of an SLO, or of the object that has replaced it."""
    try:
        return _of_slo(client, path)
    except IntegrityError:
        if kind_of(client.head_object(*path, manifest=True) or {}) is ManifestKind.SLO:
            raise
        return _of_headers(client, path)


def _of_hidden(client: SwiftClient, path: Path) -> References:
    """Return what names and ETags tell of an SLO whose manifest the store does not return."""
    target = ImageObject(client, Location(*path, path[0]))
    headers = target.head() or target.head_itself()
    if headers is None:
        return References()
    image = image_of(headers)
    found = infer_segments(target, image)
    return References(frozenset(segment.path for segment in found), is_unknown=True, is_own=image.records_segments)


class HiddenManifestError(IntegrityError):
    """The store does not return the manifest of a static large object, as Ceph RGW does not.

    :param is_own: whether it is recorded that the manifest names this collection's own segments
    """

    def __init__(self, container: str, name: str, is_own: bool) -> None:
        super().__init__(f"this store (Ceph RGW) does not return the manifest of {container}/{name}")
        self.is_own = is_own


def _of_headers(client: SwiftClient, path: Path) -> References:
    headers = client.head_object(*path, manifest=True) or {}
    if kind_of(headers) is ManifestKind.SLO or _may_be_hidden_slo(client, path, headers):
        return _of_slo(client, path)
    if "x-object-manifest" not in headers:
        return References()
    return References(prefix=parse_manifest_header(headers["x-object-manifest"]))


def _may_be_hidden_slo(client: SwiftClient, path: Path, headers: Mapping[str, str]) -> bool:
    """Return whether an empty object may be an SLO on Ceph RGW that has lost the note of it."""
    is_empty = headers.get("content-length") == "0" and kind_of(headers) is ManifestKind.NONE
    if not is_empty or not client.capabilities.is_rgw:
        return False
    shown = client.head_object(*path)
    return shown is None or kind_of(shown) is ManifestKind.SLO


def _through_link(client: SwiftClient, path: Path, entry: Mapping[str, Any]) -> References:
    """Return the target of a symlink, and the references of the target: the link's readers need both.

    :param entry: of the listing, which has the target's path
    """
    account, _slash, target = unquote(str(entry["symlink_path"])).removeprefix("/v1/").partition("/")
    container, _slash, name = target.partition("/")
    targets = frozenset({(container, name)}) if account == client.account else frozenset()
    try:
        found = _of_headers(client, path)
    except (ConflictError, ForbiddenError, IntegrityError):
        # The link leads in a circle, to another account, or to an object that can't be read as an image.
        found = References()
    return replace(found, targets=targets)


def manifest_index(client: SwiftClient, container: str) -> ManifestIndex:
    """Return the index of a container, which all images of a task share."""
    return client.remember(f"manifests {container}", lambda: ManifestIndex(container))


def find_named_by_others(target: ImageObject, paths: Collection[Path]) -> Named:
    """Return those of *paths* to which other manifests in the image's container refer, as a copied manifest does."""
    return manifest_index(target.client, target.location.container).find(target.client, paths, target.location.name)
