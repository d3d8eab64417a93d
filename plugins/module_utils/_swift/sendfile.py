# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a part of a file leaves this host: in large pieces, and without a copy where the connection is plain HTTP.

swiftclient, requests and urllib3 read what they send 16 KiB at a time. Here they pass the whole part down to the
connection, which has the kernel send it from the file (sendfile) unless TLS is in between.
"""

from __future__ import annotations

import os
import select
import socket
import ssl
from functools import lru_cache
from http import client
from typing import Any

from .._source.file import PartReader

_CHUNK = 1024 * 1024
# What Linux sends in one call at the most is a little less than 2 GiB (sendfile(2)).
_MOST_AT_ONCE = 1024 * 1024 * 1024


def part_body(reader: PartReader) -> Any:
    """A part as what swiftclient passes on as it is."""
    from swiftclient.utils import LengthWrapper

    body = LengthWrapper(reader, reader.size)
    body.part = reader
    return body


def part_adapter() -> Any:
    """An adapter of requests that gives parts to the connection whole; all else is sent as ever."""
    return _adapter_class()()


class Sending(client.HTTPConnection):
    """What a connection does beside that of urllib3."""

    def send(self, data: Any) -> None:
        """Send bytes, or a part of a file."""
        if not isinstance(data, PartReader):
            super().send(data)
        elif not _is_plain(self.sock) or not send_file(self.sock, data):
            while chunk := data.read(_CHUNK):
                self.sock.sendall(chunk)


def _is_plain(connection: Any) -> bool:
    """Whether what the kernel is given goes out as it is to go out. TLS in TLS is no socket at all."""
    return isinstance(connection, socket.socket) and not isinstance(connection, ssl.SSLSocket)


def send_file(connection: socket.socket, reader: PartReader) -> bool:
    """Have the kernel send all of *reader*; False where it can't do that for such a file or connection.

    :raises SourceError: the file ends before that
    :raises TimeoutError: nobody takes it
    """
    descriptor, offset, left = reader.rest()
    while left:
        try:
            sent = os.sendfile(connection.fileno(), descriptor, offset, min(left, _MOST_AT_ONCE))
        except BlockingIOError:
            _wait_for_room(connection)
            continue
        except ConnectionError:
            raise
        except OSError:
            if left != reader.size:
                raise
            return False
        if not sent:
            raise reader.shortened()
        offset += sent
        left -= sent
        reader.seek(reader.tell() + sent)
    return True


def _wait_for_room(connection: socket.socket) -> None:
    timeout = connection.gettimeout()
    room = select.poll()
    room.register(connection, select.POLLOUT)
    if not room.poll(None if timeout is None else timeout * 1000):
        raise TimeoutError("nothing more can be sent")


@lru_cache(maxsize=1)
def _adapter_class() -> type[Any]:
    from requests.adapters import HTTPAdapter
    from urllib3.connection import HTTPConnection, HTTPSConnection
    from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

    class Connection(Sending, HTTPConnection):
        pass

    class SecureConnection(Sending, HTTPSConnection):
        pass

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = SecureConnection

    pools = {"http": Pool, "https": SecurePool}

    class PartAdapter(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            super().init_poolmanager(*args, **kwargs)
            self.poolmanager.pool_classes_by_scheme = pools

        def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
            manager = super().proxy_manager_for(*args, **kwargs)
            manager.pool_classes_by_scheme = pools
            return manager

        def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
            part = getattr(request.body, "part", None)
            if isinstance(part, PartReader):
                # What can be gone through is passed on one by one, and not read.
                request.body = (part,)
            return super().send(request, *args, **kwargs)

    return PartAdapter
