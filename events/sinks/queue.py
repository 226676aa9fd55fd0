"""Result events as messages of a queue, for consumers of any transport: the queue sink."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from events import strictjson
from events.cloudevents.json import to_envelope
from events.queues import Message, QueueRefused, QueueUnavailable
from events.sinks import SinkUnavailable

if TYPE_CHECKING:
    from events.cloudevents import CloudEvent
    from events.queues.publishing import Publisher


class QueueSink:
    """Publishes each event in the JSON format of CloudEvents; the message's id is the event's. Shared between threads."""

    def __init__(self, publisher: Publisher) -> None:
        """Publish by `publisher`, which is closed with this sink."""
        self._publisher = publisher
        self.shown = publisher.shown

    def emit(self, event: CloudEvent) -> None:
        """As the contract says. A queue that refuses is unavailable, too: what it refuses is how it is declared, not this one event."""
        message = Message(strictjson.dumps(to_envelope(event)), event.id)
        try:
            self._publisher.publish([message])
        except QueueUnavailable as error:
            raise SinkUnavailable(f"{self.shown} cannot be reached: {error}") from error
        except QueueRefused as error:
            raise SinkUnavailable(f"{self.shown} takes nothing: {error}") from error

    def close(self) -> None:
        """Give the connection up."""
        # What was published is in the queue's keeping, and a connection that is lost needs no closing.
        with contextlib.suppress(QueueUnavailable):
            self._publisher.close()
