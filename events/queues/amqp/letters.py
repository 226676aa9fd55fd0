"""The dead letters in their queue of RabbitMQ: looked through from one end to the other, and given back but for those that were meant."""

from __future__ import annotations

import heapq
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from amqp.exceptions import ResourceLocked  # type: ignore[import-untyped]

from events.queues import QueueUnavailable, wire
from events.queues.amqp import topology
from events.queues.amqp.properties import from_letter

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    import amqp  # type: ignore[import-untyped]

    from events.queues import Letter, Message
    from events.queues.amqp.link import Link

# Seconds without any letter after which somebody else is looking through the rest of them.
_QUIET_S = 1.0
# Seconds until the broker has taken back what it was given back, and seconds between looking whether it has.
_BACK_S, _LOOK_S = 1.0, 0.002
# A prefetch that a consumer can ask for; more than that is asked for by 0, which is no limit.
_MOST_PREFETCH = 65_535


class Letters:
    """A look through the dead letters of one queue; used once.

    It takes all of them, since the broker gives back what was taken behind what was not: only so they stay in order. When it is killed, all
    come back that were not ended.
    """

    def __init__(self, link: Link, name: str) -> None:
        self._link = link
        self._queue = topology.dead(name)
        self._mark = f"{self._queue}.look"
        self._channel: Any = None
        self._kept = 0

    def oldest(self, most: int) -> list[Letter]:
        """Return up to so many letters, oldest first."""
        found = ((letter.at, place, letter) for place, (letter, _) in enumerate(self._all()))
        return [letter for _, _, letter in heapq.nsmallest(most, found)]

    def end(self, ids: Collection[str], before: Callable[[Message], None] = lambda _: None) -> int:
        """Throw the letters of these ids away, each once `before` has been called with its message; return how many there were."""
        wanted, count = set(ids), 0
        if not wanted:
            return 0
        for letter, tag in self._all():
            if letter.id in wanted:
                before(wire.again(letter))
                self._channel.basic_ack(tag)
                self._kept -= 1
                count += 1
        return count

    def _all(self) -> Iterator[tuple[Letter, int]]:
        """Yield as many letters as there are now, with their tags, and give back those that were not acknowledged."""
        mark = self._alone()
        count = self._link.count(self._queue)
        if count:
            yield from self._each(count)
        mark.queue_delete(self._mark)
        mark.close()

    def _alone(self) -> Any:
        """Mark that somebody looks through the letters: to anybody else they seem to be gone meanwhile. Raises QueueUnavailable.

        A queue of one connection alone (`exclusive`) ends with that, whatever becomes of it.
        """
        channel = self._link.channel()
        try:
            channel.queue_declare(self._mark, durable=False, exclusive=True, auto_delete=False)
        except ResourceLocked as error:
            raise QueueUnavailable(
                "somebody else is looking through the dead letters: try again in a moment"
            ) from error
        return channel

    def _each(self, count: int) -> Iterator[tuple[Letter, int]]:
        arrived: deque[amqp.Message] = deque()
        self._channel = self._link.channel()
        self._channel.basic_qos(0, count if count <= _MOST_PREFETCH else 0, False)
        self._channel.basic_consume(self._queue, callback=arrived.append)
        for _ in range(count):
            if not arrived:
                self._wait(arrived)
            if not arrived:
                break
            raw = arrived.popleft()
            self._kept += 1
            yield from_letter(raw), raw.delivery_info["delivery_tag"]
        self._give_back()

    def _wait(self, arrived: deque[amqp.Message]) -> None:
        ends = time.monotonic() + _QUIET_S
        while not arrived and (left_s := ends - time.monotonic()) > 0:
            self._link.read(left_s)

    def _give_back(self) -> None:
        """Close the channel, and wait until the letters can be seen again, so that the next look finds them."""
        self._channel.close()
        ends = time.monotonic() + _BACK_S
        while (self._link.count(self._queue) or 0) < self._kept and time.monotonic() < ends:
            time.sleep(_LOOK_S)
