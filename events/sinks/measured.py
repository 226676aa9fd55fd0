"""Sinks that count what becomes of their events, for whoever watches the metrics."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from events.sinks import SinkRefused, SinkUnavailable

if TYPE_CHECKING:
    from events.cloudevents import CloudEvent
    from events.metrics import Metrics
    from events.sinks import Sink
    from events.sinks.several import Named

_KINDS = {"stdout": "stdout", "http": "http", "https": "http"}


def measured(named: Named, metrics: Metrics) -> Named:
    """Return a sink that does the same and counts."""
    scheme = named.shown.partition(":")[0]
    return replace(named, sink=_Measured(named.sink, _KINDS.get(scheme, "queue"), metrics))


class _Measured:
    def __init__(self, sink: Sink, kind: str, metrics: Metrics) -> None:
        self._sink = sink
        self._kind = kind
        self._metrics = metrics

    def emit(self, event: CloudEvent) -> None:
        try:
            self._sink.emit(event)
        except SinkUnavailable as error:
            self._metrics.emitted(self._kind, "refused" if isinstance(error, SinkRefused) else "unavailable")
            raise
        self._metrics.emitted(self._kind, "taken")
