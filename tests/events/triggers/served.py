"""The production server on a real socket with senders of its own, raw requests to it, and signatures made by hand."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.events.cli.support import environment

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
GUNICORN = [sys.executable, "-m", "gunicorn", "-c", "events/gunicorn_conf.py", "events.triggers.webhook:create_app()"]
# Obviously fake, and found in no answer and no log line.
KEYS = {name: hashlib.sha256(b"fake secret of " + name.encode()).digest() for name in ("MONITORING", "OLD", "OTHER")}
SECRETS = {name: "whsec_" + base64.b64encode(key).decode() for name, key in KEYS.items()}
TOKEN = "fake-token-of-a-sender-that-can-do-no-better"

SENDERS = """
[senders.monitoring]
scheme = "standard"
secrets = [{ env = "MONITORING" }, { env = "OLD", until = %(until)s }]
operations = ["elb.list_members"]
rate = "100000/minute"

[senders.other]
scheme = "standard"
secrets = [{ env = "OTHER" }]
operations = ["elb.list_members", "vpcep.update_connection_descriptions"]

[senders.plain]
scheme = "bearer"
secrets = [{ env = "TOKEN" }]
operations = ["elb.list_members"]
"""


@dataclass
class Served:
    """A running server: where it is, and what it logged so far."""

    port: int
    process: subprocess.Popen[str]
    logged: list[str] = field(default_factory=list)

    def raw(self, *parts: bytes, timeout_s: float = 30.0) -> bytes:
        """Send bytes as they are and return everything that comes back until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout_s) as connection:
            try:
                for part in parts:
                    connection.sendall(part)
            except OSError:
                pass  # It answered and closed before it had read everything: what it said is still there.
            return _all(connection)

    def send(
        self, path: str, body: bytes = b"", headers: dict[str, str] | None = None, method: str = "POST"
    ) -> tuple[int, dict[str, str], bytes]:
        """Send a well-formed request; return status, headers by lower-case name, and body."""
        lines = {"Host": "hooks.example", "Connection": "close", "Content-Length": str(len(body)), **(headers or {})}
        head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        return answer_of(self.raw(head.encode("latin-1") + b"\r\n" + body))


def answer_of(raw: bytes) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers by lower-case name, and body of an answer."""
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    return (
        int(first.split()[1]),
        {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)},
        body,
    )


def problem_of(answer: tuple[int, dict[str, str], bytes]) -> dict[str, Any]:
    """Return the problem that an answer is."""
    status, headers, body = answer
    assert headers["content-type"] == "application/problem+json", answer
    found: dict[str, Any] = json.loads(body)
    assert found["status"] == status
    return found


def signed(
    body: bytes, id_: str, key: str = "MONITORING", at: float | None = None, content_type: str = "application/json"
) -> dict[str, str]:
    """Return the headers of Standard Webhooks for a body, signed by hand."""
    moment = int(time.time() if at is None else at)
    mac = hmac.new(KEYS[key], f"{id_}.{moment}.".encode() + body, hashlib.sha256).digest()
    return {
        "Content-Type": content_type,
        "webhook-id": id_,
        "webhook-timestamp": str(moment),
        "webhook-signature": "v1," + base64.b64encode(mac).decode(),
    }


@contextmanager
def served(
    folder: Path, *, until: str = "2099-01-01T00:00:00Z", senders: str = SENDERS, **changes: str
) -> Iterator[Served]:
    """Run gunicorn with two processes and the senders above, on the emulator, until the block ends."""
    file = folder / "senders.toml"
    file.write_text(senders % {"until": until} if "%(until)s" in senders else senders)
    known = {
        "HONGYAN_EMULATOR": "local",
        "HONGYAN_BIND": "127.0.0.1:0",
        "HONGYAN_SENDERS": str(file),
        "HONGYAN_CAPTURE_DIR": str(folder / "captures"),
        "HONGYAN_LOG_LEVEL": "DEBUG",
        "TOKEN": TOKEN,
    }
    env = environment(**{**known, **SECRETS, **changes})
    process = subprocess.Popen(
        GUNICORN, cwd=ROOT, env=env, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    assert process.stderr
    with process:
        try:
            logged: list[str] = []
            for line in process.stderr:
                logged.append(line)
                if found := re.search(r"Listening at: http://127.0.0.1:(\d+)", line):
                    break
            else:
                raise AssertionError("".join(logged))
            reader = threading.Thread(target=logged.extend, args=(process.stderr,), daemon=True)
            reader.start()
            yield Served(int(found[1]), process, logged)
        finally:
            process.terminate()
            process.wait(30)
        reader.join(30)


def _all(connection: socket.socket) -> bytes:
    found = b""
    while True:
        try:
            part = connection.recv(65_536)
        except ConnectionResetError:
            return found
        if not part:
            return found
        found += part
