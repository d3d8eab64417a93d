# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps of the demo, inside ``tests/cluster run``: ``python dev/act.py IMAGES``."""

from __future__ import annotations

import filecmp
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from console import Failure, end_in_one_line, run_or_fail, say

ROOT = Path(__file__).resolve().parent.parent
CONTAINER = "glance"


def main() -> int:
    """Seed the store twice, read an image with the swift CLI, remove one, and print a table."""
    images = Path(sys.argv[1])
    report = images / "report.json"
    listed = images / "images.json"
    sources = {image["name"]: Path(image["src"]) for image in json.loads(listed.read_text("utf-8"))["images"]}

    say("Seeding the store: ansible-playbook examples/seed.yml")
    _seed("-e", f"@{listed}", "-e", f"report={report}")
    say("Seeding it again: nothing may change")
    _check_unchanged(_seed("-e", f"@{listed}"))
    sent = json.loads(report.read_text("utf-8"))
    large = max((image for image, _transfer in sent), key=lambda image: int(image["size"]))["name"]
    say(f"Downloading {large} with the swift CLI, and comparing it with its source byte for byte")
    _compare(large, sources[large], images / "downloaded")
    small = min((image for image, _transfer in sent), key=lambda image: int(image["size"]))["name"]
    say(f"Taking {small} away")
    _remove(small)
    print(f"\n{_table(sent)}\n")
    return 0


def _seed(*arguments: str) -> str:
    """Run the playbook, print its output and return it."""
    command = ["ansible-playbook", "-i", "localhost,", str(ROOT / "examples" / "seed.yml"), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as playbook:
        assert playbook.stdout is not None
        shown = []
        for line in playbook.stdout:
            print(line, end="", flush=True)
            shown.append(line)
    if playbook.returncode:
        raise Failure("the playbook failed: its output above says why.")
    return "".join(shown)


def _check_unchanged(output: str) -> None:
    if "changed=0 " not in output:
        raise Failure("the second run changed something: run ansible-playbook examples/seed.yml --check --diff.")


def _compare(name: str, source: Path, target: Path) -> None:
    cluster = json.loads(Path(os.environ["IMAGESTORE_CLUSTER"]).read_text("utf-8"))
    command: list[str | Path] = ["swift", "download", CONTAINER, name, "--output", target]
    run_or_fail(command, "the swift CLI can't read the image", env={**os.environ, **_swift_variables(cluster)})
    if not filecmp.cmp(source, target, shallow=False):
        raise Failure(f"what the swift CLI downloaded as {name} is not what {source} holds.")
    print(f"{name}: {source.stat().st_size} bytes, the same")


def _swift_variables(cluster: Mapping[str, Any]) -> dict[str, str]:
    """Return the credentials as environment variables of the swift CLI."""
    project = cluster["projects"]["images"]
    return {
        "OS_AUTH_URL": cluster["auth_url"],
        "OS_IDENTITY_API_VERSION": "3",
        "OS_USERNAME": project["user_name"],
        "OS_PASSWORD": project["password"],
        "OS_PROJECT_NAME": project["project_name"],
        "OS_USER_DOMAIN_ID": "default",
        "OS_PROJECT_DOMAIN_ID": "default",
    }


def _remove(name: str) -> None:
    arguments = json.dumps({"cloud": "images", "container": CONTAINER, "name": name, "state": "absent"})
    # JSON, because Ansible ends key=value at the first space of a path.
    interpreter = json.dumps({"ansible_python_interpreter": sys.executable})
    module = "imagestore.swift.swift_image"
    run_or_fail(
        ["ansible", "localhost", "-i", "localhost,", "-c", "local", "-e", interpreter, "-m", module, "-a", arguments],
        "the image can't be removed",
    )


def _table(sent: list[tuple[dict[str, Any], dict[str, Any]]]) -> str:
    """Return a table of the sent images: name, size, kind, segments, MD5, time and rate."""
    rows = [("image", "size", "kind", "segments", "md5", "time", "rate")]
    for image, transfer in sent:
        mebibytes = image["size"] / 1024**2
        rows.append(
            (
                image["name"],
                f"{mebibytes:.1f} MiB",
                image["manifest"] if image["manifest"] != "none" else "plain",
                str(image["segments"]),
                image["checksums"]["md5"],
                f"{transfer['seconds']:.1f} s",
                f"{mebibytes / transfer['seconds']:.1f} MiB/s",
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


if __name__ == "__main__":
    sys.exit(end_in_one_line("demo", main))
