"""Queues of messages, each of which becomes one call: what every transport promises, for the worker, the webhook and the sinks."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

VERSION = 1
"""The format of messages that this version writes and reads."""


class QueueUnavailable(Exception):
    """The file or broker cannot be reached, or takes nothing: what was asked for may or may not have happened. The text says why."""


class QueueRefused(Exception):
    """The queue exists in a form that cannot be used, or a message can never be taken; the text says what to change."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is published, and comes back the same on every delivery.

    `body` is a CloudEvent in JSON, an object of `operation`, `payload` and perhaps `id`, or a bare payload (`events.triggers.records`).
    `id` is the message's own, for bodies that have none. Messages of one `group` are delivered in the order of publication, one at a
    time. `sent_at` is when it was first published, in seconds since 1970. `tries` counts the runs that failed, `runs` how often it was
    redriven from the dead letters. `version` is the format's. `meta` is what our own publishers say of the call (`events.queues.calls`).
    """

    body: bytes = field(repr=False)
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    group: str | None = None
    sent_at: float = field(default_factory=time.time)
    tries: int = 0
    runs: int = 0
    version: int = VERSION
    meta: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message that was handed to this consumer, until it is acknowledged, given back or dead-lettered.

    `losses` counts the deliveries before this one, since it was last given back, that never came to an end: whoever had them died.
    `receipt` is the transport's own.
    """

    message: Message
    losses: int = 0
    receipt: Any = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter: the message, why it is here, and the last result event of it.

    `reason` is one of `rejected` (its payload is wrong), `failed` (the cloud refused it for good), `tries` (it failed too often), `losses`
    (its workers died too often), `sink` (a sink refuses its event), `broker` (the broker gave it up by itself). `at` is when, in seconds
    since 1970; `operation`, `kind` and `code` are those of the event, which is in the JSON form of CloudEvents, None where there is none.
    """

    message: Message
    reason: str
    at: float
    operation: str = "unknown"
    kind: str | None = None
    code: str | None = None
    event: Mapping[str, Any] | None = field(default=None, repr=False)
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many messages wait (`ready`, `delayed`), are with a consumer (`in_flight`) or are dead; None where a broker does not tell.

    `oldest_s` is the age of the oldest that waits, in seconds, None when none does or the broker does not tell.
    """

    ready: int
    dead: int
    delayed: int | None = None
    in_flight: int | None = None
    oldest_s: float | None = None


class Queue(Protocol):
    """One queue of one transport; used by one thread at a time.

    Every method raises QueueUnavailable, and may be called again after `reconnect`. A delivery whose consumer is silent for as long as the
    transport's lease comes back to somebody else: what its first holder then says of it changes nothing.
    """

    transport: str
    """`sqlite`, `redis` or `amqp`."""
    name: str
    """The queue's name."""
    lease_s: float
    """Seconds for which a delivery is this consumer's unless it is extended."""

    def publish(self, messages: Sequence[Message]) -> None:
        """Put messages into the queue; when this returns, they survive whatever the transport survives. Raises QueueRefused, too."""

    def receive(self, most: int, wait_s: float) -> list[Delivery]:
        """Return up to `most` messages, as soon as there is any, [] when there was none for `wait_s` seconds.

        Of one group only the oldest message is delivered, and the next when that has come to its end.
        """

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """End deliveries: their messages are gone. One that is no longer this consumer's is passed over."""

    def give_back(self, delivery: Delivery, delay_s: float = 0.0, *, failed: bool) -> None:
        """Have a message delivered again, not before `delay_s` seconds; its group waits for it. `failed` counts as one of its `tries`."""

    def dead_letter(self, delivery: Delivery, letter: Letter) -> None:
        """Move a message to the dead letters; its group goes on."""

    def extend(self, deliveries: Sequence[Delivery]) -> None:
        """Keep deliveries for another `lease_s` seconds."""

    def counts(self) -> Counts:
        """Return how many messages there are."""

    def letters(self, most: int = 1000) -> list[Letter]:
        """Return up to so many dead letters, oldest first."""

    def redrive(self, ids: Collection[str]) -> int:
        """Put the messages of these letters back, their `tries` 0 and their `runs` one more; return how many there were."""

    def drop(self, ids: Collection[str]) -> int:
        """Throw these letters away; return how many there were."""

    def reconnect(self) -> None:
        """Make a new connection; deliveries of the old one may come to somebody else."""

    def close(self) -> None:
        """Give the connection up; what was delivered and has not ended is delivered again."""
