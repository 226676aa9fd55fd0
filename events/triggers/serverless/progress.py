"""How far a batch has come: what its threads may begin, what has ended, and, once it is closed, what neither began nor ended."""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from events.dispatch import Call, Result
    from events.triggers.records import Record
    from events.triggers.serverless.settling import Settled
    from functions.cloud.deadline import Deadline

log = logging.getLogger("hongyan.events")

# With less time than this, in seconds, no record is begun, and with less than this many times what the batch's records took on average.
_LEAST_S = 0.25
_TIMES = 2.0
# Kept for each record that is not begun, in seconds, but not more than half of all the time there is: it may have to be told of.
_EACH_S = 0.002


class Progress:
    """One batch under way, shared by the threads that work on it until `end`; `tells`: what is not run must be told of, which takes time.

    `lanes` are the indexes of the records, those of one group together and in their order. After `close`: `done` are the records that have
    ended, `hung` the calls that were begun and have not come back, `late` the results whose events are still being handed on.
    """

    def __init__(self, records: Sequence[Record], end: Deadline, *, strict: bool, tells: bool) -> None:
        self.records = records
        self.strict = strict
        self.end = end
        self.lanes = _lanes(records)
        self.done: dict[int, Settled] = {}
        self.hung: dict[int, Call] = {}
        self.late: dict[int, Result] = {}
        self._changed = threading.Condition()
        self._begun: dict[int, Call] = {}
        self._claimed: dict[int, Result] = {}
        self._unbegun = len(records)
        self._most_kept = end.remaining() / 2 if tells else 0.0
        self._took = 0.0
        self._closed = False

    def next_lane(self) -> list[int] | None:
        """Return the records that are to run one after the other next, None when there are no more."""
        try:
            return self.lanes.popleft()
        except IndexError:
            return None

    def begin(self, index: int, call: Call) -> bool:
        """Whether there is time for this record; it is noted as begun then."""
        with self._changed:
            usual = self._took / len(self.done) if self.done else 0.0
            kept = min(_EACH_S * (self._unbegun - 1), self._most_kept)
            if self._closed or self.end.remaining() < kept + max(_LEAST_S, _TIMES * usual):
                return False
            self._begun[index] = call
            self._unbegun -= 1
            return True

    def claim(self, index: int, result: Result) -> bool:
        """Whether the record whose call has ended so may still be told of; the batch waits a while for it to be `settled` then."""
        with self._changed:
            if not self._closed:
                self._begun.pop(index, None)
                self._claimed[index] = result
            return not self._closed

    def settled(self, index: int, settled: Settled, seconds: float) -> None:
        """Take note of what became of a record, which took so long."""
        with self._changed:
            if self._claimed.pop(index, None) is not None:
                self.done[index] = settled
                self._took += seconds
                self._changed.notify_all()

    def close(self, patience_s: float) -> None:
        """End the batch; records whose events are just being handed on are waited for, `patience_s` seconds at most."""
        with self._changed:
            self._closed = True
            self._changed.wait_for(lambda: not self._claimed, patience_s)
            self.hung, self.late, self._claimed = self._begun, self._claimed, {}
        if left := len(self.records) - len(self.done):
            facts = {"records": len(self.records), "unrun": left - len(self.hung) - len(self.late)}
            log.warning("batch.cut", extra={"facts": {**facts, "hung": len(self.hung), "late": len(self.late)}})


def _lanes(records: Sequence[Record]) -> deque[list[int]]:
    lanes: dict[object, list[int]] = {}
    for index, record in enumerate(records):
        lanes.setdefault(index if record.group is None else record.group, []).append(index)
    return deque(lanes.values())
