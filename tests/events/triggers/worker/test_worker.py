"""The worker's main loop: everything that is taken is told of, a queue that goes away is waited for, a stop leaves nothing behind."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from events import strictjson
from events.cloudevents.json import to_envelope
from events.queues import Counts, Delivery, Message, QueueUnavailable
from events.sinks import SinkGone
from events.triggers.worker import Worker
from events.triggers.worker.verdicts import GONE, Done
from tests.events.triggers.worker.support import Sunk, adds, message

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from events.queues import Letter
    from events.triggers.worker.verdicts import Verdict
    from tests.events.triggers.worker.support import Bench

    Make = Callable[..., Bench]


def test_a_batch_job_ends_when_nothing_is_left(bench: Make) -> None:
    each = bench()
    each.queue.publish([message(str(number)) for number in range(50)])
    each.queue.publish([message("bad", payload={}), adds("w", "10.0.0.1")])
    summary = each.worker().run(until_empty=True)
    assert summary.outcomes == {"succeeded": 51, "rejected": 1}
    assert (summary.ended, summary.dead, len(each.sink.ids)) == (52, 1, 52)
    each.queue.reconnect()
    assert each.queue.counts().dead == 1
    [letter] = each.queue.letters()
    assert (letter.message.id, letter.reason) == ("bad", "rejected")


def test_what_fails_for_a_while_is_tried_until_it_works(bench: Make) -> None:
    each = bench(HONGYAN_TRIES="20")
    each.emulator.faults.add(status=502, times=15)
    each.queue.publish([message(str(number)) for number in range(5)])
    summary = each.worker().run(until_empty=True)
    assert (summary.outcomes, summary.dead, summary.returned) == ({"succeeded": 5}, 0, {"retry": 15})


def test_a_message_that_always_fails_is_dead_after_its_tries(bench: Make) -> None:
    each = bench(HONGYAN_TRIES="3")
    each.emulator.faults.add(status=502, times=99)
    each.queue.publish([message("1")])
    summary = each.worker().run(until_empty=True)
    assert (summary.outcomes, summary.dead, summary.returned) == ({"failed": 1}, 1, {"retry": 2})
    each.queue.reconnect()
    [letter] = each.queue.letters()
    assert (letter.reason, letter.kind, letter.message.tries) == ("tries", "unavailable", 2)


def test_a_batch_job_without_credentials_ends(bench: Make) -> None:
    each = bench()
    each.emulator.faults.add(status=401, body={"error_code": "APIGW.0301", "error_msg": "no"}, times=10**6)
    each.queue.publish([message(str(number)) for number in range(9)])
    summary = each.worker().run(until_empty=True)
    assert (summary.ended, summary.dead) == (0, 0)
    assert summary.returned["credentials"] >= 5
    each.queue.reconnect()
    counts = each.queue.counts()
    assert counts.ready + (counts.delayed or 0) == 9


def test_a_result_event_that_comes_back_is_told_of_nobody(bench: Make) -> None:
    each = bench()
    each.queue.publish([message("1")])
    each.worker().run(until_empty=True)
    each.queue.reconnect()
    each.queue.publish([Message(strictjson.dumps(to_envelope(each.sink.events[0])), "r")])
    again = bench(sink=each.sink)
    summary = again.worker().run(until_empty=True)
    assert (summary.outcomes, summary.dead, len(each.sink.events)) == ({"rejected": 1}, 1, 1)


def test_messages_of_a_group_run_in_their_order(bench: Make) -> None:
    each = bench()
    each.emulator.faults.add(status=502, times=5)
    each.queue.publish([message(f"{key}{number}", group=key) for number in range(10) for key in "ab"])
    each.worker().run(until_empty=True)
    order = [event.data["trigger"]["id"] for event in each.sink.events]
    assert [one for one in order if one[0] == "a"] == [f"a{number}" for number in range(10)]
    assert [one for one in order if one[0] == "b"] == [f"b{number}" for number in range(10)]


def test_a_redriven_message_runs_again_and_keeps_its_ids(bench: Make) -> None:
    each = bench()
    each.emulator.faults.add(status=404, body={"error_code": "APIG.3023", "error_msg": "no"})
    each.queue.publish([adds("1", "10.0.0.1")])
    each.worker().run(until_empty=True)
    each.queue.reconnect()
    assert each.queue.redrive([letter.id for letter in each.queue.letters()]) == 1
    each.store = None
    again = bench()
    again.sink = each.sink
    again.worker().run(until_empty=True)
    assert each.sink.outcomes == ["failed", "succeeded"]
    assert len(each.sink.ids) == 1


def test_a_stop_finishes_what_is_under_way_and_gives_the_rest_back(bench: Make) -> None:
    each, running, go_on = bench(), threading.Event(), threading.Event()

    def wait(_: Any) -> None:
        running.set()
        assert go_on.wait(10)

    each.sink.before = wait
    each.queue.publish([message(str(number)) for number in range(30)])
    worker = each.worker()
    thread = threading.Thread(target=worker.run)
    thread.start()
    assert running.wait(10)
    worker.stop()
    go_on.set()
    thread.join(10)
    assert not thread.is_alive()
    each.queue.reconnect()
    counts = each.queue.counts()
    assert (counts.ready, counts.in_flight) == (30 - len(each.sink.events), 0)
    assert 1 <= len(each.sink.events) < 30
    assert worker.summary.outcomes["succeeded"] == len(each.sink.events)


def test_what_hangs_is_left_and_comes_back_by_itself(bench: Make, caplog: pytest.LogCaptureFixture) -> None:
    each, running, go_on = bench(), threading.Event(), threading.Event()

    def hang(_: Any) -> None:
        running.set()
        go_on.wait(30)

    each.sink.before = hang
    each.queue.publish([message("1")])
    worker = each.worker(stop_s=0.2)
    thread = threading.Thread(target=worker.run)
    with caplog.at_level("ERROR", "hongyan.events"):
        thread.start()
        assert running.wait(10)
        worker.stop()
        thread.join(10)
    assert not thread.is_alive()
    assert [record.getMessage() for record in caplog.records] == ["worker.cut"]
    go_on.set()


def test_a_sink_that_is_gone_stops_the_worker(bench: Make) -> None:
    def leave(_: Any) -> None:
        raise SinkGone("410")

    each = bench(sink=Sunk(before=leave))
    each.queue.publish([message(str(number)) for number in range(40)])
    summary = each.worker().run()
    assert summary.ended == 0
    assert summary.returned[GONE] >= 1
    each.queue.reconnect()
    assert each.queue.counts().ready == 40


class Played:
    """A queue in memory that goes away when it is told to: each of `away` is how many calls of a method fail."""

    transport, name, lease_s = "sqlite", "played", 30.0

    def __init__(self, ids: Sequence[str], **away: int) -> None:
        self.waiting = [Delivery(Message(b"", each)) for each in ids]
        self.away = away
        self.told: list[tuple[str, str]] = []
        self.connections = 1
        self.closed = False

    def _here(self, name: str) -> None:
        if self.away.get(name, 0) > 0:
            self.away[name] -= 1
            raise QueueUnavailable("gone")

    def receive(self, most: int, wait_s: float) -> list[Delivery]:
        self._here("receive")
        taken, self.waiting = self.waiting[:most], self.waiting[most:]
        return taken

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        self._here("acknowledge")
        self.told += [("done", one.message.id) for one in deliveries]

    def give_back(self, delivery: Delivery, delay_s: float = 0.0, *, failed: bool) -> None:
        self._here("give_back")
        self.told.append(("back", delivery.message.id))

    def dead_letter(self, delivery: Delivery, letter: Letter) -> None:
        self._here("dead_letter")
        self.told.append(("dead", delivery.message.id))

    def extend(self, deliveries: Sequence[Delivery]) -> None:
        self._here("extend")

    def publish(self, messages: Sequence[Message]) -> None:
        raise NotImplementedError

    def letters(self, most: int = 1000) -> list[Letter]:
        raise NotImplementedError

    def redrive(self, ids: Collection[str]) -> int:
        raise NotImplementedError

    def drop(self, ids: Collection[str]) -> int:
        raise NotImplementedError

    def counts(self) -> Counts:
        self._here("counts")
        return Counts(len(self.waiting), 0)

    def reconnect(self) -> None:
        self._here("reconnect")
        self.connections += 1

    def close(self) -> None:
        self.closed = True
        self._here("close")


class Doing:
    """A handler of one verdict."""

    def handle(self, delivery: Delivery) -> Verdict:
        return Done(delivery.message.id)


def played(queue: Played, stop_s: float = 5.0) -> Worker:
    return Worker(queue, Doing(), 2, stop_s, threading.Event())  # type: ignore[arg-type]


@pytest.mark.parametrize("method", ["receive", "acknowledge", "counts", "extend"])
def test_a_queue_that_goes_away_is_waited_for_and_hears_everything(
    method: str, caplog: pytest.LogCaptureFixture
) -> None:
    queue = Played([str(number) for number in range(20)], **{method: 2, "reconnect": 1})
    queue.lease_s = 0.0
    with caplog.at_level("INFO", "hongyan.events"):
        summary = played(queue).run(until_empty=True)
    assert sorted(queue.told) == sorted(("done", str(number)) for number in range(20))
    assert summary.ended == 20
    assert queue.connections >= 2
    said = [record.getMessage() for record in caplog.records if record.getMessage().startswith("queue.")]
    assert said == ["queue.unavailable", "queue.available"] * (len(said) // 2) != []


def test_a_stop_does_not_wait_for_ever_for_a_queue_that_is_away() -> None:
    queue = Played(["1"], acknowledge=10**6, close=1)
    worker = played(queue, stop_s=0.3)
    thread = threading.Thread(target=worker.run)
    thread.start()
    worker.stop()
    thread.join(10)
    assert not thread.is_alive()
    assert queue.closed


def test_everything_is_closed_in_the_end() -> None:
    closed: list[str] = []
    queue = Played([])
    closers = [lambda: closed.append("sinks"), lambda: closed.append("store")]
    worker = Worker(queue, Doing(), 1, 1.0, threading.Event(), closers=closers)  # type: ignore[arg-type]
    worker.run(until_empty=True)
    assert (closed, queue.closed) == (["sinks", "store"], True)
