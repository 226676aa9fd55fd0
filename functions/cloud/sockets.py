"""Connections that keep a call's deadline byte by byte, and tell whether anything of a request was sent, for the transport.

A socket's own timeout starts afresh with every byte that arrives: a peer that drips its answer would outlast any deadline.
"""

from __future__ import annotations

import http.client
import io
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

if TYPE_CHECKING:
    import socket

    from functions.cloud.deadline import Deadline, Trail


class Exchange(threading.local):
    """The exchange that this thread has under way: its deadline, and whether a connection stood and sending had begun.

    `sent` is None until one of our connections is asked for, which in process never happens.
    """

    deadline: Deadline
    sent: bool | None = None
    trail: Trail | None = None


# One thread has one exchange under way at a time, whatever transport it belongs to.
exchange = Exchange()

# Processing, Early Hints and what may yet be named; 101 (Switching Protocols) ends HTTP, and nothing here asks for it.
_INTERIM = frozenset(range(102, 200))


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self.fp = io.BufferedReader(_Timed(sock, exchange.deadline))

    def begin(self) -> None:
        super().begin()
        # http.client skips 100 only: any other interim answer would be taken for the last one, and the last one for the next call's.
        while self.status in _INTERIM:
            self.headers = self.msg = None  # type: ignore[assignment]
            super().begin()
        if self.status == HTTPStatus.SWITCHING_PROTOCOLS:
            # Nothing here asks for it, and what follows is no HTTP: this connection is not used again.
            self.will_close = True


class _Plain(HTTPConnection):
    response_class = _Response

    def request(self, *args: Any, **kwargs: Any) -> None:
        _begin(self)
        super().request(*args, **kwargs)


class _Secure(HTTPSConnection):
    response_class = _Response

    def request(self, *args: Any, **kwargs: Any) -> None:
        _begin(self)
        super().request(*args, **kwargs)


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain

    def urlopen(self, *args: Any, **kwargs: Any) -> Any:
        exchange.sent = False
        return super().urlopen(*args, **kwargs)


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure

    def urlopen(self, *args: Any, **kwargs: Any) -> Any:
        exchange.sent = False
        return super().urlopen(*args, **kwargs)


_POOLS = {"http": _PlainPool, "https": _SecurePool}


class DeadlineAdapter(HTTPAdapter):
    """requests' adapter with connections that look at `exchange`."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools; called by HTTPAdapter itself."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Return the pools behind a proxy; called by HTTPAdapter itself."""
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager


def _begin(connection: HTTPConnection) -> None:
    """Connect first, so that what fails from here on may have been seen by the other side; give sending what time is left."""
    if connection.sock is None:
        connection.connect()
    trail = exchange.trail
    before, sent = (trail.sent if trail else False), False
    # Noted before the deadline is looked at: who sees it unset when the deadline has passed knows that nothing will be sent any more.
    if trail:
        trail.sent = True
    try:
        connection.sock.settimeout(_left(exchange.deadline))
        exchange.sent = sent = True
    finally:
        if trail and not sent:
            trail.sent = before


def _left(deadline: Deadline) -> float:
    left = deadline.remaining()
    if not left:
        raise TimeoutError("the deadline has passed")
    return left


class _Timed(io.RawIOBase):
    """A socket's bytes, each read given no more than what is left of the deadline."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline
        self._raw = sock.makefile("rb", buffering=0)
        # A proxy's answer to CONNECT, and the handshake after it, still belong to connecting and keep its timeout.
        self._most_s = None if exchange.sent else sock.gettimeout()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = _left(self._deadline)
        self._sock.settimeout(left if self._most_s is None else min(left, self._most_s))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
