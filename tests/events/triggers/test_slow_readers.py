"""Senders that do not read their answers must not keep the server's threads."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.events.triggers.served import served

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

ASK = b"GET /openapi.json HTTP/1.1\r\nHost: h\r\n\r\n"


def test_who_does_not_read_is_given_up_on(tmp_path: Path) -> None:
    with (
        served(tmp_path, HONGYAN_RECEIVE_S="1", HONGYAN_DEADLINE_S="1", WEB_CONCURRENCY="1") as server,
        ExitStack() as held,
    ):
        # More than the threads there are, each with more answers under way than any buffer holds.
        for _ in range(40):
            connection = held.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", server.port))
            connection.sendall(ASK * 400)
        # The first are answered while those still fill their buffers, the next only when they were given up on.
        assert [server.send("/health/live", b"", {}, "GET")[0] for _ in range(40)] == [200] * 40
