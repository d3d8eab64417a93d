# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Glance's swift config file. The sections with a number are those of glance_store's tests/etc/glance-swift.conf."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._errors import OptionError
from ansible_collections.imagestore.swift.plugins.module_utils._swift.glance_config import Reference, read_reference

CONTENT = """
[ref1]
user = tenant:user1
key = key1
auth_address = example.com

[ref3]
user = "user3"
key = 'key3'
auth_address = "http://example.com"

[ref5]
user = user5
key = key5
user_domain_name = userdomain
project_domain_name = projdomain
auth_version = 3
auth_address = "http://example.com"

[ref6]
application_credential_id = app-cred-id-123
application_credential_secret = app-cred-secret-456
auth_address = https://example.com

[ref8]
application_credential_id = app-cred-id-only
auth_address = https://example.com

[ref9]
application_credential_secret = app-cred-secret-only
auth_address = https://example.com

[percent]
user = a:u
key = 100%%zq7
auth_version = 2.0
auth_address = https://example.com/v2.0

[bare percent]
user = a:u
key = 100%zq7
auth_address = https://example.com

[open quote]
user = a:u
key = "zq7
auth_address = https://example.com

[empty]
"""


def reference(**facts: Any) -> Reference:
    """Return a reference with nothing unusual but *facts*."""
    plain: dict[str, Any] = {
        "auth_url": "https://example.com",
        "is_application_credential": False,
        "auth_version": None,
        "domains": {},
    }
    return Reference(**{**plain, **facts})


@pytest.fixture
def path(tmp_path: Path) -> str:
    """The path of the configuration file."""
    file = tmp_path / "glance-swift.conf"
    file.write_text(CONTENT, encoding="utf-8")
    return str(file)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ref1", reference(user="tenant:user1", key="key1")),
        ("ref3", reference(user="user3", key="key3", auth_url="http://example.com")),
        (
            "ref5",
            reference(
                user="user5",
                key="key5",
                auth_url="http://example.com",
                auth_version="3",
                domains={"user_domain_name": "userdomain", "project_domain_name": "projdomain"},
            ),
        ),
        ("ref6", reference(user="app-cred-id-123", key="app-cred-secret-456", is_application_credential=True)),
        ("percent", reference(user="a:u", key="100%zq7", auth_url="https://example.com/v2.0", auth_version="2")),
    ],
)
def test_valid_reference(path: str, name: str, expected: Reference) -> None:
    assert read_reference(path, name) == expected


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("ref2", "no section 'ref2': correct uri. The sections are: ref1, ref3"),
        ("ref8", "no application_credential_secret in section 'ref8'"),
        ("ref9", "no application_credential_id in section 'ref9'"),
        ("empty", "no user and no key and no auth_address"),
        ("bare percent", "% that is not doubled"),
        ("open quote", "a quote that is not closed"),
    ],
)
def test_invalid_reference(path: str, name: str, sentence: str) -> None:
    with pytest.raises(OptionError, match=sentence) as caught:
        read_reference(path, name)
    assert "zq7" not in str(caught.value) and caught.value.__suppress_context__ == (
        caught.value.__context__ is not None
    )


@pytest.mark.parametrize("content", [b"key = zq7\n", b"[a]\nzq7\n", b"[a]\nkey = \xff\n"])
def test_a_missing_or_invalid_file_is_reported(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "x"
    with pytest.raises(OptionError, match="No such file or directory; correct the path"):
        read_reference(str(file), "a")
    file.write_bytes(content)
    with pytest.raises(OptionError, match="is not a valid INI file") as caught:
        read_reference(str(file), "a")
    assert "zq7" not in str(caught.value).replace(str(tmp_path), "") and caught.value.__suppress_context__
