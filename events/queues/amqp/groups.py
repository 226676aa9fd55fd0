"""Of each group the oldest message alone, the others kept until it has come to its end: for the consumer of RabbitMQ's queues of groups."""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from events.queues import Delivery


class Groups:
    """Deliveries by their groups; the first of each is its head. It knows neither broker nor clock: times are the caller's."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[Delivery]] = {}
        self._ready: deque[str] = deque()
        self._held: list[tuple[float, str]] = []
        self._out = 0

    @property
    def held(self) -> int:
        """How many heads wait for their time."""
        return len(self._held)

    @property
    def waiting(self) -> int:
        """How many deliveries wait for nothing but their turn."""
        return sum(map(len, self._waiting.values())) - len(self._held) - self._out

    def add(self, delivery: Delivery) -> None:
        """Put a delivery behind its group.

        One that is behind others has never been in anybody's hands, so whoever died with it in his buffer did not die of it.
        """
        group = _group(delivery)
        queue = self._waiting.setdefault(group, deque())
        queue.append(replace(delivery, losses=0) if queue else delivery)
        if len(queue) == 1:
            self._ready.append(group)

    def take(self, now: float) -> Delivery | None:
        """Hand out the head of a group whose time has come, None when there is none."""
        while self._held and self._held[0][0] <= now:
            self._ready.append(heapq.heappop(self._held)[1])
        if not self._ready:
            return None
        self._out += 1
        return self._waiting[self._ready.popleft()][0]

    def end(self, delivery: Delivery) -> None:
        """Forget a delivery that was handed out; its group goes on."""
        group = _group(delivery)
        queue = self._waiting[group]
        queue.popleft()
        self._out -= 1
        if queue:
            self._ready.append(group)
        else:
            del self._waiting[group]

    def hold(self, delivery: Delivery, until: float) -> None:
        """Keep a delivery that was handed out at the head of its group, as it is given here, until a time."""
        group = _group(delivery)
        self._waiting[group][0] = delivery
        self._out -= 1
        heapq.heappush(self._held, (until, group))

    def next_at(self) -> float | None:
        """Return when the next of those that are held may be taken, None when none is held."""
        return self._held[0][0] if self._held else None


def _group(delivery: Delivery) -> str:
    # Whoever put a message without a group here wants it in order.
    return delivery.message.group or ""
