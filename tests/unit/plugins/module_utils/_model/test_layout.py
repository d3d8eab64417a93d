# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kinds and cuts."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._errors import OptionError
from ansible_collections.imagestore.swift.plugins.module_utils._model.image import ManifestKind
from ansible_collections.imagestore.swift.plugins.module_utils._model.layout import lay_out
from ansible_collections.imagestore.swift.plugins.module_utils._model.location import locate

INFO: dict[str, Any] = {"slo": {"max_manifest_segments": 10, "min_segment_size": 2}, "dlo": {}, "swift": {}}
HERE = locate("glance", "a")


@pytest.mark.parametrize(
    ("size", "manifest", "info", "kind"),
    [
        (0, "auto", INFO, ManifestKind.NONE),
        (100, "auto", INFO, ManifestKind.NONE),
        (101, "auto", INFO, ManifestKind.SLO),
        (101, "auto", {"dlo": {}}, ManifestKind.DLO),
        (101, "auto", {}, ManifestKind.DLO),
        (101, "dlo", INFO, ManifestKind.DLO),
        (101, "slo", {}, ManifestKind.SLO),
        (100, "slo", INFO, ManifestKind.NONE),
    ],
)
def test_kind(size: int, manifest: str, info: dict[str, Any], kind: ManifestKind) -> None:
    assert lay_out(HERE, size, manifest, 100, 50, info).kind is kind


def test_an_slo_of_too_many_segments_gets_larger_ones() -> None:
    assert lay_out(HERE, 101, "slo", 5, 5, INFO).segment_size == 11


def test_a_dlo_has_as_many_segments_as_it_takes() -> None:
    assert lay_out(HERE, 101, "dlo", 5, 5, INFO).segment_size == 5


def test_a_stream_of_unknown_size_may_need_manifests_of_manifests() -> None:
    layout = lay_out(HERE, None, "auto", 5, 5, INFO)
    assert (layout.kind, layout.segment_size) == (ManifestKind.SLO, 5)
    assert (layout.max_entries, layout.max_segments) == (10, 100)
    # Ceph RGW, which reads them back wrong, has no min_segment_size.
    assert lay_out(HERE, None, "auto", 5, 5, {"slo": {"max_manifest_segments": 10}}).max_segments == 10


@pytest.mark.parametrize(
    ("size", "manifest", "large", "segment", "info", "sentence"),
    [
        (101, "slo", 5, 5, {"dlo": {}}, "manifest is slo, which this cluster does not offer"),
        (101, "slo", 1, 1, INFO, "takes no segment below 2 bytes"),
        (101, "slo", 200, 5, {"swift": {"max_file_size": 50}}, "large_object_size makes an object of 101 bytes"),
        (101, "dlo", 5, 60, {"swift": {"max_file_size": 50}}, "segment_size makes an object of 60 bytes"),
    ],
)
def test_what_the_cluster_refuses_is_refused_before(
    size: int, manifest: str, large: int, segment: int, info: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(OptionError, match=sentence):
        lay_out(HERE, size, manifest, large, segment, info)


def test_a_name_that_leaves_no_room_for_segments_names() -> None:
    long = locate("glance", "a" * 1000)
    assert lay_out(long, 5, "auto", 5, 5, INFO).kind is ManifestKind.NONE
    with pytest.raises(OptionError, match="choose a shorter name"):
        lay_out(long, 6, "auto", 5, 5, INFO)
