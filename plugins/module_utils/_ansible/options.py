# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Argument specs that compose; their documentation is in the doc fragments of the same names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible.module_utils.common.text.formatters import human_to_bytes

from .._errors import OptionError
from .._model.location import Location, Placement, check_container, locate
from .._model.uri import parse_uri

# The binary units in the spelling of IEC 80000-13. ansible-core reads "M" and "MB", which mean the same there.
_IEC_UNIT = re.compile(r"(?<=[KMGTPEZY])iB$", re.IGNORECASE)


_DURATION = re.compile(r"(?P<number>[0-9]{1,12}) ?(?P<unit>[smhdw]?)", re.IGNORECASE)
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}

# More threads are not faster, and each takes memory and a connection.
MAX_CONCURRENCY = 64


@dataclass(frozen=True)
class ArgumentSpec:
    """A part of an argument spec; parts can be added to each other."""

    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    required_if: Sequence[Sequence[Any]] = ()
    mutually_exclusive: Sequence[Sequence[str]] = ()
    required_one_of: Sequence[Sequence[str]] = ()
    required_by: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __add__(self, other: ArgumentSpec) -> ArgumentSpec:
        return ArgumentSpec(
            {**self.options, **other.options},
            [*self.required_if, *other.required_if],
            [*self.mutually_exclusive, *other.mutually_exclusive],
            [*self.required_one_of, *other.required_one_of],
            {**self.required_by, **other.required_by},
        )

    def to_kwargs(self) -> dict[str, Any]:
        """Return the keyword arguments of AnsibleModule."""
        return {
            "argument_spec": {name: dict(option) for name, option in self.options.items()},
            "required_if": list(self.required_if),
            "mutually_exclusive": list(self.mutually_exclusive),
            "required_one_of": list(self.required_one_of),
            "required_by": {name: list(others) for name, others in self.required_by.items()},
        }


# The names of openstack.cloud, so that one module_defaults serves both collections. redact takes the values of cloud
# and auth that are not secret out of no_log again.
CONNECTION = ArgumentSpec(
    {
        "cloud": {"type": "raw", "no_log": True},
        "auth": {"type": "dict", "no_log": True},
        "auth_type": {"type": "str"},
        "region_name": {"type": "str"},
        "interface": {
            "type": "str",
            "choices": ["public", "internal", "admin"],
            "default": "public",
            "aliases": ["endpoint_type"],
        },
        "validate_certs": {"type": "bool"},
        "ca_cert": {"type": "path", "aliases": ["cacert"]},
        "client_cert": {"type": "path", "aliases": ["cert"]},
        "client_key": {"type": "path", "no_log": False, "aliases": ["key"]},
        "api_timeout": {"type": "int"},
        "service_type": {"type": "str", "default": "object-store"},
        "snet": {"type": "bool", "default": False},
        "retries": {"type": "int", "default": 5},
    }
)

# The choice of an image's container.
PLACEMENT = ArgumentSpec(
    {
        "container": {"type": "str", "default": "glance"},
        "multi_tenant": {"type": "bool", "default": False},
        "containers_seed": {"type": "int", "default": 0},
    }
)

# The same, the image's whole location, and an option that only `uri` needs.
STORE = PLACEMENT + ArgumentSpec(
    {
        "uri": {"type": "str", "no_log": True},
        "glance_config_file": {"type": "path"},
    }
)

LOCATION = STORE + ArgumentSpec(
    {
        "name": {"type": "str", "aliases": ["image_id"]},
        "segment_container": {"type": "str"},
    },
    mutually_exclusive=[("name", "uri")],
    required_one_of=[("name", "uri")],
)

# For modules that run long enough to show progress; the action plugin reads the option.
TRANSFER = ArgumentSpec({"progress": {"type": "bool", "default": True}})


def read_placement(params: Mapping[str, Any]) -> Placement:
    """Return the choice of an image's container.

    :param params: the options of ``PLACEMENT``
    :raises OptionError: a value is not valid, or options contradict each other
    """
    return Placement(params["container"], params["multi_tenant"], params["containers_seed"])


def read_location(params: Mapping[str, Any]) -> Location:
    """Return the location of the image that *params* name.

    :param params: the options of ``LOCATION``
    :raises OptionError: the location is not valid
    """
    if params["uri"] is None:
        if params["name"] is None:
            # Ansible accepts null as a value.
            raise OptionError("name is null and uri is not set: set one of them.")
        return read_placement(params).locate(params["name"], params["segment_container"])
    return read_uri(params, params["segment_container"])


def read_named(params: Mapping[str, Any]) -> list[Location] | None:
    """Return the locations that ``name``, ``names`` or ``uri`` name; None if none of these is given.

    :param params: with these and the options of ``STORE``
    :raises OptionError: a location is not valid
    """
    if params["uri"] is not None:
        return [read_uri(params)]
    names = params["names"] if params["name"] is None else [params["name"]]
    placement = read_placement(params)
    return None if names is None else [placement.locate(name) for name in names]


def read_container_or_image(params: Mapping[str, Any]) -> tuple[Placement, Location | None]:
    """Return the container that the options name, and the location of the image in it if they name one.

    :param params: with ``name`` and the options of ``STORE``
    :raises OptionError: the location is not valid, or no image is named although images' names choose the container
    """
    placement = read_placement(params)
    named = read_named({**params, "names": None})
    if named is None and placement.spreads:
        raise OptionError("multi_tenant and containers_seed choose the container by the image's name: set name.")
    return placement, None if named is None else named[0]


def read_container(params: Mapping[str, Any], option: str) -> str | None:
    """Return the container that *option* names; None if it names none.

    :raises OptionError: the name is not valid
    """
    container = params[option]
    if container is not None:
        check_container(option, container)
    return None if container is None else str(container)


def read_containers(params: Mapping[str, Any], option: str) -> list[str]:
    """Return the containers that *option* names.

    :raises OptionError: a name is not a valid container name
    """
    for container in params[option]:
        check_container(option, container)
    return list(params[option])


def read_uri(params: Mapping[str, Any], segment_container: str | None = None) -> Location:
    """Return the location that ``uri`` names.

    :param params: the options of ``STORE``
    :raises OptionError: the location is not valid
    """
    uri = parse_uri(params["uri"])
    alone = params["multi_tenant"]
    if alone and not uri.container.endswith(f"_{uri.name}"):
        raise OptionError(
            "multi_tenant is true, but the container in uri does not end in _ and the image's name: remove "
            "multi_tenant, or correct uri."
        )
    return locate(uri.container, uri.name, segment_container, alone)


def parse_size(option: str, value: str) -> int:
    """Return the number of bytes of ``200MiB``, ``200MB``, ``200M`` (all 200 x 1024 x 1024) or ``209715200``.

    :param option: the option's name, for the message
    :raises OptionError: not a size, or not above zero
    """
    try:
        size = human_to_bytes(_IEC_UNIT.sub("B", value.replace(" ", "")))
    except (ValueError, OverflowError) as error:
        raise OptionError(
            f"{option} {value[:40]!r} is not a size: write bytes, or a number with KiB, MiB or GiB."
        ) from error
    if size <= 0:
        raise OptionError(f"{option} is {value}, but must be greater than 0.")
    return int(size)


def parse_duration(option: str, value: str) -> int:
    """Return the number of seconds of ``90s``, ``5m``, ``12h``, ``7d``, ``2w`` or ``90``.

    :param option: the option's name, for the message
    :raises OptionError: not a duration
    """
    found = _DURATION.fullmatch(value.strip())
    if found is None:
        raise OptionError(
            f"{option} {value[:40]!r} is not a duration: write seconds, or a number with s, m, h, d or w."
        )
    return int(found["number"]) * _SECONDS[found["unit"].lower()]


def check_between(option: str, value: int, least: int, most: int) -> int:
    """Return *value*; refuse a number below *least* or above *most*.

    :raises OptionError: the number is out of these bounds
    """
    if value > most:
        raise OptionError(f"{option} is {value}, but must be {most} or less.")
    return check_at_least(option, value, least)


def check_at_least(option: str, value: int, least: int) -> int:
    """Return *value*; refuse a number below *least*.

    :raises OptionError: the number is below *least*
    """
    if value < least:
        raise OptionError(f"{option} is {value}, but must be {least} or more.")
    return value
