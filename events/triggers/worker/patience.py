"""Waiting for a store that cannot be used just now: nothing is taken for new meanwhile, and nothing is given up."""

from __future__ import annotations

import logging
import random
import threading
import time
from typing import TYPE_CHECKING, TypeVar

from events.idempotency import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger("hongyan.events")

T = TypeVar("T")

_FIRST_S, _MOST_S = 0.1, 5.0


class Patience:
    """Tries again what the store refuses, with growing pauses; says once that it waits, and once that it need not any more."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._since: float | None = None

    def until_done(self, step: Callable[[], T], ending: threading.Event) -> T:
        """Return what `step` returns as soon as it does not raise StoreUnavailable. Raises that when `ending` is set meanwhile."""
        pause_s = _FIRST_S
        while True:
            try:
                found = step()
            except StoreUnavailable as error:  # noqa: PERF203 - each try is one
                self._note_down(error)
                if ending.wait(random.uniform(pause_s / 2, pause_s)):  # noqa: S311 - no secret
                    raise
                pause_s = min(_MOST_S, pause_s * 2)
            else:
                self._note_up()
                return found

    def _note_down(self, error: StoreUnavailable) -> None:
        with self._lock:
            first, self._since = self._since is None, self._since or self._clock()
        if first:
            log.error("store.unavailable", extra={"facts": {"error": str(error)}})

    def _note_up(self) -> None:
        if self._since is None:
            return
        with self._lock:
            since, self._since = self._since, None
        if since is not None:
            log.info("store.available", extra={"facts": {"down_s": round(self._clock() - since, 1)}})
