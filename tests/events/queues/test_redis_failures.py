"""The queue on Redis when the server is killed, full, read-only, or the network is cut: late at worst, never lost."""

from __future__ import annotations

import itertools
import time
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

import pytest

from events import redisserver
from events.queues import Message, QueueRefused, QueueUnavailable
from events.queues.redis import RedisQueue
from events.queues.urls import connect, read
from tests.events.queues.brokers import free_port
from tests.events.queues.relay import Relay
from tests.events.queues.support import WITHIN_S, has_none, ids, letter, message, take, take_one, until
from tests.events.redisservers import own

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def opened() -> Iterator[Callable[[int], RedisQueue]]:
    """Yield what makes consumers of a queue at a port; they are closed in the end."""
    with ExitStack() as stack:

        def open_(port: int, lease_s: float = 30.0, name: str = "test") -> RedisQueue:
            url = read(f"redis://127.0.0.1:{port}/0?queue={name}&lease_s={lease_s}", "HONGYAN_QUEUE")
            queue = connect(url, "HONGYAN_QUEUE")
            assert isinstance(queue, RedisQueue)
            return stack.enter_context(closing(queue))

        yield open_


def back(queue: RedisQueue) -> None:
    """Reconnect as soon as it is possible."""

    def is_back() -> bool:
        try:
            queue.reconnect()
        except QueueUnavailable:
            return False
        return True

    until(is_back)


@pytest.mark.slow
def test_what_was_confirmed_survives_the_death_of_the_server(tmp_path: Path, opened: Callable[..., RedisQueue]) -> None:
    with own(tmp_path) as server:
        queue, other = opened(server.port, 3.0), opened(server.port)
        queue.publish([message(1), message(2, "g"), message(3, "g"), message(4), message(5), message(6)])
        first, second, fourth, fifth = take(queue, 4)
        queue.acknowledge([fourth])
        queue.give_back(fifth, 0.5, failed=True)
        queue.dead_letter(first, letter(first, id="l"))
        server.kill()
        with pytest.raises(QueueUnavailable):
            queue.publish([message(7)])
        with pytest.raises(QueueUnavailable):
            queue.receive(1, 1.0)
        server.start()
        back(queue)
        # It is still this consumer's.
        queue.acknowledge([second])
        found = take(queue, 3)
        assert sorted(ids(found)) == ["m3", "m5", "m6"]
        assert {each.message.id: each.message.tries for each in found} == {"m3": 0, "m5": 1, "m6": 0}
        server.kill()
        server.start()
        back(other)
        # What nobody speaks of any more comes to somebody else.
        again = take(other, 3)
        assert {each.message.id: each.losses for each in again} == {"m3": 1, "m5": 1, "m6": 1}
        other.acknowledge(again)
        assert [kept.id for kept in other.letters()] == ["l"]
        counts = other.counts()
        assert (counts.ready, counts.in_flight, counts.delayed, counts.dead) == (0, 0, 0, 1)


def test_a_server_that_forgot_all_is_begun_with_anew(tmp_path: Path, opened: Callable[..., RedisQueue]) -> None:
    with own(tmp_path, "--appendonly", "no") as server:
        queue = opened(server.port)
        queue.publish([message(1), message(2, "g")])
        lost = take(queue, 2)
        server.kill()
        server.start()
        back(queue)
        queue.acknowledge(lost)
        queue.publish([message(3, "g")])
        found = take(queue)
        assert ids(found) == ["m3"]
        queue.acknowledge(found)
        assert has_none(queue)


def test_a_cut_network_is_told_within_seconds(
    tmp_path: Path, opened: Callable[..., RedisQueue], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redisserver, "ANSWER_S", 1.0)
    with own(tmp_path) as server, closing(Relay(server.port)) as relay:
        queue = opened(relay.port)
        queue.publish([message(1), message(2)])
        held = take_one(queue)
        relay.hold()
        began = time.monotonic()
        with pytest.raises(QueueUnavailable, match=r"[Tt]imeout"):
            queue.receive(1, 60.0)
        assert time.monotonic() - began < 10
        with pytest.raises(QueueUnavailable):
            queue.reconnect()
        relay.release()
        back(queue)
        queue.acknowledge([held])
        # What was on its way when the network was cut was delivered, and is lost until its lease ends.
        other = opened(server.port)
        counts = other.counts()
        assert (counts.ready or 0) + (counts.in_flight or 0) == 1


@pytest.mark.parametrize("after", [0, 10, 200])
def test_a_network_that_breaks_while_something_is_said(
    tmp_path: Path, opened: Callable[..., RedisQueue], after: int
) -> None:
    with own(tmp_path) as server, closing(Relay(server.port)) as relay:
        queue = opened(relay.port, 0.5)
        queue.publish([message(number) for number in range(5)])
        relay.cut_after(after)
        sent = [message(number) for number in range(5, 10)]
        with pytest.raises(QueueUnavailable):
            queue.publish(sent)
        back(queue)
        queue.publish(sent)
        # The answers of the first five rounds break off, too.
        found: list[str] = []
        rounds = itertools.count()
        end = time.monotonic() + WITHIN_S
        while len(set(found)) < 10 and time.monotonic() < end:
            if next(rounds) < 5:
                relay.cut_after(after, answers=True)
            try:
                batch = queue.receive(3, 0.1)
                queue.acknowledge(batch)
                found += ids(batch)
            except QueueUnavailable:
                back(queue)
        assert set(found) == {f"m{number}" for number in range(10)}
        assert queue.counts().ready == 0


def test_a_full_server_takes_nothing_but_goes_on(tmp_path: Path, opened: Callable[..., RedisQueue]) -> None:
    with own(tmp_path, "--maxmemory-policy", "noeviction") as server:
        queue, late = opened(server.port), opened(server.port)
        queue.publish([message(number, "g" if number % 2 else None) for number in range(10)])
        held = take(queue, 6)
        queue.dead_letter(held[5], letter(held[5], id="l"))
        server.client.config_set("maxmemory", 1)
        with pytest.raises(QueueUnavailable, match="maxmemory"):
            queue.publish([message(10)])
        with pytest.raises(QueueUnavailable, match="maxmemory"):
            queue.publish([message(10, "h"), message(11)])
        assert ids(held[:2]) == ["m0", "m1"]
        queue.acknowledge(held[:2])
        queue.give_back(held[2], failed=True)
        queue.give_back(held[3], 0.1, failed=True)
        queue.dead_letter(held[4], letter(held[4]))
        assert queue.redrive(["l"]) == 1
        # One that begins now, too; and all of it comes to an end.
        ended: set[str] = set()
        while len(ended) < 7:
            batch = take(late)
            ended |= set(ids(batch))
            late.acknowledge(batch)
        assert ended == {f"m{number}" for number in range(10)} - {"m0", "m1", held[4].message.id}
        assert late.counts().ready == 0
        server.client.config_set("maxmemory", 0)
        queue.publish([message(10)])
        assert ids([take_one(late)]) == ["m10"]


def test_a_server_that_follows_another_takes_nothing(tmp_path: Path, opened: Callable[..., RedisQueue]) -> None:
    with own(tmp_path / "a") as server, own(tmp_path / "b") as leader:
        queue = opened(server.port)
        queue.publish([message(1)])
        server.client.replicaof("127.0.0.1", leader.port)
        with pytest.raises(QueueUnavailable, match="read only"):
            queue.publish([message(2)])
        server.client.replicaof("NO", "ONE")
        queue.publish([message(3)])


def test_a_server_that_is_too_old_is_refused(tmp_path: Path, opened: Callable[..., RedisQueue]) -> None:
    with own(tmp_path, "--rename-command", "XPENDING", "") as server:
        queue, other = opened(server.port, 0.2), opened(server.port)
        queue.publish([Message(b"1", "m1")])
        take_one(queue)
        with pytest.raises(QueueRefused, match=r"6\.2 or newer"):
            other.receive(1, 5.0)


def test_in_a_cluster_all_keys_of_a_queue_are_in_one_place(tmp_path: Path, opened: Callable[..., RedisQueue]) -> None:
    with own(tmp_path, "--cluster-enabled", "yes", "--cluster-port", str(free_port())) as server:
        ask: Callable[..., Any] = server.client.execute_command
        ask("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        until(lambda: bool(ask("CLUSTER INFO")["cluster_state"] == "ok"))
        queue, other = opened(server.port, 0.3), opened(server.port)
        queue.publish([message(1, "g"), message(2, "g"), message(3)])
        first, third = take(queue, 2)
        queue.give_back(third, 0.1, failed=True)
        queue.extend([first])
        queue.dead_letter(first, letter(first, id="l"))
        assert other.redrive(["l"]) == 1
        take(queue, 2)
        found = take(other, 2)
        assert sorted(ids(found)) == ["m2", "m3"]
        other.acknowledge(found)
        assert ids([take_one(other)]) == ["m1"]
        assert other.counts().in_flight == 1
        assert other.drop(["l"]) == 0
