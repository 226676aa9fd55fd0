"""What becomes of a record once its call has ended: is its event emitted, and is it given back to the platform for another try."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from events.sinks import SinkUnavailable

if TYPE_CHECKING:
    from events.dispatch import Result
    from events.sinks import Sink
    from events.triggers.records import Record
    from events.triggers.serverless.settings import ServerlessSettings

log = logging.getLogger("hongyan.events")


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a record: its result, None when it was not run; `returned` to the platform or not; `emitted`: its event has left."""

    record: Record
    result: Result | None
    returned: bool
    emitted: bool = False


class Settling:
    """Decides about ended calls, and emits their events.

    Whoever consumes result events takes two with one id for the same. So a record that will be run again, under that very id, has its event
    withheld until the record comes to its end; the last delivery is one, too. Where it is not known which delivery that is, what cannot
    succeed is told of at once.
    """

    def __init__(self, sink: Sink, own: ServerlessSettings) -> None:
        self._sink = sink
        self._own = own

    def settle(self, record: Record, result: Result) -> Settled:
        """Return what becomes of a record whose call has ended so; its event is emitted first where that is its end."""
        returned = self._gives_back(result)
        if returned and self._withholds(record, result):
            self._log("record.returned", logging.WARNING, record, result)
            return Settled(record, result, returned=True)
        if not self.emit(record, result):
            return Settled(record, result, returned=True)
        if returned:
            self._log("record.failed", logging.ERROR, record, result)
        elif result.outcome == "unknown":
            self._log("record.unknown", logging.ERROR, record, result)
        return Settled(record, result, returned, emitted=True)

    def give_up(self, record: Record, result: Result) -> Settled:
        """Return a record that nobody will run again, its event emitted whatever it says."""
        emitted = self.emit(record, result)
        self._log("record.failed", logging.ERROR, record, result)
        return Settled(record, result, returned=True, emitted=emitted)

    def late(self, record: Record, result: Result) -> Settled:
        """Return a record whose call has ended and whose event is still being handed on, by whom we cannot wait for.

        Where running it again does nothing twice it is given back; else that its event leaves is taken for granted, and logged.
        """
        self._log("event.late", logging.ERROR, record, result)
        returned = result.repeatable or self._gives_back(result)
        return Settled(record, result, returned, emitted=True)

    def emit(self, record: Record, result: Result) -> bool:
        """Emit a result event; False, and a log line, when nobody takes it."""
        try:
            self._sink.emit(result.event)
        except SinkUnavailable:
            facts = {"trigger": record.kind, "id": record.id, "item": record.item or None, "event_id": result.event.id}
            log.exception("event.kept", extra={"facts": facts})
            return False
        return True

    def is_last(self, record: Record) -> bool:
        """Whether the platform is known not to deliver the record again."""
        most = self._own.max_receives
        return most is not None and record.receives is not None and record.receives >= most

    def _gives_back(self, result: Result) -> bool:
        # What may have taken effect is not given back, although nobody knows whether it did: the redelivery would do it again.
        if result.error is None or (result.outcome == "unknown" and not result.repeatable):
            return False
        return result.error.retryable or self._own.dead_letter

    def _withholds(self, record: Record, result: Result) -> bool:
        if self.is_last(record) or result.error is None:
            return False
        # Another try of a wrong payload ends as this one did; of what the cloud refused, perhaps not.
        counted = self._own.max_receives is not None and record.receives is not None
        return result.error.retryable or (counted and result.outcome != "rejected")

    def _log(self, event: str, level: int, record: Record, result: Result) -> None:
        error = result.error
        facts = {
            "trigger": record.kind,
            "id": record.id,
            "item": record.item or None,
            "receives": record.receives,
            "operation": result.event.data["operation"],
            "kind": error.kind if error else None,
            "code": error.code if error else None,
            "retry_after_s": error.retry_after_s if error else None,
            "event_id": result.event.id,
        }
        log.log(level, event, extra={"facts": facts})
