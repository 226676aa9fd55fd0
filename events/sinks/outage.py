"""What is known of a sink that may be down: since when, why, when to try again, and when the log is told, for its gate."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from events.sinks import SinkUnavailable

log = logging.getLogger("hongyan.events")

BASE_S, CAP_S = 0.1, 30.0
"""The longest pause after the first failure, and after any, in seconds; a sink may ask for more."""
TELL_S = 30.0
"""Seconds from one warning about a sink to the next: it may be down for hours, or fall and rise many times a minute."""

_DOUBLINGS = 20


class Outage:
    """The outage of one sink, if there is one; `shown` names the sink. Its gate sees to it that one thread at a time is here."""

    def __init__(self, shown: str, clock: Callable[[], float], uniform: Callable[[float, float], float]) -> None:
        """`clock` gives monotonic seconds, `uniform` a number between two."""
        self._shown, self._clock, self._uniform = shown, clock, uniform
        self._failures = 0
        self._since = self._next = 0.0
        self._warned, self._told = -math.inf, False
        self.reason = ""

    @property
    def lasts(self) -> bool:
        """Whether the sink is down."""
        return self._failures > 0

    @property
    def pause_s(self) -> float:
        """Seconds until the sink may be tried again, 0.0 when it may be now."""
        return max(0.0, self._next - self._clock())

    def failed(self, failure: SinkUnavailable, *, counts: bool) -> None:
        """Note a failure. The pause grows with those that count: many threads that fail at once have seen one failure."""
        now = self._clock()
        if not self._failures:
            self._since = now
        if counts or not self._failures:
            self._failures += 1
            self._next = now + self.backed_off(self._failures)
        self._next = max(self._next, now + (failure.retry_after_s or 0.0))
        self.reason = str(failure)
        if now - self._warned >= TELL_S:
            self._warned, self._told = now, True
            facts = {"sink": self._shown, "reason": self.reason, "down_s": round(now - self._since, 1)}
            log.warning("sink.unavailable", extra={"facts": {**facts, "retry_in_s": round(self._next - now, 1)}})

    def ended(self) -> None:
        """Note that the sink was reached again. The log is told if it was told of the outage."""
        if self._told:
            facts = {"sink": self._shown, "down_s": round(self._clock() - self._since, 1), "tries": self._failures}
            log.info("sink.available", extra={"facts": facts})
        self._failures, self._told, self.reason = 0, False, ""

    def backed_off(self, failures: int) -> float:
        """Return the seconds to wait after so many failures: 0 to `BASE_S` doubled by each, at most `CAP_S` (full jitter)."""
        return self._uniform(0.0, min(CAP_S, BASE_S * 2 ** min(failures - 1, _DOUBLINGS)))
