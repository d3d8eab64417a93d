# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that describe the desired state of an image in the store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._errors import OptionError
from .._model.location import Location
from .._model.metadata import check_content_type, check_metadata
from .._model.names import check_prefix
from .._model.spec import ImageSpec, check_expiry
from .options import ArgumentSpec, parse_duration, parse_size

IMAGE = ArgumentSpec(
    {
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "force": {"type": "bool", "default": True},
        "verify": {"type": "bool", "default": False},
        "large_object_size": {"type": "str"},
        "segment_size": {"type": "str", "default": "200MiB"},
        "manifest": {"type": "str", "choices": ["auto", "slo", "dlo"], "default": "auto"},
        "force_segments": {"type": "bool", "default": False},
        "hash_algorithms": {
            "type": "list",
            "elements": "str",
            "choices": ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"],
            "default": ["md5"],
        },
        "metadata": {"type": "dict"},
        "content_type": {"type": "str"},
        "delete_at": {"type": "int"},
        "delete_after": {"type": "str"},
    },
    mutually_exclusive=[("delete_at", "delete_after")],
)

# The prefix of the segments in the style of other clients.
PREFIX = ArgumentSpec({"segment_prefix": {"type": "str"}})

# Options for containers, and for all requests of an upload.
STORING = ArgumentSpec(
    {
        "create_container": {"type": "bool", "default": False},
        "storage_policy": {"type": "str"},
        "concurrency": {"type": "int", "default": 4},
    }
)


def read_image_spec(params: Mapping[str, Any], location: Location) -> ImageSpec:
    """Return the desired state of the image, except for its checksum.

    :param params: the options of ``IMAGE``, ``PREFIX`` and ``STORING``
    :raises OptionError: a value is not valid, or options contradict each other
    """
    segment_size = parse_size("segment_size", params["segment_size"])
    large_object_size = segment_size
    if params["large_object_size"] is not None:
        large_object_size = parse_size("large_object_size", params["large_object_size"])
    if params["segment_prefix"] is not None and params["manifest"] != "dlo":
        raise OptionError(
            "segment_prefix applies to dynamic large objects only: set manifest to dlo, or remove segment_prefix."
        )
    delete_after = None
    if params["delete_after"] is not None:
        delete_after = parse_duration("delete_after", params["delete_after"])
    return ImageSpec(
        force=params["force"],
        verify=params["verify"],
        manifest=params["manifest"],
        large_object_size=large_object_size,
        segment_size=segment_size,
        segment_prefix=check_prefix(params["segment_prefix"], location.name),
        force_segments=params["force_segments"],
        hash_algorithms=params["hash_algorithms"],
        create_container=params["create_container"],
        storage_policy=params["storage_policy"],
        metadata=None if params["metadata"] is None else check_metadata(params["metadata"]),
        content_type=check_content_type(params["content_type"]),
        expiry=check_expiry(params["delete_at"], delete_after),
        checksum=None,
    )
