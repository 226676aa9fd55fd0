"""One request and its answer on a connection that stands, within a deadline and bounds, for the guard of outward requests."""

from __future__ import annotations

import http.client
import io
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import socket

    from functions.cloud.deadline import Deadline

HEAD_LIMIT = 16_384
"""Bytes of an answer besides its body: status line, header fields, chunk sizes, trailers, interim answers."""


class BadAnswer(Exception):
    """The answer is not one to be read; the text says why."""


def left(deadline: Deadline) -> float:
    """Return the seconds that are left, more than 0. Raises TimeoutError when there are none."""
    seconds = deadline.remaining()
    if not seconds:
        raise TimeoutError
    return seconds


def send(connection: socket.socket, method: str, host: str, path: str, deadline: Deadline) -> None:
    """Send a request without a body. `host` and `path` are known to hold nothing but visible ASCII. Raises OSError."""
    fields = (f"Host: {host}", "User-Agent: hongyan", "Accept: */*", "Accept-Encoding: identity", "Connection: close")
    connection.settimeout(left(deadline))
    connection.sendall("\r\n".join((f"{method} {path} HTTP/1.1", *fields, "", "")).encode("ascii"))


def receive(connection: socket.socket, method: str, limit: int, deadline: Deadline) -> bytes:
    """Return the body, at most `limit` bytes, of an answer with status 2xx. Raises BadAnswer, OSError, http.client.HTTPException."""
    try:
        return _body(_Stream(connection, deadline, limit + HEAD_LIMIT), method, limit)
    except ValueError:  # http.client's, of a chunk whose size is negative.
        raise BadAnswer("answered what is no HTTP") from None


def _body(stream: _Stream, method: str, limit: int) -> bytes:
    answer = http.client.HTTPResponse(cast("socket.socket", stream), method=method)
    answer.begin()
    if not 200 <= answer.status < 300:
        raise BadAnswer(f"answered {answer.status}; only 2xx will do, and redirects are not followed")
    body = answer.read(limit + 1)
    if len(body) > limit:
        raise BadAnswer(f"answered more than {limit} bytes")
    if answer.length:
        raise BadAnswer("broke off")
    return body


class _Stream(io.RawIOBase):
    """The bytes of a connection, at most so many, each read given no more than what is left of the deadline.

    A socket's own timeout starts afresh with every byte of a plain connection and every record of TLS.
    """

    def __init__(self, connection: socket.socket, deadline: Deadline, most: int) -> None:
        self._connection, self._deadline, self._most = connection, deadline, most

    def makefile(self, mode: str) -> io.BufferedReader:  # noqa: ARG002
        """As a socket's; it is all that http.client asks of one."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._connection.settimeout(left(self._deadline))
        count = self._connection.recv_into(buffer)
        self._most -= count
        if self._most < 0:
            raise BadAnswer("answered too much")
        return count
