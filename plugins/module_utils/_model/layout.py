# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The layout of an image in Swift: its kind, and where it is cut.

Pure: this module does not use Ansible or the network. The cluster's limits come from its ``/info``.
"""

from __future__ import annotations

from dataclasses import dataclass

from .._errors import OptionError
from .capabilities import Capabilities
from .image import ManifestKind
from .location import Location
from .names import MAX_NUMBER, longest_segment_name

# The maximum of an image, with nested manifests: more would fill the memory of the host that runs a task.
MAX_SEGMENTS = 100_000


@dataclass(frozen=True)
class Layout:
    """The layout of one image.

    :param size: of the image in bytes; None if it is not known yet
    :param segment_size: of every segment but the last, in bytes; a plain image is not cut
    :param max_entries: how many segments one manifest may refer to
    :param max_segments: how many segments the image may have, in nested manifests if needed
    """

    kind: ManifestKind
    size: int | None
    segment_size: int
    max_entries: int = 1
    max_segments: int = 1


def lay_out(
    location: Location,
    size: int | None,
    manifest: str,
    large_object_size: int,
    segment_size: int,
    capabilities: Capabilities,
) -> Layout:
    """Choose the kind and the segment size for an image of *size* bytes.

    :param size: None for a stream, of which only is known that it is larger than *large_object_size*
    :param manifest: ``auto``, ``slo`` or ``dlo``
    :param large_object_size: above this many bytes the image is cut
    :param segment_size: in bytes; an SLO of too many segments gets larger ones
    :raises OptionError: the cluster can't store the image
    """
    max_file_size = capabilities.max_file_size
    if size is not None and size <= large_object_size:
        _check_object_size("large_object_size", size, max_file_size)
        return Layout(ManifestKind.NONE, size, size)
    _check_segment_names(location, capabilities.max_object_name_length)
    kind = _large_kind(manifest, capabilities)
    most = MAX_NUMBER
    max_segments = most
    if kind is ManifestKind.SLO:
        most = capabilities.max_manifest_segments
        max_segments = min(most * most, MAX_SEGMENTS) if capabilities.nests_manifests else most
        segment_size = _slo_segment_size(size, segment_size, capabilities)
    _check_object_size("segment_size", segment_size if size is None else min(segment_size, size), max_file_size)
    return Layout(kind, size, segment_size, most, max_segments)


def _large_kind(manifest: str, capabilities: Capabilities) -> ManifestKind:
    if manifest == "auto":
        return ManifestKind.SLO if capabilities.tells_manifests else ManifestKind.DLO
    if manifest == "slo" and capabilities.hides_manifests:
        raise OptionError(
            "manifest is slo, but this store (Ceph RGW) does not return such manifests. A later run could not tell "
            "which segments an image needs: set manifest to dlo."
        )
    if manifest == "slo" and capabilities.is_known and not capabilities.has_slo:
        raise OptionError("manifest is slo, which this cluster does not support: set manifest to auto.")
    return ManifestKind(manifest)


def _slo_segment_size(size: int | None, segment_size: int, capabilities: Capabilities) -> int:
    least = capabilities.min_segment_size
    if segment_size < least:
        raise OptionError(f"segment_size is {segment_size}, but must be at least {least} bytes on this cluster.")
    return segment_size if size is None else max(segment_size, -(-size // capabilities.max_manifest_segments))


def _check_object_size(option: str, size: int, most: int) -> None:
    if size > most:
        raise OptionError(
            f"{option} makes an object of {size} bytes, but this cluster allows at most {most}: choose a smaller "
            f"{option}."
        )


def _check_segment_names(location: Location, most: int) -> None:
    longest = longest_segment_name(location)
    if longest > most:
        raise OptionError(
            f"The names of the image's segments would have {longest} bytes, but Swift allows at most {most}: choose a "
            "shorter name."
        )
