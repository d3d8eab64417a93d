# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""FIFOs that a program writes to while a module reads them."""

from __future__ import annotations

import os
import tempfile
import threading
from pathlib import Path


def fifo_of(folder: Path, data: bytes) -> Path:
    """Return a new FIFO that gives *data* to one reader."""
    path = Path(tempfile.mkdtemp(dir=folder, prefix="fifo-")) / "fifo"
    os.mkfifo(path)
    threading.Thread(target=path.write_bytes, args=(data,), daemon=True).start()
    return path
