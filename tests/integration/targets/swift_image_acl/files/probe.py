# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A probe of each client's rights: ``probe.py CLUSTER_FACTS keystone|tempauth CONTAINER IMAGE``.

It prints a dict of clients, each with the letters of what it could do: l(ist), p(lain), s(lo), d(lo), S and D (segments
in another container), w(rite).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import openstack
import requests

IMAGES = {"p": "plain", "s": "static", "d": "dynamic", "S": "static apart", "D": "dynamic apart"}


def main() -> None:
    """Print the dict."""
    facts, store, container, image = json.loads(sys.argv[1]), sys.argv[2], sys.argv[3], Path(sys.argv[4]).read_bytes()
    account = facts["projects"]["images"] if store == "keystone" else facts["v1"]["users"]["test:tester"]
    url = f"{account['storage_url']}/{container}"
    clients: dict[str, dict[str, str]] = {"nobody": {}, "referred": {"Referer": "http://www.example.com/page"}}
    if store == "keystone":
        for name in ("other", "reader"):
            clients[name] = {"X-Auth-Token": openstack.connect(cloud=name).auth_token}
    else:
        clients.update({name: v1_token(facts["v1"], name) for name in ("other:tester", "test:reader")})
    print(json.dumps({name: letters(url, headers, image) for name, headers in clients.items()}))


def v1_token(v1: dict[str, Any], user: str) -> dict[str, str]:
    """Return the header with the token of a user of tempauth."""
    login = {"X-Auth-User": user, "X-Auth-Key": v1["users"][user]["key"].encode()}
    answer = requests.get(v1["auth_url"], headers=login, timeout=60)
    answer.raise_for_status()
    return {"X-Auth-Token": answer.headers["X-Auth-Token"]}


def letters(url: str, headers: dict[str, str], image: bytes) -> str:
    """Return the letters of what a client that sends *headers* may do."""
    found = "l" if requests.get(url, headers=headers, timeout=60).ok else ""
    for letter, name in IMAGES.items():
        found += letter if reads(f"{url}/{name}", headers, image) else ""
    written = requests.put(f"{url}/written", data=b"x", headers=headers, timeout=60)
    return found + ("w" if written.ok else "")


def reads(url: str, headers: dict[str, str], image: bytes) -> bool:
    """Return whether all of an image arrives, and not only the headers of the answer."""
    try:
        answer = requests.get(url, headers=headers, timeout=60)
    except requests.RequestException:
        return False
    return answer.ok and answer.content == image


if __name__ == "__main__":
    main()
