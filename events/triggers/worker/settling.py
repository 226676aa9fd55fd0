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
from events.triggers.worker.verdicts import CREDENTIALS, GONE, Back, Dead, Done, delay, letter
from functions.cloud.errors import Abandoned, CallError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from events.dispatch import Call, Result
    from events.idempotency import Claim, Store
    from events.metrics import Metrics
    from events.queues import Delivery
    from events.sinks.several import Several
    from events.triggers.worker.patience import Patience
    from events.triggers.worker.settings import WorkerSettings
    from events.triggers.worker.verdicts import Verdict

log = logging.getLogger("hongyan.events")

_THROTTLED = "resource_exhausted"
# Kinds of error that are no message's fault, and the word for it.
_NOBODYS_FAULT = {_THROTTLED: "throttled", "unauthenticated": CREDENTIALS}


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
        patience: Patience,
        step: Callable[[str], None],
        metrics: Metrics,
    ) -> None:
        self._sinks = sinks
        self._store = store
        self._own = own
        self._lease_s = lease_s
        self._ending = ending
        self._patience = patience
        self._step = step
        self._metrics = metrics
        self.pauses = Pauses(own.retry_s, own.retry_most_s, tell=metrics.paused)

    def settle(self, delivery: Delivery, call: Call, claim: Claim | None, result: Result, seconds: float) -> Verdict:
        """Decide what becomes of a message whose call has ended so, after `seconds`; its event leaves first where that is its end."""
        error, tries = result.error, delivery.message.tries + 1
        if _answered(result):
            self.pauses.worked(call.operation)
        again = self._again(call, claim, result, tries) if error else None
        if again is not None:
            facts = {"id": delivery.message.id, "operation": call.operation, "tries": tries, "why": again.why}
            known = {"kind": error.kind, "code": error.code} if error else {}
            log.warning("message.returned", extra={"facts": {**facts, **known, "wait_s": round(again.delay_s, 3)}})
            return again
        try:
            end = self._finished(delivery, claim, result)
        except StoreUnavailable:
            # A stop does not wait for the store. What was announced is asked after, and the rest may be run again.
            return Back(0.0, failed=False, why="store")
        self._metrics.finished(result.event.data, seconds)
        return self.told(delivery, end, "losses" if isinstance(error, Abandoned) else None)

    def _again(self, call: Call, claim: Claim | None, result: Result, tries: int) -> Back | None:
        """Return how a message is given back whose call is worth another try, None when that was its end."""
        error, hindrance = result.error, result.hindrance or result.error
        assert error is not None  # noqa: S101 - it failed
        assert hindrance is not None  # noqa: S101
        in_doubt = result.reconcilable and claim is not None
        if isinstance(error, NotAnnounced):
            self._release(claim)
            return Back(self._own.retry_s, failed=False, why="store")
        if (in_doubt or result.outcome == "failed") and hindrance.kind in _NOBODYS_FAULT:
            # Trying the others would not help either: some of these refusals lock a key.
            paused = call.operation if hindrance.kind == _THROTTLED else EVERYTHING
            wait_s = self.pauses.pause(paused, hindrance.retry_after_s, hindrance.kind)
            return self._given_back(claim, wait_s, in_doubt=in_doubt, why=_NOBODYS_FAULT[hindrance.kind])
        if tries >= self._own.tries or not (in_doubt or error.retryable):
            return None
        wait_s = delay(tries, self._own.retry_s, self._own.retry_most_s, hindrance.retry_after_s)
        return self._given_back(claim, wait_s, in_doubt=in_doubt)

    def _given_back(self, claim: Claim | None, wait_s: float, *, in_doubt: bool, why: str | None = None) -> Back:
        """Return a message given back; `why` it is nobody's fault and counts as no try, None when it does.

        The claim of one in doubt is left to end by itself: by then what was sent has arrived or never will, and whoever is next asks.
        """
        if not in_doubt:
            self._release(claim)
        least_s = self._lease_s if in_doubt else 0.0
        return Back(max(wait_s, least_s), failed=why is None, why=why or ("in doubt" if in_doubt else "retry"))

    def _release(self, claim: Claim | None) -> None:
        if self._store is not None and claim is not None:
            try:
                self._store.release(claim)
            except StoreUnavailable as error:
                # Its claim then ends by itself.
                log.warning("store.unavailable", extra={"facts": {"error": str(error)}})

    def _finished(self, delivery: Delivery, claim: Claim | None, result: Result) -> Finished:
        """Remember the end of a call as soon as the store can be used, and return it. Raises LeaseLost, StoreUnavailable."""
        # What may safely be run again is not `unknown` for the store: once it is redriven it must be run.
        outcome = "failed" if result.error and result.error.retryable else result.outcome
        end = Finished(outcome, strictjson.dumps(to_envelope(result.event)))
        store, run = self._store, delivery.message.runs
        if store is not None and claim is not None:
            self._patience.until_done(lambda: store.finish(claim, end, self._own.keep_s, run), self._ending)
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


def _answered(result: Result) -> bool:
    """Whether the cloud has answered, and did not throttle or refuse our credentials."""
    upstream, error = result.event.data["upstream"], result.hindrance or result.error
    return bool(upstream and upstream["status"]) and not (error and error.kind in _NOBODYS_FAULT)
