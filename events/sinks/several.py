"""All the sinks of a deployment as one that never drops an event: whoever emits waits for as long as one of them is down."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from events.sinks import SinkGone, SinkRefused, SinkUnavailable
from events.sinks.gate import Gate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from events.cloudevents import CloudEvent
    from events.sinks import Sink


@dataclass(frozen=True, slots=True)
class Named:
    """A sink, how logs and messages name it (no secret, no password), and what closes it when the process ends."""

    shown: str
    sink: Sink
    close: Callable[[], None] = lambda: None


class Several:
    """Hands each event to every sink. Shared between threads; what is down is tried by one of them, and the others wait.

    Which sinks have taken an event is known during one call only: an event that is emitted again goes to all of them again.
    """

    def __init__(self, sinks: Sequence[Named], gate: Callable[[str, Sink], Gate] = Gate) -> None:
        """`gate` is for tests: it makes the way into a sink."""
        self._sinks = tuple(sinks)
        self._gates = [gate(each.shown, each.sink) for each in sinks]
        self._never = threading.Event()

    @property
    def down(self) -> list[str]:
        """The names of the sinks that take nothing for now: why nothing goes on."""
        return [gate.shown for gate in self._gates if gate.down]

    def emit(self, event: CloudEvent, stop: threading.Event | None = None) -> None:
        """Return when every sink has taken the event; each takes it once in a call.

        Raises SinkGone at once, on every call from then on. Raises, when the other sinks have been asked, SinkUnavailable if `stop` was
        set before a sink that is down has risen, and else SinkRefused if one refuses this event for good.
        """
        for gate in self._gates:
            gate.check()
        # Offered to all before any of them is waited for.
        offers = [(gate, gate.offer(event)) for gate in self._gates]
        waits = ((gate, failure) for gate, failure in offers if failure is not None)
        failures = [
            end for gate, first in waits if (end := _waited(gate, event, stop or self._never, first)) is not None
        ]
        if failures:
            raise min(failures, key=lambda failure: isinstance(failure, SinkRefused))

    def close(self) -> None:
        """Close every sink."""
        for each in self._sinks:
            each.close()


def _waited(gate: Gate, event: CloudEvent, stop: threading.Event, failure: SinkUnavailable) -> SinkUnavailable | None:
    """Return why a sink did not take an event in the end, None when it did. Raises SinkGone."""
    try:
        gate.insist(event, stop, failure)
    except SinkGone:
        raise
    except SinkUnavailable as end:
        return end
    return None
