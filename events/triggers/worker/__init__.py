"""The worker: takes messages from a queue, has them handled by its threads, and tells the queue what became of each."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from events.metrics import Metrics
from events.triggers.worker.connection import Connection
from events.triggers.worker.crew import Crew
from events.triggers.worker.stopping import Stopping
from events.triggers.worker.summary import Summary
from events.triggers.worker.verdicts import CREDENTIALS, GONE, Back, Dead, Done

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence

    from events.queues import Delivery, Queue
    from events.triggers.worker.crew import Handled
    from events.triggers.worker.handling import Handler
    from events.triggers.worker.verdicts import Verdict

log = logging.getLogger("hongyan.events")

# Seconds that the main thread waits for a message when nothing is in flight, and when something is; and for its threads when they are full.
_IDLE_S, _BUSY_S, _FULL_S = 1.0, 0.05, 0.1
# Bytes of bodies in flight, beyond which nothing more is taken.
_MOST_BYTES = 64 * 1_048_576
# Seconds between two looks at how long the queue is, for the metrics.
_OBSERVE_S = 5.0
# Pauses for refused credentials, after which a batch job ends.
_MOST_REFUSALS = 5
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
        self._stopping = Stopping()
        self._connection = Connection(queue, self._stopping, stop_s)
        self._in_flight: dict[int, Delivery] = {}
        # Bytes of their bodies: all together, and of one as the last ones were.
        self._bytes, self._usual_bytes = 0, 65_536
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
            while not self._stopping.is_set() and not (until_empty and self._is_over()):
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
        # Threads are waited for only when there is nothing else to do.
        ended = self._crew.ended(0.0 if self._room() else _FULL_S)
        self._settle(ended)
        self._crew.spread()
        self._extend()
        self._observe()
        room = self._room()
        if not room or self._stopping.is_set():
            return
        # Whoever has just ended something may have ended the last: that is looked at first.
        wait_s = _BUSY_S if self._in_flight or ended else _IDLE_S
        deliveries = self._connection.receive(room, wait_s)
        self._in_flight.update((id(one), one) for one in deliveries)
        self._bytes += sum(len(one.message.body) for one in deliveries)
        self._crew.take(deliveries)

    def _room(self) -> int:
        """Return how many more messages to take, 0 when there is no room: neither too many at once nor too many bytes of them."""
        held = len(self._in_flight)
        usual = max(1024, self._bytes // held) if held else self._usual_bytes
        self._usual_bytes = usual
        return min(self._crew.room(held), max(0, _MOST_BYTES - self._bytes) // usual)

    def _settle(self, ended: Sequence[Handled]) -> None:
        """Tell the queue what is to become of messages, those that are done in one go."""
        done = [delivery for delivery, verdict in ended if isinstance(verdict, Done)]
        if done:
            self._connection.tell(lambda queue: queue.acknowledge(done))
        for delivery, verdict in ended:
            if not isinstance(verdict, Done):
                self._tell(delivery, verdict)
            del self._in_flight[id(delivery)]
            self._bytes -= len(delivery.message.body)
            self.summary.count(verdict)
        if self._metrics.audience:
            for delivery, verdict in ended:
                self._metrics.settled(_ENDS[type(verdict)], redelivered=bool(delivery.losses or delivery.message.tries))
        if ended:
            self._progress(self.summary)

    def _tell(self, delivery: Delivery, verdict: Verdict) -> None:
        if isinstance(verdict, Back):
            back = verdict
            self._connection.tell(lambda queue: queue.give_back(delivery, back.delay_s, failed=back.failed))
            if back.why == GONE:
                self._stopping.set()
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

    def _is_over(self) -> bool:
        """Whether a batch job has nothing left to do, or no credentials to do it with: nobody would mend those while it waits."""
        if self.summary.returned[CREDENTIALS] >= _MOST_REFUSALS:
            log.error("worker.refused", extra={"facts": {"told": "the cloud refuses our credentials"}})
            return True
        return not self._in_flight and self.waiting() == 0

    def _observe(self) -> None:
        """Tell the metrics now and then how the queue is; counting may cost the broker something."""
        now = time.monotonic()
        if self._metrics.audience and now - self._observed > _OBSERVE_S:
            self._observed = now
            self._metrics.observe_queue(self._connection.name, self._connection.counts())

    def _finish(self) -> None:
        """Give back what was not begun, wait for what was, and leave what hangs: its claim keeps others from it until that ends."""
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
