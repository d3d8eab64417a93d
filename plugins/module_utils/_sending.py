# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a part of a file leaves this host: in large pieces, and without a copy where the connection is plain HTTP.

swiftclient, requests and urllib3 read what they send 16 KiB at a time. Here they pass the whole part down to the
connection, which has the kernel send it from the file (sendfile) unless TLS is in between.
"""

from __future__ import annotations

import os
import socket
from http import client
from typing import Any

from requests.adapters import HTTPAdapter
from swiftclient.utils import LengthWrapper
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.wait import wait_for_write

from ._source import PartReader

_CHUNK = 1024 * 1024
# What Linux sends in one call at the most is a little less than 2 GiB (sendfile(2)).
_MOST_AT_ONCE = 1024 * 1024 * 1024


def part_body(reader: PartReader) -> Any:
    """A part as what swiftclient passes on as it is."""
    body = LengthWrapper(reader, reader.size)
    body.part = reader
    return body


class PartAdapter(HTTPAdapter):
    """Gives parts to the connection whole; all else is sent as ever."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Open connections that know what to do with them."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """The same through a proxy."""
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Send a request."""
        part = getattr(request.body, "part", None)
        if isinstance(part, PartReader):
            # What can be gone through is passed on one by one, and not read.
            request.body = (part,)
        return super().send(request, *args, **kwargs)


class _Sending(client.HTTPConnection):
    """What a connection does beside that of urllib3."""

    def send(self, data: Any) -> None:
        """Send bytes, or a part of a file."""
        if not isinstance(data, PartReader):
            super().send(data)
        # TLS has classes of its own, and more than one: what is given to the kernel goes out as it is.
        elif type(self.sock) is not socket.socket or not _send_file(self.sock, data):
            while chunk := data.read(_CHUNK):
                self.sock.sendall(chunk)


class _Connection(_Sending, HTTPConnection):
    pass


class _SecureConnection(_Sending, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS = {"http": _Pool, "https": _SecurePool}


def _send_file(connection: Any, reader: PartReader) -> bool:
    """Have the kernel send all of *reader*; False where it can't do that for such a file or connection.

    :raises SourceError: the file ends before that
    """
    descriptor, offset, left = reader.rest()
    while left:
        try:
            sent = os.sendfile(connection.fileno(), descriptor, offset, min(left, _MOST_AT_ONCE))
        except BlockingIOError:
            if not wait_for_write(connection, connection.gettimeout()):
                raise TimeoutError("nothing more can be sent") from None
            continue
        except (BrokenPipeError, ConnectionError):
            raise
        except OSError:
            if left != reader.size:
                raise
            return False
        if not sent:
            raise reader.shortened()
        offset += sent
        left -= sent
    return True
