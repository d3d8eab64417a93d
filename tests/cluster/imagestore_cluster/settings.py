# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of a cluster that the caller can choose."""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

MOST_WORKERS = 16
STORES = ("swift", "rgw")


class Override(NamedTuple):
    """One `--set SECTION:KEY=VALUE`."""

    section: str
    key: str
    value: str


@dataclass(frozen=True)
class Settings:
    """The options of `start` and `run`."""

    token_lifetime: int = 3600
    tls: bool = False
    tls_client_ca: bool = False
    workers: int = 1
    restart: bool = False
    overrides: tuple[Override, ...] = ()
    # `swift` or `rgw`, a Ceph RADOS Gateway.
    store: str = "swift"
    # The folder that Ceph's packages are unpacked in; None for the programs on the PATH.
    ceph: str | None = None

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Settings:
        """Return the settings from the data of `to_json`."""
        overrides = tuple(Override(*item) for item in data["overrides"])
        return cls(**{**data, "overrides": overrides})

    def to_json(self) -> dict[str, Any]:
        """Return the settings as plain data."""
        return asdict(self)


def parse_override(text: str) -> Override:
    """Parse `SECTION:KEY=VALUE`; a section may itself hold a colon (`filter:slo`)."""
    target, equals, value = text.partition("=")
    section, colon, key = target.rpartition(":")
    if not (equals and colon and section and key):
        raise argparse.ArgumentTypeError(f"{text!r} is not SECTION:KEY=VALUE")
    if "\n" in text:
        raise argparse.ArgumentTypeError(f"{text!r} has more than one line")
    return Override(section, key.strip(), value.strip())


def positive(text: str) -> int:
    """Parse a whole number of at least one."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return number


def worker_count(text: str) -> int:
    """Parse the number of proxy workers, which has an upper limit."""
    number = positive(text)
    if number > MOST_WORKERS:
        raise argparse.ArgumentTypeError(f"{number} workers are too many, {MOST_WORKERS} is the most")
    return number
