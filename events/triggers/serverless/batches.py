"""A batch of records on threads that are kept between invocations, against the moment at which the platform ends this one."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from typing import TYPE_CHECKING

from events.triggers.serverless.settling import Settled

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Future

    from events.dispatch import Dispatcher, Result
    from events.settings import EventSettings
    from events.triggers.serverless.invocation import Invocation
    from events.triggers.serverless.records import Record
    from events.triggers.serverless.settings import ServerlessSettings
    from events.triggers.serverless.settling import Settling
    from functions.cloud.deadline import Deadline

log = logging.getLogger("hongyan.events")

# With less time than this, in seconds, no record is begun, and with less than this many times what the batch's records took on average.
_LEAST_S = 0.25
_TIMES = 2.0


class Batches:
    """Runs batches; make one at start. `workers` records run at once: as many as there are connections to the cloud."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        settling: Settling,
        events: EventSettings,
        own: ServerlessSettings,
        workers: int,
    ) -> None:
        self._dispatcher = dispatcher
        self._settling = settling
        self._events = events
        self._own = own
        self._workers = workers
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="record")

    def run(self, records: Sequence[Record], invocation: Invocation, *, strict: bool = False) -> list[Settled]:
        """Run records and return what became of each, in their order.

        Records of one group run one after the other; when groups are `strict`, the first that is given back ends its group, and those after
        it are given back unrun. What there is no time for is given back unrun, too. It returns before the margin is used up.
        """
        batch = _Batch(records, strict=strict)
        lanes = len(batch.lanes)
        if lanes <= 1 or self._workers == 1:
            self._work(batch, invocation.deadline)
        else:
            tasks = [
                self._pool.submit(self._work, batch, invocation.deadline) for _ in range(min(lanes, self._workers))
            ]
            # Every call has this deadline; half of the margin is for whatever no deadline reaches, as looking up a name.
            wait(tasks, timeout=invocation.deadline.remaining() + self._own.margin_s / 2)
            _log_crashed(tasks)
        return batch.close()

    def redo(self, record: Record, deadline: Deadline) -> Result:
        """Return the result of a record that was not run: that there was no time for it, unless its payload is refused anyway."""
        return self._dispatcher.dispatch(record.asks(replace(deadline, at=0.0), self._events, self._own))

    def _work(self, batch: _Batch, end: Deadline) -> None:
        while (lane := batch.next_lane()) is not None:
            for index in lane:
                if not batch.begin(end):
                    return
                record = batch.records[index]
                started = time.monotonic()
                deadline = replace(end, at=min(end.at, end.clock() + self._events.deadline_s))
                result = self._dispatcher.dispatch(record.asks(deadline, self._events, self._own))
                if batch.closed:
                    # It was given back while its call hung beyond every deadline; whoever reads this knows that it is run twice.
                    log.error("record.late", extra={"facts": {"trigger": record.kind, "id": record.id}})
                    return
                settled = self._settling.settle(record, result)
                batch.settled(index, settled, time.monotonic() - started)
                if settled.returned and batch.strict:
                    break


class _Batch:
    """One batch under way, shared by the threads that work on it."""

    def __init__(self, records: Sequence[Record], *, strict: bool) -> None:
        self.records = records
        self.strict = strict
        self.lanes = _lanes(records)
        self._lock = threading.Lock()
        self._done: dict[int, Settled] = {}
        self._took = 0.0
        self.closed = False

    def next_lane(self) -> list[int] | None:
        """Return the indexes of the next records that are to run one after the other, None when there are no more."""
        try:
            return self.lanes.popleft()
        except IndexError:
            return None

    def begin(self, end: Deadline) -> bool:
        """Whether there is time for one more record."""
        with self._lock:
            usual = self._took / len(self._done) if self._done else 0.0
            return not self.closed and end.remaining() >= max(_LEAST_S, _TIMES * usual)

    def settled(self, index: int, settled: Settled, seconds: float) -> None:
        """Take note of a record that took so long."""
        with self._lock:
            self._done[index] = settled
            self._took += seconds

    def close(self) -> list[Settled]:
        """End the batch and return what became of each record: those that did not end are given back."""
        with self._lock:
            self.closed = True
            done = dict(self._done)
        unrun = len(self.records) - len(done)
        if unrun:
            log.warning("batch.cut", extra={"facts": {"records": len(self.records), "returned_unrun": unrun}})
        return [done.get(index) or Settled(record, None, returned=True) for index, record in enumerate(self.records)]


def _lanes(records: Sequence[Record]) -> deque[list[int]]:
    """Return the indexes of the records, those of one group together and in their order."""
    lanes: dict[object, list[int]] = {}
    for index, record in enumerate(records):
        key: object = index if record.group is None else (record.source, record.group)
        lanes.setdefault(key, []).append(index)
    return deque(lanes.values())


def _log_crashed(tasks: Sequence[Future[None]]) -> None:
    for task in tasks:
        if task.done() and (error := task.exception()):
            log.error("batch.crashed", exc_info=error)
