"""Rotation without downtime: a sender changes its secret in the middle of its requests, and none is refused."""

from __future__ import annotations

import socket
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

from events.samples import sample
from tests.events.triggers.served import Served, problem_of, served, signed

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

BODY = sample("elb.list_members")
REQUESTS = 1000


def stream(server: Served, keys: list[str]) -> list[int]:
    """Send one request for each key over one connection, as a sender with many events does; return the statuses."""
    found = []
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection,
        connection.makefile("rb") as answers,
    ):
        for number, key in enumerate(keys):
            lines = {"Host": "h", "Content-Length": str(len(BODY)), **signed(BODY, f"{key}-{number}", key)}
            head = "POST /hooks/monitoring HTTP/1.1\r\n" + "".join(
                f"{name}: {value}\r\n" for name, value in lines.items()
            )
            connection.sendall(head.encode() + b"\r\n" + BODY)
            found.append(int(answers.readline().split()[1]))
            length = 0
            while (line := answers.readline().strip().lower()) != b"":
                length = int(line.split(b":")[1]) if line.startswith(b"content-length:") else length
            answers.read(length)
    return found


def test_a_sender_switches_secrets_in_mid_stream(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        # At first the old one, then both in turn while the sender's machines follow one by one, then the new one.
        keys = ["OLD"] * 400 + ["OLD", "MONITORING"] * 100 + ["MONITORING"] * 400
        assert len(keys) == REQUESTS
        assert stream(server, keys) == [200] * REQUESTS


def test_after_its_end_the_old_secret_is_refused(tmp_path: Path) -> None:
    ended = datetime.fromtimestamp(time.time() - 1, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    with served(tmp_path, until=ended) as server:
        answer = server.send("/hooks/monitoring", BODY, signed(BODY, "late", "OLD"))
        assert problem_of(answer)["reason"] == "signature_mismatch"
        assert server.send("/hooks/monitoring", BODY, signed(BODY, "new"))[0] == 200
