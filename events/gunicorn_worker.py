"""gunicorn's threaded worker with two more manners: a request must arrive in time, and malformed HTTP gets a problem instead of a page."""

from __future__ import annotations

import http
import logging
import os
import socket
import ssl
from contextlib import suppress
from typing import Any

from gunicorn.http import errors
from gunicorn.workers.gthread import ThreadWorker

from events.problems import PLAIN, problem
from events.settings import EventSettings
from events.triggers.receiving import Reaper

log = logging.getLogger("hongyan.events")

_STATUS = {
    "LimitRequestLine": 414,
    "LimitRequestHeaders": 431,
    "UnsupportedTransferCoding": 501,
    "ExpectationFailed": 417,
}
_MALFORMED = (errors.ParseException, ssl.SSLError)
# Parsing has errors of the same family for what an application answers: those are ours.
_OURS = ("InvalidResponseHeader", "InvalidResponseHeaderName")


class HookWorker(ThreadWorker):
    """Named by `worker_class` in gunicorn_conf; one a process."""

    def init_process(self) -> None:
        """Start what belongs to this process alone."""
        settings = EventSettings.from_env(os.environ)
        self.reaper = Reaper(settings.receive_s)
        # For the rest of a request: its body, its call, and a reader who takes the answer.
        self.last = Reaper(2 * settings.receive_s + settings.deadline_s, socket.SHUT_RDWR)
        super().init_process()

    def handle(self, conn: Any) -> Any:
        """Handle a connection's next request: its handshake, its first line and its headers must arrive in time."""
        with self.reaper.watching(lambda: conn.sock) as conn.watch:
            return super().handle(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Hand a request to the application, which watches over its body itself; who does not read the answer is given up on, too."""
        self.reaper.stop(conn.watch)
        with self.last.watching(lambda: conn.sock):
            return super().handle_request(req, conn)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:  # noqa: ARG002
        """Answer what cannot be read as HTTP, or what no application answered, with problem+json."""
        malformed = isinstance(exc, _MALFORMED) and type(exc).__name__ not in _OURS
        status = _STATUS.get(type(exc).__name__, 400) if malformed else 500
        level = logging.WARNING if malformed else logging.ERROR
        facts = {"error_type": type(exc).__name__, "client": addr[0] if addr else None}
        log.log(
            level,
            "request.malformed" if malformed else "request.crashed",
            extra={"facts": facts},
            exc_info=None if malformed else exc,
        )
        detail = (
            "this is not HTTP as this server reads it" if malformed else "an error inside Hongyan; its log tells more"
        )
        answer = problem(status, "invalid_argument" if malformed else "internal", detail)
        head = [
            f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}",
            "Connection: close",
            f"Content-Length: {len(answer.body)}",
        ]
        head += [f"{name}: {value}" for name, value in {**answer.headers, **PLAIN}.items()]
        with suppress(OSError):  # Whoever sent it is gone.
            client.sendall("\r\n".join([*head, "", ""]).encode("ascii") + answer.body)
