# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kinds of manifests, and sizes of segments."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._errors import OptionError
from ansible_collections.imagestore.swift.plugins.module_utils._model.capabilities import Capabilities
from ansible_collections.imagestore.swift.plugins.module_utils._model.image import ManifestKind
from ansible_collections.imagestore.swift.plugins.module_utils._model.layout import lay_out
from ansible_collections.imagestore.swift.plugins.module_utils._model.location import locate

SWIFT = Capabilities.from_info({"slo": {"max_manifest_segments": 10, "min_segment_size": 2}})
RGW = Capabilities.from_info({"slo": {"max_manifest_segments": 10}})
ONLY_DLO = Capabilities(is_known=True)
HERE = locate("glance", "a")


@pytest.mark.parametrize(
    ("size", "manifest", "capabilities", "kind"),
    [
        (0, "auto", SWIFT, ManifestKind.NONE),
        (100, "auto", SWIFT, ManifestKind.NONE),
        (101, "auto", SWIFT, ManifestKind.SLO),
        (101, "auto", ONLY_DLO, ManifestKind.DLO),
        (101, "auto", Capabilities(), ManifestKind.DLO),
        (101, "auto", RGW, ManifestKind.DLO),
        # The cluster has returned a manifest.
        (101, "auto", replace(RGW, tells_manifests=True), ManifestKind.SLO),
        (101, "slo", replace(RGW, tells_manifests=True), ManifestKind.SLO),
        (100, "slo", RGW, ManifestKind.NONE),
        (101, "dlo", SWIFT, ManifestKind.DLO),
        (101, "slo", Capabilities(), ManifestKind.SLO),
        (100, "slo", SWIFT, ManifestKind.NONE),
    ],
)
def test_manifest_kind(size: int, manifest: str, capabilities: Capabilities, kind: ManifestKind) -> None:
    assert lay_out(HERE, size, manifest, 100, 50, capabilities).kind is kind


def test_an_slo_with_too_many_segments_gets_larger_segments() -> None:
    assert lay_out(HERE, 101, "slo", 5, 5, SWIFT).segment_size == 11


def test_a_dlo_has_no_segment_limit() -> None:
    assert lay_out(HERE, 101, "dlo", 5, 5, SWIFT).segment_size == 5


def test_a_stream_of_unknown_size_may_need_nested_manifests() -> None:
    layout = lay_out(HERE, None, "auto", 5, 5, SWIFT)
    assert (layout.kind, layout.segment_size) == (ManifestKind.SLO, 5)
    assert (layout.max_entries, layout.max_segments) == (10, 100)
    # Ceph RGW reads manifests of manifests back wrong.
    assert lay_out(HERE, None, "auto", 5, 5, replace(SWIFT, nests_manifests=False)).max_segments == 10


@pytest.mark.parametrize(
    ("size", "manifest", "large", "segment", "capabilities", "sentence"),
    [
        (101, "slo", 5, 5, ONLY_DLO, "manifest is slo, which this cluster does not support"),
        (101, "slo", 5, 5, RGW, "manifest is slo, but this store .Ceph RGW. does not return .*: set manifest to dlo"),
        (101, "slo", 1, 1, SWIFT, "must be at least 2 bytes"),
        (101, "slo", 200, 5, replace(SWIFT, max_file_size=50), "large_object_size makes an object of 101 bytes"),
        (101, "dlo", 5, 60, replace(ONLY_DLO, max_file_size=50), "segment_size makes an object of 60 bytes"),
    ],
)
def test_a_layout_beyond_the_cluster_limits_is_refused(
    size: int, manifest: str, large: int, segment: int, capabilities: Capabilities, sentence: str
) -> None:
    with pytest.raises(OptionError, match=sentence):
        lay_out(HERE, size, manifest, large, segment, capabilities)


def test_a_name_too_long_for_segment_names_is_refused() -> None:
    long = locate("glance", "a" * 1000)
    assert lay_out(long, 5, "auto", 5, 5, SWIFT).kind is ManifestKind.NONE
    with pytest.raises(OptionError, match="choose a shorter name"):
        lay_out(long, 6, "auto", 5, 5, SWIFT)
