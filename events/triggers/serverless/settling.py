"""What becomes of a record once its call has ended: is its event emitted, and is it given back to the platform for another try."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from events.sinks import SinkUnavailable

if TYPE_CHECKING:
    from events.dispatch import Result
    from events.sinks import Sink
    from events.triggers.serverless.records import Record
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
    withheld until the record comes to its end; the last delivery is one, too.
    """

    def __init__(self, sink: Sink, own: ServerlessSettings) -> None:
        self._sink = sink
        self._own = own

    def settle(self, record: Record, result: Result) -> Settled:
        """Return what becomes of a record whose call has ended so; its event is emitted first where that is its end."""
        again = result.error is not None and result.error.retryable
        if again and not self._is_last(record):
            self._log("record.returned", logging.WARNING, record, result)
            return Settled(record, result, returned=True)
        if not self.emit(record, result):
            return Settled(record, result, returned=True)
        # What may have taken effect is not given back, although nobody knows whether it did: the redelivery would do it again.
        if result.outcome == "unknown" and not result.repeatable:
            self._log("record.unknown", logging.ERROR, record, result)
            return Settled(record, result, returned=False, emitted=True)
        returned = result.error is not None and (again or self._own.dead_letter)
        if returned:
            self._log("record.failed", logging.ERROR, record, result)
        return Settled(record, result, returned, emitted=True)

    def emit(self, record: Record, result: Result) -> bool:
        """Emit a result event; False, and a log line, when nobody takes it."""
        try:
            self._sink.emit(result.event)
        except SinkUnavailable:
            log.exception(
                "event.kept", extra={"facts": {"trigger": record.kind, "id": record.id, "event_id": result.event.id}}
            )
            return False
        return True

    def _is_last(self, record: Record) -> bool:
        most = self._own.max_receives
        return most is not None and record.receives is not None and record.receives >= most

    def _log(self, event: str, level: int, record: Record, result: Result) -> None:
        error = result.error
        facts = {
            "trigger": record.kind,
            "id": record.id,
            "receives": record.receives,
            "operation": result.event.data["operation"],
            "kind": error.kind if error else None,
            "code": error.code if error else None,
            "retry_after_s": error.retry_after_s if error else None,
            "event_id": result.event.id,
        }
        log.log(level, event, extra={"facts": facts})
