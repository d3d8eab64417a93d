# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that say what an image's bytes come from, and what they have to be."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from .._errors import OptionError
from .._model.checksum import Checksum, parse_checksum
from .._source.path import PathSourceSpec
from .._source.reader import SourceSpec
from .._source.url import RequestOptions, UrlSource, UrlSourceSpec
from .options import ArgumentSpec, check_at_least

CONTENT = ArgumentSpec(
    {
        "src": {"type": "path"},
        # Either may hold a password; what is none is taken out of no_log again by _secrets.
        "url": {"type": "str", "no_log": True},
        "checksum": {"type": "str", "no_log": True},
        "size": {"type": "int"},
    },
    mutually_exclusive=[("src", "url")],
)

# How web servers are asked.
REQUEST = ArgumentSpec(
    {
        "url_username": {"type": "str"},
        "url_password": {"type": "str", "no_log": True},
        "url_headers": {"type": "dict", "no_log": True},
        "url_validate_certs": {"type": "bool", "default": True},
        "url_ca_cert": {"type": "path"},
        "url_client_cert": {"type": "path"},
        "url_client_key": {"type": "path", "no_log": False},
        "force_basic_auth": {"type": "bool", "default": False},
        "use_proxy": {"type": "bool", "default": True},
    }
)

BUFFER = ArgumentSpec({"buffer_dir": {"type": "path"}})


def read_source_spec(params: Mapping[str, Any], temporary_folder: Callable[[], str]) -> SourceSpec:
    """The source that *params* name; nothing is opened.

    :param params: the options of ``CONTENT``, ``REQUEST`` and ``BUFFER``
    :param temporary_folder: where streams are buffered unless the user names a folder
    :raises OptionError: neither is named, or what is named can't be
    """
    folder = params["buffer_dir"]
    if folder is not None and not os.path.isdir(folder):
        raise OptionError(f"buffer_dir {folder!r} is no folder on this host: name one, or leave it out.")
    buffer = temporary_folder if folder is None else partial(str, folder)
    size = None if params["size"] is None else check_at_least("size", params["size"], 0)
    if params["url"] is not None:
        return UrlSourceSpec(UrlSource(params["url"], _read_request_options(params)), size, buffer)
    if params["src"] is None:
        raise OptionError("state is present and there is neither src nor url: name the image's source.")
    return PathSourceSpec(params["src"], size, buffer)


def read_checksum(params: Mapping[str, Any], read_text: Callable[[UrlSource], str] = UrlSource.text) -> Checksum | None:
    """Return the digest that the source has to have; a checksum file is requested.

    :param params: the options of ``CONTENT`` and ``REQUEST``
    :param read_text: gives the text of a checksum file
    :raises OptionError: it is none
    :raises SourceError: the checksum file can't be had, or does not hold it
    """
    if params["checksum"] is None:
        return None
    options = _read_request_options(params)
    source = params["url"] or params["src"] or ""
    name = UrlSource(source, options).name if params["url"] else os.path.basename(source)
    return parse_checksum(params["checksum"], name, lambda url: read_text(UrlSource(url, options, "checksum")))


def read_plain_checksum(params: Mapping[str, Any], image_name: str) -> Checksum | None:
    """Return the digest that an image has to have, without options for requests to a web server.

    :param params: with ``checksum`` and the options of ``CONNECTION``
    :param image_name: the last part of which is looked for in a checksum file
    :raises OptionError: it is none
    :raises SourceError: the checksum file can't be had, or does not hold it
    """
    if params["checksum"] is None:
        return None
    options = RequestOptions(timeout=params["api_timeout"] or RequestOptions.timeout, retries=params["retries"])
    name = image_name.rpartition("/")[2]
    return parse_checksum(params["checksum"], name, lambda url: UrlSource(url, options, "checksum").text())


def _read_request_options(params: Mapping[str, Any]) -> RequestOptions:
    return RequestOptions(
        username=params["url_username"],
        password=params["url_password"],
        headers={name: str(value) for name, value in (params["url_headers"] or {}).items()},
        validate_certs=params["url_validate_certs"],
        ca_cert=params["url_ca_cert"],
        client_cert=params["url_client_cert"],
        client_key=params["url_client_key"],
        use_proxy=params["use_proxy"],
        force_basic_auth=params["force_basic_auth"],
        timeout=params["api_timeout"] or RequestOptions.timeout,
        retries=check_at_least("retries", params["retries"], 0),
    )
