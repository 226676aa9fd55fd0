"""The queue on RabbitMQ: what every queue must do, and what this one does besides."""

from __future__ import annotations

import hashlib
import json
import logging
import socket
import ssl
import struct
import time
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import amqp  # type: ignore[import-untyped]
import pytest

from events.queues import Message, QueueRefused, QueueUnavailable, urls
from events.queues.amqp import consumer, link, topology
from events.queues.amqp.link import Link
from functions.cloud.errors import ConfigurationError
from tests.events.queues.contract import QueueContract
from tests.events.queues.rabbit import GROUPS, PORT, USER, channel, connected, some_queue
from tests.events.queues.relay import Relay
from tests.events.queues.support import Consumers, has_none, ids, letter, message, take, take_from, take_one, until
from tests.events.tls import authority

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from events.queues import Queue
    from events.queues.amqp.queue import AmqpQueue
    from tests.events.queues.support import Connect


@pytest.fixture
def name() -> Iterator[str]:
    with some_queue() as chosen:
        yield chosen


@pytest.fixture
def queue(name: str) -> Iterator[AmqpQueue]:
    with closing(connected(name)) as one:
        yield one


def put(queue: str, body: bytes, exchange: str = "", **properties: Any) -> None:
    """Publish as anybody may."""
    with channel() as raw:
        raw.basic_publish(amqp.Message(body, **properties), exchange, queue)


class Deep(amqp.Message):  # type: ignore[misc]
    """Its only header is a list in a list in a list, and so on: more than the library itself would write."""

    def _serialize_properties(self) -> bytes:
        value = b"V"
        for _ in range(3000):
            value = struct.pack(">cI", b"A", len(value)) + value
        table = b"\x04deep" + value
        return struct.pack(">HI", 0x2000, len(table)) + table


class Fixed:
    """An attribute that keeps its value whatever it is set to."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __get__(self, instance: object, owner: type) -> object:
        return self._value

    def __set__(self, instance: object, value: object) -> None:
        pass


class TestAmqp(QueueContract):
    transport = "amqp"
    has_leases = False
    returns_are_losses = True
    tells_in_flight = False
    tells_age = False

    @pytest.fixture
    def connect(self, name: str) -> Iterator[Connect]:
        consumers = Consumers(lambda lease_s: connected(name, lease_s=lease_s))
        yield consumers
        consumers.close()

    def dies(self, queue: Queue) -> None:
        self.cut(queue)

    def cut(self, queue: Queue) -> None:
        link = queue._link  # type: ignore[attr-defined]
        link._socket.shutdown(socket.SHUT_RDWR)


class TestStrangers:
    """Anybody may publish into the queue, with any client."""

    @pytest.fixture(autouse=True)
    def declared(self, queue: AmqpQueue) -> None:
        queue.publish([])
        assert has_none(queue, 0.0)

    def test_a_plain_message_is_known_by_its_own_id(self, name: str, queue: AmqpQueue) -> None:
        put(name, b"{}", message_id="theirs", timestamp=1_750_000_000, content_type="application/json")
        found = take_one(queue).message
        assert found == Message(b"{}", "theirs", sent_at=1_750_000_000.0)

    def test_one_without_an_id_by_what_it_says(self, name: str, queue: AmqpQueue) -> None:
        for body in (b"same", b"same", b"other"):
            put(name, body)
        found = take(queue, 3)
        assert ids(found) == [hashlib.sha256(body).hexdigest() for body in (b"same", b"same", b"other")]
        assert found[0].message.sent_at == pytest.approx(time.time(), abs=60)
        queue.give_back(found[2], failed=True)
        again = take_one(queue).message
        assert (again.id, again.tries) == (found[2].message.id, 1)

    @pytest.mark.parametrize(
        "properties",
        [
            {"content_type": "application/x-python-serialize", "content_encoding": "binary"},
            {"content_type": "application/json", "content_encoding": "zlib"},
            {"content_encoding": "punycode"},
            {"content_encoding": "utf-16", "application_headers": {"compression": "application/x-gzip"}},
            {"content_type": b"\xff\xfe"},
            {"message_id": b"\xff", "application_headers": {"hongyan-tries": "1"}},
            {"timestamp": 2**64 - 1},
            {"application_headers": {"when": datetime(9999, 12, 31, tzinfo=timezone.utc), b"\xff": "key"}},
            {"application_headers": {"hongyan-tries": "-5", "hongyan-runs": 5, "hongyan-sent_at": "nan"}},
            {"application_headers": {"hongyan-tries": "9" * 50, "hongyan-meta": "[1]", "hongyan-group": ""}},
            {"application_headers": {"x-delivery-count": 50}},
            {"message_id": " spaces and\ncontrol ", "expiration": "60000", "priority": 9},
        ],
        ids=lambda properties: ",".join(properties),
    )
    def test_whatever_a_message_claims_is_harmless(
        self, name: str, queue: AmqpQueue, properties: dict[str, Any]
    ) -> None:
        body = b"\x80\x04cposix\nsystem\n\xff"
        put(name, body, **properties)
        put(name, b"", **properties)
        put(name, b"next", message_id="next")
        first, empty, following = take(queue, 3)
        assert (first.message.body, empty.message.body, following.message.id) == (body, b"", "next")
        assert first.message.id == hashlib.sha256(body).hexdigest()
        assert (first.losses, first.message.tries, first.message.group, first.message.meta) == (0, 0, None, {})
        queue.acknowledge([first, empty, following])
        assert has_none(queue)

    @pytest.mark.parametrize(
        ("headers", "version"),
        [
            ({"meta": json.dumps({"projects": "x" * 100_001})}, 0),
            ({"meta": '{"projects": 1}', "version": "1"}, 0),
            ({"meta": b"\xff"}, 0),
            ({"meta": 5, "version": "1"}, 0),
            ({"group": "g" * 100_001}, 0),
            ({"group": "g" * 100_001, "version": "1"}, 0),
            ({"group": "é" * 60_000}, 0),
            ({"group": "g\ud800"}, 1),
            ({"group": "g\ud800", "version": "1"}, 1),
            ({"version": 2}, 0),
        ],
        ids=lambda given: repr(given)[:30],
    )
    def test_what_says_too_much_or_nothing_readable_can_be_ended_like_any_other(
        self, name: str, queue: AmqpQueue, headers: dict[str, Any], version: int
    ) -> None:
        put(
            name, b"1", message_id="m1", application_headers={f"hongyan-{key}": value for key, value in headers.items()}
        )
        found = take_one(queue)
        assert (found.message.id, found.message.version, found.message.meta) == ("m1", version, {})
        queue.give_back(found, failed=True)
        found = take_one(queue)
        assert (found.message.version, found.message.tries) == (version, 1)
        queue.dead_letter(found, letter(found))
        (kept,) = queue.letters()
        assert (kept.message, kept.reason) == (found.message, "failed")
        assert queue.redrive([kept.id]) == 1
        found = take_one(queue)
        assert (found.message.version, found.message.runs) == (version, 1)
        queue.acknowledge([found])
        assert has_none(queue)

    @pytest.mark.parametrize("spoiled", [{"content_type": b"\xff"}, {"reply_to": b"\xff"}], ids=str)
    def test_of_what_had_to_be_cut_nobody_knows_what_it_allowed(
        self, name: str, queue: AmqpQueue, spoiled: dict[str, Any]
    ) -> None:
        headers = {"hongyan-version": "1", "hongyan-meta": '{"trigger": "webhook", "projects": "p"}'}
        put(name, b"1", message_id="m1", application_headers=headers, **spoiled)
        found = take_one(queue)
        assert (found.message.version, found.message.meta) == (0, {})
        queue.give_back(found, failed=True)
        again = take_one(queue).message
        assert (again.version, again.tries) == (0, 1)

    @pytest.mark.parametrize("group", [None, "g"])
    def test_what_the_broker_refuses_it_buries_itself(
        self,
        name: str,
        queue: AmqpQueue,
        group: str | None,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        publish = Link.publish

        def refuse(self: Link, messages: list[tuple[str, amqp.Message]]) -> None:
            if any(raw.body == b"large" for _, raw in messages):
                raise QueueRefused("the broker takes no such message: larger than configured max size")
            publish(self, messages)

        monkeypatch.setattr(Link, "publish", refuse)
        headers = {"hongyan-group": group} if group else {}
        for its_id, body in (("m1", b"1"), ("m2", b"large"), ("m3", b"3")):
            put(name, body, message_id=its_id, application_headers=headers)
        ended: list[str] = []
        with caplog.at_level(logging.WARNING, "hongyan.events"):
            while "m3" not in ended:
                for found in take(queue):
                    if found.message.body == b"large":
                        queue.give_back(found, failed=True)
                    else:
                        ended += ids([found])
                        queue.acknowledge([found])
        assert list(dict.fromkeys(ended)) == ["m1", "m3"]
        until(lambda: [(kept.message.id, kept.reason) for kept in queue.letters()] == [("m2", "broker")])
        assert [(record.message, record.__dict__["facts"]["id"]) for record in caplog.records] == [
            ("message.refused", "m2")
        ]

    def test_what_an_idle_consumer_has_prefetched_and_the_broker_refuses(
        self, name: str, queue: AmqpQueue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object) -> None:
            raise QueueRefused("the broker takes no such message")

        put(name, b"1", message_id="m1")
        put(name, b"2", message_id="m2", application_headers={"hongyan-group": "g"})
        monkeypatch.setattr(consumer, "_IDLE_S", 0.0)
        monkeypatch.setattr(Link, "publish", refuse)

        def is_buried() -> bool:
            queue.extend([])
            return queue.counts().dead == 2

        queue.reconnect()
        until(is_buried)

    def test_headers_that_are_deeper_than_a_stack_are_harmless(self, name: str, queue: AmqpQueue) -> None:
        with channel() as raw:
            raw.basic_publish(Deep(b"1"), "", name)
        put(name, b"2", message_id="m2")
        assert ids(take(queue, 2)) == [hashlib.sha256(b"1").hexdigest(), "m2"]

    def test_an_unreadable_routing_key_is_harmless(self, name: str, queue: AmqpQueue) -> None:
        with channel() as raw:
            raw.exchange_declare(name, "fanout", auto_delete=True)
            raw.queue_bind(name, name)
            raw.basic_publish(amqp.Message(b"1", message_id="m1"), name, b"\xff\xfe")
            raw.exchange_delete(name)
        put(name, b"2", message_id="m2")
        assert ids(take(queue, 2)) == ["m1", "m2"]

    def test_an_event_with_a_partition_key_is_one_of_its_group(self, name: str, queue: AmqpQueue) -> None:
        for number in range(3):
            event = {"specversion": "1.0", "partitionkey": "k", "id": str(number)}
            put(name, json.dumps(event).encode(), message_id=f"m{number}")
        put(name, b'{"partitionkey": "k"}', message_id="none")
        seen: list[str] = []
        for _ in range(3):
            found = take(queue, 2 if not seen else 1)
            assert has_none(queue, 0.05)
            seen += ids(found)
            queue.acknowledge(found)
        assert [each for each in seen if each != "none"] == ["m0", "m1", "m2"]
        until(lambda: queue.counts().ready == 0)

    def test_messages_without_a_group_among_the_groups_come_one_by_one(self, name: str, queue: AmqpQueue) -> None:
        put(topology.group(name, 0), b"1", message_id="m1")
        put(topology.group(name, 0), b"2", message_id="m2")
        found = take(queue)
        assert has_none(queue, 0.05)
        queue.acknowledge(found)
        assert ids([*found, take_one(queue)]) == ["m1", "m2"]

    def test_what_the_broker_gives_up_is_a_dead_letter(self, name: str, queue: AmqpQueue) -> None:
        sent = message(1, sent_at=5.5, tries=2, meta={"sender": "a"})
        queue.publish([sent])
        queue.close()
        with channel() as raw:
            raw.basic_reject(raw.basic_get(name).delivery_tag, requeue=False)
        until(lambda: queue.counts().dead == 1)
        (kept,) = queue.letters()
        assert (kept.reason, kept.operation, kept.event) == ("broker", "unknown", None)
        assert kept.message == sent
        assert kept.at == pytest.approx(time.time(), abs=60)
        assert queue.letters() == [kept]
        assert queue.redrive([kept.id]) == 1
        assert take_one(queue).message == replace(sent, tries=0, runs=1)

    def test_what_somebody_else_put_among_the_dead_letters(self, name: str, queue: AmqpQueue) -> None:
        put(topology.dead(name), b"\xff not a letter", message_id="m1")
        put(topology.dead(name), b"not one, either", type="hongyan.letter")
        until(lambda: queue.counts().dead == 2)
        kept = queue.letters()
        assert {each.reason for each in kept} == {"broker"}
        assert sorted(each.message.body for each in kept) == [b"not one, either", b"\xff not a letter"]
        assert queue.drop([each.id for each in kept]) == 2
        assert queue.letters() == []

    def test_two_who_look_at_once_are_not_told_that_there_is_nothing(self, name: str, queue: AmqpQueue) -> None:
        put(topology.dead(name), b"one", message_id="m1")
        until(lambda: queue.counts().dead == 1)
        with channel() as other:
            other.queue_declare(f"{topology.dead(name)}.look", durable=False, exclusive=True, auto_delete=False)
            with pytest.raises(QueueUnavailable, match="somebody else is looking"):
                queue.letters()
        queue.reconnect()
        assert len(queue.letters()) == 1
        assert len(queue.letters()) == 1


class TestDelays:
    @pytest.mark.parametrize(
        ("asked_s", "given_s"),
        [
            (0.001, 0.25),
            (0.25, 0.25),
            (0.3, 0.5),
            (1.0, 1.0),
            (1.01, 2.0),
            (300.0, 512.0),
            (2048.0, 2048.0),
            (1e9, 65_536.0),
        ],
    )
    def test_a_delay_is_rounded_up(self, asked_s: float, given_s: float) -> None:
        assert topology.delay_for(asked_s) == given_s

    def test_queues_of_delays_are_made_when_they_are_needed(self, name: str, queue: AmqpQueue) -> None:
        queue.publish([message(1)])
        queue.give_back(take_one(queue), 0.3, failed=True)
        with closing(Link(urls.read(f"amqp://127.0.0.1:{PORT}/", "X"), 0)) as link:
            there = [each for each in topology.DELAYS_S if link.count(topology.delay(name, each)) is not None]
        assert there == [0.5]

    def test_one_that_no_queue_holds_for_long_enough_does_not_come_early(
        self, name: str, queue: AmqpQueue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(topology, "DELAYS_S", (0.25, 0.5))
        queue.publish([message(1), message(2)])
        began = time.monotonic()
        for found in take(queue, 2):
            queue.give_back(found, 1.3 if found.message.id == "m1" else 0.5, failed=True)
        assert ids([take_one(queue)]) == ["m2"]
        again = take_one(queue)
        assert 1.3 <= time.monotonic() - began < 5.0
        assert again.message == message(1, tries=1)
        queue.give_back(again, failed=True)
        assert take_one(queue).message.tries == 2

    def test_many_given_back_at_once_come_in_time(self, queue: AmqpQueue) -> None:
        queue.publish([message(number) for number in range(100)])
        began = time.monotonic()
        for found in take(queue, 100):
            queue.give_back(found, 0.5, failed=True)
        again = take(queue, 100)
        assert time.monotonic() - began >= 0.5
        assert {found.message.tries for found in again} == {1}
        assert len(set(ids(again))) == 100


class TestGroups:
    def test_a_group_goes_to_the_same_queue_always(self) -> None:
        assert [topology.number_of(group, 4) for group in ("a", "b", "/k", "grüppe")] == [2, 2, 3, 3]

    def test_those_left_from_when_there_were_more_queues_are_consumed(self, name: str) -> None:
        with closing(connected(name, groups=2 * GROUPS)) as before:
            before.publish([message(number, f"g{number}") for number in range(20)])
        with closing(connected(name, groups=1)) as after:
            assert after.counts().ready == 20
            assert sorted(ids(take(after, 20))) == sorted(f"m{number}" for number in range(20))

    def test_one_that_is_kept_is_counted_as_delayed(self, queue: AmqpQueue) -> None:
        queue.publish([message(1, "g"), message(2, "g")])
        queue.give_back(take_one(queue), 60.0, failed=True)
        counts = queue.counts()
        assert (counts.ready, counts.delayed) == (1, 1)

    def test_one_that_is_kept_for_hours_does_not_come_early(self, queue: AmqpQueue) -> None:
        queue.publish([message(1, "g")])
        queue.give_back(take_one(queue), 7_200.0, failed=True)
        assert queue._consumer is not None
        assert queue._consumer.grouped.pause_s() > 7_100.0

    def test_one_that_is_kept_is_kept_through_a_new_connection(self, queue: AmqpQueue) -> None:
        queue.publish([message(1, "g"), message(2, "g")])
        began = time.monotonic()
        queue.give_back(take_one(queue), 1.0, failed=True)
        queue.reconnect()
        again = take_one(queue)
        assert time.monotonic() - began >= 1.0
        assert (again.message, again.losses) == (message(1, "g", tries=1), 0)
        queue.reconnect()
        again = take_one(queue)
        assert (again.message.tries, again.losses) == (1, 2)
        queue.acknowledge([again])
        assert take_one(queue).message == message(2, "g")

    def test_those_behind_one_that_killed_its_workers_have_no_losses(self, name: str) -> None:
        with closing(connected(name)) as publisher:
            publisher.publish([message(1, "g"), message(2, "g")])
        for losses in range(3):
            with closing(connected(name)) as worker:
                assert take_one(worker).losses == losses
        with closing(connected(name)) as worker:
            worker.acknowledge(take(worker))
            assert take_one(worker).losses == 0

    def test_what_was_kept_is_known_by_its_new_delivery_only(self, queue: AmqpQueue) -> None:
        queue.publish([message(1, "g")])
        found = take_one(queue)
        queue.give_back(found, failed=True)
        queue.acknowledge([found])
        queue.give_back(found, failed=True)
        again = take_one(queue)
        assert again.message.tries == 1
        queue.acknowledge([again, again])
        assert has_none(queue)


class TestPrefetching:
    def test_what_is_in_somebodys_hands_leaves_room_for_what_is_asked_for(self, queue: AmqpQueue) -> None:
        queue.publish([message(number) for number in range(5)])
        held = [take_one(queue) for _ in range(5)]
        assert ids(held) == [f"m{number}" for number in range(5)]

    def test_no_more_is_kept_from_others_than_was_asked_for(self, name: str, queue: AmqpQueue) -> None:
        queue.publish([message(number) for number in range(5)])
        held = take(queue, 2)
        with closing(connected(name)) as other:
            assert len(take(other, 3)) == 3
            queue.acknowledge(held)
            assert has_none(other)

    def test_others_get_what_an_idle_consumer_has_prefetched(
        self, name: str, queue: AmqpQueue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert has_none(queue, 0.0)
        with closing(connected(name)) as other:
            other.publish([message(number) for number in range(3)])
            assert has_none(other)
            monkeypatch.setattr(consumer, "_IDLE_S", 0.0)
            queue.extend([])
            found = take(other, 3)
            assert sorted(ids(found)) == ["m0", "m1", "m2"]
            assert {each.losses for each in found} == {0}
            other.publish([message(4)])
            assert ids([take_from(queue, other)]) == ["m4"]

    def test_ending_one_twice_ends_no_other(self, queue: AmqpQueue) -> None:
        queue.publish([message(1), message(2)])
        first, second = take(queue, 2)
        for _ in range(2):
            queue.acknowledge([first, first])
            queue.give_back(first, failed=True)
            queue.dead_letter(first, letter(first))
        queue.acknowledge([second])
        assert has_none(queue)
        assert queue.letters() == []


class TestQueues:
    """The broker's queues that are behind one of ours."""

    def test_nothing_is_confirmed_in_a_queue_that_is_not_safe_yet(
        self, name: str, queue: AmqpQueue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(link, "_SETTLES_S", 0.3)
        began = time.monotonic()
        queue.publish([message(1)])
        assert time.monotonic() - began >= 0.3
        found = take_one(queue)
        began = time.monotonic()
        queue.give_back(found, 1.0, failed=True)
        assert time.monotonic() - began >= 0.3
        monkeypatch.setattr(link, "_SETTLES_S", 1e6)
        with closing(connected(name)) as other:
            other.publish([message(2)])
            other.give_back(take_one(other), 1.0, failed=True)

    def test_what_is_not_there_is_not_asked_for_again_and_again(
        self, queue: AmqpQueue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        missed: list[str] = []
        count = Link.count

        def counted(self: Link, name: str) -> int | None:
            found = count(self, name)
            if found is None:
                missed.append(name)
            return found

        queue.publish([message(1)])
        monkeypatch.setattr(Link, "count", counted)
        for _ in range(3):
            assert queue.counts().ready == 1
            queue.reconnect()
        assert len(missed) == len(set(missed)) == len(topology.DELAYS_S) + 1
        queue.give_back(take_one(queue), 60.0, failed=True)
        until(lambda: queue.counts().delayed == 1)

    def test_reconnecting_consumes_at_once(self, name: str, queue: AmqpQueue) -> None:
        assert has_none(queue, 0.0)
        queue.reconnect()
        with channel() as raw:
            consumers = [
                raw.queue_declare(each, passive=True).consumer_count for each in (name, topology.group(name, 0))
            ]
        assert consumers == [1, 1]

    def test_nothing_is_made_by_looking(self, name: str, queue: AmqpQueue) -> None:
        assert queue.counts().ready == 0
        assert queue.letters() == []
        assert (queue.redrive(["x"]), queue.drop(["x"])) == (0, 0)
        with channel() as raw, pytest.raises(amqp.NotFound):
            raw.queue_declare(name, passive=True)


class TestRefusals:
    def test_an_option_that_is_none(self) -> None:
        with pytest.raises(ConfigurationError, match="groups must be"):
            connected("q", groups=0)
        with pytest.raises(ConfigurationError, match="no option 'group'"):
            urls.connect(urls.read("amqp://127.0.0.1/?group=1", "X"), "X")

    def test_a_queue_that_is_there_in_another_form(self, name: str, queue: AmqpQueue) -> None:
        with channel() as raw:
            raw.queue_declare(name, durable=True, auto_delete=False)
        with pytest.raises(QueueRefused, match=f"{name} is there in another form: empty and delete it"):
            queue.publish([message(1)])
        with channel() as raw:
            raw.queue_delete(name)
        queue.publish([message(1)])
        assert take_one(queue).message.id == "m1"

    @pytest.mark.parametrize(
        ("who", "where", "told"),
        [(f"{USER}:wrong-secret", "", "Login was refused"), ("guest:guest", "nowhere", "vhost nowhere not found")],
    )
    def test_a_user_or_virtual_host_that_is_none(self, name: str, who: str, where: str, told: str) -> None:
        url = urls.read(f"amqp://{who}@127.0.0.1:{PORT}/{where}?queue={name}", "X")
        with closing(urls.connect(url, "X")) as refused:
            with pytest.raises(QueueRefused, match=f"{told}.*check the user, the password") as raised:
                refused.publish([message(1)])
            assert "secret" not in f"{raised.value!r} {raised.value.__cause__!r} {refused!r} {url!r}"

    def test_nobody_there(self, name: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        with closing(connected(name, port)) as nowhere:
            for step in (
                lambda: nowhere.receive(1, 0.0),
                lambda: nowhere.publish([]),
                nowhere.reconnect,
                nowhere.counts,
            ):
                with pytest.raises(QueueUnavailable, match="Connection refused"):
                    step()

    @pytest.mark.parametrize(("product", "version"), [("RabbitMQ", "3.9.29"), ("RabbitMQ", "?"), ("LavinMQ", "4.0.0")])
    def test_another_broker(
        self, queue: AmqpQueue, monkeypatch: pytest.MonkeyPatch, product: str, version: str
    ) -> None:
        monkeypatch.setattr(
            amqp.Connection, "server_properties", Fixed({"product": product, "version": version}), raising=False
        )
        with pytest.raises(QueueRefused, match=r"RabbitMQ 3\.10 or newer is needed"):
            queue.counts()

    def test_a_message_that_says_too_much_of_itself(self, queue: AmqpQueue) -> None:
        with pytest.raises(QueueRefused, match="must not be longer"):
            queue.publish([Message(b"1", meta={"a": "x" * 200_000})])
        for long in (
            Message(b"1", "x" * 512, sent_at=1.5, meta={"a": "é" * 49_996}),
            Message(b"1", "x" * 512, "é" * 50_000, sent_at=1.5),
        ):
            queue.publish([long])
            found = take_one(queue)
            assert found.message == long
            queue.acknowledge([found])

    @pytest.mark.parametrize("group", [None, "g"])
    def test_a_letter_that_the_broker_does_not_take(
        self, queue: AmqpQueue, group: str | None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        queue.publish([message(1, group), message(2, group)])
        found = take_one(queue)

        def refuse(*_: object) -> None:
            raise QueueRefused("the broker takes no such message: larger than configured max size")

        with monkeypatch.context() as patched, caplog.at_level(logging.WARNING, "hongyan.events"):
            patched.setattr(Link, "publish", refuse)
            queue.dead_letter(found, letter(found))
        assert [record.message for record in caplog.records] == ["message.refused"]
        until(lambda: [(kept.message, kept.reason) for kept in queue.letters()] == [(found.message, "broker")])
        assert ids([take_one(queue)]) == ["m2"]


class TestTls:
    @pytest.fixture
    def relay(self) -> Iterator[Relay]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority().issue_cert("broker.example", "127.0.0.1").configure_cert(context)
        with closing(Relay(PORT, context)) as one:
            yield one

    def connected(self, name: str, relay: Relay, host: str = "127.0.0.1") -> Queue:
        return urls.connect(
            urls.read(f"amqps://guest:guest@{host}:{relay.port}/?queue={name}&groups={GROUPS}", "X"), "X"
        )

    def test_a_certificate_of_somebody_unknown_is_refused(self, name: str, relay: Relay) -> None:
        with (
            closing(self.connected(name, relay)) as queue,
            pytest.raises(QueueUnavailable, match=r"(?i)certificate.verify.failed"),
        ):
            queue.publish([message(1)])

    def test_messages_go_through(
        self, name: str, relay: Relay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        believed = tmp_path / "ca.pem"
        authority().cert_pem.write_to_path(str(believed))
        monkeypatch.setenv("SSL_CERT_FILE", str(believed))
        with closing(self.connected(name, relay)) as queue:
            queue.publish(
                [message(1), Message(b"x" * 300_000, "large"), *(message(number) for number in range(2, 200))]
            )
            found = take(queue, 200)
            assert len({each.message.id for each in found}) == 200
            queue.acknowledge(found)
            until(lambda: queue.counts().ready == 0)
        with (
            closing(self.connected(name, relay, "localhost")) as queue,
            pytest.raises(QueueUnavailable, match=r"(?i)certificate"),
        ):
            queue.publish([message(1)])
