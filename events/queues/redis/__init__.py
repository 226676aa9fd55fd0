"""A queue on Redis, 6.2 or newer: a stream with a consumer group; for workers on several machines.

What is confirmed survives whatever the server survives: with `appendonly yes` and `appendfsync always` a power failure, with `everysec` all
but the last second of one, without either nothing. Its `maxmemory-policy` must be `noeviction`. All times are by the server's clock.
Anybody may add messages: `XADD {hongyan:NAME}:stream * body ...`.
"""

from __future__ import annotations

import logging
import math
import time
from typing import TYPE_CHECKING, Any

from events import redisserver
from events.queues import Counts, QueueRefused, QueueUnavailable, wire
from events.queues.redis import entries, scripts, upkeep
from events.queues.redis.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from events.queues import Delivery, Letter, Message
    from events.queues.urls import QueueUrl

OPTIONS = redisserver.OPTIONS
"""What a URL may say beside the queue's name and its lease."""

log = logging.getLogger("hongyan.events")

# Seconds between two looks for messages that are due (others may have delayed some), and the most between two for leases that have run out.
_LOOK_S, _LEAST_LOOK_S = 0.5, 0.02
_TAKE_OVER_S = 5.0
# Milliseconds after which a consumer that asks for nothing and has nothing is forgotten: it died, or it will join again.
_FORGOTTEN_MS = 3_600_000
# Deliveries or letters of one step.
_STEP = 500


def connect(url: QueueUrl) -> RedisQueue:
    """Return the queue; the server is reached when it is used. Raises ConfigurationError."""
    return RedisQueue(url)


class RedisQueue:
    """See `events.queues.Queue`; deliveries stay this consumer's through `reconnect`, until their lease runs out."""

    transport = "redis"

    def __init__(self, url: QueueUrl) -> None:
        self.name, self.lease_s = url.name, url.lease_s
        self._stream = Stream(url)
        self._due_at = self._take_over_at = 0.0
        self._has_joined = False

    def publish(self, messages: Sequence[Message]) -> None:
        """See `Queue`: in steps of up to 500 messages or 8 MB, each of which is done whole or not at all."""
        for words in entries.batches(messages):
            self._stream.run(scripts.PUBLISH, *words)

    def receive(self, most: int, wait_s: float) -> list[Delivery]:
        """See `Queue`. What dead consumers had comes first."""
        end = time.monotonic() + wait_s
        if not self._has_joined:
            self._stream.join()
            self._has_joined = True
        while most > 0:
            found = self._taken_over(most) or self._read(most, end)
            if found or time.monotonic() >= end:
                return found
        return []

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """See `Queue`."""
        for some in _steps([delivery for delivery in deliveries if not delivery.receipt[2]]):
            if not self._stream.end([delivery.receipt[0] for delivery in some]):
                self._acknowledge(some)
        self._acknowledge([delivery for delivery in deliveries if delivery.receipt[2]])

    def give_back(self, delivery: Delivery, delay_s: float = 0.0, *, failed: bool) -> None:
        """See `Queue`: at the end of those that wait."""
        entry, count, _ = delivery.receipt
        tries = delivery.message.tries + 1 if failed else ""
        self._stream.run(
            scripts.GIVE_BACK, self._stream.consumer, entry, count, max(0, math.ceil(delay_s * 1000)), tries
        )
        if delay_s > 0:
            self._due_at = min(self._due_at, time.monotonic() + delay_s)

    def dead_letter(self, delivery: Delivery, letter: Letter) -> None:
        """See `Queue`."""
        entry, count, turn = delivery.receipt
        group = delivery.message.group or ""
        said = (entry, count, group, turn, letter.id, wire.to_json(letter))
        self._stream.run(scripts.DEAD_LETTER, self._stream.consumer, *said)

    def extend(self, deliveries: Sequence[Delivery]) -> None:
        """See `Queue`."""
        for some in _steps(deliveries):
            words = [word for delivery in some for word in delivery.receipt[:2]]
            self._stream.run(scripts.EXTEND, self._stream.consumer, *words)

    def counts(self) -> Counts:
        """See `Queue`."""
        ready, dead, delayed, in_flight, age_ms = self._stream.run(upkeep.COUNT)
        return Counts(ready, dead, delayed, in_flight, None if age_ms < 0 else age_ms / 1000)

    def letters(self, most: int = 1000) -> list[Letter]:
        """See `Queue`."""
        ids = self._stream.command("ZRANGE", self._stream.keys["dead"], 0, most - 1) if most > 0 else []
        return [letter for some in _steps(ids) for letter in self._kept(some)]

    def redrive(self, ids: Collection[str]) -> int:
        """See `Queue`."""
        count = 0
        for some in _steps(list(ids)):
            for letter in self._kept(some):
                message = wire.again(letter)
                words = entries.to_words(message)
                count += self._stream.run(upkeep.REDRIVE, letter.id, message.group or "", *words)
        return count

    def drop(self, ids: Collection[str]) -> int:
        """See `Queue`."""
        return sum(self._stream.run(upkeep.DROP, *some) for some in _steps(list(ids)))

    def reconnect(self) -> None:
        """See `Queue`."""
        self._due_at = self._take_over_at = 0.0
        self._stream.reconnect()

    def close(self) -> None:
        """See `Queue`. Raises nothing: what cannot be given back comes to others when its lease has run out."""
        try:
            # Who never received has nothing, and one that is closed again has left.
            while self._has_joined and self._stream.run(upkeep.LEAVE, self._stream.consumer):
                pass
        except (QueueUnavailable, QueueRefused) as error:
            log.warning("queue.left_unsaid", extra={"facts": {"queue": self.name, "reason": str(error)}})
        finally:
            self._has_joined = False
            self._stream.close()

    def _acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        for some in _steps(deliveries):
            words: list[Any] = []
            for delivery in some:
                entry, count, turn = delivery.receipt
                words += (entry, count, delivery.message.group or "", turn)
            self._stream.run(scripts.ACKNOWLEDGE, self._stream.consumer, *words)

    def _taken_over(self, most: int) -> list[Delivery]:
        """Return what dead consumers had, now and then."""
        now = time.monotonic()
        if now < self._take_over_at:
            return []
        said = (self._stream.consumer, self._stream.lease_ms, most, _FORGOTTEN_MS)
        shortest_ms, found = self._stream.run(upkeep.TAKE_OVER, *said)
        # As many as were asked for: there may be more.
        self._take_over_at = now if len(found) == most else now + min(shortest_ms / 3000, _TAKE_OVER_S)
        return [entries.to_delivery(*entry) for entry in found]

    def _read(self, most: int, end: float) -> list[Delivery]:
        """Return new entries, waiting for them until `end`, but not longer than until it must be looked for others."""
        now = time.monotonic()
        if now >= self._due_at:
            left_ms = self._stream.run(upkeep.DUE)
            left_s = _LOOK_S if left_ms < 0 else left_ms / 1000
            self._due_at = now + min(max(left_s, _LEAST_LOOK_S), _LOOK_S)
        wait_ms = math.ceil((min(end, self._due_at, self._take_over_at) - time.monotonic()) * 1000)
        return [entries.to_delivery(*entry) for entry in self._stream.read(most, wait_ms)]

    def _kept(self, ids: Sequence[str | bytes]) -> list[Letter]:
        """Return those of the letters that there are."""
        raws = self._stream.command("HMGET", self._stream.keys["letters"], *ids)
        now = time.time()
        return [
            wire.from_json(raw, its_id if isinstance(its_id, str) else its_id.decode(), now)
            for its_id, raw in zip(ids, raws, strict=True)
            if raw is not None
        ]


def _steps(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Yield items, so many at a time that the server does not stand still for others."""
    for place in range(0, len(items), _STEP):
        yield items[place : place + _STEP]
