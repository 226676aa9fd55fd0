"""Operations that the cloud throttles, or refuses our credentials for: nothing of theirs is run until the pause is over."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger("hongyan.events")

EVERYTHING = "*"
"""The operation under which all are paused."""


class Pauses:
    """Which operations wait until when; shared between threads. A pause grows from `base_s` to `most_s` seconds while it does not help.

    `tell` is told of an operation whether it waits.
    """

    def __init__(
        self,
        base_s: float,
        most_s: float,
        clock: Callable[[], float] = time.monotonic,
        tell: Callable[[str, bool], None] = lambda _operation, _paused: None,
    ) -> None:
        self._tell = tell
        self._base_s = base_s
        self._most_s = most_s
        self._clock = clock
        self._lock = threading.Lock()
        self._until: dict[str, float] = {}
        self._grown: dict[str, float] = {}

    def left(self, operation: str) -> float:
        """Return the seconds that an operation is still to wait, 0.0 when it may run."""
        if not self._until:  # Nearly always: no lock is taken for nothing.
            return 0.0
        now = self._clock()
        with self._lock:
            return max(0.0, *(self._until.get(name, 0.0) - now for name in (operation, EVERYTHING)))

    def pause(self, operation: str, said_s: float | None, kind: str) -> float:
        """Let an operation wait, `said_s` seconds at least, and return how long; calls that fail meanwhile do not make it longer."""
        now = self._clock()
        with self._lock:
            left = self._until.get(operation, 0.0) - now
            if left > 0 and left >= (said_s or 0.0):
                return left
            grown = min(self._most_s, self._grown.get(operation, self._base_s / 2) * 2)
            self._grown[operation] = grown
            wait_s = max(grown, said_s or 0.0)
            self._until[operation] = now + wait_s
            self._tell(operation, True)
        log.warning(
            "operation.paused", extra={"facts": {"operation": operation, "kind": kind, "wait_s": round(wait_s, 3)}}
        )
        return wait_s

    def worked(self, operation: str) -> None:
        """Take note that the cloud answers an operation again."""
        if not self._until:
            return
        with self._lock:
            for name in (operation, EVERYTHING):
                if name in self._until and self._until[name] <= self._clock():
                    del self._until[name], self._grown[name]
                    self._tell(name, False)
