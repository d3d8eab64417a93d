# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads an image again and again while commands run: ``read_amid.py [--together] SWIFT CONTAINER NAME FILES COMMANDS``.

FILES and COMMANDS are JSON. Each reading has to be of one of the files. Prints how many were whole, which were wrong,
what the commands that failed said, and whether one of the files stands at the end. A reading that is cut short is none:
its length gives it away, and its segments were deleted because the new image stands.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import quote

TIMEOUT = 60


class Reader:
    """Reads in a thread of its own until it is stopped."""

    def __init__(self, url: str, token: str, known: set[str]) -> None:
        self.whole = 0
        self.wrong: list[str] = []
        self._request = urllib.request.Request(url, headers={"X-Auth-Token": token})
        self._known = known
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def read(self) -> str | None:
        """The digest of what is there; None for nothing, or where the reading was cut short."""
        try:
            with urllib.request.urlopen(self._request, timeout=TIMEOUT) as response:
                body = response.read()
                if int(response.headers["Content-Length"]) != len(body):
                    return None
        except urllib.error.HTTPError as error:
            if error.code not in (404, 409):
                raise
            return None
        except (http.client.IncompleteRead, ConnectionError):
            return None
        return hashlib.sha256(body).hexdigest()

    def stop(self) -> None:
        """Read no more."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            digest = self.read()
            if digest in self._known:
                self.whole += 1
            elif digest is not None:
                self.wrong.append(digest)


def main() -> None:
    """Read, run, and tell."""
    together = sys.argv[1] == "--together"
    swift, container, name, files, commands = sys.argv[2 if together else 1 :]
    said = subprocess.run([swift, "auth"], check=True, capture_output=True, text=True).stdout
    told = dict(re.findall(r"export (\w+)=(\S+)", said))
    known = {hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in json.loads(files)}
    reader = Reader(f"{told['OS_STORAGE_URL']}/{quote(container)}/{quote(name)}", told["OS_AUTH_TOKEN"], known)
    failed = run(json.loads(commands), together)
    stands = reader.read() in known
    reader.stop()
    print(json.dumps({"whole": reader.whole, "wrong": reader.wrong, "failed": failed, "stands": stands}))


def run(commands: list[list[str]], together: bool) -> list[str]:
    """Run the commands, one after the other or at once; what those that failed said."""
    processes = []
    for command in commands:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        processes.append(process)
        if not together:
            process.wait()
    outputs = [(process.communicate()[0], process.returncode) for process in processes]
    return [output for output, status in outputs if status]


if __name__ == "__main__":
    main()
