"""What the tests of every transport share: messages, taking them within a time, consumers that are closed in the end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol

from hypothesis import HealthCheck, settings

from events.queues import Letter, Message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from events.queues import Delivery, Queue

WITHIN_S = 20.0
"""Seconds after which something that must happen has not."""
QUIET_S = 0.15
"""Seconds for which nothing must come."""
SENT_AT = 1_750_000_000.25

patiently = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""For property tests, on machines that do other things as well."""


class Connect(Protocol):
    """Makes another consumer of the test's queue, as another process would be."""

    def __call__(self, lease_s: float = 30.0) -> Queue: ...


class Consumers:
    """A `Connect` that closes what it made; `make` connects to the test's queue with a lease in seconds."""

    def __init__(self, make: Callable[[float], Queue]) -> None:
        self._make = make
        self._made: list[Queue] = []

    def __call__(self, lease_s: float = 30.0) -> Queue:
        self._made.append(self._make(lease_s))
        return self._made[-1]

    def close(self) -> None:
        for queue in self._made:
            queue.close()


def message(number: int = 0, group: str | None = None, **changes: Any) -> Message:
    """Return a message that is known by its number."""
    return Message(b"%d" % number, f"m{number}", group, **{"sent_at": SENT_AT, **changes})


def letter(delivery: Delivery, reason: str = "failed", **changes: Any) -> Letter:
    """Return a dead letter of a delivery."""
    return Letter(delivery.message, reason, 1_750_000_000.5, **changes)


def take(queue: Queue, count: int = 1, most: int | None = None) -> list[Delivery]:
    """Receive so many deliveries, `most` at a time, all within `WITHIN_S`."""
    found: list[Delivery] = []
    end = time.monotonic() + WITHIN_S
    while len(found) < count:
        assert time.monotonic() < end, f"{len(found)} of {count} came"
        found += queue.receive(most or count - len(found), 0.5)
    return found


def take_one(queue: Queue) -> Delivery:
    (found,) = take(queue)
    return found


def take_from(*queues: Queue) -> Delivery:
    """Receive one delivery from whichever of these consumers it comes to: a broker may have given it to one that does not ask just now."""
    end = time.monotonic() + WITHIN_S
    while time.monotonic() < end:
        for queue in queues:
            for found in queue.receive(1, 0.05):
                return found
    raise AssertionError("none came")


def has_none(queue: Queue, for_s: float = QUIET_S) -> bool:
    """Tell whether nothing comes."""
    return queue.receive(10, for_s) == []


def ids(deliveries: Iterable[Delivery]) -> list[str]:
    return [delivery.message.id for delivery in deliveries]


def until(holds: Callable[[], bool], within_s: float = WITHIN_S) -> None:
    """Wait until something holds."""
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.01)
