# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An image of a given size, which is the same for the same seed: ``make_image.py PATH SIZE SEED``.

No part of it equals another one, so that the tests notice a segment in the wrong place.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path


def main() -> None:
    """Write the file."""
    path, size, seed = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    blocks = (hashlib.sha512(f"{seed} {number}".encode()).digest() for number in range(-(-size // 64)))
    path.write_bytes(b"".join(blocks)[:size])


if __name__ == "__main__":
    main()
