# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Imports of openstacksdk and swiftclient without the parts that a task does not use.

``import openstack`` loads every service that it knows, of which its configuration needs none. swiftclient loads
python-keystoneclient for a login of its own, which a session makes unnecessary. Together these parts would be more than
half of a task's time for imports.
"""

from __future__ import annotations

import importlib
import sys
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .._errors import MissingLibraryError

if TYPE_CHECKING:
    from swiftclient.client import Connection as SwiftConnection


_KEYSTONECLIENT = "keystoneclient"


def openstack_config() -> ModuleType:
    """Return ``openstack.config``, without the services.

    :raises MissingLibraryError: there is no openstacksdk
    """
    try:
        if "openstack" in sys.modules:
            return importlib.import_module("openstack.config")
        return _config_alone()
    except ImportError as error:
        raise MissingLibraryError(_package("openstacksdk", "openstack", error)) from error


def swift_connection_class() -> type[SwiftConnection]:
    """Return ``swiftclient.client.Connection``, without keystoneclient.

    :raises MissingLibraryError: there is no python-swiftclient
    """
    is_ours = _KEYSTONECLIENT not in sys.modules
    if is_ours:
        # In sys.modules, None means that a module can't be imported. swiftclient works without this one.
        modules: dict[str, Any] = sys.modules
        modules[_KEYSTONECLIENT] = None
    try:
        connection_class: type[SwiftConnection] = importlib.import_module("swiftclient.client").Connection
    except ImportError as error:
        raise MissingLibraryError(_package("python-swiftclient", "swiftclient", error)) from error
    finally:
        if is_ours:
            del sys.modules[_KEYSTONECLIENT]
    return connection_class


def _package(name: str, module: str, error: ImportError) -> str:
    """Return the package that is missing, or the module that the package itself lacks."""
    is_itself = error.name is None or error.name.partition(".")[0] == module
    return name if is_itself else f"{error.name}, which {name} needs"


def _config_alone() -> ModuleType:
    """Import the configuration without running the code of its package; if that fails, import both."""
    spec = find_spec("openstack")
    if spec is None:
        raise ImportError("openstack", name="openstack")
    sys.modules["openstack"] = module_from_spec(spec)
    try:
        return importlib.import_module("openstack.config")
    except (ImportError, AttributeError):
        for name in [name for name in sys.modules if name.partition(".")[0] == "openstack"]:
            del sys.modules[name]
        return importlib.import_module("openstack.config")
