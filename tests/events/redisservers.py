"""The Redis server that tests share, private ones with settings of their own, and one that answers whatever it is told to."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest
import redis

from tests.events.queues.brokers import PrivateRedis, running

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

URL = os.environ.get("HONGYAN_TEST_REDIS", "redis://127.0.0.1:6379/0")


@contextmanager
def shared() -> Iterator[redis.Redis]:
    """Yield a client of the server that tests share."""
    with redis.Redis.from_url(URL, socket_timeout=5) as client:
        try:
            client.ping()
        except redis.ConnectionError as error:
            _missing(f"no Redis server answers at {URL} (HONGYAN_TEST_REDIS): {error}")
        yield client


class OwnRedis(PrivateRedis):
    """A private server with settings of its own, as `--maxmemory 2mb`, and a client of it."""

    def __init__(self, folder: Path, *settings: str) -> None:
        super().__init__(folder)
        self._settings = settings
        self.client = redis.Redis(port=self.port, socket_timeout=5)

    def close(self) -> None:
        self.client.close()
        super().close()

    def _command(self) -> Sequence[str]:
        return [*super()._command(), *self._settings]


@contextmanager
def own(folder: Path, *settings: str) -> Iterator[OwnRedis]:
    """Run a private server."""
    if not PrivateRedis.found():
        _missing("the program redis-server is not installed")
    with running(OwnRedis(folder, *settings)) as server:
        yield server


@contextmanager
def answering(answer: str) -> Iterator[int]:
    """Yield the port of a server that gives every command the same answer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_answer, args=(listener, f"{answer}\r\n".encode()))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)


def _answer(listener: socket.socket, answer: bytes) -> None:
    # Until the listener ends, or the only connection that it has.
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            with connection:
                while connection.recv(65536):
                    connection.sendall(answer)


def _missing(reason: str) -> None:
    if os.environ.get("CI") == "true":
        raise AssertionError(reason)
    pytest.skip(reason)
