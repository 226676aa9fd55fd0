"""What tests of the sinks share: an event, a receiver on a real socket that keeps its connections, sinks that do as they are told."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from events.cloudevents import CloudEvent

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

EVENT = CloudEvent(
    "4fd24e25-84f7-5e37-9ac7-4b1a82f1fc0c",
    "/hongyan/emulator/0605767a3300d5762fb7c0186d9e1779",
    "hongyan.elb.list_members.succeeded",
    {"operation": "elb.list_members", "outcome": "succeeded", "result": {"名": "鸿雁 é"}},
    datacontenttype="application/json",
    dataschema="urn:hongyan:result:1",
    subject="listeners/雁%",
    time="2026-11-22T08:00:00.000Z",
    extensions={"causationid": "c 1", "correlationid": "c"},
)


def event(number: int) -> CloudEvent:
    return CloudEvent(f"e{number}", "/a", "b", {"number": number})


@dataclass
class Post:
    """A request that a receiver got, its headers by name in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes
    client: tuple[str, int]


@dataclass
class Receiver:
    """A running receiver."""

    url: str
    posts: list[Post] = field(default_factory=list)


@contextmanager
def receiving(
    answer: Callable[[int], int] = lambda _: 204,
    tls: ssl.SSLContext | None = None,
    begins: threading.Event | None = None,
) -> Iterator[Receiver]:
    """Run a receiver that answers its n-th post, from 0, with `answer(n)`; it takes no connection before `begins` is set."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            with lock:
                status = answer(len(receiver.posts))
                receiver.posts.append(Post(self.path, headers, body, self.client_address))
            self.send_response(status)
            self.send_header("Content-Length", "2" if status == 200 else "0")
            self.end_headers()
            if status == 200:
                self.wfile.write(b"ok")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
            """Keep the test's output clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False) as server:
        server.server_bind()
        receiver = Receiver(f"http{'s' if tls else ''}://localhost:{server.server_address[1]}")

        def serve() -> None:
            if begins:
                begins.wait()
                server.server_activate()
            server.serve_forever(poll_interval=0.01)

        if not begins:
            server.server_activate()
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield receiver
        finally:
            if begins:
                begins.set()
            server.shutdown()
            thread.join()


@contextmanager
def threads(count: int) -> Iterator[tuple[ThreadPoolExecutor, threading.Event]]:
    """Yield threads and their `stop`, which is set in the end, whatever a test has found out: nobody waits for ever."""
    stop = threading.Event()
    with ThreadPoolExecutor(count) as pool:
        try:
            yield pool, stop
        finally:
            stop.set()


class Told:
    """A sink that plays one thing per try, an error to raise or None to take the event, and takes all afterwards."""

    def __init__(self, *plays: Exception | None) -> None:
        self.plays = list(plays)
        self.tried: list[str] = []
        self.taken: list[str] = []

    def emit(self, event: CloudEvent) -> None:
        self.tried.append(event.id)
        play = self.plays.pop(0) if self.plays else None
        if play is not None:
            raise play
        self.taken.append(event.id)


class Clock:
    """Time that passes by waiting only; `stop` of a wait is set once the time is `stops_at`."""

    def __init__(self, stops_at: float = float("inf")) -> None:
        self.now = 1000.0
        self.stops_at = 1000.0 + stops_at
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    def wait(self, stop: threading.Event, seconds: float) -> None:
        self.waits.append(round(seconds, 6))
        self.now += seconds + 1e-9  # A sum of floats may be a hair short.
        if self.now >= self.stops_at:
            stop.set()
