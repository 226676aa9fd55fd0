"""When a worker is struck: the moments that its requests pass, and how many of them are under way."""

from __future__ import annotations

import threading
import time
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ASKED, ACTED, TOLD, TAKEN = "asked", "acted", "told", "taken"
"""A request has reached the cloud; the cloud has acted and not yet answered; an event has reached the sink; it is taken, not answered."""
ANY = "any"
"""No moment of any request."""


class Moments:
    """What the requests of each worker pass; shared between the servers' threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: Counter[str] = Counter()
        self._came: Counter[str] = Counter()
        self._last: dict[str, float] = {}
        self._armed: tuple[str, str, Callable[[], None]] | None = None

    @contextmanager
    def under_way(self, worker: str) -> Iterator[None]:
        """Count a request of a worker while it is answered."""
        with self._lock:
            self._open[worker] += 1
            self._came[worker] += 1
            self._last[worker] = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                self._open[worker] -= 1

    def pass_by(self, worker: str, moment: str) -> None:
        """Strike the worker if it is this moment of it that was waited for; the request goes on afterwards."""
        with self._lock:
            armed = self._armed
            if armed is None or armed[:2] != (worker, moment):
                return
            self._armed = None
        armed[2]()

    def arm(self, worker: str, moment: str, strike: Callable[[], None]) -> None:
        """Have `strike` called the next time a worker's request passes a moment."""
        with self._lock:
            self._armed = (worker, moment, strike)

    def disarm(self) -> bool:
        """Forget what was armed; return whether it had not been called."""
        with self._lock:
            armed, self._armed = self._armed, None
        return armed is not None

    def open(self, worker: str) -> int:
        """Return how many requests of a worker are being answered."""
        with self._lock:
            return self._open[worker]

    def came(self, worker: str) -> int:
        """Return how many requests of a worker have come."""
        with self._lock:
            return self._came[worker]

    def quiet_s(self, worker: str) -> float:
        """Return the seconds since a worker's last request came, infinity when there was none."""
        with self._lock:
            return time.monotonic() - self._last[worker] if worker in self._last else float("inf")
