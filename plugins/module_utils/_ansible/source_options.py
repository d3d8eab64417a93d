# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that describe the source of an image's bytes, and their expected content."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from .._errors import OptionError
from .._model.checksum import Checksum, ChecksumFile, parse_checksum
from .._source.address import parse_address
from .._source.checksum_file import ChecksumReader
from .._source.path import PathSourceSpec
from .._source.reader import SourceSpec
from .._source.url import UrlSource, UrlSourceSpec
from .._source.web import RequestOptions
from .options import ArgumentSpec, check_at_least

# A URL may hold a password, hence no_log. redact takes the values that are not secret out of it again.
CHECKSUM = ArgumentSpec(
    {
        "checksum": {"type": "str", "no_log": True},
        "checksum_signature": {"type": "str", "no_log": True},
        "checksum_keyring": {"type": "path", "no_log": False},
    },
    required_by={"checksum_signature": ["checksum_keyring"], "checksum_keyring": ["checksum"]},
)

CONTENT = CHECKSUM + ArgumentSpec(
    {
        "src": {"type": "path"},
        "url": {"type": "str", "no_log": True},
        "size": {"type": "int"},
    },
    mutually_exclusive=[("src", "url")],
)

# Reads a checksum file, by its URL or path.
ReadFile = Callable[[ChecksumReader, str], bytes]

# Options of requests to web servers.
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
    """Return the source that *params* name; nothing is opened.

    :param params: the options of ``CONTENT``, ``REQUEST`` and ``BUFFER``
    :param temporary_folder: returns the folder that buffers streams if the user names none
    :raises OptionError: no source is named, or a value is not valid
    """
    folder = params["buffer_dir"]
    if folder is not None and not os.path.isdir(folder):
        raise OptionError(f"buffer_dir {folder!r} is not a folder on this host: correct buffer_dir, or remove it.")
    buffer = temporary_folder if folder is None else partial(str, folder)
    size = None if params["size"] is None else check_at_least("size", params["size"], 0)
    if params["url"] is not None:
        return UrlSourceSpec(UrlSource(params["url"], _read_request_options(params)), size, buffer)
    if params["src"] is None:
        raise OptionError("state is present, but neither src nor url is set: set one of them.")
    return PathSourceSpec(params["src"], size, buffer)


def read_checksum(params: Mapping[str, Any], read_file: ReadFile = ChecksumReader.read) -> Checksum | None:
    """Return the expected digest of the source; a checksum file is read or requested for it.

    :param params: the options of ``CONTENT`` and ``REQUEST``
    :param read_file: returns the content of a checksum file
    :raises OptionError: the options are not valid, or contradict each other
    :raises SourceError: the checksum file can't be read, is not signed, or does not hold the digest
    """
    options = replace(_read_request_options(params), is_proved=False)
    source = params["src"] or ""
    if params["url"]:
        address = UrlSource(params["url"], options).address
        source = address.path
        # The headers and credentials for the image's server are not sent to another one.
        options = replace(options.with_login_of(address), origin=address.origin)
    return _find_checksum(params, source, options, read_file)


def read_plain_checksum(params: Mapping[str, Any], image_name: str) -> Checksum | None:
    """Return the expected digest of an image, without options for requests to a web server.

    :param params: the options of ``CHECKSUM`` and ``CONNECTION``
    :param image_name: the name to find in a checksum file
    :raises OptionError: the options are not valid, or contradict each other
    :raises SourceError: the checksum file can't be read, is not signed, or does not hold the digest
    """
    options = RequestOptions(timeout=params["api_timeout"] or RequestOptions.timeout, retries=params["retries"])
    return _find_checksum(params, image_name, options, ChecksumReader.read)


def names_checksum_file(params: Mapping[str, Any]) -> bool:
    """Return whether ``checksum`` names a checksum file."""
    return params["checksum"] is not None and isinstance(parse_checksum(params["checksum"]), ChecksumFile)


def _find_checksum(
    params: Mapping[str, Any], source: str, options: RequestOptions, read_file: ReadFile
) -> Checksum | None:
    if params["checksum"] is None:
        return None
    found = parse_checksum(params["checksum"])
    if isinstance(found, Checksum):
        if params["checksum_keyring"] is not None:
            raise OptionError(
                "checksum_keyring verifies a checksum file, but checksum is a digest: remove one of them."
            )
        return found
    if options.origin is None and found.is_url:
        # The signature may be on another server, which does not get the headers and credentials for this one.
        options = replace(options, origin=parse_address(found.place, "checksum").origin)
    reader = ChecksumReader(options, params["checksum_signature"], params["checksum_keyring"])
    return found.find(read_file(reader, found.place), source)


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
        is_proved=params["checksum"] is not None and isinstance(parse_checksum(params["checksum"]), Checksum),
    )
