"""Which queues of RabbitMQ make one queue of ours, what they are called and how they are declared."""

from __future__ import annotations

import hashlib
from typing import Any

DELAYS_S = tuple(2.0**power for power in range(-2, 17))
"""The delays that there are queues for, in seconds: from a quarter of a second to eighteen hours."""

# RabbitMQ 4 gives a message up after 20 deliveries unless the queue says otherwise; the worker's own limit must come first.
_DELIVERIES = 1_000
# Looking through the dead letters counts as a delivery of each.
_LOOKS = 2_000_000_000
_QUORUM = {"x-queue-type": "quorum"}


def dead(name: str) -> str:
    """Return the name of the queue of dead letters."""
    return f"{name}.dead"


def group(name: str, number: int) -> str:
    """Return the name of one of the queues of messages that have a group."""
    return f"{name}.group.{number}"


def delay(name: str, delay_s: float) -> str:
    """Return the name of the queue in which messages wait for `delay_s`, one of `DELAYS_S`."""
    return f"{name}.delay.{delay_s:g}s"


def delay_for(delay_s: float) -> float:
    """Return the shortest of `DELAYS_S` that is no less than a delay; the longest of them for one that is longer."""
    return next((each for each in DELAYS_S if each >= delay_s), DELAYS_S[-1])


def delays_for(delay_s: float) -> tuple[float, ...]:
    """Return the shortest of `DELAYS_S` that is no less than a delay, and the two after it, which will do for a while."""
    first = DELAYS_S.index(delay_for(delay_s))
    return DELAYS_S[first : first + 3]


def number_of(its_group: str, groups: int) -> int:
    """Return which of so many queues a group's messages go to: the same for every publisher."""
    digest = hashlib.sha256(its_group.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") % groups


def of_dead() -> dict[str, Any]:
    """Return the arguments of the queue of dead letters."""
    return {**_QUORUM, "x-delivery-limit": _LOOKS}


def of_main(name: str) -> dict[str, Any]:
    """Return the arguments of the queue that messages without a group are consumed from."""
    return {**_QUORUM, **_moved_to(dead(name)), "x-delivery-limit": _DELIVERIES}


def of_group(name: str) -> dict[str, Any]:
    """Return the arguments of a queue of groups: one consumer at a time gets all that is in it, in order."""
    return {**of_main(name), "x-single-active-consumer": True}


def of_delay(name: str, delay_s: float) -> dict[str, Any]:
    """Return the arguments of a queue in which each message waits equally long, so that none waits for another."""
    return {**_QUORUM, **_moved_to(name), "x-message-ttl": int(delay_s * 1000)}


def _moved_to(queue: str) -> dict[str, Any]:
    """Return what has the broker itself move messages without losing any (https://www.rabbitmq.com/docs/quorum-queues#dead-lettering)."""
    return {
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": queue,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }
