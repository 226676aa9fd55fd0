"""What becomes of a message whose call has ended: remembered, its event emitted, given back or dead; for the worker's handler."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from events import strictjson
from events.cloudevents.json import from_envelope, to_envelope
from events.idempotency import EFFECTIVE, Finished, StoreUnavailable
from events.sinks import SinkGone, SinkRefused, SinkUnavailable
from events.triggers.worker.pauses import EVERYTHING, Pauses
from events.triggers.worker.verdicts import GONE, Back, Dead, Done, delay, letter
from functions.cloud.errors import Abandoned, CallError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from events.dispatch import Call, Result
    from events.idempotency import Claim, Store
    from events.metrics import Metrics
    from events.queues import Delivery
    from events.sinks.several import Several
    from events.triggers.worker.settings import WorkerSettings
    from events.triggers.worker.verdicts import Verdict

log = logging.getLogger("hongyan.events")

_CREDENTIALS = "unauthenticated"
_THROTTLED = "resource_exhausted"


class NotAnnounced(CallError):
    """The store could not note that a write is about to be sent, so it was not. Nothing was sent."""

    kind = "unavailable"


class Settling:
    """Decides about calls that have ended; shared between the worker's threads. `lease_s` is that of claims."""

    def __init__(
        self,
        sinks: Several,
        store: Store | None,
        own: WorkerSettings,
        lease_s: float,
        ending: threading.Event,
        step: Callable[[str], None],
        metrics: Metrics,
    ) -> None:
        self._sinks = sinks
        self._store = store
        self._own = own
        self._lease_s = lease_s
        self._ending = ending
        self._step = step
        self.pauses = Pauses(own.retry_s, own.retry_most_s, tell=metrics.paused)

    def settle(self, delivery: Delivery, call: Call, claim: Claim | None, result: Result) -> Verdict:
        """Decide what becomes of a message whose call has ended so; its event leaves first where that is its end."""
        error, tries = result.error, delivery.message.tries + 1
        if error is None or error.kind not in (_THROTTLED, _CREDENTIALS):
            self.pauses.worked(call.operation)
        if error is None:
            return self.told(delivery, self._finished(delivery, claim, result))
        again = self._again(call, claim, result, tries)
        if again is None:
            reason = "losses" if isinstance(error, Abandoned) else None
            return self.told(delivery, self._finished(delivery, claim, result), reason)
        facts = {"id": delivery.message.id, "operation": call.operation, "kind": error.kind, "code": error.code}
        log.warning("message.returned", extra={"facts": {**facts, "tries": tries, "wait_s": round(again.delay_s, 3)}})
        return again

    def _again(self, call: Call, claim: Claim | None, result: Result, tries: int) -> Back | None:
        """Return how a message is given back whose call is worth another try, None when that was its end."""
        error = result.error
        assert error is not None  # noqa: S101 - it failed
        if isinstance(error, NotAnnounced):
            self._release(claim)
            return Back(self._own.retry_s, failed=False, why="store")
        if result.outcome == "failed" and error.kind in (_THROTTLED, _CREDENTIALS):
            # It is not this message's fault, and trying the others would not help: some of these refusals lock a key.
            paused = call.operation if error.kind == _THROTTLED else EVERYTHING
            self._release(claim)
            wait_s = self.pauses.pause(paused, error.retry_after_s, error.kind)
            return Back(wait_s, failed=False, why="throttled" if error.kind == _THROTTLED else "credentials")
        if tries >= self._own.tries:
            return None
        wait_s = delay(tries, self._own.retry_s, self._own.retry_most_s, error.retry_after_s)
        if result.reconcilable and claim is not None:
            # The claim is left to end by itself: by then what was sent has arrived or never will, and whoever claims it next asks.
            return Back(max(wait_s, self._lease_s), failed=True, why="in doubt")
        if error.retryable:
            self._release(claim)
            return Back(wait_s, failed=True, why="retry")
        return None

    def _release(self, claim: Claim | None) -> None:
        if self._store is not None and claim is not None:
            try:
                self._store.release(claim)
            except StoreUnavailable as error:
                # Its claim then ends by itself.
                log.warning("store.unavailable", extra={"facts": {"error": str(error)}})

    def _finished(self, delivery: Delivery, claim: Claim | None, result: Result) -> Finished:
        """Remember the end of a call, and return it. Raises LeaseLost."""
        # What may safely be run again is not `unknown` for the store: once it is redriven it must be run.
        outcome = "failed" if result.error and result.error.retryable else result.outcome
        end = Finished(outcome, strictjson.dumps(to_envelope(result.event)))
        if self._store is not None and claim is not None:
            try:
                self._store.finish(claim, end, self._own.keep_s, delivery.message.runs)
            except StoreUnavailable as error:
                # It is done: its event must leave all the same. Only a second delivery would not know of it.
                log.exception("result.forgotten", extra={"facts": {"id": delivery.message.id, "error": str(error)}})
        self._step("recorded")
        return end

    def told(self, delivery: Delivery, end: Finished, reason: str | None = None) -> Verdict:
        """Emit the event of a call that has ended, and return what becomes of its message."""
        envelope = strictjson.loads(end.event)
        try:
            self._sinks.emit(from_envelope(envelope), self._ending)
        except SinkRefused:
            log.exception("event.refused", extra={"facts": {"event_id": envelope["id"], "id": delivery.message.id}})
            return Dead(letter(delivery.message, "sink", envelope, time.time()), end.outcome)
        except SinkGone:
            return Back(0.0, failed=False, why=GONE)
        except SinkUnavailable:
            return Back(0.0, failed=False, why="sink")
        self._step("emitted")
        if end.outcome == "unknown":
            log.error("record.unknown", extra={"facts": {"id": delivery.message.id, "event_id": envelope["id"]}})
        if end.outcome in EFFECTIVE:
            return Done(end.outcome)
        reason = reason or ("tries" if envelope["data"]["error"]["retryable"] else end.outcome)
        return Dead(letter(delivery.message, reason, envelope, time.time()), end.outcome)
