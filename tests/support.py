"""What tests of several rooms share: a scripted server on a real socket, settings that reach it, a clock that does not wait."""

from __future__ import annotations

import json
import socket
import struct
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from functions.cloud.settings import CloudSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


PROJECT = "0605767a3300d5762fb7c0186d9e1779"
LISTENER = "65093734fb966b3d70f6af26cc63e125"
CHANNEL = "56a7d7358e1b42459c9d730d65b14e59"
INSTANCE = "b1e4a54f8c9d4a6d9d5a2f3c7e6b5a41"
SERVICE = "813d9300-8473-405b-bfcd-f711117bad65"
CONNECTION = "0df78897-35b0-4a93-ad17-0bc0585f546b"


def settings(url: str = "", **changes: Any) -> CloudSettings:
    """Return complete settings with fake keys; `url` is where all services of the cloud are."""
    known: dict[str, Any] = {
        "region": "cn-north-4",
        "project_id": PROJECT,
        "access_key": "FAKEACCESSKEY",
        "secret_key": "fake-secret-key",
        "emulator": url,
    }
    return CloudSettings(**known | changes)


def http(status: int, body: bytes | str = b"", *headers: str, length: int | None = None) -> bytes:
    """Return an HTTP/1.1 answer; `length` lies about its Content-Length."""
    raw = body.encode() if isinstance(body, str) else body
    size = len(raw) if length is None else length
    # A step has its connection to itself: said, so that no client takes it for one that is kept.
    kept = [] if any(header.startswith("Connection:") for header in headers) else ["Connection: close"]
    lines = [f"HTTP/1.1 {status} X", "Content-Type: application/json", f"Content-Length: {size}", *kept, *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + raw


def says(status: int, body: Any = b"", *headers: str, length: int | None = None) -> Callable[[socket.socket], None]:
    """Return a step that answers with a body (bytes, text, or a JSON value)."""
    raw = body if isinstance(body, (bytes, str)) else json.dumps(body)
    return lambda connection: connection.sendall(http(status, raw, *headers, length=length))


def resets(after: bytes = b"") -> Callable[[socket.socket], None]:
    """Return a step that resets the connection, after sending these bytes."""

    def step(connection: socket.socket) -> None:
        connection.sendall(after)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return step


@dataclass
class Scripted:
    """A running scripted server: where it is, what it was asked so far, and `released`, set when the test is over."""

    url: str
    asked: list[bytes] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)


@contextmanager
def scripted(*steps: Callable[[socket.socket], None] | str) -> Iterator[Scripted]:
    """Run a server that plays one step per connection, then refuses further ones; the step `"hang"` never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        served = Scripted(f"http://127.0.0.1:{listener.getsockname()[1]}")

        def play() -> None:
            for step in steps:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    served.asked.append(_read(connection))
                    if callable(step):
                        step(connection)
                    else:
                        served.released.wait()

        thread = threading.Thread(target=play)
        thread.start()
        try:
            yield served
        finally:
            served.released.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _read(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65_536)
        if not part:
            return data
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    sizes = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while sizes and len(body) < int(sizes[0]):
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body
