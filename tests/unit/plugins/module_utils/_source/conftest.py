# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fixture that the tests of sources share."""

from __future__ import annotations

from collections.abc import Callable
from http.server import ThreadingHTTPServer

import pytest
from ansible_collections.imagestore.swift.tests.unit.plugins.module_utils._source.web_server import Handler, Site


@pytest.fixture(name="site")
def _site(no_pauses: None, serve: Callable[..., ThreadingHTTPServer]) -> Site:
    site = Site()
    site.url = f"http://127.0.0.1:{serve(Handler, site=site).server_port}"
    return site
