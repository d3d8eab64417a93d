# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Glance's swift config file (``swift_store_config_file``): credentials under a name, for ``swift+config``.

This module does not use Ansible or the network. Its messages quote only names of sections and options from the file.
"""

from __future__ import annotations

import configparser
from collections.abc import Mapping
from dataclasses import dataclass, field

from .._errors import OptionError

DOMAINS = ("user_domain_id", "user_domain_name", "project_domain_id", "project_domain_name")


@dataclass(frozen=True)
class Reference:
    """A section of the file.

    :param auth_url: the address of the authentication service
    :param user: ``account:user``; with an application credential its id
    :param key: of that user; with an application credential its secret
    :param is_application_credential: whether user and key are an application credential's
    :param auth_version: ``1``, ``2`` or ``3``; None if the file has none
    :param domains: those of ``DOMAINS`` that the file names
    """

    auth_url: str
    user: str
    key: str = field(repr=False)
    is_application_credential: bool
    auth_version: str | None
    domains: Mapping[str, str]


def read_reference(path: str, name: str) -> Reference:
    """Read one section as Glance does.

    :param path: the file
    :param name: the section
    :raises OptionError: the file or the section does not exist, or is incomplete
    """
    parser = configparser.ConfigParser()
    try:
        with open(path, encoding="utf-8") as file:
            parser.read_file(file)
    except OSError as error:
        raise OptionError(f"glance_config_file {path!r} can't be read: {error.strerror}; correct the path.") from error
    except (configparser.Error, UnicodeDecodeError):
        # The error's message may quote a line with a key.
        raise OptionError(f"glance_config_file {path!r} is not a valid INI file: correct the file.") from None
    if not parser.has_section(name):
        known = ", ".join(parser.sections()) or "none"
        raise OptionError(
            f"glance_config_file {path!r} has no section {name!r}: correct uri. The sections are: {known}."
        )
    return _read_section(path, name, _options_of(path, name, parser))


def _read_section(path: str, name: str, options: Mapping[str, str]) -> Reference:
    is_application_credential = any(option.startswith("application_credential_") for option in options)
    user, key = ("user", "key")
    if is_application_credential:
        user, key = ("application_credential_id", "application_credential_secret")
    missing = [option for option in (user, key, "auth_address") if not options.get(option)]
    if missing:
        raise OptionError(f"glance_config_file {path!r} has no {' and no '.join(missing)} in section {name!r}: add it.")
    address = options["auth_address"]
    return Reference(
        # Glance uses https if the address has no scheme.
        auth_url=address if "://" in address else f"https://{address}",
        user=options[user],
        key=options[key],
        is_application_credential=is_application_credential,
        auth_version=options.get("auth_version", "").partition(".")[0] or None,
        domains={option: options[option] for option in DOMAINS if options.get(option)},
    )


def _options_of(path: str, name: str, parser: configparser.ConfigParser) -> dict[str, str]:
    try:
        return {option: _without_quotes(parser.get(name, option)) for option in parser.options(name)}
    except (configparser.InterpolationError, ValueError):
        raise OptionError(
            f"glance_config_file {path!r} has a value in section {name!r} with a quote that is not closed, or with a "
            "% that is not doubled: correct the value."
        ) from None


def _without_quotes(value: str) -> str:
    """Return a value as Glance takes it, without the quotes around it."""
    if value[:1] not in ("'", '"'):
        return value
    if len(value) == 1 or value[-1] != value[0]:
        raise ValueError("a quote that is not closed")
    return value[1:-1]
