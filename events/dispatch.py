"""The one path: a Call is validated, its function asks the cloud, and exactly one result event says what became of it."""

from __future__ import annotations

import logging
import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from events.cloudevents import CloudEvent
from events.facts import log_facts
from events.reconciling import Reconciling
from events.running import Run
from schemas.result import SCHEMA_ID

if TYPE_CHECKING:
    from collections.abc import Mapping

    from events.metrics import Metrics
    from events.settings import EventSettings
    from functions.cloud.client import Client
    from functions.cloud.deadline import Deadline, Trail
    from functions.cloud.errors import CallError

log = logging.getLogger("hongyan.events")

# Any fixed UUID makes uuid5 deterministic; changing it would give redelivered events new ids.
_RESULTS = uuid.UUID("5f0f3f0e-6f1c-5d0b-9a55-6f6b1f6c7a11")
_PASSED_ON = ("traceparent", "tracestate")


@dataclass(frozen=True, slots=True)
class Call:
    """A command: run `operation` with `payload`. Every trigger turns its own event into one of these.

    `payload` is a JSON value; `refusal` says why there is none, or why its sender may not ask for this: the call then ends in it.

    `source` and `id` are the incoming event's (id None: the sender gave none and asks for no deduplication); `extensions` may hold its
    `correlationid`, `traceparent` and `tracestate`; `sender_id` is the trigger's own id of the delivery.

    `sender` is who sent it, None where senders are not told apart: ids of one sender are never taken for another's. `projects` are those
    that it may act on (none named: the settings' own), None where the settings alone decide. `trail` tells another thread how far
    the call has come.
    """

    operation: str
    payload: Any
    deadline: Deadline
    source: str
    trigger: str
    id: str | None = None
    sender_id: str | None = None
    extensions: Mapping[str, Any] = field(default_factory=dict)
    refusal: CallError | None = None
    sender: str | None = None
    projects: frozenset[str] | None = None
    trail: Trail | None = None

    @property
    def origin(self) -> str:
        """Within what the id is unique: the event's source, and the sender that it is believed to say so."""
        return self.source if self.sender is None else f"{self.sender} {self.source}"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a call: its result event, and the error in it (None when it succeeded or was partial).

    `repeatable`: running the call once more would have no further effect. `reconcilable`: nobody knows how it ended, and
    `Dispatcher.reconcile` may find out later; `hindrance` is why it could not do so now.
    """

    event: CloudEvent
    outcome: str
    error: CallError | None
    repeatable: bool = True
    reconcilable: bool = False
    hindrance: CallError | None = None


def result_id(origin: str, cause: str, operation: str) -> str:
    """Return the id of the result event of a call: `Call.origin`, its `id` (or what stands for it), its operation."""
    return str(uuid.uuid5(_RESULTS, "\n".join((origin, cause, operation))))


class Dispatcher:
    """Runs calls; make one at start and share it between threads.

    `only` is the one operation that may be run, "" for any; `metrics` counts the results.
    """

    def __init__(self, client: Client, settings: EventSettings, only: str = "", metrics: Metrics | None = None) -> None:
        self._client = client
        self._settings = settings
        self._only = only
        self._metrics = metrics

    def dispatch(self, call: Call) -> Result:
        """Run one call and return its result; never raises for anything that the call, the payload or the cloud does."""
        began = time.perf_counter()
        run = Run(self._client, call, self._only)
        run.go()
        return self._told(call, run, began)

    def refused(self, call: Call) -> Result | None:
        """Return the result of a call that would end before anything is sent, None for one that may be asked; nothing is sent."""
        run = Run(self._client, call, self._only)
        run.check()
        return self._told(call, run) if run.error else None

    def reconcile(self, call: Call) -> Result | None:
        """Find out what became of a call that somebody began and did not live to tell the end of; None when it had no effect.

        The result is `unknown` where the cloud does not tell.
        """
        run = Reconciling(self._client, call, self._only)
        if not run.reconcile():
            return None
        return self._told(call, run)

    def lost(self, call: Call) -> Result:
        """Return the result of a call that was begun and has not come back although its deadline has passed.

        `unknown` when a write may have been sent; what was not sent by then will not be.
        """
        run = Run(self._client, call, self._only)
        run.lose()
        return self._told(call, run)

    def _told(self, call: Call, run: Run, began: float | None = None) -> Result:
        data = run.data()
        event = self._event(call, run, data)
        level = logging.WARNING if run.outcome in ("failed", "unknown") else logging.INFO
        log.log(level, "call.finished", extra={"facts": log_facts(event, data)})
        if self._metrics:
            self._metrics.finished(data, None if began is None else time.perf_counter() - began)
        return Result(event, run.outcome, run.error, run.repeatable, run.reconcilable, run.hindrance)

    def _event(self, call: Call, run: Run, data: dict[str, Any]) -> CloudEvent:
        settings = self._client.settings
        extensions = {"causationid": run.cause, "correlationid": run.correlation_id}
        extensions.update({name: call.extensions[name] for name in _PASSED_ON if call.extensions.get(name)})
        return CloudEvent(
            id=result_id(call.origin, run.cause, run.operation),
            source=f"/hongyan/{data['target']['region']}/{run.project_id or settings.project_id}",
            type=f"{self._settings.prefix}.{run.operation}.{run.outcome}",
            subject=run.subject,
            time=datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            datacontenttype="application/json",
            dataschema=SCHEMA_ID,
            data=data,
            extensions=extensions,
        )
