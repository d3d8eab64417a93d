# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A filter in the Swift proxy that notes each request before any other filter handles it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from typing import Any

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

# The cluster itself requests this path, to check that the proxy answers.
UNNOTED = "/healthcheck"


class RequestLog:
    """A filter that appends one JSON line for each request, without headers that could hold a secret."""

    def __init__(self, application: Application, path: str) -> None:
        self._application = application
        self._log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Note the request and pass it on."""
        if environ["RAW_PATH_INFO"] != UNNOTED:
            query, agent = environ.get("QUERY_STRING", ""), environ.get("HTTP_USER_AGENT", "")
            method, path = environ["REQUEST_METHOD"], environ["RAW_PATH_INFO"]
            note(self._log, method, path, query, environ.get("CONTENT_LENGTH"), agent)
        return self._application(environ, start_response)


def note(log: int, method: str, path: str, query: str, length: str | None, user_agent: str) -> None:
    """Append a request to an open file.

    :param length: the header Content-Length
    """
    line = {
        "method": method,
        "path": path,
        "query": query,
        "content_length": int(length) if length and length.isdigit() else None,
        "user_agent": user_agent,
    }
    # One write for each line, so that the lines of several workers never mix.
    os.write(log, json.dumps(line).encode() + b"\n")


def filter_factory(_global_conf: dict[str, str], path: str, **_options: str) -> Callable[[Application], RequestLog]:
    """Return the filter, for PasteDeploy."""
    return lambda application: RequestLog(application, path)
