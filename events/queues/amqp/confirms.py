"""Messages that were sent to RabbitMQ and that it has not confirmed yet; for `Link`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from events.queues import QueueUnavailable

if TYPE_CHECKING:
    from collections.abc import Collection

    import amqp  # type: ignore[import-untyped]


class Unconfirmed(QueueUnavailable):
    """The broker says nothing of messages to `queues`."""

    def __init__(self, count: int, queues: Collection[str]) -> None:
        super().__init__(
            f"the broker has not confirmed {count} messages to {', '.join(sorted(queues))}; it may be short of memory or disk, "
            "or they have no leader any more (rabbitmq-queues quorum_status)"
        )
        self.queues = queues


class Confirms:
    """A channel on which the broker confirms each message (https://www.rabbitmq.com/docs/confirms#publisher-confirms)."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self._sent = 0
        self._open: dict[int, str] = {}
        self._refused = ""
        channel.confirm_select()
        channel.events["basic_ack"].add(self._on_ack)
        channel.events["basic_nack"].add(self._on_nack)
        channel.events["basic_return"].add(self._on_return)

    @property
    def open(self) -> int:
        """How many messages the broker has said nothing of."""
        return len(self._open)

    @property
    def queues(self) -> set[str]:
        """Where those messages were sent to."""
        return set(self._open.values())

    def send(self, queue: str, message: amqp.Message) -> None:
        """Send a message to a queue, which must be there."""
        self._sent += 1
        self._open[self._sent] = queue
        self._channel.basic_publish(message, "", queue, mandatory=True)

    def check(self) -> None:
        """Raise QueueUnavailable if the broker did not take a message."""
        refused, self._refused = self._refused, ""
        if refused:
            raise QueueUnavailable(refused)

    def close(self) -> None:
        """Give the channel up."""
        self._channel.close()

    def _on_ack(self, number: int, multiple: bool) -> None:
        if multiple:
            self._open = {each: queue for each, queue in self._open.items() if each > number}
        else:
            self._open.pop(number, None)

    def _on_nack(self, number: int, multiple: bool) -> None:
        self._refused = "the broker refused a message: the queue is full, or it is in trouble itself"
        self._on_ack(number, multiple)

    def _on_return(self, _error: Exception, _exchange: str, queue: str, _message: amqp.Message) -> None:
        # Its confirmation follows all the same.
        self._refused = f"the queue {queue} is gone"
