"""The queue on RabbitMQ when connections break, the network is cut, the broker is slow, or killed: late at worst, never lost."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import amqp  # type: ignore[import-untyped]
import pytest

from events.queues import Message, QueueRefused, QueueUnavailable
from events.queues.amqp import client, link, topology
from events.queues.amqp.confirms import Confirms
from events.queues.amqp.link import Link
from tests.events.queues.brokers import PrivateRabbit, running
from tests.events.queues.rabbit import PORT, channel, connected, some_queue
from tests.events.queues.relay import Relay
from tests.events.queues.support import WITHIN_S, has_none, ids, letter, message, take, take_one, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from events.queues import Queue
    from events.queues.amqp.queue import AmqpQueue


@pytest.fixture
def name() -> Iterator[str]:
    with some_queue() as chosen:
        yield chosen


@pytest.fixture
def relay() -> Iterator[Relay]:
    with closing(Relay(PORT)) as one:
        yield one


@pytest.fixture
def queue(name: str, relay: Relay) -> Iterator[AmqpQueue]:
    """A consumer whose network the test has in its hands."""
    with closing(connected(name, relay.port, lease_s=3)) as one:
        yield one
        relay.cut()


@pytest.fixture
def other(name: str) -> Iterator[AmqpQueue]:
    with closing(connected(name)) as one:
        yield one


def drained(queue: Queue) -> Counter[str]:
    """Receive and acknowledge all there is; return how often each message came."""
    found: Counter[str] = Counter()
    end = time.monotonic() + WITHIN_S
    while time.monotonic() < end:
        batch = queue.receive(50, 0.1)
        found.update(ids(batch))
        queue.acknowledge(batch)
        counts = queue.counts()
        if not batch and not counts.ready and not counts.delayed:
            return found
    raise AssertionError("there is no end to it")


def publishes(queue: Queue, messages: list[Message]) -> bool:
    """Publish, and tell whether that was confirmed; if not, connect again."""
    try:
        queue.publish(messages)
    except QueueUnavailable:
        queue.reconnect()
        return False
    return True


class TestBroken:
    def test_a_delivery_that_is_held_for_too_long_is_no_fault_of_what_is_published(
        self, queue: AmqpQueue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        queue.publish([message(1)])
        found = take_one(queue)

        def closes(*_: object) -> None:
            raise amqp.PreconditionFailed("PRECONDITION_FAILED - delivery acknowledgement timed out", (0, 0))

        with monkeypatch.context() as patched:
            patched.setattr(Link, "pump", closes)
            with pytest.raises(QueueUnavailable, match="timed out"):
                queue.give_back(found, failed=True)
        queue.reconnect()
        assert take_one(queue).message.id == "m1"
        assert queue.counts().dead == 0

    def test_another_takes_over(self, queue: AmqpQueue, other: AmqpQueue, relay: Relay) -> None:
        queue.publish([*(message(number) for number in range(10)), *(message(number, "g") for number in range(10, 13))])
        held = take(queue, 11)
        relay.cut()
        found = take(other, 11)
        assert Counter(ids(found)) == Counter(ids(held))
        assert {each.losses for each in found} == {1}
        with pytest.raises(QueueUnavailable):
            queue.acknowledge(held)
        queue.reconnect()
        queue.acknowledge(held)
        queue.give_back(held[0], failed=True)
        queue.dead_letter(held[1], letter(held[1]))
        assert other.letters() == []
        other.acknowledge(found)
        assert sum(drained(other).values()) == 2

    def test_until_it_is_connected_again_everything_is_unavailable(self, queue: AmqpQueue, relay: Relay) -> None:
        queue.publish([message(1)])
        held = take(queue)
        relay.cut()
        with pytest.raises(QueueUnavailable):
            queue.receive(1, WITHIN_S)
        for _ in range(2):
            with pytest.raises(QueueUnavailable, match=r"^amqp://127\.0\.0\.1:.*\?queue=test"):
                queue.extend(held)
        queue.reconnect()
        assert take_one(queue).losses == 1

    def test_a_publisher_that_was_idle_is_told_and_goes_on(
        self, queue: AmqpQueue, other: AmqpQueue, relay: Relay
    ) -> None:
        queue.publish([message(1)])
        relay.cut()
        with pytest.raises(QueueUnavailable):
            queue.publish([message(2)])
        queue.reconnect()
        queue.publish([message(3)])
        assert {"m1", "m3"} <= set(drained(other))

    def test_what_was_published_when_it_broke_was_confirmed_or_is_told(
        self, queue: AmqpQueue, other: AmqpQueue, relay: Relay
    ) -> None:
        confirmed: set[str] = set()
        tried = 0
        for place in range(24):
            batch = [message(24 * place + number) for number in range(8)]
            queue.publish([])
            relay.cut_after(37 * (place + 1), answers=place % 2 == 1)
            for part in (batch[:3], batch[3:]):
                if publishes(queue, part):
                    confirmed |= {each.id for each in part}
            tried += len(batch)
            relay.cut()
            with suppress(QueueUnavailable):
                queue.reconnect()
        found = drained(other)
        assert confirmed <= set(found)
        assert 0 < len(confirmed) < tried

    @pytest.mark.parametrize("said", ["give_back", "later", "dead_letter", "redrive"])
    def test_wherever_it_breaks_a_message_is_not_lost(
        self, queue: AmqpQueue, other: AmqpQueue, relay: Relay, said: str
    ) -> None:
        sent: list[Message] = []
        for place in range(16):
            sent.append(message(place))
            queue.publish(sent[-1:])
            if said == "redrive":
                other.dead_letter(found := take_one(other), letter(found, id=f"l{place}"))
            try:
                held = take_one(queue) if said != "redrive" else None
                relay.cut_after(25 * place + 1, answers=place % 2 == 1)
                if held is None:
                    queue.redrive([f"l{place}"])
                elif said == "dead_letter":
                    queue.dead_letter(held, letter(held))
                else:
                    queue.give_back(held, 0.2 if said == "later" else 0.0, failed=True)
            except QueueUnavailable:
                pass
            relay.cut()
            with suppress(QueueUnavailable):
                queue.reconnect()
        queue.close()
        found_ = set(drained(other))
        until(lambda: found_ | {kept.message.id for kept in other.letters()} == {each.id for each in sent})

    def test_a_group_stays_in_order_however_often_it_breaks(
        self, queue: AmqpQueue, other: AmqpQueue, relay: Relay
    ) -> None:
        other.publish([message(number, f"g{number % 3}") for number in range(90)])
        ended: list[int] = []
        for turn in range(30):
            relay.cut_after(150 * turn + 20, answers=turn % 3 == 0)
            try:
                for found in queue.receive(4, 0.05):
                    if int(found.message.body) % 7 == 0 and not found.message.tries:
                        queue.give_back(found, 0.01, failed=True)
                    else:
                        ended.append(int(found.message.body))
                        queue.acknowledge([found])
            except QueueUnavailable:
                relay.cut()
                queue.reconnect()
        queue.close()
        while len(set(ended)) < 90:
            for found in take(other, 1, most=4):
                ended.append(int(found.message.body))
                other.acknowledge([found])
        first_ends = list(dict.fromkeys(ended))
        assert [[each for each in first_ends if each % 3 == group] for group in range(3)] == [
            list(range(group, 90, 3)) for group in range(3)
        ]

    def test_a_queue_that_is_deleted_is_made_anew(self, name: str, other: AmqpQueue) -> None:
        with closing(connected(name)) as publisher:
            publisher.publish([message(1)])
            assert ids([take_one(other)]) == ["m1"]
            with channel() as raw:
                raw.queue_delete(name)
            with pytest.raises(QueueUnavailable):
                other.receive(1, WITHIN_S)
            with pytest.raises(QueueUnavailable, match=f"the queue {name} is gone"):
                publisher.publish([message(2)])
            for each in (publisher, other):
                each.reconnect()
            publisher.publish([message(3)])
            assert ids([take_one(other)]) == ["m3"]


class TestSilent:
    def test_a_broker_that_does_not_confirm(
        self, queue: AmqpQueue, relay: Relay, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        queue.publish([message(1)])
        relay.hold()
        monkeypatch.setattr(link, "ANSWER_S", 0.2)
        with pytest.raises(QueueUnavailable, match="has not confirmed 2 messages"):
            queue.publish([message(2), message(3)])
        relay.release()
        queue.reconnect()
        queue.publish([message(4)])
        assert {"m1", "m4"} <= set(drained(queue)) <= {"m1", "m2", "m3", "m4"}

    def test_a_delay_whose_queue_does_not_confirm_is_made_longer(
        self, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        silent, send = topology.delay(name, 0.25), Confirms.send

        def sent(confirms: Confirms, to: str, raw: amqp.Message) -> None:
            if to == silent:
                confirms._open[0] = to
            else:
                send(confirms, to, raw)

        with closing(connected(name)) as queue:
            queue.publish([message(1)])
            first = take_one(queue)
            monkeypatch.setattr(Confirms, "send", sent)
            monkeypatch.setattr(link, "ANSWER_S", 0.2)
            with pytest.raises(QueueUnavailable, match=f"has not confirmed 1 messages to {silent}; .*no leader"):
                queue.give_back(first, 0.25, failed=True)
            monkeypatch.setattr(link, "ANSWER_S", WITHIN_S)
            queue.reconnect()
            queue.give_back(take_one(queue), 0.25, failed=True)
            with channel() as raw:
                assert raw.queue_declare(topology.delay(name, 0.5), passive=True)
            again = take_one(queue)
            assert (again.message.id, again.message.tries) == ("m1", 1)

    def test_a_broker_that_does_not_answer(self, name: str, relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(client, "ANSWER_S", 0.2)
        with closing(connected(name, relay.port)) as queue:
            queue.publish([])
            relay.hold()
            with pytest.raises(QueueUnavailable, match="does not answer"):
                queue.counts()
            monkeypatch.setattr(client, "_CONNECT_S", 0.2)
            with pytest.raises(QueueUnavailable, match="does not answer"):
                queue.reconnect()

    @pytest.mark.slow
    def test_a_network_that_is_cut_is_noticed(self, queue: AmqpQueue, other: AmqpQueue, relay: Relay) -> None:
        queue.publish([message(1, "g"), message(2)])
        take(queue, 2)
        assert has_none(queue)
        relay.hold()
        with pytest.raises(QueueUnavailable, match="heartbeats"):
            queue.receive(10, WITHIN_S)
        assert sorted(ids(take(other, 2))) == ["m1", "m2"]

    @pytest.mark.slow
    def test_a_consumer_that_is_silent_loses_what_it_had(self, queue: AmqpQueue, other: AmqpQueue) -> None:
        queue.publish([message(1)])
        held = take(queue)
        assert [(each.message.id, each.losses) for each in take(other)] == [("m1", 1)]
        with pytest.raises(QueueUnavailable):
            queue.extend(held)

    @pytest.mark.slow
    def test_one_that_extends_keeps_it(self, queue: AmqpQueue, other: AmqpQueue) -> None:
        queue.publish([message(1)])
        held = take(queue)
        end = time.monotonic() + 5.0
        while time.monotonic() < end:
            queue.extend(held)
            assert has_none(other, 0.5)
        queue.acknowledge(held)
        assert drained(other) == Counter()


@pytest.mark.slow
@pytest.mark.skipif(not PrivateRabbit.found(), reason="there is no rabbitmq-server on this machine to start and kill")
def test_a_broker_that_is_killed_has_lost_nothing(tmp_path: Path) -> None:
    name = "killed"
    with running(PrivateRabbit(tmp_path)) as node, closing(connected(name, node.port)) as queue:
        queue.publish([message(number, f"g{number}" if number % 5 == 0 else None) for number in range(50)])
        held = take(queue, 12)
        queue.acknowledge(held[:3])
        queue.dead_letter(held[3], letter(held[3]))
        for found in held[4:8]:
            # The last is in a queue that was made for it.
            queue.give_back(found, 0.2 if found is held[7] else 0.0, failed=True)
        node.kill()
        with pytest.raises(QueueUnavailable):
            queue.publish([message(50)])
        with pytest.raises(QueueUnavailable):
            queue.reconnect()
        node.start()
        until(lambda: is_back(queue), WITHIN_S)
        queue.publish([message(51)])
        found_ = set(drained(queue))
        ended = {*ids(held[:3]), held[3].message.id}
        assert {f"m{number}" for number in (*range(50), 51)} - ended <= found_
        assert [kept.message.id for kept in queue.letters()] == [held[3].message.id]


@pytest.mark.slow
@pytest.mark.skipif(
    not PrivateRabbit.found(), reason="there is no rabbitmq-server on this machine to start and configure"
)
def test_messages_that_a_broker_takes_no_more_are_buried_by_it(tmp_path: Path) -> None:
    with running(PrivateRabbit(tmp_path)) as node:
        with closing(connected("shrunk", node.port)) as before:
            before.publish([Message(b"x" * 2_000, "large"), Message(b"x" * 900, "grows"), message(1)])
        with channel(node.port) as raw:
            raw.basic_publish(amqp.Message(b"x" * 2_000, application_headers={"hongyan-group": "g"}), "", "shrunk")
        node.evaluate("application:set_env(rabbit, max_message_size, 1000)")
        with closing(connected("shrunk", node.port)) as queue:
            large, grows, other = take(queue, 3)
            queue.give_back(large, failed=True)
            # In base64 it is larger than that.
            queue.dead_letter(grows, letter(grows))
            queue.give_back(other, failed=True)
            assert take_one(queue).message.tries == 1
            until(lambda: queue.counts().dead == 3)
            assert {kept.reason for kept in queue.letters()} == {"broker"}
            with pytest.raises(QueueRefused, match="larger than"):
                queue.publish([Message(b"x" * 2_000)])


def is_back(queue: Queue) -> bool:
    try:
        queue.reconnect()
    except QueueUnavailable:
        return False
    return True
