"""The queue on Redis: what every queue must do, and what this one does besides."""

from __future__ import annotations

import threading
import time
import uuid
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest

from events.queues import Message, QueueRefused, QueueUnavailable
from events.queues import redis as transport
from events.queues.redis import RedisQueue, entries
from events.queues.redis.keys import KEYS
from events.queues.urls import connect, read
from tests.events.queues.contract import QueueContract
from tests.events.queues.support import Consumers, has_none, ids, letter, message, take, take_one, until
from tests.events.redisservers import URL, answering, shared

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis

    from events.queues import Queue
    from tests.events.queues.support import Connect


@pytest.fixture
def server() -> Iterator[redis.Redis]:
    with shared() as client:
        yield client


@pytest.fixture
def name(server: redis.Redis) -> Iterator[str]:
    """Yield the name of a queue that nobody else uses."""
    name = f"test-{uuid.uuid4().hex}"
    yield name
    server.delete(*keys(name))


@pytest.fixture
def consumers(name: str) -> Iterator[Consumers]:
    found = Consumers(lambda lease_s: connected(f"{URL}?queue={name}&lease_s={lease_s}"))
    yield found
    found.close()


@pytest.fixture
def queue(consumers: Consumers) -> RedisQueue:
    return consumer(consumers)


def connected(url: str) -> Queue:
    return connect(read(url, "HONGYAN_QUEUE"), "HONGYAN_QUEUE")


def consumer(consumers: Connect, lease_s: float = 30.0) -> RedisQueue:
    found = consumers(lease_s)
    assert isinstance(found, RedisQueue)
    return found


def keys(name: str) -> list[str]:
    return [f"{{hongyan:{name}}}:{key}" for key in KEYS]


class TestRedis(QueueContract):
    transport = "redis"

    @pytest.fixture
    def connect(self, consumers: Consumers) -> Connect:
        return consumers

    def cut(self, queue: Queue) -> None:
        assert isinstance(queue, RedisQueue)
        with shared() as server:
            for client in server.client_list():
                if client["name"] == f"hongyan:{queue._stream.consumer}":
                    server.client_kill_filter(_id=client["id"])


# What others add


def added(server: redis.Redis, name: str, **fields: Any) -> str:
    """Add an entry as somebody else would, and return its id."""
    entry: Any = server.xadd(f"{{hongyan:{name}}}:stream", fields)  # type: ignore[arg-type]  # Names are text here.
    return str(entry, "ascii")


def test_anybody_may_add_a_body(queue: RedisQueue, server: redis.Redis, name: str) -> None:
    entry = added(server, name, body=b"\xff{}", group="g", tries="3", hongyan="1 2 3 x")
    found = take_one(queue)
    assert found.message == Message(b"\xff{}", entry, None, int(entry.split("-")[0]) / 1000)
    queue.acknowledge([found])
    assert server.xlen(f"{{hongyan:{name}}}:stream") == 0


def test_its_id_and_time_stay_through_every_way_back(consumers: Consumers, server: redis.Redis, name: str) -> None:
    entry = added(server, name, body="1", group="g", other="2")
    sent_at = int(entry.split("-")[0]) / 1000
    queue = consumer(consumers)
    queue.give_back(take_one(queue), failed=True)
    queue.give_back(take_one(queue), 0.05, failed=True)
    take_one(queue)
    queue.close()
    queue = consumer(consumers)
    found = take_one(queue)
    assert found.message == Message(b"1", entry, None, sent_at, tries=2)
    queue.dead_letter(found, letter(found, id="l"))
    queue.redrive(["l"])
    assert take_one(queue).message == Message(b"1", entry, None, sent_at, runs=1)


def test_what_has_no_body_comes_with_an_empty_one(queue: RedisQueue, server: redis.Redis, name: str) -> None:
    added(server, name, payload="1", first="nonsense", tries="many")
    found = take_one(queue)
    assert (found.message.body, found.message.tries) == (b"", 0)
    queue.give_back(found, 0.05, failed=False)
    assert take_one(queue).message == found.message


def test_what_was_there_before_the_first_consumer_is_delivered(
    queue: RedisQueue, server: redis.Redis, name: str
) -> None:
    added(server, name, body="1")
    assert take_one(queue).message.body == b"1"


def test_an_entry_that_somebody_deleted_is_let_go(consumers: Consumers, server: redis.Redis, name: str) -> None:
    dead, other = consumer(consumers, 0.2), consumer(consumers)
    dead.publish([message(1), message(2)])
    first, _ = take(dead, 2)
    server.xdel(f"{{hongyan:{name}}}:stream", first.receipt[0])
    assert ids([take_one(other)]) == ["m2"]
    until(lambda: other.counts().in_flight == 1)


# Deliveries that are somebody else's by now


def test_what_was_said_twice_counts_once(queue: RedisQueue) -> None:
    queue.publish([message(1, "g"), message(2, "g"), message(3, "g"), message(4)])
    first, fourth = take(queue, 2)
    for _ in range(2):
        queue.acknowledge([first, fourth])
        queue.give_back(first, failed=True)
        queue.dead_letter(fourth, letter(fourth))
        queue.extend([first, fourth])
    second = take_one(queue)
    assert (second.message.id, second.message.tries) == ("m2", 0)
    queue.acknowledge([first])
    assert has_none(queue)
    assert queue.letters() == []


def test_a_group_that_begins_anew_is_not_taken_for_the_old_one(queue: RedisQueue) -> None:
    queue.publish([message(1, "g")])
    old = take_one(queue)
    queue.acknowledge([old])
    queue.publish([message(2, "g"), message(3, "g")])
    take_one(queue)
    queue.acknowledge([old])
    assert has_none(queue)


def test_who_lost_one_delivery_still_ends_the_others(consumers: Consumers) -> None:
    slow, other = consumer(consumers, 0.3), consumer(consumers)
    slow.publish([message(1)])
    lost = take_one(slow)
    again = take_one(other)
    slow.publish([message(2)])
    mine = take_one(slow)
    assert [again.message.id, again.losses, mine.message.id] == ["m1", 1, "m2"]
    slow.acknowledge([lost, mine])
    assert other.counts().in_flight == 1
    other.acknowledge([again])
    assert other.counts().in_flight == 0


def test_one_that_comes_again_to_the_same_consumer_is_another_delivery(consumers: Consumers) -> None:
    queue = consumer(consumers, 0.2)
    queue.publish([message(1)])
    first = take_one(queue)
    second = take_one(queue)
    assert (second.message.id, second.losses) == ("m1", 1)
    queue.acknowledge([first])
    assert queue.counts().in_flight == 1
    queue.acknowledge([second])
    assert queue.counts().in_flight == 0


def test_more_than_asked_for_is_taken_over_bit_by_bit(consumers: Consumers) -> None:
    dead, other = consumer(consumers, 0.2), consumer(consumers)
    dead.publish([message(number) for number in range(25)])
    take(dead, 25)
    found = take(other, 25, most=10)
    assert sorted(ids(found)) == sorted(f"m{number}" for number in range(25))
    assert {delivery.losses for delivery in found} == {1}


# Consumers


def names(server: redis.Redis, name: str) -> set[str]:
    return {each["name"].decode() for each in server.xinfo_consumers(f"{{hongyan:{name}}}:stream", "hongyan")}


def test_a_consumer_that_closes_leaves_no_trace(consumers: Consumers, server: redis.Redis, name: str) -> None:
    first, second = consumer(consumers), consumer(consumers)
    first.publish([message(1)])
    take_one(first)
    assert has_none(second, 0.01)
    assert names(server, name) == {first._stream.consumer, second._stream.consumer}
    first.close()
    assert names(server, name) == {second._stream.consumer}
    assert server.smembers(f"{{hongyan:{name}}}:whole") == {second._stream.consumer.encode()}


def test_a_consumer_that_is_gone_is_forgotten_once_it_has_nothing(
    consumers: Consumers, server: redis.Redis, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "_FORGOTTEN_MS", 300)
    gone, holds, stays = consumer(consumers), consumer(consumers), consumer(consumers, 0.3)
    gone.publish([message(1)])
    take_one(holds)
    assert has_none(gone, 0.01)

    def forgotten() -> bool:
        has_none(stays, 0.05)
        return names(server, name) == {holds._stream.consumer, stays._stream.consumer}

    until(forgotten)
    # It was only silent.
    gone.publish([message(2)])
    gone.acknowledge([take_one(gone)])
    assert stays.counts().ready == 0


def test_who_only_publishes_is_no_consumer(consumers: Consumers, server: redis.Redis, name: str) -> None:
    queue = consumer(consumers)
    queue.publish([message(1)])
    assert queue.counts().ready == 1
    queue.close()
    assert server.xinfo_groups(f"{{hongyan:{name}}}:stream") == []


def test_nothing_is_reached_before_it_is_used() -> None:
    queue = connected("redis://127.0.0.1:1/0")
    queue.acknowledge([])
    queue.close()


# A server that has lost what it had


def test_the_stream_may_vanish(queue: RedisQueue, server: redis.Redis, name: str) -> None:
    queue.publish([message(1), message(2, "g")])
    lost = take(queue, 2)
    server.delete(*keys(name))
    assert has_none(queue)
    queue.publish([message(3), message(4, "g")])
    queue.acknowledge(lost)
    queue.give_back(lost[0], failed=True)
    queue.dead_letter(lost[0], letter(lost[0]))
    queue.extend(lost)
    found = take(queue, 2)
    assert sorted(ids(found)) == ["m3", "m4"]
    queue.acknowledge(found)
    assert (queue.counts().ready, queue.counts().in_flight, queue.counts().dead) == (0, 0, 0)


def test_the_stream_may_vanish_under_whoever_waits(queue: RedisQueue, server: redis.Redis, name: str) -> None:
    assert has_none(queue, 0.01)
    vanishes = threading.Timer(0.2, lambda: server.delete(*keys(name)))
    vanishes.start()
    assert has_none(queue, 0.6)
    vanishes.join()
    queue.publish([message(1)])
    assert ids([take_one(queue)]) == ["m1"]


def test_a_group_of_consumers_that_is_made_anew_begins_at_the_beginning(
    consumers: Consumers, server: redis.Redis, name: str
) -> None:
    first, second = consumer(consumers), consumer(consumers)
    first.publish([message(1)])
    held = take_one(first)
    server.xgroup_destroy(f"{{hongyan:{name}}}:stream", "hongyan")
    again = take_one(second)
    assert again.message.id == "m1"
    first.acknowledge([held])
    assert second.counts().in_flight == 1


@pytest.mark.parametrize("meta", [b"", b"[1]", b'{"projects": 1}', b'{"projects": "\xff"}', b"x" * 100_001])
def test_an_entry_whose_meta_cannot_be_read_allows_nothing(
    queue: RedisQueue, server: redis.Redis, name: str, meta: bytes
) -> None:
    server.xadd(keys(name)[0], {"hongyan 1 1.5 0 m1": "{}", "group": "g", "meta": meta})
    refused = Message(b"{}", "m1", "g", 1.5, version=0)
    found = take_one(queue)
    assert found.message == refused
    queue.give_back(found, failed=True)
    found = take_one(queue)
    assert found.message == replace(refused, tries=1)
    queue.dead_letter(found, letter(found, id="l"))
    assert queue.redrive(["l"]) == 1
    assert take_one(queue).message == replace(refused, runs=1)


# What is refused


def test_a_key_that_holds_something_else_is_refused(queue: RedisQueue, server: redis.Redis, name: str) -> None:
    server.set(f"{{hongyan:{name}}}:stream", "text")
    for uses in (lambda: queue.publish([message(1)]), lambda: queue.receive(1, 0.0)):
        with pytest.raises(QueueRefused, match="WRONGTYPE"):
            uses()


def test_a_message_that_says_too_much_of_itself_is_refused(queue: RedisQueue) -> None:
    with pytest.raises(QueueRefused, match="must not be longer"):
        queue.publish([message(1), Message(b"", group="g" * 100_001)])
    assert queue.counts().ready == 0


@pytest.mark.parametrize("bad", [Message(b"", "\ud800"), Message(b"", group="\ud800")])
def test_what_is_no_text_is_refused(queue: RedisQueue, bad: Message) -> None:
    with pytest.raises(QueueRefused, match="surrogates"):
        queue.publish([message(1), bad])
    assert queue.counts().ready == 0


def test_a_message_that_redis_cannot_hold_is_refused(queue: RedisQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "_MOST_BODY", 10)
    queue.publish([Message(b"0123456789")])
    with pytest.raises(QueueRefused, match="has 11 bytes: Redis takes at most 10"):
        queue.publish([Message(b"0123456789a")])


def test_a_group_of_consumers_that_is_never_there_is_told() -> None:
    with answering("-NOGROUP No such key") as port, closing(connected(f"redis://127.0.0.1:{port}/0")) as queue:
        for uses in (lambda: queue.receive(1, 0.0), lambda: queue.publish([message(1)])):
            with pytest.raises(QueueUnavailable, match="NOGROUP"):
                uses()


# Many and large


def test_many_of_everything(queue: RedisQueue) -> None:
    count = 1201
    queue.publish([message(number, f"g{number}" if number % 2 else None) for number in range(count)])
    found = take(queue, count)
    queue.extend(found)
    for delivery in found:
        queue.dead_letter(delivery, letter(delivery, id=delivery.message.id))
    assert len(queue.letters(count + 1)) == count
    assert len(queue.letters()) == 1000
    assert queue.letters(0) == []
    assert queue.redrive([f"m{number}" for number in range(600)]) == 600
    assert queue.drop([f"m{number}" for number in range(count)]) == 601
    found = take(queue, 600)
    assert len(set(ids(found))) == 600
    queue.acknowledge(found)
    assert (queue.counts().ready, queue.counts().in_flight, queue.counts().dead) == (0, 0, 0)


def test_closing_gives_back_more_than_one_step(consumers: Consumers) -> None:
    first, second = consumer(consumers), consumer(consumers)
    first.publish([message(number) for number in range(250)])
    take(first, 250)
    first.close()
    assert len(set(ids(take(second, 250)))) == 250


def test_nothing_is_left_behind(queue: RedisQueue, server: redis.Redis, name: str) -> None:
    queue.publish([message(1), message(2, "g"), message(3, "g"), message(4, "h")])
    for found in take(queue, 3):
        queue.give_back(found, 0.05, failed=True)
    for _ in range(4):
        queue.acknowledge([take_one(queue)])
    queue.close()
    assert [key for key in keys(name) if server.exists(key)] == [f"{{hongyan:{name}}}:stream"]
    assert server.xlen(f"{{hongyan:{name}}}:stream") == 0


def test_the_oldest_is_found_wherever_it_waits(queue: RedisQueue) -> None:
    now = time.time()
    queue.publish([message(1, "g", sent_at=now - 10), message(2, "g", sent_at=now - 1000)])
    assert queue.counts().oldest_s == pytest.approx(1000, abs=20)
    found = take_one(queue)
    queue.acknowledge([found])
    second = take_one(queue)
    assert queue.counts().oldest_s is None
    queue.give_back(second, 60, failed=False)
    assert queue.counts().oldest_s == pytest.approx(1000, abs=20)


def test_waiting_ends_when_a_delayed_one_is_due(queue: RedisQueue) -> None:
    queue.publish([message(1)])
    queue.give_back(take_one(queue), 0.3, failed=False)
    began = time.monotonic()
    assert ids(queue.receive(1, 20.0)) == ["m1"]
    assert 0.25 <= time.monotonic() - began < 5


def test_who_asks_for_none_gets_none(queue: RedisQueue) -> None:
    queue.publish([message(1)])
    assert queue.receive(0, 20.0) == []


def test_what_cannot_be_said_at_the_end_is_logged(
    queue: RedisQueue, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    queue.publish([message(1)])
    take_one(queue)
    broken = QueueUnavailable("redis://127.0.0.1:6379/0: gone")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(queue._stream, "run", Mock(side_effect=broken))
        queue.close()
    [record] = caplog.records
    assert (record.msg, vars(record)["facts"]) == ("queue.left_unsaid", {"queue": name, "reason": str(broken)})
