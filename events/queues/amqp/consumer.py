"""The receiving half of a connection to RabbitMQ: what comes from the queues, whose turn it is, and keeping the connection alive."""

from __future__ import annotations

import logging
import time
from itertools import cycle
from typing import TYPE_CHECKING

from events.queues import QueueRefused
from events.queues.amqp import topology
from events.queues.amqp.inbox import GroupsInbox, MainInbox
from events.queues.amqp.properties import to_amqp

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import amqp  # type: ignore[import-untyped]

    from events.queues import Delivery, Message
    from events.queues.amqp.holds import Holds
    from events.queues.amqp.link import Link
    from events.queues.amqp.places import Places

log = logging.getLogger("hongyan.events")

# Seconds without `receive` after which others should have what would only wait here: this consumer has its hands full, or is about to stop.
_IDLE_S = 1.0


class Consumer:
    """Consumes the queues of one queue of ours; methods raise what those of `Link` do."""

    def __init__(self, link: Link, places: Places, holds: Holds) -> None:
        self._link = link
        self._places = places
        self.grouped = GroupsInbox(link.channel(), places.groups(), holds)
        self.main = MainInbox(link.channel(), places.main())
        self._received_at = 0.0

    @property
    def waiting(self) -> int:
        """How many messages wait here for nothing but their turn."""
        return self.main.waiting + self.grouped.groups.waiting

    def receive(self, most: int, wait_s: float) -> list[Delivery]:
        """Return up to `most` deliveries as soon as there is any, [] when there was none for `wait_s` seconds."""
        self.main.want(most)
        ends = time.monotonic() + wait_s
        self._link.pump(0.0)
        while True:
            self._sort()
            found = self._taken(most)
            left_s = ends - time.monotonic()
            if found or left_s <= 0:
                self._received_at = time.monotonic()
                return found
            self._link.pump(min(left_s, self._link.heartbeat_s / 4, self.grouped.pause_s()))

    def holds(self, delivery: Delivery) -> bool:
        """Tell whether a delivery came from here and has not ended."""
        return self.main.holds(delivery) or self.grouped.holds(delivery)

    def end(self, deliveries: Iterable[Delivery]) -> None:
        """Acknowledge deliveries; those that are not held here are passed over."""
        self.keep()
        self._end(deliveries)

    def move(self, delivery: Delivery, queue: str, raw: amqp.Message) -> None:
        """Put what becomes of a delivery that is held here into a queue, and end it; one that the broker does not take it buries itself."""
        self._move([(delivery, queue, raw)])

    def later(self, delivery: Delivery, message: Message, delay_s: float) -> None:
        """Have a delivery of the main queue come again as this message, not before so many seconds: after several waits if need be."""
        due = time.time() + delay_s if delay_s > topology.DELAYS_S[-1] else None
        self.move(delivery, self._places.later(delay_s), to_amqp(message, due))

    def bury(self, delivery: Delivery) -> None:
        """Have the broker itself move a delivery that is held here to the dead letters."""
        (self.main if self.main.holds(delivery) else self.grouped).bury(delivery)

    def keep(self) -> None:
        """Keep the connection alive, and prefetch nothing when nobody asks.

        What waits here is published once more for others: handed back, it would have a loss more, although nobody died.
        """
        self._link.pump(0.0)
        if time.monotonic() - self._received_at > _IDLE_S:
            self._sort()
            self._pass_on(self.main.rest())

    def _taken(self, most: int) -> list[Delivery]:
        """Hand out what there is, by turns from both, so that neither holds up the other."""
        found: list[Delivery] = []
        missed = 0
        for inbox in cycle((self.grouped, self.main)):
            if len(found) == most or missed == 2:
                return found
            delivery = inbox.take()
            missed = 0 if delivery else missed + 1
            if delivery:
                found.append(delivery)
        return found

    def _sort(self) -> None:
        """Put messages that somebody else published beside their groups where those are, in order, and have those wait that came early."""
        strays, self.main.strays = self.main.strays, []
        early, self.main.early = self.main.early, []
        self._pass_on(strays)
        self._move(
            [(each, self._places.later(max(due - time.time(), 0.0)), to_amqp(each.message, due)) for each, due in early]
        )

    def _pass_on(self, deliveries: Sequence[Delivery]) -> None:
        self._move([(each, self._places.of(each.message), to_amqp(each.message)) for each in deliveries])

    def _move(self, moves: Sequence[tuple[Delivery, str, amqp.Message]]) -> None:
        if not moves:
            return
        try:
            self._link.publish([(queue, raw) for _, queue, raw in moves])
        except QueueRefused as error:
            if len(moves) > 1:
                # Some may be there by now, and double.
                for each in moves:
                    self._move([each])
                return
            delivery, queue, _ = moves[0]
            facts = {"queue": queue, "id": delivery.message.id, "error": str(error)}
            log.warning("message.refused", extra={"facts": facts})
            self.bury(delivery)
        else:
            self._end([delivery for delivery, _, _ in moves])

    def _end(self, deliveries: Iterable[Delivery]) -> None:
        for inbox in (self.main, self.grouped):
            inbox.end([each for each in deliveries if inbox.holds(each)])
