# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs of swift_images, each with its prediction and its second run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.imagestore.swift.tests.support.modules import Result
from ansible_collections.imagestore.swift.tests.support.writers import Place

Images = Sequence[Mapping[str, Any]]

UNCHANGED = {"unchanged"}


def actions(result: Result, key: str = "images") -> list[tuple[str, str]]:
    """Return the name and the action of each image."""
    return [(image["name"], image["action"]) for image in result[key]]


def change(place: Place, images: Images, **options: Any) -> Result:
    """Run swift_images, which has to change what check mode predicts, and nothing in a second run."""
    with place.store.watch(place.container) as watched:
        predicted = place.modules.predict("swift_images", images=images, **options)
    assert predicted.changed
    assert watched.changing == []
    done = place.modules("swift_images", images=images, **options)
    assert done.changed
    assert done["diff"] == predicted["diff"]
    assert done["summary"] == predicted["summary"]
    keep(place, images, **options)
    return done


def keep(place: Place, images: Images, **options: Any) -> Result:
    """Run swift_images, which has to change nothing, and to send no request that could."""
    with place.store.watch(place.container) as watched:
        result = place.modules("swift_images", images=images, **options)
    assert not result.changed
    assert {action for _name, action in actions(result)} <= UNCHANGED
    assert watched.changing == []
    return result
