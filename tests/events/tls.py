"""A scripted server behind TLS on loopback, and a guard whose names all lead to it, for tests of what is asked outward."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import trustme

from events.outward import Outward
from events.outward.addresses import is_public

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Step = Callable[[ssl.SSLSocket], None]


@lru_cache(maxsize=1)
def authority() -> trustme.CA:
    return trustme.CA()


def believes(*authorities: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    for each in authorities:
        each.configure_trust(context)
    return context


def on_loopback(address: str) -> bool:
    """Whether an address will do in a test: the server's own, or what would do in earnest."""
    return address == "127.0.0.1" or is_public(address)


@dataclass
class Served:
    """A running server: its port, the heads of requests so far, and `over`, set when the test ends."""

    port: int
    asked: list[bytes] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def outward(self, hosts: Iterable[str], **changes: Any) -> Outward:
        known: dict[str, Any] = {
            "port": self.port,
            "resolve": lambda _: ["127.0.0.1"],
            "reachable": on_loopback,
            "tls": believes(authority()),
            "deadline_s": 20.0,
        }
        return Outward(hosts, **known | changes)


@contextmanager
def served(*steps: Step, name: str = "good.example.com", by: trustme.CA | None = None) -> Iterator[Served]:
    """Run a server with a certificate for a name; it plays one step per connection, then takes no more of them."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    (by or authority()).issue_cert(*name.split()).configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Served(listener.getsockname()[1])

        def answer(connection: socket.socket, step: Step) -> None:
            with suppress(OSError), context.wrap_socket(connection, server_side=True) as secure:
                head = b""
                while b"\r\n\r\n" not in head:
                    head += secure.recv(65_536) or b"\r\n\r\n"
                server.asked.append(head)
                step(secure)

        with _playing(listener, [lambda connection, step=step: answer(connection, step) for step in steps]):
            yield server
            server.over.set()


@contextmanager
def plain(*steps: Callable[[socket.socket], None]) -> Iterator[Served]:
    """Run a server that plays one step per connection, from its first byte."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Served(listener.getsockname()[1])
        with _playing(listener, list(steps)):
            yield server
            server.over.set()


@contextmanager
def _playing(listener: socket.socket, steps: list[Any]) -> Iterator[None]:
    def play() -> None:
        with suppress(OSError):
            for step in steps:
                connection, _ = listener.accept()
                with connection, suppress(OSError):
                    step(connection)
            listener.close()

    thread = threading.Thread(target=play)
    thread.start()
    try:
        yield
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        thread.join()
