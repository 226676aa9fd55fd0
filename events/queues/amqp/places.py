"""The queues of RabbitMQ that belong to one queue, made when they are first needed and counted; for `AmqpQueue`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from events.queues.amqp import topology

if TYPE_CHECKING:
    from collections.abc import Mapping

    from events.queues import Message
    from events.queues.amqp.link import Link

# Seconds for which a queue that was not there is not asked for again: each time the broker logs an error.
_MISSING_S = 300.0


class Places:
    """Where the messages of the queue `name` go, with so many queues of groups; methods raise what those of `Link` do.

    `missing` and `silent` are kept from one connection to the next: which queues were not there, or did not confirm what was sent to them,
    and until when that is believed.
    """

    def __init__(
        self, link: Link, name: str, groups: int, missing: dict[str, float], silent: Mapping[str, float]
    ) -> None:
        self._link = link
        self._name = name
        self._groups = groups
        self._missing = missing
        self._silent = silent

    def main(self) -> str:
        """Return the queue of messages without a group; make it and all others but those of delays.

        Whoever comes first makes all of them: a broker may stumble over two who make one queue at the same time and consume it at once.
        """
        if not self._link.has_declared(self._name):
            self._link.declare(topology.dead(self._name), topology.of_dead())
            for each in self._own_groups():
                self._link.declare(each, topology.of_group(self._name))
            self._link.declare(self._name, topology.of_main(self._name))
        return self._name

    def dead(self) -> str:
        """Return the queue of dead letters."""
        self.main()
        return topology.dead(self._name)

    def of(self, message: Message) -> str:
        """Return the queue that a message belongs into."""
        main = self.main()
        if message.group is None:
            return main
        return topology.group(self._name, topology.number_of(message.group, self._groups))

    def later(self, delay_s: float) -> str:
        """Return the queue from which a message comes back to that of messages without a group, not before `delay_s` seconds.

        One that is silent is passed by: a broker that is killed just after it made a queue may leave it without a leader for good.
        """
        main = self.main()
        if delay_s <= 0:
            return main
        now, delays = time.monotonic(), topology.delays_for(delay_s)
        chosen = next(
            (each for each in delays if self._silent.get(topology.delay(self._name, each), 0.0) < now), delays[0]
        )
        name = topology.delay(self._name, chosen)
        self._link.declare(name, topology.of_delay(self._name, chosen))
        self._missing.pop(name, None)
        return name

    def groups(self) -> list[str]:
        """Return the queues of groups, and those that are left of a time when there were more."""
        self.main()
        return self._own_groups() + self._more_groups()

    def ready(self) -> int:
        """Return how many messages wait at the broker."""
        return sum(self._link.count(each) or 0 for each in (self._name, *self._own_groups(), *self._more_groups()))

    def delayed(self) -> int:
        """Return how many messages wait at the broker for their time."""
        return sum(self._count(topology.delay(self._name, each)) or 0 for each in topology.DELAYS_S)

    def buried(self) -> int:
        """Return how many dead letters there are."""
        return self._link.count(topology.dead(self._name)) or 0

    def _own_groups(self) -> list[str]:
        return [topology.group(self._name, number) for number in range(self._groups)]

    def _more_groups(self) -> list[str]:
        found: list[str] = []
        while self._count(another := topology.group(self._name, self._groups + len(found))) is not None:
            found.append(another)
        return found

    def _count(self, queue: str) -> int | None:
        if self._missing.get(queue, 0.0) > time.monotonic():
            return None
        count = self._link.count(queue)
        if count is None:
            self._missing[queue] = time.monotonic() + _MISSING_S
        return count
