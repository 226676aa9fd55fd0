"""The worker's threads: they take messages in small lots, so that handing over costs little where the messages themselves do."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from events.queues import Delivery
    from events.triggers.worker.verdicts import Verdict

    Handled = tuple[Delivery, Verdict]

# A thread is given about so much work at once, in seconds, and hands the rest of it on when it took this many times as long.
_LOT_S = 0.005
_TIMES = 10
_MOST_LOT = 100
_MOST_HELD = 1000
# How much the newest message counts in the average of how long one takes.
_WEIGHT = 0.05


class Crew:
    """`threads` that handle messages; the worker's main thread gives them deliveries and takes verdicts. `handle` never raises."""

    def __init__(self, handle: Callable[[Delivery], Verdict], threads: int) -> None:
        self.threads = threads
        self._handle = handle
        self._inbox: queue.SimpleQueue[deque[Delivery] | None] = queue.SimpleQueue()
        self._outbox: queue.SimpleQueue[list[Handled]] = queue.SimpleQueue()
        # The lot that each thread works on, since when, by the thread's number.
        self._lots: dict[int, tuple[deque[Delivery], float]] = {}
        # Seconds that one message takes on average; at first nothing is known, and each thread has one.
        self._usual_s = _LOT_S
        for number in range(threads):
            # Daemons: one that hangs must not keep the process from ending.
            threading.Thread(target=self._work, args=(number,), name=f"message-{number}", daemon=True).start()

    def room(self, held: int) -> int:
        """Return how many more messages to take when so many are held; 0 while it is not worth asking for them."""
        capacity = min(_MOST_HELD, self.threads * max(2, self._lot()))
        room = capacity - held
        return room if room >= max(1, capacity // 4) else 0

    def take(self, deliveries: Sequence[Delivery]) -> None:
        """Have messages handled."""
        lot = self._lot()
        for start in range(0, len(deliveries), lot):
            self._inbox.put(deque(deliveries[start : start + lot]))

    def spread(self) -> None:
        """Give what waits behind a message that takes long to whoever is free."""
        late = time.perf_counter() - _LOT_S * _TIMES
        for lot, since in list(self._lots.values()):
            if since < late:
                for delivery in _drained(lot):
                    self._inbox.put(deque([delivery]))

    def ended(self, wait_s: float) -> list[Handled]:
        """Return what has ended since; waits up to `wait_s` seconds for the first."""
        found: list[Handled] = []
        try:
            found += self._outbox.get(timeout=wait_s) if wait_s else self._outbox.get_nowait()
            while True:
                found += self._outbox.get_nowait()
        except queue.Empty:
            return found

    def unbegun(self) -> list[Delivery]:
        """Take back what no thread has begun."""
        found: list[Delivery] = []
        try:
            while True:
                found += self._inbox.get_nowait() or ()
        except queue.Empty:
            return found + [delivery for lot, _ in list(self._lots.values()) for delivery in _drained(lot)]

    def dismiss(self) -> None:
        """Have the threads end when they are done; nothing is begun any more."""
        self.unbegun()
        for _ in range(self.threads):
            self._inbox.put(None)

    def _lot(self) -> int:
        return max(1, min(_MOST_LOT, int(_LOT_S / max(self._usual_s, 1e-6))))

    def _work(self, number: int) -> None:
        while (lot := self._inbox.get()) is not None:
            started, ended, count = time.perf_counter(), list["Handled"](), 0
            self._lots[number] = (lot, started)
            while lot:
                try:
                    delivery = lot.popleft()
                except IndexError:  # Taken back just now.
                    break
                ended.append((delivery, self._handle(delivery)))
                count += 1
                if time.perf_counter() - started > _LOT_S * _TIMES:
                    # What took long is told of at once, and what is left may go to others.
                    self._outbox.put(ended)
                    ended = []
            del self._lots[number]
            if ended:
                self._outbox.put(ended)
            each_s = (time.perf_counter() - started) / max(1, count)
            # A lost update of another thread does no harm: it is an average.
            self._usual_s += _WEIGHT * (each_s - self._usual_s)


def _drained(lot: deque[Delivery]) -> list[Delivery]:
    """Take everything out of a lot, while its thread may take from it as well."""
    found: list[Delivery] = []
    try:
        while True:
            found.append(lot.popleft())
    except IndexError:
        return found
