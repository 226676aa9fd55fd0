"""What every transport of queues must do, as one class of tests: a transport's own tests subclass it and say how it is connected to."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events.queues import Counts, Message, QueueUnavailable
from tests.events.queues.model import Model, empty
from tests.events.queues.support import WITHIN_S, has_none, ids, letter, message, take, take_from, take_one, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from events.queues import Delivery, Queue
    from tests.events.queues.support import Connect

STEP = st.tuples(st.sampled_from(Model.STEPS), st.integers(0, 5), st.booleans())
SHORT_S = 0.5
"""The lease in tests that let it run out."""


class QueueContract:
    """Subclass it as `class TestRedis(QueueContract)` and define what is below."""

    transport: ClassVar[str]
    has_leases = True
    """Whether a delivery comes back when its lease has run out; else it does when its consumer's connection ends (`dies`)."""
    returns_are_losses = False
    """Whether what was given back without having failed, or by `close`, counts as a loss."""
    tells_delayed = True
    tells_in_flight = True
    tells_age = True

    @pytest.fixture
    def connect(self) -> Iterator[Connect]:
        """Yield what makes consumers of one queue that nobody else uses (see `Consumers`); close them and delete the queue afterwards."""
        raise NotImplementedError

    def dies(self, queue: Queue) -> None:
        """Make a consumer as good as killed: where there are leases it is enough that it is silent."""

    def cut(self, queue: Queue) -> None:
        """Break a consumer's connection under its feet."""
        raise NotImplementedError

    @pytest.fixture
    def queue(self, connect: Connect) -> Queue:
        return connect()

    # Delivery

    def test_it_says_what_it_is(self, connect: Connect) -> None:
        queue = connect(7.5)
        assert (queue.transport, queue.lease_s) == (self.transport, 7.5)
        assert queue.name

    def test_nothing_comes_of_an_empty_queue(self, queue: Queue) -> None:
        assert queue.receive(10, 0.0) == []

    def test_a_message_comes_once(self, queue: Queue) -> None:
        queue.publish([message(1)])
        found = take_one(queue)
        assert (found.message.id, found.message.body, found.losses) == ("m1", b"1", 0)
        assert has_none(queue)

    def test_an_acknowledged_one_is_gone(self, connect: Connect) -> None:
        queue = connect()
        queue.publish([message(1), message(2)])
        queue.acknowledge(take(queue, 2))
        queue.close()
        again = connect()
        assert has_none(again)
        until(lambda: again.counts().ready == 0)

    def test_messages_come_in_order(self, queue: Queue) -> None:
        queue.publish([message(number) for number in range(30)])
        queue.publish([message(number) for number in range(30, 50)])
        assert ids(take(queue, 50, most=7)) == [f"m{number}" for number in range(50)]

    def test_no_more_than_asked_for(self, queue: Queue) -> None:
        queue.publish([message(number) for number in range(5)])
        first = queue.receive(2, WITHIN_S)
        assert 1 <= len(first) <= 2
        assert len(first) + len(take(queue, 5 - len(first))) == 5

    def test_many_at_once(self, queue: Queue) -> None:
        queue.publish([message(number) for number in range(1000)])
        found = take(queue, 1000, most=100)
        assert len(set(ids(found))) == 1000
        queue.acknowledge(found)
        until(lambda: queue.counts().ready == 0)

    def test_nothing_is_published_acknowledged_or_extended(self, queue: Queue) -> None:
        queue.publish([])
        queue.acknowledge([])
        queue.extend([])
        assert has_none(queue, 0.0)

    def test_what_one_published_another_receives(self, connect: Connect) -> None:
        connect().publish([message(1)])
        assert ids([take_one(connect())]) == ["m1"]

    def test_a_message_outlives_whoever_published_it(self, connect: Connect) -> None:
        queue = connect()
        queue.publish([message(1)])
        queue.close()
        assert ids([take_one(connect())]) == ["m1"]

    # Content

    @pytest.mark.parametrize(
        "body",
        [b"", b"{}", b"\xff\xfe\x00\x80", bytes(range(256)) * 10, '{"名": "é"}'.encode(), b"\r\n\x00", b"x" * 70_000],
        ids=["empty", "json", "no_utf8", "all_bytes", "chinese", "control", "long"],
    )
    def test_bodies_come_as_they_went(self, queue: Queue, body: bytes) -> None:
        queue.publish([Message(body)])
        assert take_one(queue).message.body == body

    def test_ten_megabytes(self, queue: Queue) -> None:
        body = bytes(range(256)) * 40_960
        queue.publish([Message(body, "big"), message(1)])
        found = take(queue, 2)
        assert ids(found) == ["big", "m1"]
        assert found[0].message.body == body
        queue.acknowledge(found)
        assert has_none(queue)

    @pytest.mark.parametrize(
        "sent",
        [
            Message(b"1", "a b/c?", "grüppe 1", 1_750_000_000.123456, 3, 2, 1, {"sender": "github", "projects": ""}),
            Message(b"1", "x" * 200, None, 0.0, version=7, meta={"名": "é\n\"'"}),
            Message(b"1", sent_at=1e9),
        ],
        ids=["all", "newer", "plain"],
    )
    def test_what_a_message_says_of_itself_survives(self, queue: Queue, sent: Message) -> None:
        queue.publish([sent])
        found = take_one(queue).message
        assert found.sent_at == pytest.approx(sent.sent_at, abs=1e-5)
        assert (found.id, found.group, found.tries, found.runs, found.version, dict(found.meta)) == (
            sent.id,
            sent.group,
            sent.tries,
            sent.runs,
            sent.version,
            dict(sent.meta),
        )

    # Waiting

    def test_a_wait_ends(self, queue: Queue) -> None:
        began = time.monotonic()
        assert queue.receive(1, 0.3) == []
        assert 0.25 <= time.monotonic() - began < WITHIN_S

    def test_a_wait_ends_as_soon_as_something_comes(self, connect: Connect) -> None:
        here, there = connect(), connect()
        came = threading.Semaphore(0)
        seen: list[str] = []

        def wait() -> None:
            while len(seen) < 10:
                found = there.receive(1, 4 * WITHIN_S)
                there.acknowledge(found)
                seen.extend(ids(found))
                came.release()

        began = time.monotonic()
        with ThreadPoolExecutor(1) as pool:
            waits = pool.submit(wait)
            for number in range(10):
                here.publish([message(number)])
                assert came.acquire(timeout=WITHIN_S)
            waits.result()
        assert seen == [f"m{number}" for number in range(10)]
        assert time.monotonic() - began < WITHIN_S

    # Several consumers

    def test_two_never_hold_one_message(self, connect: Connect) -> None:
        consumers = [connect() for _ in range(4)]
        consumers[0].publish([message(number) for number in range(400)])
        held: list[str] = []

        def consume(queue: Queue) -> None:
            mine: list[Delivery] = []
            end = time.monotonic() + WITHIN_S
            while len(held) < 400 and time.monotonic() < end:
                found = queue.receive(5, 0.05)
                held.extend(ids(found))
                mine += found
            queue.acknowledge(mine)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(consume, consumers))
        assert sorted(held) == sorted(f"m{number}" for number in range(400))
        assert has_none(consumers[0])

    # Leases

    def lost(self, connect: Connect) -> tuple[Queue, Delivery, Queue, Delivery]:
        """Return a consumer that lost a delivery, that one, the consumer that has it now, and its delivery."""
        first, second = connect(SHORT_S), connect()
        first.publish([message(1, "g"), message(2, "g")])
        found = take_one(first)
        self.dies(first)
        return first, found, second, take_one(second)

    def test_what_a_dead_consumer_had_comes_to_another(self, connect: Connect) -> None:
        _, first, _, second = self.lost(connect)
        assert (first.losses, second.losses) == (0, 1)
        assert second.message.id == first.message.id
        assert (second.message.tries, second.message.runs) == (0, 0)

    def test_losses_are_counted(self, connect: Connect) -> None:
        seen = []
        connect().publish([message(1)])
        for _ in range(3):
            queue = connect(SHORT_S)
            seen.append(take_one(queue).losses)
            self.dies(queue)
        assert seen == [0, 1, 2]

    def test_losses_are_forgotten_once_it_is_given_back(self, connect: Connect) -> None:
        _, _, second, found = self.lost(connect)
        second.give_back(found, failed=True)
        again = take_one(second)
        assert (again.message.id, again.losses, again.message.tries) == ("m1", 0, 1)

    @pytest.mark.parametrize("said", ["acknowledge", "give_back", "dead_letter", "extend"])
    def test_what_its_first_holder_says_changes_nothing(self, connect: Connect, said: str) -> None:
        first, found, second, held = self.lost(connect)
        says: dict[str, Callable[[], None]] = {
            "acknowledge": lambda: first.acknowledge([found]),
            "give_back": lambda: first.give_back(found, failed=True),
            "dead_letter": lambda: first.dead_letter(found, letter(found)),
            "extend": lambda: first.extend([found]),
        }
        with suppress(QueueUnavailable):
            says[said]()
        watcher = connect()
        assert has_none(watcher), "its group has not gone on, and it came to nobody else"
        assert watcher.letters() == []
        second.give_back(held, failed=False)
        again = take_one(second)
        assert (again.message.id, again.message.tries) == ("m1", 0)
        second.acknowledge([again])
        assert ids([take_one(second)]) == ["m2"]

    def test_extending_keeps_a_delivery(self, connect: Connect) -> None:
        first, second = connect(2 * SHORT_S), connect()
        first.publish([message(1)])
        found = take(first)
        end = time.monotonic() + 4 * SHORT_S
        while time.monotonic() < end:
            first.extend(found)
            assert has_none(second, SHORT_S / 5)
        first.acknowledge(found)
        assert has_none(second, 2 * SHORT_S)

    # Giving back

    def test_given_back_it_comes_again(self, queue: Queue) -> None:
        queue.publish([message(1, meta={"sender": "a"})])
        seen = []
        for failed in (False, True, True, False):
            found = take_one(queue)
            seen.append(found.message.tries)
            assert dict(found.message.meta) == {"sender": "a"}
            assert found.losses == 0 or self.returns_are_losses
            queue.give_back(found, failed=failed)
        found = take_one(queue)
        assert [*seen, found.message.tries] == [0, 0, 1, 2, 2]
        queue.acknowledge([found])
        assert has_none(queue)

    @pytest.mark.parametrize("failed", [False, True])
    def test_not_before_its_delay(self, connect: Connect, failed: bool) -> None:
        queue, other = connect(), connect()
        queue.publish([message(1)])
        found = take_one(queue)
        began = time.monotonic()
        queue.give_back(found, 0.6, failed=failed)
        assert has_none(other, 0.1)
        again = take_from(other, queue)
        assert time.monotonic() - began >= 0.55
        assert again.message.tries == int(failed)

    def test_a_delayed_one_holds_up_nobody(self, queue: Queue) -> None:
        queue.publish([message(number) for number in range(4)])
        first, second = take(queue, 2)
        queue.give_back(first, 30.0, failed=True)
        queue.give_back(second, 0.3, failed=True)
        assert ids(take(queue, 3)) == ["m2", "m3", "m1"]

    def test_a_long_delay_does_not_hold_up_a_short_one(self, queue: Queue) -> None:
        queue.publish([message(number) for number in range(5)])
        for found, delay_s in zip(take(queue, 5), (40.0, 0.6, 20.0, 0.3, 30.0), strict=True):
            queue.give_back(found, delay_s, failed=True)
        assert ids(take(queue, 2)) == ["m3", "m1"]

    # Groups

    def test_one_of_a_group_at_a_time(self, connect: Connect) -> None:
        first, second = connect(), connect()
        first.publish([message(1, "g"), message(2, "g"), message(3, "h"), message(4)])
        held = take(first, 3)
        assert sorted(ids(held)) == ["m1", "m3", "m4"]
        assert has_none(second)
        first.acknowledge([found for found in held if found.message.id == "m1"])
        assert ids([take_from(second, first)]) == ["m2"]

    def test_a_group_waits_for_what_was_given_back(self, connect: Connect) -> None:
        queue, other = connect(), connect()
        queue.publish([message(1, "g"), message(2, "g"), message(3, "h")])
        for found in take(queue, 2):
            if found.message.id == "m1":
                queue.give_back(found, 0.4, failed=True)
            else:
                queue.acknowledge([found])
        assert has_none(other, 0.05)
        again = take_from(other, queue)
        assert (again.message.id, again.message.tries) == ("m1", 1)
        for holder in (queue, other):
            holder.acknowledge([again])
        assert ids([take_from(queue, other)]) == ["m2"]

    def test_a_group_goes_on_after_a_dead_letter(self, queue: Queue) -> None:
        queue.publish([message(1, "g"), message(2, "g")])
        found = take_one(queue)
        assert has_none(queue)
        queue.dead_letter(found, letter(found))
        assert ids([take_one(queue)]) == ["m2"]

    def test_a_group_is_in_order_through_a_lost_lease(self, connect: Connect) -> None:
        _, _, second, held = self.lost(connect)
        assert has_none(second)
        second.acknowledge([held])
        assert ids([take_one(second)]) == ["m2"]

    def test_what_comes_later_to_a_group_that_is_at_work_waits(self, queue: Queue) -> None:
        queue.publish([message(1, "g")])
        found = take(queue)
        queue.publish([message(2, "g")])
        assert has_none(queue)
        queue.acknowledge(found)
        assert ids([take_one(queue)]) == ["m2"]

    def test_a_waiting_group_holds_up_nobody(self, queue: Queue) -> None:
        queue.publish([message(number, "g") for number in range(200)])
        queue.publish([message(1000), message(1001, "h")])
        assert ids(take(queue, 3)) == ["m0", "m1000", "m1001"]

    def test_many_groups_at_once_each_in_order(self, connect: Connect) -> None:
        consumers = [connect() for _ in range(3)]
        consumers[0].publish([message(number, f"g{number % 7}") for number in range(140)])
        ended: dict[str | None, list[int]] = defaultdict(list)
        at_work: set[str | None] = set()
        most_at_work = 0
        lock = threading.Lock()

        def end(queue: Queue, found: Delivery, first_time: bool) -> None:
            if first_time and int(found.message.body) % 5 == 0:
                with lock:
                    at_work.discard(found.message.group)
                queue.give_back(found, 0.02, failed=True)
                return
            with lock:
                ended[found.message.group].append(int(found.message.body))
                at_work.discard(found.message.group)
            queue.acknowledge([found])

        def consume(queue: Queue) -> None:
            nonlocal most_at_work
            until_ = time.monotonic() + WITHIN_S
            while sum(map(len, ended.values())) < 140 and time.monotonic() < until_:
                batch = queue.receive(4, 0.05)
                with lock:
                    for found in batch:
                        assert found.message.group not in at_work
                        at_work.add(found.message.group)
                    most_at_work = max(most_at_work, len(at_work))
                for found in batch:
                    end(queue, found, found.message.tries == 0)

        with ThreadPoolExecutor(3) as pool:
            list(pool.map(consume, consumers))
        assert {group: numbers == sorted(numbers) for group, numbers in ended.items()} == {
            f"g{number}": True for number in range(7)
        }
        assert sum(map(len, ended.values())) == 140
        assert most_at_work > 1

    # Dead letters

    def test_a_dead_letter_says_why(self, connect: Connect) -> None:
        queue = connect()
        queue.publish([Message(b"\xff\x00", "m1", "g", 1.5, 2, 1, 1, {"sender": "a"})])
        found = take_one(queue)
        event = {"specversion": "1.0", "id": "1", "data": {"outcome": "failed", "number": 2**60}}
        sent = letter(found, "tries", operation="apig.add_members", kind="unavailable", code="APIG.1", event=event)
        queue.dead_letter(found, sent)
        assert has_none(queue)
        watcher = connect()
        until(lambda: watcher.letters() == [sent])

    def test_a_letter_without_an_event(self, queue: Queue) -> None:
        queue.publish([message(1)])
        found = take_one(queue)
        sent = letter(found, "losses")
        queue.dead_letter(found, sent)
        until(lambda: queue.letters() == [sent])

    def buried(self, queue: Queue, count: int) -> list[str]:
        """Return the ids of so many dead letters, oldest first."""
        queue.publish([message(number) for number in range(count)])
        for found in take(queue, count):
            queue.dead_letter(found, letter(found, id=f"letter{found.message.id}"))
        until(lambda: len(queue.letters()) == count)
        return [kept.id for kept in queue.letters()]

    def test_letters_come_oldest_first_and_no_more_than_asked_for(self, queue: Queue) -> None:
        assert self.buried(queue, 5) == [f"letterm{number}" for number in range(5)]
        assert [kept.id for kept in queue.letters(2)] == ["letterm0", "letterm1"]
        assert len(queue.letters()) == 5

    def test_redriven_a_message_comes_again(self, queue: Queue) -> None:
        queue.publish([message(1, "g", sent_at=1.5, tries=4, runs=1, meta={"sender": "a"})])
        found = take_one(queue)
        queue.dead_letter(found, letter(found, id="l"))
        until(lambda: len(queue.letters()) == 1)
        assert queue.redrive(["l"]) == 1
        again = take_one(queue)
        assert again.message == message(1, "g", sent_at=1.5, tries=0, runs=2, meta={"sender": "a"})
        assert again.losses == 0
        assert queue.letters() == []
        queue.acknowledge([again])
        assert has_none(queue)

    def test_only_the_letters_that_were_meant_are_redriven(self, queue: Queue) -> None:
        self.buried(queue, 4)
        assert queue.redrive(["letterm1", "letterm3", "nobody's"]) == 2
        assert sorted(ids(take(queue, 2))) == ["m1", "m3"]
        assert [kept.id for kept in queue.letters()] == ["letterm0", "letterm2"]
        assert queue.redrive(["letterm1"]) == 0
        assert queue.redrive([]) == 0
        assert has_none(queue)

    def test_only_the_letters_that_were_meant_are_dropped(self, queue: Queue) -> None:
        self.buried(queue, 3)
        assert queue.drop(["letterm0", "letterm2", "nobody's"]) == 2
        assert [kept.id for kept in queue.letters()] == ["letterm1"]
        assert queue.drop(["letterm0"]) == 0
        assert queue.drop([]) == 0
        assert has_none(queue)

    def test_a_redriven_message_goes_behind_its_group(self, queue: Queue) -> None:
        queue.publish([message(1, "g"), message(2, "g")])
        found = take_one(queue)
        queue.dead_letter(found, letter(found, id="l"))
        until(lambda: len(queue.letters()) == 1)
        queue.redrive(["l"])
        second = take(queue)
        assert ids(second) == ["m2"]
        assert has_none(queue)
        queue.acknowledge(second)
        assert ids([take_one(queue)]) == ["m1"]

    # Counts

    def test_counts(self, queue: Queue) -> None:
        assert queue.counts() == self.counted(Counts(0, 0, 0, 0, None))
        queue.publish([message(number) for number in range(6)])
        until(lambda: queue.counts().ready == 6)
        held = take(queue, 4, most=1)
        queue.dead_letter(held[0], letter(held[0]))
        queue.give_back(held[1], 60.0, failed=True)
        until(lambda: self.counted(queue.counts(), age=False) == self.counted(Counts(2, 1, 1, 2)))
        queue.acknowledge(held[2:])
        until(lambda: self.counted(queue.counts(), age=False) == self.counted(Counts(2, 1, 1, 0)))

    def counted(self, counts: Counts, *, age: bool = True) -> Counts:
        """Return counts without what this transport does not tell."""
        return Counts(
            counts.ready,
            counts.dead,
            counts.delayed if self.tells_delayed else None,
            counts.in_flight if self.tells_in_flight else None,
            counts.oldest_s if age and self.tells_age else None,
        )

    def test_the_age_of_the_oldest_that_waits(self, queue: Queue) -> None:
        if not self.tells_age:
            assert queue.counts().oldest_s is None
            return
        now = time.time()
        queue.publish([message(1, sent_at=now - 100), message(2, sent_at=now - 50)])
        assert queue.counts().oldest_s == pytest.approx(100, abs=WITHIN_S)
        queue.acknowledge([take_one(queue)])
        assert queue.counts().oldest_s == pytest.approx(50, abs=WITHIN_S)
        queue.acknowledge([take_one(queue)])
        assert queue.counts().oldest_s is None

    # Connections

    def test_closing_gives_back(self, connect: Connect) -> None:
        first, second = connect(), connect()
        first.publish([message(1, "g"), message(2, "g"), message(3)])
        take(first, 2)
        assert has_none(second)
        first.close()
        again = take(second, 2)
        assert sorted(ids(again)) == ["m1", "m3"]
        assert {found.message.tries for found in again} == {0}
        assert {found.losses for found in again} == {int(self.returns_are_losses)}

    def test_closing_twice_is_harmless(self, connect: Connect) -> None:
        queue = connect()
        queue.publish([message(1)])
        queue.close()
        queue.close()

    def test_a_broken_connection_is_told_and_made_anew(self, connect: Connect) -> None:
        queue = connect(SHORT_S)
        queue.publish([message(1), message(2)])
        queue.acknowledge([take_one(queue)])
        self.cut(queue)
        # A transport may also mend it by itself.
        with suppress(QueueUnavailable):
            queue.publish([message(3)])
        queue.reconnect()
        queue.publish([message(4)])
        found: list[str] = []
        end = time.monotonic() + WITHIN_S
        while not {"m2", "m4"} <= set(found):
            assert time.monotonic() < end, found
            batch = queue.receive(10, 0.2)
            found += ids(batch)
            queue.acknowledge(batch)
        assert set(found) <= {"m2", "m3", "m4"}

    def test_what_a_connection_held_comes_again_after_reconnecting(self, connect: Connect) -> None:
        queue = connect(SHORT_S)
        queue.publish([message(1)])
        held = take_one(queue)
        queue.reconnect()
        # Where there are leases it stays this consumer's until then.
        again = take_one(queue)
        assert again.message.id == held.message.id
        queue.acknowledge([again])
        with suppress(QueueUnavailable):
            queue.acknowledge([held])
        assert has_none(queue)

    # All of it at once

    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    @given(steps=st.lists(STEP, max_size=25))
    def test_it_does_what_a_simple_model_does(self, connect: Connect, steps: list[tuple[str, int, bool]]) -> None:
        queue = connect()
        empty(queue)
        model = Model(queue)
        try:
            for does, which, flag in steps:
                model.step(does, which, flag)
            model.finish()
        finally:
            queue.close()
