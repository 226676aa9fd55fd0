"""The worker's queue, made anew when its file or broker was away: what the queue must be told is told until it has heard it."""

from __future__ import annotations

import logging
import random
import time
from typing import TYPE_CHECKING

from events.queues import QueueUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from events.queues import Counts, Delivery, Queue
    from events.triggers.worker.stopping import Stopping

log = logging.getLogger("hongyan.events")

_FIRST_S, _MOST_S = 0.1, 5.0


class Connection:
    """A queue as the main thread uses it; once `stopping` is set, one that is away is waited for half of `stop_s` seconds at most.

    The other half is for the try that is under way by then: a network that swallows everything is noticed late.
    """

    def __init__(self, queue: Queue, stopping: Stopping, stop_s: float) -> None:
        self.name = queue.name
        self.transport = queue.transport
        self.lease_s = queue.lease_s
        self._queue = queue
        self._stopping = stopping
        self._stop_s = stop_s
        self._ends: float | None = None
        self._down_since: float | None = None
        self._pause_s = _FIRST_S

    def tell(self, step: Callable[[Queue], None]) -> None:
        """Tell the queue what became of messages, again until it takes it; what it does not take in the end comes back by itself."""
        while self._down_since is None or not self._is_over():
            if self._try(lambda: step(self._queue)):
                return

    def receive(self, most: int, wait_s: float) -> list[Delivery]:
        """Return messages as `Queue.receive` does, [] also when the queue is away: then after a pause."""
        found: list[Delivery] = []
        self._try(lambda: found.extend(self._queue.receive(most, wait_s)))
        return found

    def counts(self) -> Counts | None:
        """Return how many messages there are, None when the queue is away."""
        found: list[Counts] = []
        self._try(lambda: found.append(self._queue.counts()))
        return found[0] if found else None

    def close(self) -> None:
        """Give the connection up; what is still held is delivered again."""
        try:
            self._queue.close()
        except QueueUnavailable as error:
            log.warning("queue.unavailable", extra={"facts": {"queue": self.name, "error": str(error)}})

    def _try(self, step: Callable[[], object]) -> bool:
        """Take a step, connected anew if that is needed; when the queue is away, pause and return False."""
        try:
            if self._down_since is not None:
                self._queue.reconnect()
            step()
        except QueueUnavailable as error:
            self._note_down(error)
            self._pause()
            return False
        if self._down_since is not None:
            down_s = round(time.monotonic() - self._down_since, 1)
            log.info("queue.available", extra={"facts": {"queue": self.name, "down_s": down_s}})
            self._down_since, self._pause_s = None, _FIRST_S
        return True

    def _note_down(self, error: QueueUnavailable) -> None:
        if self._down_since is None:
            self._down_since = time.monotonic()
            log.error("queue.unavailable", extra={"facts": {"queue": self.name, "error": str(error)}})

    def _pause(self) -> None:
        pause_s = random.uniform(self._pause_s / 2, self._pause_s)  # noqa: S311 - no secret
        self._pause_s = min(_MOST_S, self._pause_s * 2)
        # A stop cuts the first pause short; those after it must not become a busy loop.
        if self._stopping.is_set():
            time.sleep(min(pause_s, self._stop_s / 10))
        else:
            self._stopping.wait(pause_s)

    def _is_over(self) -> bool:
        if not self._stopping.is_set():
            return False
        if self._ends is None:
            self._ends = time.monotonic() + self._stop_s / 2
        return time.monotonic() >= self._ends
