"""Where result events go that nobody waits for: the contract of every sink, for the triggers that have no answer to put them into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from events.cloudevents import CloudEvent


class SinkUnavailable(Exception):
    """The event was not taken: what it tells of must not be acknowledged. The text says why."""


class Sink(Protocol):
    """Takes result events; shared between threads."""

    def emit(self, event: CloudEvent) -> None:
        """Take one event; when this returns, the event has left this process. Raises SinkUnavailable."""
