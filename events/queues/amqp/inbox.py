"""What one consumer of RabbitMQ was given and has not ended: handed out in turn, acknowledged in as few commands as is right."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from events.queues import Delivery
from events.queues.amqp.groups import Groups
from events.queues.amqp.properties import due_of, from_amqp, is_ours, losses_of
from events.queues.calls import group_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import amqp  # type: ignore[import-untyped]

    from events.queues.amqp.holds import Holds

# What a newer broker allows a consumer in place of its own half an hour, in milliseconds: one day.
_PATIENCE = {"x-consumer-timeout": 86_400_000}
# Deliveries of a queue of groups that are kept here: those of a group that waits must leave room for other groups.
# What a consumer had is in order again only if its next consumer has room for all of it: no version may have less than another.
_GROUPS_WINDOW = 256
_MOST_PREFETCH = 65_535


@dataclass(frozen=True, slots=True, eq=False)
class Receipt:
    """Says which delivery of which channel; good until that has ended or is handed out anew. `again`: it was delivered before."""

    tag: int
    inbox: Inbox = field(repr=False)
    again: bool = False


class Inbox:
    """One channel's deliveries that have not ended, in the order of their tags, which is that of their arrival."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self._open: dict[int, Receipt] = {}

    def holds(self, delivery: Delivery) -> bool:
        """Tell whether a delivery came from here and has not ended."""
        receipt = delivery.receipt
        return isinstance(receipt, Receipt) and self._open.get(receipt.tag) is receipt

    def end(self, deliveries: Iterable[Delivery]) -> None:
        """Acknowledge deliveries that are held here.

        The broker takes "this and all before it" for those before which nothing else is open, and one command each for the others.
        """
        tags = {delivery.receipt.tag for delivery in deliveries}
        last = 0
        for tag in self._open:
            if tag not in tags:
                break
            last = tag
        if last:
            self._channel.basic_ack(last, multiple=True)
        for tag in sorted(tags):
            del self._open[tag]
            if tag > last:
                self._channel.basic_ack(tag)

    def bury(self, delivery: Delivery) -> None:
        """Have the broker itself move a delivery that is held here to the dead letters."""
        del self._open[delivery.receipt.tag]
        self._channel.basic_reject(delivery.receipt.tag, requeue=False)

    def take(self) -> Delivery | None:
        """Hand out the next delivery whose turn it is, None when there is none."""
        raise NotImplementedError

    def _opened(self, raw: amqp.Message) -> Delivery:
        receipt = Receipt(raw.delivery_info["delivery_tag"], self, bool(raw.delivery_info["redelivered"]))
        self._open[receipt.tag] = receipt
        return Delivery(from_amqp(raw), losses_of(raw), receipt)


class MainInbox(Inbox):
    """Of the queue of messages without a group; `strays` are those that have one, put there by somebody else.

    `early` are those that no queue of delays could hold for as long as they must wait, each with its time in seconds since 1970.
    """

    def __init__(self, channel: Any, queue: str) -> None:
        super().__init__(channel)
        self._queue = queue
        self._window = 0
        self._consumer = ""
        self._waiting: deque[Delivery] = deque()
        self.strays: list[Delivery] = []
        self.early: list[tuple[Delivery, float]] = []

    @property
    def waiting(self) -> int:
        """How many deliveries are in nobody's hands."""
        return len(self._waiting)

    def want(self, most: int) -> None:
        """Have room for `most` deliveries beside those that are in somebody's hands, and for no more than was ever needed."""
        window = min(len(self._open) - len(self._waiting) + most, _MOST_PREFETCH)
        if window <= self._window:
            return
        if self._consumer:
            self._channel.basic_cancel(self._consumer)
        self._channel.basic_qos(0, window, False)
        self._consumer = self._channel.basic_consume(self._queue, callback=self._take_in, arguments=_PATIENCE)
        self._window = window

    def rest(self) -> list[Delivery]:
        """Let nothing come until `want` says so again, and return what is in nobody's hands, which others should have."""
        if self._consumer:
            self._channel.basic_cancel(self._consumer)
            self._consumer, self._window = "", 0
        idle = list(self._waiting)
        self._waiting.clear()
        return idle

    def take(self) -> Delivery | None:
        """Hand out the oldest delivery, None when there is none."""
        return self._waiting.popleft() if self._waiting else None

    def _take_in(self, raw: amqp.Message) -> None:
        delivery = self._opened(raw)
        message = delivery.message
        if message.group is None and b"partitionkey" in message.body and not is_ours(raw):
            message = replace(message, group=group_of(message.body))
        if message.group is not None:
            self.strays.append(replace(delivery, message=message))
        elif (due := due_of(raw)) > time.time():
            self.early.append((delivery, due))
        else:
            self._waiting.append(delivery)


class GroupsInbox(Inbox):
    """Of the queues of groups, each of which has one consumer at a time: of each group its head alone is handed out."""

    def __init__(self, channel: Any, queues: Sequence[str], holds: Holds) -> None:
        super().__init__(channel)
        self.groups = Groups()
        self._holds = holds
        channel.basic_qos(0, _GROUPS_WINDOW, False)
        for queue in queues:
            channel.basic_consume(queue, callback=self._take_in, arguments=_PATIENCE)

    def take(self) -> Delivery | None:
        """Hand out the head of a group whose time has come, None when there is none."""
        now = time.monotonic()
        while delivery := self.groups.take(now):
            known, until = self._holds.recall(delivery) if delivery.receipt.again else (delivery, 0.0)
            if until <= now:
                return known
            # What came back with a new connection waits for the rest of its time.
            self.groups.hold(replace(known, losses=0), until)
        return None

    def end(self, deliveries: Iterable[Delivery]) -> None:
        """Acknowledge deliveries that are held here; their groups go on."""
        ended = {delivery.receipt.tag: delivery for delivery in deliveries}
        super().end(ended.values())
        for delivery in ended.values():
            self._ended(delivery)

    def bury(self, delivery: Delivery) -> None:
        """Have the broker itself move a delivery that is held here to the dead letters; its group goes on."""
        super().bury(delivery)
        self._ended(delivery)

    def hold(self, delivery: Delivery, delay_s: float) -> None:
        """Keep a delivery, as it is given here, to be handed out once more after `delay_s` seconds; its receipt is good no more."""
        receipt = Receipt(delivery.receipt.tag, self)
        self._open[receipt.tag] = receipt
        self.groups.hold(replace(delivery, losses=0, receipt=receipt), self._holds.add(delivery.message, delay_s))

    def pause_s(self) -> float:
        """Return the seconds until the next of those that are kept is to be handed out, infinite when none is."""
        next_at = self.groups.next_at()
        return float("inf") if next_at is None else max(0.0, next_at - time.monotonic())

    def _take_in(self, raw: amqp.Message) -> None:
        self.groups.add(self._opened(raw))

    def _ended(self, delivery: Delivery) -> None:
        self.groups.end(delivery)
        self._holds.forget(delivery.message)
