# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configuration files in the format that all of OpenStack reads."""

from __future__ import annotations

import configparser
from collections.abc import Mapping
from pathlib import Path

Sections = Mapping[str, Mapping[str, object]]


class _CaseKeepingParser(configparser.RawConfigParser):
    """A parser that keeps capitals, because names of options contain the names of Swift's v1 users."""

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def write_ini(path: Path, sections: Sections) -> None:
    """Write one configuration file."""
    parser = _CaseKeepingParser()
    for name, options in sections.items():
        parser[name] = {key: str(value) for key, value in options.items()}
    with path.open("w", encoding="utf-8") as out:
        parser.write(out)
