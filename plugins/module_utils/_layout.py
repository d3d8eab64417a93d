# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How an image of some size is laid into Swift: its kind and where it is cut.

Pure: knows neither Ansible nor the network. What the cluster allows comes from its ``/info``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ._errors import OptionError
from ._image import ManifestKind, Piece
from ._location import MAX_OBJECT_NAME_LENGTH, Location
from ._segment_names import longest_segment_name

# Swift's own defaults, for a cluster whose /info is silent: swift.conf [swift-constraints], SLO middleware.
_MAX_FILE_SIZE = 5 * 1024**3 + 2
_MAX_MANIFEST_SEGMENTS = 1000
_MIN_SEGMENT_SIZE = 1


@dataclass(frozen=True)
class Layout:
    """An image's kind, and the pieces that become its segments (a plain image is one piece).

    :param segment_size: of every piece but the last, in bytes
    """

    kind: ManifestKind
    pieces: tuple[Piece, ...]
    segment_size: int


def lay_out(
    location: Location,
    size: int,
    manifest: str,
    large_object_size: int,
    segment_size: int,
    capabilities: Mapping[str, Any],
) -> Layout:
    """Choose kind and pieces for an image of *size* bytes.

    :param manifest: ``auto``, ``slo`` or ``dlo``
    :param large_object_size: above this many bytes the image is cut
    :param segment_size: in bytes; an SLO of too many segments gets larger ones
    :param capabilities: the cluster's ``/info``
    :raises OptionError: the cluster can't take it
    """
    limits = capabilities.get("swift", {})
    max_file_size = int(limits.get("max_file_size", _MAX_FILE_SIZE))
    if size <= large_object_size:
        _check_object_size("large_object_size", size, max_file_size)
        return Layout(ManifestKind.NONE, (Piece(0, size),), size)
    _check_segment_names(location, int(limits.get("max_object_name_length", MAX_OBJECT_NAME_LENGTH)))
    kind = _large_kind(manifest, capabilities)
    if kind is ManifestKind.SLO:
        segment_size = _slo_segment_size(size, segment_size, capabilities.get("slo", {}))
    _check_object_size("segment_size", min(segment_size, size), max_file_size)
    return Layout(kind, cut(size, segment_size), segment_size)


def cut(size: int, segment_size: int) -> tuple[Piece, ...]:
    """Pieces of *segment_size* bytes, the last one shorter; none is empty."""
    return tuple(Piece(offset, min(segment_size, size - offset)) for offset in range(0, size, segment_size))


def _large_kind(manifest: str, capabilities: Mapping[str, Any]) -> ManifestKind:
    if manifest == "auto":
        return ManifestKind.SLO if "slo" in capabilities else ManifestKind.DLO
    # Ceph RGW has dynamic large objects and does not say so.
    if manifest == "slo" and capabilities and "slo" not in capabilities:
        raise OptionError("manifest is slo, which this cluster does not offer: choose auto.")
    return ManifestKind(manifest)


def _slo_segment_size(size: int, segment_size: int, limits: Mapping[str, Any]) -> int:
    most = int(limits.get("max_manifest_segments", _MAX_MANIFEST_SEGMENTS))
    least = int(limits.get("min_segment_size", _MIN_SEGMENT_SIZE))
    if segment_size < least:
        raise OptionError(f"segment_size is {segment_size} and this cluster takes no segment below {least} bytes.")
    return max(segment_size, -(-size // most))


def _check_object_size(option: str, size: int, most: int) -> None:
    if size > most:
        raise OptionError(
            f"{option} makes an object of {size} bytes and this cluster takes {most} at most: choose a smaller one."
        )


def _check_segment_names(location: Location, most: int) -> None:
    longest = longest_segment_name(location)
    if longest > most:
        raise OptionError(
            f"name is so long that its segments' names have {longest} bytes and Swift takes {most} at most: "
            "choose a shorter name."
        )
