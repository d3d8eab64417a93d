# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One of Swift's servers, in this process."""

from __future__ import annotations

import logging
import logging.handlers
from typing import Any

from .cluster import Cluster

SECTIONS = {
    "account": "account-server",
    "container": "container-server",
    "object": "object-server",
    "proxy": "proxy-server",
}


def main(cluster: Cluster, name: str) -> None:
    """Serve until the process is ended."""
    from swift.common import utils

    # Swift's other modules read swift.conf while they are imported, so this comes before them.
    utils.set_swift_dir(str(cluster.layout.swift))
    from swift.common.wsgi import run_wsgi

    section = SECTIONS[name.partition("-")[0]]
    run_wsgi(str(cluster.layout.swift / f"{section}.conf"), section, verbose=True)


def without_syslog(
    _conf: dict[str, Any],
    _name: str,
    _log_to_console: bool,
    _log_route: str,
    _fmt: str,
    logger: logging.Logger,
    _adapted_logger: Any,
) -> None:
    """Remove syslog's handlers, so that Swift only logs to stderr, which is our log file; Swift calls this."""
    for handler in list(logger.handlers):
        if isinstance(handler, logging.handlers.SysLogHandler):
            logger.removeHandler(handler)
            handler.close()
