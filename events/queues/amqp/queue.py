"""The queue on RabbitMQ: quorum queues, confirmed publishing, a queue per delay, and queues of groups with one consumer each."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from events.queues import Counts, QueueRefused, QueueUnavailable
from events.queues.amqp.away import Away
from events.queues.amqp.confirms import Unconfirmed
from events.queues.amqp.consumer import Consumer
from events.queues.amqp.errors import FAILURES, translated
from events.queues.amqp.holds import Holds
from events.queues.amqp.letters import Letters
from events.queues.amqp.link import Link
from events.queues.amqp.places import Places
from events.queues.amqp.properties import to_amqp, to_letter

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from events.queues import Delivery, Letter, Message
    from events.queues.urls import QueueUrl

# The broker drops a connection that is silent for two heartbeats, and what that had is delivered again: after about a lease.
_LONGEST_LEASE_S = 30.0
# Seconds for which a queue of a delay that confirmed nothing is not used, where another one will do.
_SILENT_S = 300.0


class AmqpQueue:
    """As the contract says; `groups` is the number of queues of groups. Between a failure and `reconnect` it is unavailable."""

    transport = "amqp"

    def __init__(self, url: QueueUrl, groups: int) -> None:
        self.name = url.name
        self.lease_s = min(url.lease_s, _LONGEST_LEASE_S)
        self._url = url
        self._groups = groups
        self._link: Link | None = None
        self._consumer: Consumer | None = None
        self._most = 0
        self._missing: dict[str, float] = {}
        self._silent: dict[str, float] = {}
        self._lost = ""
        self._away = Away()
        self._holds = Holds()

    def publish(self, messages: Sequence[Message]) -> None:
        """As the contract says: the broker has confirmed each of them."""
        with self._using() as (link, places):
            link.publish([(places.of(message), to_amqp(message)) for message in messages])

    def receive(self, most: int, wait_s: float) -> list[Delivery]:
        """As the contract says; it also keeps the connection alive."""
        self._most = most
        with self._using() as (link, places):
            if self._consumer is None:
                self._consumer = Consumer(link, places, self._holds)
            found = self._consumer.receive(most, wait_s)
            for delivery in found:
                self._away.came(delivery.message.id)
            return found

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """As the contract says; should the connection break at this moment, they may be delivered again nevertheless."""
        with self._using():
            if self._consumer is not None:
                self._consumer.end(deliveries)

    def give_back(self, delivery: Delivery, delay_s: float = 0.0, *, failed: bool) -> None:
        """As the contract says: published once more and then acknowledged, so that it may double but not be lost.

        A delay is rounded up to the next of `topology.DELAYS_S`; a longer one is made of several. A message with a group is kept by this
        consumer instead, through `reconnect`; when its process ends, this delay and these tries are forgotten, and when somebody else gets
        the group: so after the half an hour for which RabbitMQ before 3.12 lets a delivery be held (`consumer_timeout`).
        """
        message = replace(delivery.message, tries=delivery.message.tries + failed)
        with self._using():
            if self._consumer is None:
                return
            if self._consumer.grouped.holds(delivery):
                self._consumer.grouped.hold(replace(delivery, message=message), delay_s)
            elif self._consumer.main.holds(delivery):
                self._consumer.later(delivery, message, delay_s)
                self._away.add(message.id, delay_s)

    def dead_letter(self, delivery: Delivery, letter: Letter) -> None:
        """As the contract says: published and then acknowledged.

        Should the broker not take it, since a letter is larger than its message, it moves the bare message there itself.
        """
        with self._using() as (_, places):
            if self._consumer is not None and self._consumer.holds(delivery):
                self._consumer.move(delivery, places.dead(), to_letter(letter))

    def extend(self, deliveries: Sequence[Delivery]) -> None:  # noqa: ARG002 - all are kept with the connection
        """As the contract says; without it and `receive` the broker takes this consumer for dead."""
        with self._using():
            if self._consumer is not None:
                self._consumer.keep()

    def counts(self) -> Counts:
        """As the contract says, those included that wait in this consumer; what others have prefetched is not."""
        with self._using() as (link, places):
            # What is moved in between is counted twice rather than not at all.
            delayed = max(places.delayed(), len(self._away))
            ready, dead = places.ready(), places.buried()
            link.pump(0.0)
            if self._consumer is not None:
                delayed += self._consumer.grouped.groups.held
                ready += self._consumer.waiting
            return Counts(ready, dead, delayed)

    def letters(self, most: int = 1000) -> list[Letter]:
        """As the contract says; while one looks through them, others do not see them."""
        with self._using() as (link, _):
            return Letters(link, self.name).oldest(most)

    def redrive(self, ids: Collection[str]) -> int:
        """As the contract says: each is published and then ended, so that it may double but not be lost."""
        with self._using() as (link, places):
            return Letters(link, self.name).end(
                ids, lambda message: link.publish([(places.of(message), to_amqp(message))])
            )

    def drop(self, ids: Collection[str]) -> int:
        """As the contract says."""
        with self._using() as (link, _):
            return Letters(link, self.name).end(ids)

    def reconnect(self) -> None:
        """As the contract says: what was delivered by the old connection comes again, perhaps to somebody else."""
        self.close()
        with self._using() as (link, places):
            if self._most:
                # A broker that has just been started calls queues empty that it has not read yet, but lets nobody consume them.
                self._consumer = Consumer(link, places, self._holds)
                self._consumer.main.want(self._most)

    def close(self) -> None:
        """As the contract says."""
        link, self._link, self._consumer, self._lost = self._link, None, None, ""
        if link is not None:
            # What has not been heard any more is delivered again, as after any broken connection.
            with contextlib.suppress(*FAILURES):
                link.close()

    @contextlib.contextmanager
    def _using(self) -> Iterator[tuple[Link, Places]]:
        """Give the connection, which is made if there is none; raise its failures in the words of the contract, and never use it again."""
        if self._lost:
            raise QueueUnavailable(self._lost)
        try:
            link = self._linked()
            yield link, Places(link, self.name, self._groups, self._missing, self._silent)
        except QueueRefused as error:
            raise QueueRefused(f"{self._url.shown}: {error}") from error
        except QueueUnavailable as error:
            if isinstance(error, Unconfirmed):
                self._silent.update(dict.fromkeys(error.queues, time.monotonic() + _SILENT_S))
            self._drop(f"{self._url.shown}: {error}")
            raise QueueUnavailable(self._lost) from error
        except FAILURES as error:
            found = translated(error, self._url.shown)
            self._drop(str(found))
            raise found from error
        except BaseException:
            # Interrupted in the middle of a frame, say.
            self._drop(f"{self._url.shown}: the connection was given up")
            raise

    def _linked(self) -> Link:
        """Return the connection. One that only publishes has no heartbeats, since nobody would send them between two messages."""
        heartbeat_s = max(1, int(self.lease_s / 3)) if self._most else 0
        if self._link is not None and self._link.heartbeat_s != heartbeat_s:
            self.close()
        if self._link is None:
            self._link = Link(self._url, heartbeat_s)
        return self._link

    def _drop(self, why: str) -> None:
        link, self._link, self._consumer, self._lost = self._link, None, None, why
        if link is not None:
            link.drop()
