"""The counting itself, with prometheus_client: a registry of its own, and labels whose values are all ours; made by `metrics_from_env`."""

from __future__ import annotations

import logging
from functools import cache, wraps
from typing import TYPE_CHECKING, Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.multiprocess import MultiProcessCollector

from events.metrics import Metrics
from events.metrics.exposition import exposition
from events.metrics.observed import Observed
from events.problems import HttpAnswer, problem
from events.queues.urls import SCHEMES
from functions.cloud.errors import KINDS
from functions.registry import names
from schemas.result import OUTCOMES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from events.queues import Counts

log = logging.getLogger("hongyan.events")

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0, 60.0)
"""Upper bounds of durations, in seconds: from a cloud that is near to the longest deadlines there are."""
# What a sender or a message says becomes no time series: whatever is not among these is one of the words after them.
# Triggers of deployed functions are not: nobody could ask those for their counts.
TRIGGERS = frozenset({"webhook", *(f"queue.{transport}" for transport in SCHEMES.values())})
ENDS = frozenset({"acknowledged", "returned", "dead"})
SINKS = frozenset({"stdout", "http", "queue"})
TAKEN = frozenset({"taken", "refused", "unavailable"})
UNKNOWN, OTHER = "unknown", "other"


def _never_raises(record: Callable[..., None]) -> Callable[..., None]:
    @wraps(record)
    def recorded(self: Counted, *args: Any, **kwargs: Any) -> None:
        try:
            record(self, *args, **kwargs)
        except Exception:
            # Whoever does the work must not suffer from its being counted. Told once: it would be the same for every event.
            if not self.failed:
                log.exception("metrics.failed")
            self.failed = True

    return recorded


class Counted(Metrics):
    """Counts what a process does. `folder` is shared with other processes, of which each can then tell the sum; "" for this one alone."""

    def __init__(self, audience: str, folder: str = "") -> None:
        self.audience = audience
        self.failed = False
        self._registry = CollectorRegistry()
        self._operations = frozenset(names())
        self._observed = Observed()
        self._registry.register(self._observed)
        disable_created_metrics()  # type: ignore[no-untyped-call] # They double the lines, and nobody here reads them.
        if folder:
            MultiProcessCollector(self._registry, folder)  # type: ignore[no-untyped-call]
        else:
            ProcessCollector(
                registry=self._registry
            )  # Of one process only: whichever of several answers would tell its own.
        PlatformCollector(registry=self._registry)
        self._make(None if folder else self._registry)

    def _make(self, registry: CollectorRegistry | None) -> None:
        def counter(name: str, told: str, *labels: str) -> Callable[..., Counter]:
            # Finding a time series costs three times what counting does; there are only so many.
            return cache(Counter(name, told, labels, registry=registry).labels)

        self._events = counter(
            "hongyan_events", "Result events, by how the call ended.", "operation", "outcome", "trigger"
        )
        self._attempts = counter("hongyan_upstream_attempts", "Requests sent to the cloud, repeats too.", "operation")
        self._errors = counter("hongyan_errors", "Result events with an error, by its kind.", "operation", "kind")
        self._messages = counter("hongyan_messages", "Deliveries of a queue that have ended, by how.", "end")
        self._sinks = counter("hongyan_sink_events", "Events handed to sinks, by what these said.", "sink_kind", "end")
        seconds = Histogram(
            "hongyan_event_duration_seconds",
            "Time from a call to its result event.",
            ["operation"],
            buckets=BUCKETS_S,
            registry=registry,
        )
        self._seconds = cache(seconds.labels)
        again = Counter(
            "hongyan_redeliveries", "Deliveries that were not the first of their message.", registry=registry
        )
        self._again = again

    @_never_raises
    def finished(self, data: Mapping[str, Any], seconds: float | None) -> None:
        """Count a result event by its `data`; see `Metrics`."""
        operation = _one_of(self._operations, data["operation"], UNKNOWN)
        outcome = _one_of(OUTCOMES, data["outcome"], UNKNOWN)
        self._events(operation, outcome, _one_of(TRIGGERS, data["trigger"]["kind"], OTHER)).inc()
        if seconds is not None:
            self._seconds(operation).observe(seconds)
        if upstream := data["upstream"]:
            self._attempts(operation).inc(upstream["attempts"])
        if error := data["error"]:
            self._errors(operation, _one_of(KINDS, error["kind"], UNKNOWN)).inc()

    @_never_raises
    def observe_queue(self, name: str, counts: Counts | None) -> None:
        """Keep what a queue holds; see `Metrics`."""
        if counts is None:
            self._observed.queues.pop(name, None)
        else:
            self._observed.queues[name] = counts

    @_never_raises
    def settled(self, end: str, *, redelivered: bool = False) -> None:
        """Count a delivery's end; see `Metrics`."""
        self._messages(_one_of(ENDS, end, OTHER)).inc()
        if redelivered:
            self._again.inc()

    @_never_raises
    def emitted(self, sink_kind: str, end: str) -> None:
        """Count what a sink said; see `Metrics`."""
        self._sinks(_one_of(SINKS, sink_kind, OTHER), _one_of(TAKEN, end, OTHER)).inc()

    @_never_raises
    def paused(self, operation: str, paused: bool) -> None:
        """Keep whether an operation waits; see `Metrics`."""
        self._observed.paused[_one_of(self._operations, operation, UNKNOWN)] = paused

    def answer(self, accept: str, *, near: bool) -> HttpAnswer:
        """Return what was counted so far, or why it is not told; see `Metrics`."""
        if self.audience != "any" and not near:
            return problem(403, "permission_denied", "this is for requests from the server's own machine only")
        return exposition(self._registry, accept)


def _one_of(known: Collection[str], said: str, else_: str) -> str:
    return said if said in known else else_
