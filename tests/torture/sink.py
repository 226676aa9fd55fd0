"""The sink of a run: it checks signatures, keeps every event in the order of its coming, and refuses some by the run's seed."""

from __future__ import annotations

import base64
import random
import socket
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from standardwebhooks import Webhook, WebhookVerificationError

from tests.torture.moments import TAKEN, TOLD, Moments
from tests.torture.plan import WRITE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

SHARE = 0.05
"""Of all events that come, so many are refused."""

# Rare: whoever is told to wait waits a second. `lost`: it is taken, and its sender is not told so; `cut`: neither.
_REFUSALS = {"503": 45, "lost": 25, "cut": 22, "429": 8}
_STATUS = {"200": "200 OK", "401": "401 Unauthorized", "429": "429 Too Many Requests", "503": "503 Service Unavailable"}


@dataclass(frozen=True, slots=True)
class Told:
    """One event that came, `at` in monotonic seconds.

    `taken`: it was kept, even if its sender was never told so. `read_back`: it tells what the cloud showed of an earlier run's write.
    """

    at: float
    id: str
    cause: str
    outcome: str
    taken: bool
    read_back: bool


class Sink:
    """A WSGI application; the first part of a path names the worker. `told` is all that came, `taken` the ids of what was taken."""

    def __init__(self, seed: int, moments: Moments) -> None:
        self.secret = "whsec_" + base64.b64encode(random.Random(f"{seed} secret").randbytes(32)).decode()
        self.told: list[Told] = []
        self.taken: set[str] = set()
        self.refused: Counter[str] = Counter()
        self.unsigned = 0
        self._webhook = Webhook(self.secret)
        self._seed = seed
        self._moments = moments
        self._came: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        worker = environ["PATH_INFO"].strip("/")
        size = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(size)
        with self._moments.under_way(worker):
            self._moments.pass_by(worker, TOLD)
            # Whoever was killed while it was sending has sent a part.
            refusal = self._take(environ, body) if len(body) == size else "cut"
            self._moments.pass_by(worker, TAKEN)
        if refusal in ("lost", "cut"):
            with suppress(OSError):  # Its sender may be gone.
                environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            raise ConnectionAbortedError(refusal)
        headers = [("Content-Length", "0"), *([("Retry-After", "1")] if refusal == "429" else [])]
        start_response(_STATUS[refusal or "200"], headers)
        return []

    def _take(self, environ: WSGIEnvironment, body: bytes) -> str:
        """Keep an event, and return how it is refused, "" when it is not."""
        names = ("webhook-id", "webhook-timestamp", "webhook-signature")
        headers = {name: str(environ.get("HTTP_" + name.upper().replace("-", "_"), "")) for name in names}
        try:
            event: dict[str, Any] = self._webhook.verify(body, headers)
        except (WebhookVerificationError, ValueError):
            self.unsigned += 1
            return "401"
        cause = str(event["causationid"])
        number = cause.rpartition("-")[2]
        with self._lock:
            self._came[number] += 1
            draw = random.Random(f"{self._seed} sink {number} {self._came[number]}")
            refusal = draw.choices(list(_REFUSALS), list(_REFUSALS.values()))[0] if draw.random() < SHARE else ""
            self.refused[refusal] += bool(refusal)
            told = _told(event, taken=refusal in ("", "lost"))
            self.told.append(told)
            if told.taken:
                self.taken.add(told.id)
        return refusal


def _told(event: dict[str, Any], *, taken: bool) -> Told:
    data, upstream = event["data"], event["data"]["upstream"] or {}
    read_back = data["operation"] == WRITE and upstream.get("method") == "GET"
    return Told(time.monotonic(), event["id"], event["causationid"], data["outcome"], taken, read_back)
