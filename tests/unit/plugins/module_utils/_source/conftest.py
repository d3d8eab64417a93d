# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures that the tests of sources share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ansible_collections.imagestore.swift.tests.support.web_site import Site, serving_site


@pytest.fixture(name="site")
def _site(no_pauses: None) -> Iterator[Site]:
    with serving_site(Site()) as site:
        yield site


@pytest.fixture(name="other_site")
def _other_site() -> Iterator[Site]:
    """A site of another server."""
    with serving_site(Site()) as site:
        yield site
