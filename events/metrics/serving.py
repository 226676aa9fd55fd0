"""A small HTTP server of its own for what is counted, GET /metrics and nothing else, for processes that serve nothing: the worker."""

from __future__ import annotations

import logging
import re
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import TYPE_CHECKING, Any

from events.loopback import is_own_machine
from events.problems import PLAIN, HttpAnswer, problem
from events.proxies import Proxies
from events.triggers.receiving import Reaper
from functions.cloud.errors import ConfigurationError

if TYPE_CHECKING:
    from types import TracebackType

    from events.metrics import Metrics

log = logging.getLogger("hongyan.events")

DEFAULT_BIND = "127.0.0.1:9464"
"""Where it listens unless HONGYAN_METRICS_BIND says otherwise."""

_BIND = re.compile(r"(?P<host>[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):(?P<port>[0-9]{1,5})")
_OWN_NAMES = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?")
# Seconds for a whole request and its answer, and requests at once: more are hung up on.
_MOST_S, _MOST_AT_ONCE = 10.0, 16


class MetricsServer:
    """A running server; `url` is where it is. Close it, or use it as a context manager."""

    def __init__(self, server: _Server) -> None:
        self._server = server
        host, port = server.server_address[:2]
        self.url = f"http://{f'[{host!s}]' if ':' in str(host) else host!s}:{port}/metrics"
        self._thread = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.1}, name="metrics", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Listen no more; may be called twice. A request that is being answered is not waited for."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> MetricsServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def serve(metrics: Metrics, bind: str = DEFAULT_BIND) -> MetricsServer:
    """Serve what `metrics` counts from a thread of its own; `bind` is like 127.0.0.1:9464, port 0 picks a free one.

    Raises ConfigurationError when that is no address or is taken, and for one that others reach unless `metrics` is for any.
    """
    found = _BIND.fullmatch(bind)
    if not found or int(found["port"]) > 65_535:
        raise ConfigurationError(f"HONGYAN_METRICS_BIND must be like {DEFAULT_BIND} or [::1]:9464")
    host, port = found["host"].strip("[]"), int(found["port"])
    if metrics.audience != "any" and not is_own_machine(host):
        raise ConfigurationError(
            f"HONGYAN_METRICS_BIND must be on this machine, like {DEFAULT_BIND}, unless HONGYAN_METRICS is any"
        )
    try:
        return MetricsServer(_Server(metrics, host, port))
    except OSError as error:
        raise ConfigurationError(f"HONGYAN_METRICS_BIND: cannot listen at {bind}: {error.strerror}") from None


class _Server(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, metrics: Metrics, host: str, port: int) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.metrics = metrics
        self.reaper = Reaper(_MOST_S, socket.SHUT_RDWR)
        self._free = threading.BoundedSemaphore(_MOST_AT_ONCE)
        super().__init__((host, port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        # Most often whoever asked has hung up.
        kind = sys.exc_info()[0]
        log.warning("metrics.unanswered", extra={"facts": {"error_type": kind and kind.__name__}})


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def handle(self) -> None:
        with self.server.reaper.watching(lambda: self.connection):
            super().handle()

    def do_GET(self) -> None:
        self._say(self._answer())

    do_HEAD = do_GET  # noqa: N815 - the base class names it so

    def _answer(self) -> HttpAnswer:
        metrics, headers = self.server.metrics, {name.lower(): value for name, value in self.headers.items()}
        if self.path.partition("?")[0] != "/metrics":
            return problem(404, "not_found", "there is /metrics here")
        near = Proxies().origin(str(self.client_address[0]), "http", headers).near
        # A page in a browser can make another name resolve to this address.
        named = _OWN_NAMES.fullmatch(headers.get("host", "localhost").lower())
        return metrics.answer(headers.get("accept", ""), near=near and named is not None)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """Answer what is no request for anything here; the base class calls it."""
        if code == 501:
            self._say(problem(405, "invalid_argument", "send a GET", {"Allow": "GET, HEAD"}))
        else:
            self._say(problem(code, "invalid_argument", "this is not HTTP as this server reads it"))

    def _say(self, answer: HttpAnswer) -> None:
        self.send_response(answer.status)
        lines = {**answer.headers, **PLAIN, "Content-Length": str(len(answer.body)), "Connection": "close"}
        for name, value in lines.items():
            self.send_header(name, value)
        self.end_headers()
        self.close_connection = True
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def version_string(self) -> str:
        """Return the Server header."""
        return "hongyan"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Say nothing: who asks does so every few seconds."""
