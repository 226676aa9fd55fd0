"""How far a batch has come: what its threads may begin, what has ended, and, once it is closed, what neither began nor ended."""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from events.triggers.serverless.records import Record
    from events.triggers.serverless.settling import Settled
    from functions.cloud.deadline import Deadline

log = logging.getLogger("hongyan.events")

# With less time than this, in seconds, no record is begun, and with less than this many times what the batch's records took on average.
_LEAST_S = 0.25
_TIMES = 2.0


class Progress:
    """One batch under way, shared by the threads that work on it.

    `lanes` are the indexes of the records, those of one group together and in their order. `hung` are, after `close`, the records that were
    begun and have not come back.
    """

    def __init__(self, records: Sequence[Record], *, strict: bool) -> None:
        self.records = records
        self.strict = strict
        self.lanes = _lanes(records)
        self.hung: frozenset[int] = frozenset()
        self._changed = threading.Condition()
        self._begun: set[int] = set()
        self._claimed: set[int] = set()
        self._done: dict[int, Settled] = {}
        self._took = 0.0
        self._closed = False

    def next_lane(self) -> list[int] | None:
        """Return the records that are to run one after the other next, None when there are no more."""
        try:
            return self.lanes.popleft()
        except IndexError:
            return None

    def begin(self, index: int, end: Deadline) -> bool:
        """Whether there is time for this record; it is noted as begun then."""
        with self._changed:
            usual = self._took / len(self._done) if self._done else 0.0
            if self._closed or end.remaining() < max(_LEAST_S, _TIMES * usual):
                return False
            self._begun.add(index)
            return True

    def claim(self, index: int) -> bool:
        """Whether the record whose call has ended may still be told of; the batch is not closed before it is `settled` then."""
        with self._changed:
            if not self._closed:
                self._begun.discard(index)
                self._claimed.add(index)
            return not self._closed

    def settled(self, index: int, settled: Settled, seconds: float) -> None:
        """Take note of what became of a record, which took so long."""
        with self._changed:
            self._claimed.discard(index)
            self._done[index] = settled
            self._took += seconds
            self._changed.notify_all()

    def close(self, patience_s: float) -> dict[int, Settled]:
        """End the batch and return what became of the records that ended, by index.

        Records whose events are just being handed on are waited for, `patience_s` seconds at most.
        """
        with self._changed:
            self._closed = True
            self._changed.wait_for(lambda: not self._claimed, patience_s)
            self.hung = frozenset(self._begun | self._claimed)
            done = dict(self._done)
        if left := len(self.records) - len(done):
            facts = {"records": len(self.records), "unrun": left - len(self.hung), "hung": len(self.hung)}
            log.warning("batch.cut", extra={"facts": facts})
        return done


def _lanes(records: Sequence[Record]) -> deque[list[int]]:
    lanes: dict[object, list[int]] = {}
    for index, record in enumerate(records):
        lanes.setdefault(index if record.group is None else record.group, []).append(index)
    return deque(lanes.values())
