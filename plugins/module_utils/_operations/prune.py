# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Exceptions from pruning: images that the catalogue lacks, but that kept images need or may need.

A listing is not proof. It may lack a manifest whose segments it shows. It does not show whether a name is an image, a
segment or a link.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from .._model.headers import last_modified_of, listing_time, recorded_size_of
from .._model.image import Image, ManifestKind, Path
from .._model.location import Location
from .._model.owners import numbered_base
from .._storage.image_object import ImageObject
from .._storage.manifest import read_summary
from .._storage.manifest_index import manifest_index
from .._storage.segments import shorten
from .._swift.client import SwiftClient

# Swift follows two links by default. Readers can't follow a chain that is longer than this.
_MAX_LINKS = 10


@dataclass(frozen=True)
class PruneScope:
    """The images that may be pruned if the catalogue lacks them.

    :param include: shell-style patterns, one of which a name must match
    :param exclude: patterns that a name must not match
    :param min_age: the minimum number of seconds since the last change of an image, by Swift's clock
    """

    include: Collection[str] = ("*",)
    exclude: Collection[str] = ()
    min_age: int = 0

    def has(self, name: str) -> bool:
        """Return whether an image of that name may be pruned."""
        return _matches(name, self.include) and not _matches(name, self.exclude)

    def reason_to_keep(self, last_modified: str | None, now: float) -> str | None:
        """Return why an object is too young to be pruned; None if it is old enough.

        :param last_modified: as ISO 8601 in UTC; None if it is unknown
        :param now: seconds since the epoch, by Swift's clock
        """
        if last_modified is None:
            return "Swift does not report when it was changed"
        is_young = now - listing_time(last_modified) < self.min_age
        return f"it was changed at {last_modified}" if is_young else None


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


@dataclass(frozen=True)
class KeptImages:
    """The objects that the kept images of a catalogue need.

    :param names: the kept images' containers and names
    :param segments: objects that a manifest refers to, each with the image's name
    :param prefixes: containers and prefixes of DLOs, each with the image's name
    :param targets: objects that symlinks lead to, each with the link's name
    """

    names: Collection[Path] = ()
    segments: Mapping[Path, str] = field(default_factory=dict)
    prefixes: Mapping[Path, str] = field(default_factory=dict)
    targets: Mapping[Path, str] = field(default_factory=dict)

    def needs(self, path: Path) -> bool:
        """Return whether an object is a kept image or a segment of one, or is read with one, or is a link's target."""
        container, name = path
        is_read = any(place == container and name.startswith(prefix) for place, prefix in self.prefixes)
        return path in self.names or path in self.segments or path in self.targets or is_read

    def certain_reason(self, path: Path) -> str | None:
        """Return why a kept image needs an object; None if none does."""
        if path in self.targets:
            return f"the symlink {self.targets[path]!r}, which the catalogue keeps, points to it"
        if path in self.segments:
            return f"{self.segments[path]!r}, which the catalogue keeps, has it as a segment"
        return None

    def possible_reason(self, path: Path, listed: Collection[Path]) -> str | None:
        """Return why an object may be a segment of another image; None if nothing suggests that.

        :param listed: containers and names of all images that the listing shows
        """
        container, name = path
        for (place, prefix), image in self.prefixes.items():
            if place == container and name.startswith(prefix):
                return f"Swift reads it as a part of {image!r}, which the catalogue keeps"
        base = numbered_base(name)
        if base is not None and (container, base) in self.names:
            return f"it is named like a segment of {base!r}, which the catalogue keeps"
        if base is not None and (container, base) not in listed:
            return f"it is named like a segment of {base!r}, which the listing does not show"
        return None


def read_kept(client: SwiftClient, images: Iterable[tuple[Location, Image]], paths: Iterable[Path]) -> KeptImages:
    """Find the objects that the kept images of a catalogue need.

    :param images: as they were read by name
    :param paths: of all images that must be present; some may have failed
    """
    names = set(paths)
    segments: dict[Path, str] = {}
    prefixes: dict[Path, str] = {}
    targets: dict[Path, str] = {}
    for location, image in images:
        targets.update(dict.fromkeys(_targets_of(client, image), location.name))
        if image.kind is ManifestKind.DLO and image.segment_prefix is not None:
            prefixes[str(image.segment_container), image.segment_prefix] = location.name
        elif image.kind is ManifestKind.SLO:
            references = manifest_index(client, location.container).read_slo(client, location.name, image)
            segments.update(dict.fromkeys(references.paths, location.name))
    return KeptImages(names, segments, prefixes, targets)


def _targets_of(client: SwiftClient, image: Image) -> Iterator[Path]:
    """Yield the objects that a symlink leads to, from one link to the next."""
    for _link in range(_MAX_LINKS):
        if image.symlink is None or image.symlink.account is not None:
            return
        location = Location(image.symlink.container, image.symlink.name, image.symlink.container)
        yield location.path
        target = read_summary(ImageObject(client, location))
        if target is None:
            return
        image = target


def reason_to_keep(
    client: SwiftClient, kept: KeptImages, listed: Collection[Path], scope: PruneScope, location: Location
) -> str | None:
    """Return why an image in a scope is not pruned; None if it is.

    :param listed: containers and names of all images that the listing shows
    """
    if scope.min_age:
        # A symlink's own time counts, and not its target's.
        own = ImageObject(client, location).head_itself()
        reason = None if own is None else scope.reason_to_keep(last_modified_of(own), client.now())
        if reason:
            return reason
    certain = kept.certain_reason(location.path)
    # The container of a single image has no segments of other images.
    possible = None if location.alone else kept.possible_reason(location.path, listed)
    possible = possible or _reason_of_unknown(client, location)
    if certain or not possible:
        return certain
    headers = client.head_object(*location.path, manifest=True)
    return None if headers and recorded_size_of(headers) is not None else possible


def _reason_of_unknown(client: SwiftClient, location: Location) -> str | None:
    """Return why an object stays that a manifest may name which the store does not return; None if there is none."""
    unknown = [] if location.alone else manifest_index(client, location.container).unknown()
    if not unknown or location.name in unknown:
        return None
    return f"it may be a segment of {shorten(unknown)}, whose manifests this store (Ceph RGW) does not return"
