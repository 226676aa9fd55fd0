"""How long messages with a group are kept back: known for as long as this process lives, whatever happens to its connection."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from events.queues import Delivery, Message

# Those whose time passed so many seconds ago are forgotten when there are so many: somebody else has ended them.
_OLD_S, _MANY = 3_600.0, 1_000


class Holds:
    """Which messages were given back, when each may be delivered again, and its tries; `clock` is in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[tuple[str, str | None, int], tuple[float, int]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def add(self, message: Message, delay_s: float) -> float:
        """Note that a message must not be delivered for so many seconds; return the time at which it may be."""
        now = self._clock()
        if len(self._known) >= _MANY:
            self._known = {key: known for key, known in self._known.items() if known[0] > now - _OLD_S}
        self._known[_key(message)] = (now + delay_s, message.tries)
        return now + delay_s

    def recall(self, delivery: Delivery) -> tuple[Delivery, float]:
        """Return a delivery that has come once more as it was given back, and the time at which it may be delivered."""
        until, tries = self._known.get(_key(delivery.message), (0.0, delivery.message.tries))
        return replace(delivery, message=replace(delivery.message, tries=tries)), until

    def forget(self, message: Message) -> None:
        """Note that a message has come to its end."""
        self._known.pop(_key(message), None)


def _key(message: Message) -> tuple[str, str | None, int]:
    return message.id, message.group, message.runs
