"""The worker: takes messages from a queue, has them handled by its threads, and tells the queue what became of each."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from events.metrics import Metrics
from events.triggers.worker.connection import Connection
from events.triggers.worker.crew import Crew
from events.triggers.worker.summary import Summary
from events.triggers.worker.verdicts import GONE, Back, Dead, Done

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from events.queues import Delivery, Queue
    from events.triggers.worker.crew import Handled
    from events.triggers.worker.handling import Handler
    from events.triggers.worker.verdicts import Verdict

log = logging.getLogger("hongyan.events")

# Seconds that the main thread waits for a message when nothing is in flight, and when something is.
_IDLE_S, _BUSY_S = 1.0, 0.05
# Seconds between two looks at how long the queue is, for the metrics.
_OBSERVE_S = 5.0
_ENDS = {Done: "acknowledged", Back: "returned", Dead: "dead"}


class Worker:
    """One process's worker on one queue: `run` is called once, `stop` from anywhere.

    The main thread alone speaks with the queue. `progress` is called with the summary after whatever changes it, `closers` at the end.
    """

    def __init__(
        self,
        queue: Queue,
        handler: Handler,
        threads: int,
        stop_s: float,
        ending: threading.Event,
        progress: Callable[[Summary], None] = lambda _: None,
        closers: Sequence[Callable[[], None]] = (),
        metrics: Metrics | None = None,
    ) -> None:
        self._crew = Crew(handler.handle, threads)
        self._ending = ending
        self._stop_s = stop_s
        self._progress = progress
        self._closers = closers
        self._metrics = metrics or Metrics()
        self._observed = -_OBSERVE_S
        self._stopping = threading.Event()
        self._connection = Connection(queue, self._stopping, stop_s)
        self._in_flight: dict[int, Delivery] = {}
        self._extended = time.monotonic()
        self.summary = Summary()

    def stop(self) -> None:
        """Take no more messages, finish those under way, give the others back; `run` then returns. May be called from a signal handler."""
        self._stopping.set()

    def waiting(self) -> int | None:
        """Return how many messages are left in the queue, None when it is away."""
        found = self._connection.counts()
        return None if found is None else found.ready + (found.delayed or 0) + (found.in_flight or 0)

    def run(self, *, until_empty: bool = False) -> Summary:
        """Work until it is stopped, or until nothing is left in the queue; return what was done."""
        log.info("worker.started", extra={"facts": {"queue": self._connection.name, "threads": self._crew.threads}})
        try:
            while not self._stopping.is_set() and not (until_empty and self._is_empty()):
                self._turn()
            self._finish()
        finally:
            self._crew.dismiss()
            self._connection.close()
            for close in self._closers:
                close()
        log.info("worker.stopped", extra={"facts": self.summary.facts()})
        return self.summary

    def _turn(self) -> None:
        """Settle what has ended, and take what there is room for."""
        ended = self._crew.ended(self._patience_s())
        self._settle(ended)
        self._extend()
        self._observe()
        room = self._crew.room(len(self._in_flight))
        if not room or self._stopping.is_set():
            return
        # Whoever has just ended something may have ended the last: that is looked at first.
        wait_s = _BUSY_S if self._in_flight or ended else _IDLE_S
        deliveries = self._connection.receive(room, wait_s)
        self._in_flight.update((id(one), one) for one in deliveries)
        self._crew.take(deliveries)

    def _patience_s(self) -> float:
        """Return how long (seconds) to wait for threads: only when there is nothing else to do."""
        return 0.0 if self._crew.room(len(self._in_flight)) else _IDLE_S

    def _settle(self, ended: Sequence[Handled]) -> None:
        """Tell the queue what is to become of messages, those that are done in one go."""
        done = [delivery for delivery, verdict in ended if isinstance(verdict, Done)]
        if done:
            self._connection.tell(lambda queue: queue.acknowledge(done))
        for delivery, verdict in ended:
            self._tell(delivery, verdict)
            del self._in_flight[id(delivery)]
            self.summary.count(verdict)
            self._metrics.settled(_ENDS[type(verdict)], redelivered=bool(delivery.losses or delivery.message.tries))
            if isinstance(verdict, Back) and verdict.why == GONE:
                self._stopping.set()
        if ended:
            self._progress(self.summary)

    def _tell(self, delivery: Delivery, verdict: Verdict) -> None:
        if isinstance(verdict, Back):
            back = verdict
            self._connection.tell(lambda queue: queue.give_back(delivery, back.delay_s, failed=back.failed))
        elif isinstance(verdict, Dead):
            dead = verdict.letter
            self._connection.tell(lambda queue: queue.dead_letter(delivery, dead))
            facts = {"id": delivery.message.id, "operation": dead.operation, "reason": dead.reason, "letter": dead.id}
            log.error("message.dead", extra={"facts": {**facts, "kind": dead.kind, "code": dead.code}})

    def _extend(self) -> None:
        """Keep what is in flight, each third of its lease."""
        now = time.monotonic()
        if now - self._extended > self._connection.lease_s / 3:
            self._extended = now
            held = list(self._in_flight.values())
            self._connection.tell(lambda queue: queue.extend(held))

    def _is_empty(self) -> bool:
        return not self._in_flight and self.waiting() == 0

    def _observe(self) -> None:
        """Tell the metrics now and then how the queue is; counting may cost the broker something."""
        now = time.monotonic()
        if self._metrics.audience and now - self._observed > _OBSERVE_S:
            self._observed = now
            self._metrics.observe_queue(self._connection.name, self._connection.counts())

    def _finish(self) -> None:
        """Give back what was not begun, wait for what was, and leave what hangs: it comes back when its lease has run out."""
        ends = time.monotonic() + self._stop_s
        for delivery in self._crew.unbegun():
            self._settle([(delivery, Back(0.0, failed=False, why="stopped"))])
        while self._in_flight and time.monotonic() < ends:
            if time.monotonic() > ends - self._stop_s / 2:
                self._ending.set()
            self._settle(self._crew.ended(0.1))
            self._extend()
        self._ending.set()
        if self._in_flight:
            log.error("worker.cut", extra={"facts": {"in_flight": len(self._in_flight)}})
