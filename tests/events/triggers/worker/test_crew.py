"""The threads: every delivery gets a verdict, lots fit how long messages take, and a recall leaves nothing behind."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from events.queues import Delivery, Message
from events.triggers.worker.crew import Crew
from events.triggers.worker.verdicts import Back, Done

if TYPE_CHECKING:
    from events.triggers.worker.crew import Handled
    from events.triggers.worker.verdicts import Verdict


def deliveries(count: int) -> list[Delivery]:
    return [Delivery(Message(b"", str(number))) for number in range(count)]


def gathered(crew: Crew, count: int) -> list[Handled]:
    found: list[Handled] = []
    while len(found) < count:
        before = len(found)
        found += crew.ended(10.0)
        assert len(found) > before, "the threads came to nothing"
    return found


def at_once(delivery: Delivery) -> Verdict:
    return Done(delivery.message.id)


def test_every_delivery_gets_its_own_verdict() -> None:
    crew = Crew(at_once, 4)
    crew.take(deliveries(1000))
    found = gathered(crew, 1000)
    crew.dismiss()
    assert sorted((one.message.id, verdict) for one, verdict in found if isinstance(verdict, Done)) == sorted(
        (str(number), Done(str(number))) for number in range(1000)
    )


def test_there_is_room_for_two_each_at_first_and_for_more_when_messages_take_no_time() -> None:
    crew = Crew(at_once, 4)
    assert (crew.room(0), crew.room(8), crew.room(7)) == (8, 0, 0)
    for _ in range(50):
        crew.take(deliveries(100))
        gathered(crew, 100)
    assert crew.room(0) > 8
    crew.dismiss()


def test_a_recall_hands_out_what_was_not_begun_and_no_thread_begins_more() -> None:
    began, go_on = threading.Event(), threading.Event()

    def hold(delivery: Delivery) -> Verdict:
        began.set()
        assert go_on.wait(10)
        return Done(delivery.message.id)

    crew = Crew(hold, 1)
    crew.take(deliveries(5))
    assert began.wait(10)
    unbegun = crew.unbegun()
    go_on.set()
    ended = gathered(crew, 5 - len(unbegun))
    crew.dismiss()
    done = [one.message.id for one, verdict in ended if isinstance(verdict, Done)]
    stopped = [one.message.id for one, verdict in ended if isinstance(verdict, Back)]
    assert done == ["0"]
    assert sorted(done + stopped + [one.message.id for one in unbegun]) == list("01234")


def test_what_waits_behind_one_that_takes_long_goes_to_whoever_is_free() -> None:
    crew, held, go_on = Crew(at_once, 2), threading.Event(), threading.Event()

    def hold(delivery: Delivery) -> Verdict:
        if delivery.message.id == "0":
            held.set()
            assert go_on.wait(10)
        return Done(delivery.message.id)

    for _ in range(50):  # Until lots are large.
        crew.take(deliveries(100))
        gathered(crew, 100)
    crew._handle = hold
    crew.take(deliveries(20))
    assert held.wait(10)
    found: list[Handled] = []
    end = time.monotonic() + 10
    while len(found) < 19:
        assert time.monotonic() < end, f"{len(found)} of 19 came"
        crew.spread()
        found += crew.ended(0.05)
    assert "0" not in {delivery.message.id for delivery, _ in found}
    go_on.set()
    assert [delivery.message.id for delivery, _ in gathered(crew, 1)] == ["0"]
    crew.dismiss()


def test_what_is_dismissed_begins_nothing_more() -> None:
    began, go_on = threading.Event(), threading.Event()
    handled: list[str] = []

    def hold(delivery: Delivery) -> Verdict:
        handled.append(delivery.message.id)
        began.set()
        assert go_on.wait(10)
        return Done(delivery.message.id)

    crew = Crew(hold, 1)
    crew.take(deliveries(3))
    assert began.wait(10)
    crew.dismiss()
    go_on.set()
    gathered(crew, 1)
    assert handled == ["0"]
