# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The segments that an upload sends, reuses or copies, chosen without a server."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._errors import ConflictError
from ansible_collections.imagestore.swift.plugins.module_utils._model.image import ManifestKind, Segment
from ansible_collections.imagestore.swift.plugins.module_utils._transfer.segment_upload import Action, StoredSegments

SLO, DLO = ManifestKind.SLO, ManifestKind.DLO
NEW = Segment("glance", "new-1", 5, "e1")
SAME = Segment("glance", "old-1", 5, "e1")
OTHER = Segment("glance", "old-1", 5, "e2")
DAMAGED = replace(NEW, etag="e2")
SHORT = replace(NEW, size=4)


@pytest.mark.parametrize(
    ("stored", "kind", "number", "action"),
    [
        # Nothing is in the store.
        (StoredSegments(), SLO, 1, Action.SEND),
        (StoredSegments(), DLO, 1, Action.SEND),
        # An interrupted upload, or for an SLO the current image, stored the same bytes under the same name.
        (StoredSegments(listed=[NEW]), SLO, 1, Action.REUSE),
        (StoredSegments(listed=[NEW]), DLO, 1, Action.REUSE),
        # The segment of that name has other bytes than the name says.
        (StoredSegments(listed=[DAMAGED]), SLO, 1, Action.SEND),
        (StoredSegments(listed=[SHORT]), SLO, 1, Action.SEND),
        # The current image has the same bytes under another name.
        (StoredSegments(current=[SAME]), DLO, 1, Action.COPY),
        (StoredSegments(current=[SAME]), SLO, 1, Action.SEND),
        # The same bytes are at another place in the current image.
        (StoredSegments(current=[SAME]), DLO, 2, Action.SEND),
        (StoredSegments(current=[OTHER]), DLO, 1, Action.SEND),
        # Both the segment of that name and the current image have the bytes.
        (StoredSegments(listed=[NEW], current=[SAME]), DLO, 1, Action.REUSE),
    ],
)
def test_a_segment_is_sent_reused_or_copied(
    stored: StoredSegments, kind: ManifestKind, number: int, action: Action
) -> None:
    assert stored.decide(kind, number, NEW) is action


@pytest.mark.parametrize("other", [DAMAGED, SHORT])
def test_a_dlo_segment_is_never_overwritten(other: Segment) -> None:
    with pytest.raises(ConflictError, match="writes other content to glance/new-1: run again"):
        StoredSegments(listed=[other]).decide(DLO, 1, NEW)
