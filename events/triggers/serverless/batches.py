"""A batch of records on several threads, against the moment at which the platform ends the invocation."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from events.triggers.serverless.progress import Progress
from events.triggers.serverless.settling import Settled
from functions.cloud.deadline import Trail

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Future

    from events.dispatch import Call, Dispatcher
    from events.settings import EventSettings
    from events.triggers.records import Record
    from events.triggers.serverless.invocation import Invocation
    from events.triggers.serverless.settings import ServerlessSettings
    from events.triggers.serverless.settling import Settling
    from events.triggers.serverless.threads import Threads
    from functions.cloud.deadline import Deadline

log = logging.getLogger("hongyan.events")


class Batches:
    """Runs batches; make one at start. As many records run at once as there are `threads`."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        settling: Settling,
        events: EventSettings,
        own: ServerlessSettings,
        threads: Threads,
    ) -> None:
        self._dispatcher = dispatcher
        self._settling = settling
        self._events = events
        self._own = own
        self._threads = threads

    def run(
        self, records: Sequence[Record], invocation: Invocation, *, strict: bool = False, whole: bool = False
    ) -> list[Settled]:
        """Run records and return what became of each, in their order.

        Records of one group run one after the other; when groups are `strict`, the first that is given back ends its group, and those after
        it are given back unrun. What there is no time for is given back unrun, too. It returns before the margin is used up.
        `whole`: single records cannot be given back, so the caller may have to tell of what was not run.
        """
        tells = whole or any(map(self._settling.is_last, records))
        progress = Progress(records, invocation.deadline, strict=strict, tells=tells)
        tasks = self._threads.run(len(progress.lanes), lambda: self._work(progress), progress.end)
        _log_crashed(tasks)
        progress.close(self._own.margin_s / 4)
        settled = [progress.done.get(index) or self._left(progress, index) for index in range(len(records))]
        self._log_untold(settled)
        return settled

    def asked(self, record: Record, end: Deadline) -> Call:
        """Return the call of a record that begins now."""
        deadline = replace(end, at=min(end.at, end.clock() + self._events.deadline_s))
        return replace(record.asks(deadline, self._events, self._own), trail=Trail())

    def unrun(self, record: Record, end: Deadline) -> Settled:
        """Return what becomes of a record that there was no time for and that nobody will run again: its event tells so.

        With three quarters of the margin gone there is no time for that either: its result is None.
        """
        if not replace(end, at=end.at + 0.75 * self._own.margin_s).remaining():
            return Settled(record, None, returned=True)
        call = record.asks(replace(end, at=0.0), self._events, self._own)
        return self._settling.give_up(record, self._dispatcher.dispatch(call))

    def _left(self, progress: Progress, index: int) -> Settled:
        """Return what becomes of a record that has not ended: begun, it may have taken effect; else it was simply not run."""
        record = progress.records[index]
        if (call := progress.hung.get(index)) is not None:
            return self._settling.settle(record, self._dispatcher.lost(call))
        if (result := progress.late.get(index)) is not None:
            return self._settling.late(record, result)
        if self._settling.is_last(record):
            return self.unrun(record, progress.end)
        return Settled(record, None, returned=True)

    def _log_untold(self, settled: Sequence[Settled]) -> None:
        """Log once how many last deliveries ended without time for their events."""
        untold = [one.record for one in settled if one.result is None and self._settling.is_last(one.record)]
        if untold:
            facts = {"trigger": untold[0].kind, "records": len(untold), "ids": [one.id for one in untold[:10]]}
            log.error("record.untold", extra={"facts": facts})

    def _work(self, progress: Progress) -> None:
        while (lane := progress.next_lane()) is not None:
            for index in lane:
                record = progress.records[index]
                call = self.asked(record, progress.end)
                if not progress.begin(index, call):
                    return
                if self._ended(progress, index, call) and not self._settling.is_last(record):
                    break

    def _ended(self, progress: Progress, index: int, call: Call) -> bool:
        """Run one record to its end; True when that ends its group, too."""
        record, started = progress.records[index], time.monotonic()
        result = self._dispatcher.dispatch(call)
        if not progress.claim(index, result):
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
