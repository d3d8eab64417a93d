# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Repeated readings of an image while commands run.

Run as ``read_amid.py [--together] SWIFT CONTAINER NAME FILES COMMANDS``. FILES and COMMANDS are JSON.

Each reading has to return one of the files. The script prints the number of right readings, the digests of wrong ones,
the output of failed commands, and whether the image is one of the files at the end. A truncated reading does not
count: its length shows that it is truncated. Its segments were deleted because a new image replaced the old one.
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
    """A thread that reads until it is stopped."""

    def __init__(self, url: str, token: str, known: set[str]) -> None:
        self.whole = 0
        self.wrong: list[str] = []
        self._request = urllib.request.Request(url, headers={"X-Auth-Token": token})
        self._known = known
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def read(self) -> str | None:
        """Return the digest of the image; None if there is no image, or if the reading was truncated."""
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
        """Stop reading."""
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
    """Read while the commands run, and print the results."""
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
    """Run the commands, one after the other or in parallel; return the output of those that failed."""
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
