# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Catalogues that delete images: with prune, and beside other changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.imagestore.swift.tests.support.catalogues import actions, change, keep
from ansible_collections.imagestore.swift.tests.support.clients import SEGMENT
from ansible_collections.imagestore.swift.tests.support.writers import WRITERS, Place, store_slo


def test_prune_deletes_only_images_missing_from_the_catalogue(place: Place, image: Path, small: list[Path]) -> None:
    place.modules("swift_image", name="kept", src=str(image), segment_size="1MiB")
    place.modules("swift_image", name="leaving", src=str(image), segment_size="1MiB")
    place.modules(
        "swift_image", name="a-dlo", src=str(image), segment_size="1MiB", manifest="dlo", segment_prefix="a-dlo-"
    )
    WRITERS["the swift CLI's SLO"](place, "cli", image)
    WRITERS["openstacksdk's DLO"](place, "sdk", image)
    place.store.do("PUT", place.container, "folder/", headers={"Content-Type": "application/directory"})
    place.store.do("PUT", place.container, "plain", data=b"x")
    images = [
        {"name": "kept", "src": str(image)},
        {"name": "new", "src": str(small[0])},
        {"name": "sdk", "src": str(image)},
    ]
    done = change(place, images, segment_size="1MiB", prune=True)
    assert actions(done, "pruned") == [(name, "pruned") for name in ("a-dlo", "cli", "leaving", "plain")]
    assert done["diff"][0]["after"] == {"added": ["new"], "pruned": ["a-dlo", "cli", "leaving", "plain"]}
    assert place.read("kept") == place.read("sdk") == image.read_bytes()
    left = {path.partition("/")[2].partition("/")[0] for path in place.names()}
    assert left == {"kept", "new", "sdk", "folder", ".segments"}
    assert not any(".segments/leaving" in path or "cli" in path or "a-dlo" in path for path in place.names())


def test_an_empty_catalogue_prunes_only_with_allow_empty(place: Place, small: list[Path]) -> None:
    place.modules("swift_image", name="image", src=str(small[0]))
    kept = keep(place, [], prune=True)
    assert "allow_empty" in kept.warned
    assert place.read("image") is not None
    change(place, [], prune=True, allow_empty=True)
    assert place.names() == []


def test_multi_tenant_containers_are_created_and_pruned(place: Place, small: list[Path]) -> None:
    images = [{"name": f"image-{number}", "src": str(path)} for number, path in enumerate(small[:3])]
    own = {"multi_tenant": True, "create_container": True, "prune": True}
    change(place, images, **own)
    assert len(place.store.containers(f"{place.container}_")) == 3
    done = change(place, images[:2], **own)
    assert actions(done, "pruned") == [("image-2", "pruned")]
    assert len(place.store.containers(f"{place.container}_")) == 2


def test_prune_respects_patterns_and_age(place: Place, small: list[Path]) -> None:
    for name in ("nightly-1", "nightly-2", "nightly/3", "release-1"):
        place.modules("swift_image", name=name, src=str(small[0]))
    images = [{"name": "kept", "src": str(small[1])}]
    place.modules("swift_images", images=images)
    scope = {"prune_include": ["nightly*", "kept"], "prune_exclude": ["*-2"]}
    young = keep(place, images, prune=True, prune_older_than="1d", **scope)
    assert [one["name"] for one in young["not_pruned"]] == ["nightly-1", "nightly/3"]
    assert "it was changed at" in young["not_pruned"][0]["reason"]
    result = change(place, images, prune=True, prune_older_than="0s", **scope)
    assert sorted(one["name"] for one in result["pruned"]) == ["nightly-1", "nightly/3"]
    assert result["summary"]["bytes_deleted"] == 2 * small[0].stat().st_size
    assert sorted(place.names()) == sorted(f"{place.container}/{name}" for name in ("kept", "nightly-2", "release-1"))


@pytest.mark.parametrize("after", ["none", "dlo", "slo"])
@pytest.mark.parametrize("before", ["none", "dlo", "slo"])
def test_the_manifest_kind_changes_alongside_a_deletion(
    place: Place, image: Path, other_image: Path, before: str, after: str
) -> None:
    """The manifest of the replaced image is not read from the object that has replaced it."""
    sizes = {"none": {"segment_size": "1GiB"}, "dlo": {"segment_size": str(SEGMENT), "manifest": "dlo"}}
    sizes["slo"] = {"segment_size": str(SEGMENT)}
    place.modules("swift_image", name="img", src=str(image), **sizes[before])
    images = [{"name": "img", "src": str(other_image), **sizes[after]}, {"name": "other", "state": "absent"}]
    change(place, images, prune=True)
    assert place.read("img") == other_image.read_bytes()


@pytest.mark.rgw
@pytest.mark.parametrize("is_recorded", [True, False])
def test_an_existing_slo_is_replaced_alongside_a_deletion(place: Place, image: Path, is_recorded: bool) -> None:
    old = image.read_bytes()[::-1]
    store_slo(place, "img", old, is_recorded=is_recorded)
    images = [{"name": "img", "src": str(image)}, {"name": "other", "state": "absent"}]
    change(place, images, prune=True)
    assert place.read("img") == image.read_bytes()
    assert place.names() == [f"{place.container}/img"]
