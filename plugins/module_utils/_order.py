# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an upload is told to store."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ._checksum import Checksum
from ._expiry import Expiry
from ._layout import Layout
from ._reading import Source


@dataclass(frozen=True)
class Attributes:
    """What a new image has beside its content.

    :param expiry: what is wished; None for what the image that stands has
    """

    content_type: str
    metadata: Mapping[str, str]
    expiry: Expiry | None
    source_mark: str | None


@dataclass(frozen=True)
class Order:
    """What is to be stored.

    :param algorithms: of the whole image's digests, which are recorded with it
    :param expected: what one of them has to be
    :param segment_prefix: what a DLO's segments are to be called, where the user says so
    :param force_segments: whether segments of the replaced image go that other images are made of, too
    """

    source: Source
    layout: Layout
    attributes: Attributes
    algorithms: Collection[str]
    expected: Checksum | None
    segment_prefix: str | None
    force_segments: bool
