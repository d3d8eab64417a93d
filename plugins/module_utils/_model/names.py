# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The names of segments.

Pure: this module does not use Ansible or the network. It writes two layouts:

* SLO: ``.segments/<image>/<sha256>-<size>``. The content of a segment names it, so that a stored segment is never sent
  again.
* DLO: ``.segments/<image>/<generation>/00000001``. Each upload has a new generation, so that a replacement never
  touches a segment that is being read. The user may choose another prefix, such as Glance's ``<image>-00001``.

If segments are in another container than their image, their names include the image's container, because two containers
may share theirs: ``.segments/<image>/<container>:<sha256>-<size>``.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
import zlib
from collections.abc import Container, Iterable
from dataclasses import replace
from itertools import count, takewhile
from urllib.parse import quote, unquote

from .._errors import OptionError
from .location import RESERVED_PREFIX, Location

_SEGMENT_TYPE = "application/x-imagestore-segment"

# The highest number of a DLO's segment that a name of eight digits can hold.
MAX_NUMBER = 99_999_999
_MAX_GLANCE_NUMBER = 99_999

_CONTENT_NAMED = re.compile(r"[0-9a-f]{64}-[1-9][0-9]*")
_GENERATION_NUMBERED = re.compile(r"[0-9]{16}-[0-9a-f]{8}/[0-9]{8}")
_JOURNAL = re.compile(r"journal-[0-9]{16}-[0-9a-f]{8}")
_JOURNAL_OF = re.compile(rf"{re.escape(RESERVED_PREFIX)}(?P<name>.+)/{_JOURNAL.pattern}", re.DOTALL)


def segments_prefix(location: Location) -> str:
    """Return the prefix of all segments that this collection writes for an image."""
    return f"{RESERVED_PREFIX}{location.name}/"


def content_name(location: Location, sha256: str, size: int) -> str:
    """Return the name of an SLO's segment.

    :param sha256: of the segment's bytes, in hex. An MD5 would allow an attacker to make two different segments with
        the same name.
    :param size: in bytes
    """
    return f"{segments_prefix(location)}{_owner(location)}{sha256}-{size}"


def named_content(location: Location, object_name: str) -> str | None:
    """Return the SHA-256 in a name from :func:`content_name`; None for other names."""
    name = object_name.removeprefix(segments_prefix(location) + _owner(location))
    return name.partition("-")[0] if name != object_name and _CONTENT_NAMED.fullmatch(name) else None


def content_of(location: Location, container: str, object_name: str) -> str | None:
    """Return the SHA-256 in the name of a segment of the image at *location* that lies in any *container*."""
    return named_content(replace(location, segment_container=container), object_name)


def new_generation(location: Location, size: int | None, segment_size: int) -> str:
    """Return a DLO's prefix that no other upload has.

    :param size: of the image in bytes, as is *segment_size*; None if it is unknown
    :returns: a prefix with the time in microseconds, and a mark by which :func:`abandoned_generation` recognizes it
    """
    return f"{_generations(location)}{time.time_ns() // 1000:016d}-{_cut_mark(size, segment_size)}/"


def new_journal(location: Location) -> str:
    """Return a name for a journal that no other journal has."""
    return f"{segments_prefix(location)}journal-{time.time_ns() // 1000:016d}-{secrets.token_hex(4)}"


def is_journal(location: Location, object_name: str) -> bool:
    """Return whether *object_name* is a name from :func:`new_journal` for the image at *location*."""
    name = object_name.removeprefix(segments_prefix(location))
    return name != object_name and bool(_JOURNAL.fullmatch(name))


def image_of_journal(object_name: str) -> str | None:
    """Return the name of the image of a journal; None if *object_name* is not a name from :func:`new_journal`."""
    found = _JOURNAL_OF.fullmatch(object_name)
    return None if found is None else found["name"]


def abandoned_generation(location: Location, object_names: Iterable[str], size: int, segment_size: int) -> str | None:
    """Return the newest generation that an upload with the same size and segment size left among *object_names*.

    Only such a generation has the same numbers, so that an upload that resumes it leaves no surplus segment there.
    """
    mark = _cut_mark(size, segment_size)
    pattern = re.compile(re.escape(_generations(location)) + rf"[0-9]{{16}}-{mark}/")
    found = (pattern.match(name) for name in object_names if is_own_segment(location, name))
    return max((match[0] for match in found if match), default=None)


def _generations(location: Location) -> str:
    return f"{segments_prefix(location)}{_owner(location)}"


def _cut_mark(size: int | None, segment_size: int) -> str:
    """Return eight hex digits that identify how an image is cut."""
    return f"{zlib.crc32(f'{size}/{segment_size}'.encode('ascii')):08x}"


def numbered_name(prefix: str, number: int) -> str:
    """Return the name of a DLO's segment; names sort as the numbers do.

    :param prefix: as :func:`check_prefix` returns it
    :param number: from 1
    :raises OptionError: the number is too high for a name
    """
    if not prefix.endswith("-"):
        return f"{prefix}{number:08d}"
    if number > _MAX_GLANCE_NUMBER:
        raise OptionError(
            f"Segment names such as {prefix}00001 allow at most {_MAX_GLANCE_NUMBER} segments: choose a larger "
            "segment_size."
        )
    return f"{prefix}{number:05d}"


def check_prefix(prefix: str | None, image_name: str) -> str | None:
    """Return the prefix that the user chose for a DLO's segments; None if there is none.

    :raises OptionError: the segments could not be told from other objects, or from the image itself
    """
    if prefix is None:
        return None
    if not prefix.endswith(("-", "/")) or prefix.startswith((RESERVED_PREFIX, "/")) or not prefix.isprintable():
        raise OptionError(
            f"segment_prefix {prefix!r} is not valid: end it with - (as Glance does) or /, and begin it with neither "
            f"/ nor {RESERVED_PREFIX}."
        )
    if image_name.startswith(prefix):
        raise OptionError(
            f"name begins with segment_prefix {prefix!r}, so the image would be a part of itself: choose another "
            "segment_prefix."
        )
    return prefix


def segment_type(location: Location) -> str:
    """Return the media type of an image's segments, which identifies the image, whatever the segments' names are."""
    owner = hashlib.sha256(f"{location.container}/{location.name}".encode()).hexdigest()[:16]
    return f"{_SEGMENT_TYPE};image={owner}"


def is_segment_type(content_type: str) -> bool:
    """Return whether *content_type* is one from :func:`segment_type`, for any image."""
    return content_type.startswith(f"{_SEGMENT_TYPE};")


def is_numbered(prefix: str, object_name: str) -> bool:
    """Return whether *object_name* is a DLO segment's name of clients that use this kind of *prefix*."""
    return bool(_numbering(prefix).fullmatch(object_name[len(prefix) :]))


def longest_segment_name(location: Location) -> int:
    """Return the length in bytes of the longest name of an image's segment."""
    return len(content_name(location, "0" * 64, 10**12).encode("utf-8"))


def is_own_segment(location: Location, object_name: str) -> bool:
    """Return whether *object_name* is a segment that this collection wrote for the image at *location*.

    The whole rest of the name after the prefix must match. So the segments of an image ``a/b`` are never taken for
    segments of an image ``a``. Segments of an image in another container are never taken for this one's, either.
    """
    prefix = segments_prefix(location) + _owner(location)
    if not object_name.startswith(prefix):
        return False
    rest = object_name[len(prefix) :]
    return bool(_CONTENT_NAMED.fullmatch(rest) or _GENERATION_NUMBERED.fullmatch(rest))


def numbered_segments(prefix: str, object_names: Iterable[str]) -> set[str]:
    """Return those of *object_names* that are provably segments of a DLO.

    Segments are numbered without a gap, from 0 or 1. The kind of the prefix shows how many digits their writer uses:
    ``<id>-`` and five (Glance), a folder and eight (this collection, the swift CLI), or a name whose segments follow a
    slash, with six (openstacksdk) or eight (rclone). Other objects with the prefix, such as an image
    ``ubuntu-20240612`` beside ``ubuntu``, are not segments.

    :param object_names: all names under the DLO's prefix
    """
    found = _by_number(prefix, object_names)
    return {found[number] for number in takewhile(found.__contains__, count(_first_number(found)))}


def gaps_among(prefix: str, object_names: Iterable[str]) -> list[tuple[int, int]]:
    """Return the first and the last of each run of missing numbers.

    :param object_names: all names under a DLO's prefix
    """
    found = _by_number(prefix, object_names)
    gaps, expected = [], _first_number(found)
    for number in sorted(found):
        if number > expected:
            gaps.append((expected, number - 1))
        expected = number + 1
    return gaps


def _by_number(prefix: str, object_names: Iterable[str]) -> dict[int, str]:
    pattern = _numbering(prefix)
    matches = (pattern.fullmatch(name[len(prefix) :]) for name in object_names)
    return {int(match["number"]): f"{prefix}{match[0]}" for match in matches if match}


def _first_number(found: Container[int]) -> int:
    """Return the first number: some clients count from 0, others from 1."""
    return 0 if 0 in found else 1


def _numbering(prefix: str) -> re.Pattern[str]:
    if prefix.endswith("-"):
        return re.compile(r"(?P<number>[0-9]{5})")
    if prefix.endswith("/"):
        return re.compile(r"(?P<number>[0-9]{8})")
    return re.compile(r"/(?P<number>[0-9]{6}|[0-9]{8})")


def _owner(location: Location) -> str:
    return "" if location.segment_container == location.container else f"{location.container}:"


def manifest_header(container: str, prefix: str) -> str:
    """Return the value of ``X-Object-Manifest``, percent-encoded as Swift's DLO middleware decodes it."""
    return f"{quote(container)}/{quote(prefix)}"


def readable(text: str) -> str:
    """Return a header's text with U+FFFD for each byte that is not UTF-8, which Python keeps as a surrogate."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def parse_manifest_header(value: str) -> tuple[str, str]:
    """Return container and prefix of an ``X-Object-Manifest`` header, decoded once as Swift does.

    Glance and openstacksdk write it without encoding. Decoding does not change such a value unless it has a percent
    sign, and then Swift, too, reads the decoded one.
    """
    container, _slash, prefix = unquote(readable(value)).lstrip("/").partition("/")
    return container, prefix
