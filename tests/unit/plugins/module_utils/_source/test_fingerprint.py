# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fingerprints of URLs' files, and which of them prove that a file is unchanged."""

from __future__ import annotations

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._source.address import Address
from ansible_collections.imagestore.swift.plugins.module_utils._source.answer import AnswerFacts
from ansible_collections.imagestore.swift.plugins.module_utils._source.fingerprint import (
    after_comparison,
    fingerprint_of,
    in_common,
    is_same_state,
)

ADDRESS = Address("https://images.example.com/x.raw?signature=1")


def mark(etag: str | None, modified: str | None, is_dated: bool = True, address: Address = ADDRESS) -> str | None:
    facts = AnswerFacts(10, "", etag, modified, is_dated and modified is not None, True, "")
    return fingerprint_of(address, facts)


@pytest.mark.parametrize(
    ("recorded", "told", "is_same"),
    [
        (mark('"1"', "a"), mark('"1"', "a"), True),
        (mark('"1"', "a"), mark('"1"', "b"), True),
        (mark('"1"', "a"), mark('"2"', "a"), False),
        (mark('"1"', None), mark('"1"', "a"), True),
        (mark(None, "a"), mark(None, "a"), True),
        (mark(None, "a"), mark(None, "b"), False),
        # The server has begun to send ETags.
        (mark(None, "a"), mark('"1"', "a"), True),
        (None, mark('"1"', "a"), False),
        (mark('"1"', "a"), None, False),
        ("-.-", mark('"1"', None), False),
        ("0" * 64, mark('"1"', "a"), False),
        (mark('"1"', "a"), mark('"1"', "a", address=Address("https://images.example.com/y.raw")), False),
        (mark('"1"', "a"), mark('"1"', "a", address=Address("https://images.example.com/x.raw?signature=2")), True),
    ],
)
def test_is_same_state(recorded: str | None, told: str | None, is_same: bool) -> None:
    assert is_same_state(recorded, told) is is_same


def test_signature_parameters_of_a_query_are_ignored() -> None:
    def of(query: str) -> str | None:
        return mark('"1"', "a", address=Address(f"https://images.example.com/get?{query}"))

    assert of("file=a") != of("file=b")
    assert of("file=a&signature=1") == of("file=a&Signature=2")
    assert of("file=a&X-Amz-Signature=1&X-Amz-Date=2") == of("file=a&X-Amz-Signature=3&X-Amz-Date=4")
    assert of("file=a&temp_url_sig=1&temp_url_expires=2") == of("file=a")


def test_no_fingerprint_without_a_strong_validator() -> None:
    assert mark(None, None) is None
    assert mark(None, "a", is_dated=False) is None


def test_an_unstable_etag_is_dropped_from_the_fingerprint() -> None:
    recorded = after_comparison(mark('"1"', "a"), mark('"2"', "a"))
    assert recorded == mark(None, "a")
    assert is_same_state(recorded, mark('"3"', "a"))
    assert not is_same_state(recorded, mark('"3"', "b"))
    # The file was written again, with the same content.
    again = after_comparison(recorded, mark('"3"', "b"))
    assert again == mark(None, "b")


def test_common_fingerprint_of_two_responses() -> None:
    assert in_common(mark('"1"', "a"), mark('"1"', "a")) == mark('"1"', "a")
    assert in_common(mark('"1"', "a"), mark('"2"', "a")) == mark(None, "a")
    assert in_common(mark('"1"', None), mark('"2"', None)) is None
    # The file was replaced meanwhile.
    assert in_common(mark('"1"', "a"), mark('"2"', "b")) is None
    # The server does not know HEAD.
    assert in_common(mark('"1"', "a"), None) == mark('"1"', "a")


def test_a_republished_file_has_a_new_fingerprint() -> None:
    assert after_comparison(mark('"1"', "a"), mark('"2"', "b")) == mark('"2"', "b")
    assert after_comparison(mark('"1"', None), mark('"2"', None)) == mark('"2"', None)
    assert after_comparison(None, mark('"2"', "b")) == mark('"2"', "b")
    assert after_comparison(mark('"2"', "b"), None) == mark('"2"', "b")
