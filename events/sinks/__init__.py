"""Where result events go that nobody waits for: the contract of every sink, for the triggers that have no answer to put them into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from events.cloudevents import CloudEvent


class SinkUnavailable(Exception):
    """The event was not taken: what it tells of must not be acknowledged. The text says why.

    `retry_after_s`: seconds for which the sink wants nothing more, None when it does not say.
    """

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class SinkRefused(SinkUnavailable):
    """The sink will never take this very event, whatever may become of others: it is too large, say."""


class SinkGone(SinkUnavailable):
    """The sink wants no event any more, ever (HTTP 410): whoever runs this must take it out of the settings."""


class Sink(Protocol):
    """Takes result events; shared between threads."""

    def emit(self, event: CloudEvent) -> None:
        """Take one event; when this returns, the event has left this process. Raises SinkUnavailable, SinkRefused, SinkGone."""
