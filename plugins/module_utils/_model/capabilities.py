# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster's features and limits, from its ``/info``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

# The minimum and maximum length of a container's name on Ceph RGW.
_RGW_NAME_BYTES = (3, 255)


@dataclass(frozen=True)
class Capabilities:
    """A cluster's features and limits.

    The defaults are Swift's own (swift.conf [swift-constraints], SLO middleware). They apply to a cluster whose
    operators switched ``/info`` off, or restrict it to themselves. All limits are in bytes or counts.

    :param is_known: whether the cluster answered
    :param has_slo: whether it says that it has static large objects; all clusters have dynamic ones
    :param tells_manifests: whether it returns the manifest of an SLO. Ceph RGW does not, up to release 20 at least. Its
        ``/info`` lacks min_segment_size, which shows this before an SLO was read.
    :param nests_manifests: whether an SLO may refer to SLOs; Ceph RGW returns wrong content of nested SLOs
    :param max_deletes_per_request: of the bulk middleware; 0 if the cluster does not have it
    :param policies: names of its storage policies
    """

    is_known: bool = False
    has_slo: bool = False
    tells_manifests: bool = False
    nests_manifests: bool = False
    max_manifest_segments: int = 1000
    min_segment_size: int = 1
    max_file_size: int = 5 * 1024**3 + 2
    max_header_size: int = 8192
    max_meta_count: int = 90
    max_meta_name_length: int = 128
    max_meta_overall_size: int = 4096
    max_meta_value_length: int = 256
    max_object_name_length: int = 1024
    max_deletes_per_request: int = 0
    policies: tuple[str, ...] = ()

    @property
    def is_rgw(self) -> bool:
        """True if the store is a Ceph RGW, by the entry for static large objects in its ``/info``."""
        return self.has_slo and not self.nests_manifests

    def can_not_name(self, container: str) -> bool:
        """Return whether no container of the store can have this name."""
        shortest, longest = _RGW_NAME_BYTES
        return self.is_rgw and not shortest <= len(container.encode()) <= longest

    @property
    def hides_manifests(self) -> bool:
        """True if the cluster has static large objects and does not return their manifests."""
        return self.has_slo and not self.tells_manifests

    @classmethod
    def from_info(cls, answer: Any) -> Capabilities:
        """Return the capabilities in a parsed answer to ``GET /info``; missing or invalid limits have defaults."""
        info: Mapping[str, Any] = answer if isinstance(answer, Mapping) else {}
        swift, slo, bulk = (_section(info, name) for name in ("swift", "slo", "bulk_delete"))
        limits = {field.name for field in fields(cls) if field.type == "int"}
        told = {**swift, **slo, **bulk}
        return cls(
            is_known=bool(info),
            has_slo="slo" in info,
            tells_manifests="min_segment_size" in slo,
            nests_manifests="min_segment_size" in slo,
            policies=tuple(_policy_names(swift.get("policies"))),
            **{name: told[name] for name in limits if isinstance(told.get(name), int) and told[name] > 0},
        )


def _section(info: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = info.get(name)
    return section if isinstance(section, Mapping) else {}


def _policy_names(policies: Any) -> list[str]:
    entries = policies if isinstance(policies, list) else []
    return [str(entry["name"]) for entry in entries if isinstance(entry, Mapping) and "name" in entry]
