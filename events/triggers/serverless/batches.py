"""A batch of records on threads that are kept between invocations, against the moment at which the platform ends this one."""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from typing import TYPE_CHECKING

from events.triggers.serverless.progress import Progress
from events.triggers.serverless.settling import Settled

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Future

    from events.dispatch import Call, Dispatcher
    from events.settings import EventSettings
    from events.triggers.serverless.invocation import Invocation
    from events.triggers.serverless.records import Record
    from events.triggers.serverless.settings import ServerlessSettings
    from events.triggers.serverless.settling import Settling
    from functions.cloud.deadline import Deadline

log = logging.getLogger("hongyan.events")


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
        self._pool = self._threads()

    def run(self, records: Sequence[Record], invocation: Invocation, *, strict: bool = False) -> list[Settled]:
        """Run records and return what became of each, in their order.

        Records of one group run one after the other; when groups are `strict`, the first that is given back ends its group, and those after
        it are given back unrun. What there is no time for is given back unrun, too. It returns before the margin is used up.
        """
        progress = Progress(records, strict=strict)
        end = invocation.deadline
        tasks = [self._pool.submit(self._work, progress, end) for _ in range(min(len(progress.lanes), self._workers))]
        # Every call has this deadline; half of the margin is for whatever no deadline reaches, as looking up a name.
        wait(tasks, timeout=end.remaining() + self._own.margin_s / 2)
        _log_crashed(tasks)
        done = progress.close(self._own.margin_s / 4)
        if progress.hung:
            # Their threads come back some day, or never: the next batch must not wait for them.
            self._pool.shutdown(wait=False)
            self._pool = self._threads()
        return [done.get(index) or self._left(record, end, progress, index) for index, record in enumerate(records)]

    def unrun(self, record: Record, deadline: Deadline) -> Settled:
        """Return what becomes of a record that there was no time for, its event emitted: nobody will run it again."""
        result = self._dispatcher.dispatch(self._call(record, replace(deadline, at=0.0)))
        return Settled(record, result, returned=True, emitted=self._settling.emit(record, result))

    def _threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._workers, thread_name_prefix="record")

    def _call(self, record: Record, deadline: Deadline) -> Call:
        return record.asks(deadline, self._events, self._own)

    def _left(self, record: Record, end: Deadline, progress: Progress, index: int) -> Settled:
        """Return what becomes of a record that has not ended: begun, it may have taken effect; else it was simply not run."""
        if index in progress.hung:
            return self._settling.settle(record, self._dispatcher.lost(self._call(record, end)))
        if self._settling.is_last(record):
            return self.unrun(record, end)
        return Settled(record, None, returned=True)

    def _work(self, progress: Progress, end: Deadline) -> None:
        while (lane := progress.next_lane()) is not None:
            for index in lane:
                if not progress.begin(index, end):
                    return
                if self._ended(progress, index, end) and not self._settling.is_last(progress.records[index]):
                    break

    def _ended(self, progress: Progress, index: int, end: Deadline) -> bool:
        """Run one record to its end; True when that ends its group, too."""
        record, started = progress.records[index], time.monotonic()
        deadline = replace(end, at=min(end.at, end.clock() + self._events.deadline_s))
        result = self._dispatcher.dispatch(self._call(record, deadline))
        if not progress.claim(index):
            # Its call hung beyond every deadline, and something was told of it already: whoever reads this knows more.
            facts = {"trigger": record.kind, "id": record.id, "outcome": result.outcome, "event_id": result.event.id}
            log.error("record.late", extra={"facts": facts})
            return True
        settled = self._settling.settle(record, result)
        progress.settled(index, settled, time.monotonic() - started)
        return settled.returned and progress.strict


def _log_crashed(tasks: Sequence[Future[None]]) -> None:
    for task in tasks:
        if task.done() and (error := task.exception()):
            log.error("batch.crashed", exc_info=error)
