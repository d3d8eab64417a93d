# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of a catalogue: defaults for all images, and options of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from .._concurrency import Memo
from .._errors import OptionError
from .._model.checksum import Checksum
from .._model.location import Placement
from .._operations.catalogue import Entry, Rules
from .._operations.prune import PruneScope
from .._source.checksum_file import ChecksumReader
from . import image_options, options, source_options
from .options import ArgumentSpec

# Options with a default for all images, which each image may override.
_SHARED = source_options.REQUEST + image_options.IMAGE

# Options that have no default for all images.
_OWN = ArgumentSpec({"name": {"type": "str", "required": True, "aliases": ["image_id"]}}) + (
    source_options.CONTENT + image_options.PREFIX
)

# Mutually exclusive options: an image that sets one of them ignores the defaults of both.
_EITHER = (("delete_at", "delete_after"),)


def _entry_options() -> dict[str, dict[str, Any]]:
    """Return the options of one image; shared options have no default here."""
    shared = {
        name: {key: value for key, value in option.items() if key != "default"}
        for name, option in _SHARED.options.items()
    }
    return {**{name: dict(option) for name, option in _OWN.options.items()}, **shared}


CATALOGUE = (
    options.PLACEMENT
    + options.TRANSFER
    + _SHARED
    + source_options.BUFFER
    + image_options.STORING
    + ArgumentSpec(
        {
            "images": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": _entry_options(),
                "mutually_exclusive": [("src", "url"), *_EITHER],
                "required_by": {name: list(others) for name, others in _OWN.required_by.items()},
            },
            "segment_container": {"type": "str"},
            "prune": {"type": "bool", "default": False},
            "prune_include": {"type": "list", "elements": "str"},
            "prune_exclude": {"type": "list", "elements": "str"},
            "prune_older_than": {"type": "str"},
            "allow_empty": {"type": "bool", "default": False},
            "fail_fast": {"type": "bool", "default": False},
        }
    )
)


def read_rules(params: Mapping[str, Any]) -> Rules:
    """Return the options of the catalogue as a whole.

    :param params: the options of ``CATALOGUE``
    :raises OptionError: a value is not valid
    """
    return Rules(
        placement=options.read_placement(params),
        segment_container=options.read_container(params, "segment_container"),
        prunes=params["prune"],
        prune_scope=_read_prune_scope(params),
        allows_empty=params["allow_empty"],
        fails_fast=params["fail_fast"],
        force_segments=params["force_segments"],
    )


def _read_prune_scope(params: Mapping[str, Any]) -> PruneScope:
    older_than = params["prune_older_than"]
    return PruneScope(
        include=("*",) if params["prune_include"] is None else params["prune_include"],
        exclude=params["prune_exclude"] or (),
        min_age=0 if older_than is None else options.parse_duration("prune_older_than", older_than),
    )


def read_entries(
    params: Mapping[str, Any], placement: Placement, temporary_folder: Callable[[], str]
) -> Sequence[Entry]:
    """Return the entries; no request is sent, and no source is opened.

    :param params: the options of ``CATALOGUE``
    :param temporary_folder: returns the folder that buffers streams if the user names none
    :raises OptionError: an entry is not valid, or two entries name the same image
    """
    texts = Memo()
    entries = []
    for number, image in enumerate(params["images"]):
        try:
            entries.append(_read_entry(params, image, placement, temporary_folder, texts))
        except OptionError as error:
            raise OptionError(f"images[{number}] ({image['name']!r}): {error}") from error
    _check_twins(entries)
    return entries


def _read_entry(
    params: Mapping[str, Any],
    image: Mapping[str, Any],
    placement: Placement,
    temporary_folder: Callable[[], str],
    texts: Memo,
) -> Entry:
    merged = _with_defaults(params, image)
    if merged["name"] is None:
        raise OptionError("name is null: set it to the image's name.")
    location = placement.locate(merged["name"], params["segment_container"])
    is_wanted = merged["state"] == "present"
    return Entry(
        location=location,
        source_spec=source_options.read_source_spec(merged, temporary_folder) if is_wanted else None,
        spec=image_options.read_image_spec(merged, location),
        read_checksum=_checksum_of(merged, texts),
    )


def _with_defaults(params: Mapping[str, Any], image: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of one image, completed by the defaults for all."""
    said = {name: value for name, value in image.items() if value is not None}
    merged = {**params, **dict.fromkeys(_OWN.options), **said}
    for pair in _EITHER:
        if any(name in said for name in pair):
            merged.update({name: said.get(name) for name in pair})
    return merged


def _checksum_of(params: Mapping[str, Any], texts: Memo) -> Callable[[], Checksum | None]:
    """Return a function that returns the checksum; each checksum file is read once, and only if it is needed."""

    def read_file(reader: ChecksumReader, place: str) -> bytes:
        # The content depends on the options of the request, and on the signature and keyring that it is checked with.
        return texts.get(f"{place}\n{reader!r}", lambda: reader.read(place))

    read = partial(source_options.read_checksum, params, read_file)
    if source_options.names_checksum_file(params):
        return read
    checksum = read()
    return lambda: checksum


def _check_twins(entries: Sequence[Entry]) -> None:
    """Refuse two entries for one image."""
    first: dict[tuple[str, str], int] = {}
    for number, entry in enumerate(entries):
        path = (entry.location.container, entry.location.name)
        if path in first:
            raise OptionError(
                f"images[{first[path]}] and images[{number}] are both {entry.location.label!r}: leave one of them out."
            )
        first[path] = number
