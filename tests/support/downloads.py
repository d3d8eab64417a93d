# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Downloads of one image to one file, and their interruption."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from unittest.mock import patch

import pytest
from ansible_collections.imagestore.swift.tests.support.modules import Result
from ansible_collections.imagestore.swift.tests.support.writers import Place

NOBODY = 65534


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user, and mount")


def end_after(signal_number: int, ranges: int) -> None:
    """Make this process send itself a signal when its part file has recorded a number of ranges."""
    from ansible_collections.imagestore.swift.plugins.module_utils._transfer.part_file import PartFile

    note, noted = PartFile.note, 0

    def counted(part: PartFile, offset: int) -> None:
        nonlocal noted
        note(part, offset)
        noted += 1
        if noted == ranges:
            os.kill(os.getpid(), signal_number)

    patch.object(PartFile, "note", counted).start()


def parts_in(folder: Path) -> list[Path]:
    return sorted(folder.glob(".*.part"))


class Downloads:
    """Downloads of one image to one file."""

    def __init__(self, place: Place, folder: Path) -> None:
        self.place = place
        self.folder = folder
        self.dest = folder / "image"

    def __call__(self, **options: object) -> Result:
        return self.place.modules("swift_image_download", **self._named(options))

    def change(self, **options: object) -> Result:
        """Download, which has to change the file as check mode predicts, and nothing in a second run.

        No other file may be in the folder afterwards, and the store must not change.
        """
        before = self._files()
        with self.place.store.watch(self.place.container) as watched:
            predicted = self.place.modules.predict("swift_image_download", **self._named(options))
            assert predicted.changed
            assert self._files() == before
            done = self(**options)
            self.keep(**options)
        assert done.changed
        assert done["diff"] == predicted["diff"]
        assert done["diff"]["before"] != done["diff"]["after"]
        assert done["dest"] == str(self.dest)
        assert os.listdir(self.folder) == [self.dest.name]
        assert watched.changing == []
        return done

    def keep(self, **options: object) -> Result:
        """Download, which has to leave the file as it is, and to fetch nothing."""
        before = self._files()
        result = self(**options)
        assert not result.changed
        assert result["diff"]["before"] == result["diff"]["after"]
        assert result["transfer"]["bytes_downloaded"] == 0
        assert self._files() == before
        return result

    def fail(self, **options: object) -> str:
        result = self.place.modules.try_to("swift_image_download", **self._named(options))
        assert result["failed"]
        assert "Traceback" not in str(result)
        return str(result["msg"])

    def _named(self, options: Mapping[str, object]) -> dict[str, object]:
        """Return a module's options, by default for the image ``img``."""
        image = {} if "uri" in options else {"name": "img"}
        return {**image, "dest": str(self.dest), **options}

    def _files(self) -> dict[str, tuple[int, int, bytes]]:
        """Return the mode, the modification time and the content of each file in the folder."""
        states = {path: path.stat() for path in self.folder.iterdir()}
        return {path.name: (state.st_mode, state.st_mtime_ns, path.read_bytes()) for path, state in states.items()}

    def kill_after(self, ranges: int) -> None:
        """Kill a download when it has recorded a number of ranges."""
        options = {"name": "img", "dest": str(self.dest), "concurrency": 1}
        process = self.place.modules.start(
            "swift_image_download", partial(end_after, signal.SIGKILL, ranges), **options
        )
        assert process.wait() == -signal.SIGKILL


def as_nobody(*command: str) -> None:
    """Run a command as another user of the host."""
    subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command], check=True)
