# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules that imports of openstacksdk and swiftclient load. Each test runs a Python of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import ansible_collections
import pytest

PREPARE = """
import importlib
import sys
from ansible_collections.imagestore.swift.plugins.module_utils._swift import lazy_imports
"""

USE = """
config = lazy_imports.openstack_config()
region = config.OpenStackConfig(load_yaml_config=False, load_envvars=False).get_one(
    auth_type="v3password", auth={"auth_url": "http://h/v3", "user_id": "u", "password": "p", "project_id": "x"}
)
assert type(region.get_session().auth).__name__ == "Password"
connection = lazy_imports.swift_connection_class()(session=object())
assert connection.session
"""

FAIL_ONCE = """
def fail_once(name):
    importlib.import_module = original
    raise AttributeError(name)
original, importlib.import_module = importlib.import_module, fail_once
"""


def run(code: str) -> None:
    """Run *code* in a Python that has imported nothing yet."""
    root = Path(next(iter(ansible_collections.__path__))).parent
    env = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run([sys.executable, "-c", PREPARE + code], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_unused_packages_are_not_imported() -> None:
    run(USE + "assert not {'keystoneclient', 'openstack.connection', 'openstack.compute'} & set(sys.modules)\n")


def test_the_full_package_is_imported_as_a_fallback() -> None:
    run(FAIL_ONCE + USE + "assert 'openstack.connection' in sys.modules\n")


def test_previously_imported_packages_are_kept() -> None:
    run("import openstack\nimport keystoneclient\n" + USE + "assert sys.modules['openstack'] is openstack\n")


@pytest.mark.parametrize(
    ("hidden", "call", "package"),
    [
        ("openstack", "openstack_config", "openstacksdk"),
        ("swiftclient", "swift_connection_class", "python-swiftclient"),
    ],
)
def test_a_missing_library_is_reported(hidden: str, call: str, package: str) -> None:
    run(
        f"sys.modules[{hidden!r}] = None\n"
        f"try:\n    lazy_imports.{call}()\n"
        f"except lazy_imports.MissingLibraryError as error:\n    assert error.package == {package!r}\n"
        "else:\n    raise AssertionError\n"
    )
