"""One message from its delivery to its verdict: claimed, run once, remembered, told of; on any of the worker's threads."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from events import strictjson
from events.cloudevents.json import to_envelope
from events.idempotency import Busy, Claim, Finished, LeaseLost, StoreUnavailable, key_of
from events.metrics import Metrics
from events.queues.calls import is_result, to_call
from events.sqliteclock import since_boot
from events.triggers.worker.settling import NotAnnounced, Settling
from events.triggers.worker.verdicts import Back, Dead, delay, letter
from functions.cloud.deadline import Deadline, Trail
from functions.cloud.errors import Abandoned

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from events.dispatch import Call, Dispatcher, Result
    from events.idempotency import Store
    from events.queues import Delivery
    from events.settings import EventSettings
    from events.sinks.several import Several
    from events.triggers.worker.patience import Patience
    from events.triggers.worker.settings import WorkerSettings
    from events.triggers.worker.verdicts import Verdict

log = logging.getLogger("hongyan.events")

MOST_LOSSES = 10
"""Deliveries in a row whose worker died, after which a message is not run any more: it may be what kills them."""

# A claim outlives its call's deadline by this, in seconds, so that nothing is sent under a claim that has ended.
_BEYOND_S = 2.0
# Longest wait for a call that is under way elsewhere, in seconds: it may end sooner than its claim.
_LOOK_AGAIN_S = 5.0
# A worker that dies before it has claimed anything is known to the queue only, which blames all that he had: more patience, so many times.
_NEIGHBOURS = 10


class Handler:
    """Handles messages; shared between the worker's threads.

    `ending` is set when a stop can wait for sinks and store no longer; `step` is told the name of each step that is over.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        sinks: Several,
        store: Store | None,
        events: EventSettings,
        own: WorkerSettings,
        patience: Patience,
        ending: threading.Event,
        step: Callable[[str], None] = lambda _: None,
        metrics: Metrics | None = None,
    ) -> None:
        self._dispatcher = dispatcher
        self._store = store
        self._events = events
        self._own = own
        self._patience = patience
        self._ending = ending
        self._step = step
        self._lease_s = max(own.queue.lease_s, events.deadline_s + _BEYOND_S)
        self._settling = Settling(sinks, store, own, self._lease_s, ending, patience, step, metrics or Metrics())

    def handle(self, delivery: Delivery) -> Verdict:
        """Run a message and return what is to become of it; never raises."""
        message = delivery.message
        try:
            return self._handled(delivery)
        except Exception:
            # A fault of ours must cost neither the message nor the thread.
            log.exception("message.crashed", extra={"facts": {"id": message.id, "tries": message.tries + 1}})
        try:
            if message.tries + 1 >= self._own.tries:
                return self._given_up(delivery)
        except Exception:
            log.exception("message.crashed", extra={"facts": {"id": message.id, "tries": message.tries + 1}})
            return Dead(letter(message, "tries", {}, time.time()), "failed")
        wait_s = delay(message.tries + 1, self._own.retry_s, self._own.retry_most_s)
        return Back(wait_s, failed=True, why="crashed")

    def _given_up(self, delivery: Delivery) -> Dead:
        """Return the dead letter of a message that crashes us each time, with the event of what was done, else one that tells of it."""
        call = to_call(delivery.message, self._own.queue, self._deadline(), self._events, self._own)
        _, known = self._claimed(call, delivery)
        if isinstance(known, Finished):
            return Dead(letter(delivery.message, "tries", strictjson.loads(known.event), time.time()), known.outcome)
        refusal = Abandoned("an error inside Hongyan, again and again; its log tells more")
        result = self._dispatcher.dispatch(replace(call, refusal=call.refusal or refusal))
        return Dead(letter(delivery.message, "tries", to_envelope(result.event), time.time()), result.outcome)

    def _handled(self, delivery: Delivery) -> Verdict:
        self._step("received")
        call = to_call(delivery.message, self._own.queue, self._deadline(), self._events, self._own)
        if is_result(delivery.message):
            # Its own event would follow it, and that one's the next, for as long as a sink leads back to this queue.
            log.error("message.is_result", extra={"facts": {"id": delivery.message.id}})
            return Dead(letter(delivery.message, "rejected", {}, time.time()), "rejected")
        if wait_s := self._settling.pauses.left(call.operation):
            return Back(wait_s, failed=False, why="paused")
        deadline, claim = self._claimed(call, delivery)
        if isinstance(claim, Busy):
            return Back(min(claim.wait_s, _LOOK_AGAIN_S), failed=False, why="busy")
        if isinstance(claim, Finished):
            return self._settling.told(delivery, claim)
        self._step("claimed")
        began = time.perf_counter()
        result = self._run(delivery, replace(call, deadline=deadline), claim)
        try:
            return self._settling.settle(delivery, call, claim, result, time.perf_counter() - began)
        except LeaseLost:
            # Whoever has it now tells of it. Where this one wrote, and must not have, somebody should know.
            facts = {"id": delivery.message.id, "operation": call.operation, "outcome": result.outcome}
            log.log(logging.INFO if result.repeatable else logging.ERROR, "claim.lost", extra={"facts": facts})
            return Back(0.0, failed=False, why="lost")

    def _deadline(self) -> Deadline:
        # By the clock that goes on while the machine sleeps, as leases do: what wakes up late must not send.
        return Deadline.after(self._events.deadline_s, clock=since_boot)

    def _claimed(self, call: Call, delivery: Delivery) -> tuple[Deadline, Claim | Finished | Busy | None]:
        """Claim a call as soon as the store can be used, and return until when it may be run; no claim without a store.

        Time runs from before the claim, so that it ends before the claim does.
        """
        store, run = self._store, delivery.message.runs
        if store is None:
            return self._deadline(), None
        name = self._own.queue.name
        key = key_of(name, call.origin, call.id or delivery.message.id, call.operation)
        try:
            return self._patience.until_done(
                lambda: (self._deadline(), store.claim(key, self._lease_s, run)), self._ending
            )
        except StoreUnavailable:
            return self._deadline(), Busy(0.0)

    def _run(self, delivery: Delivery, call: Call, claim: Claim | None) -> Result:
        call = replace(call, trail=Trail(announce=partial(self._announce, claim)))
        # Without a store, an earlier worker may have sent it; the queue knows only that he died.
        in_doubt = claim.in_doubt if claim else delivery.losses > 0
        if in_doubt:
            # What is refused before it is sent was not sent by him, either; what was announced was.
            if claim is None and (refused := self._dispatcher.refused(call)):
                return refused
            if result := self._dispatcher.reconcile(call):
                return result
            log.warning("call.undone", extra={"facts": {"id": delivery.message.id, "operation": call.operation}})
        # The queue counts what died with whoever ran another message, too; the store counts who ran this one.
        losses = claim.losses if claim else delivery.losses
        if max(losses, delivery.losses // _NEIGHBOURS) >= MOST_LOSSES and call.refusal is None:
            told = f"{losses} workers died while they ran it, so it is not run again"
            call = replace(call, refusal=Abandoned(told))
        result = self._dispatcher.dispatch(call)
        self._step("answered")
        return result

    def _announce(self, claim: Claim | None) -> None:
        if self._store is not None and claim is not None:
            try:
                self._store.announce(claim)
            except StoreUnavailable as error:
                raise NotAnnounced(f"the store cannot note that this is about to be sent: {error}") from error
            except LeaseLost as error:
                raise NotAnnounced("somebody else runs this by now", kind="aborted") from error
        self._step("announced")
