"""The way into a sink: how long it is waited for, what the log is told, what ends it, and how few tries a sink that is down sees."""

from __future__ import annotations

import logging
import threading
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from events.sinks import SinkGone, SinkRefused, SinkUnavailable
from events.sinks.gate import REFUSALS, Gate
from events.sinks.outage import BASE_S, CAP_S, TELL_S
from tests.events.queues.support import until
from tests.events.sinks.support import EVENT, Clock, Told, event, threads

if TYPE_CHECKING:
    from events.cloudevents import CloudEvent
    from events.sinks import Sink

DOWN = SinkUnavailable("no connection to http://receiver")


def gate(sink: Sink, clock: Clock | None = None, **options: Any) -> Gate:
    """Return a gate whose time is the clock's, and whose pauses are as long as they may be."""
    clock = clock or Clock()
    known: dict[str, Any] = {"clock": clock, "wait": clock.wait, "uniform": lambda _, most: most}
    return Gate("http://receiver", sink, **known | options)


def take(gate: Gate, stop: threading.Event | None = None, given: CloudEvent = EVENT) -> None:
    failure = gate.offer(given)
    if failure is not None:
        gate.insist(given, stop or threading.Event(), failure)


def fall(gate: Gate) -> None:
    """Have a sink known to be down: it is tried once."""
    stop = threading.Event()
    stop.set()
    with pytest.raises(SinkUnavailable):
        take(gate, stop)


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str, dict[str, Any]]]:
    return [(line.levelname, line.getMessage(), line.__dict__["facts"]) for line in caplog.records]


class TestWaiting:
    def test_what_is_taken_is_asked_once(self) -> None:
        sink, clock = Told(), Clock()
        take(gate(sink, clock))
        assert (sink.taken, clock.waits) == ([EVENT.id], [])

    def test_pauses_grow_up_to_a_limit(self) -> None:
        sink, clock = Told(*[DOWN] * 2000), Clock()
        take(gate(sink, clock))
        assert clock.waits == [min(CAP_S, round(BASE_S * 2 ** min(number, 20), 6)) for number in range(2000)]
        assert sink.taken == [EVENT.id]

    def test_pauses_are_of_any_length_up_to_that(self) -> None:
        asked: list[tuple[float, float]] = []

        def uniform(least: float, most: float) -> float:
            asked.append((least, most))
            return most / 4

        clock = Clock()
        take(gate(Told(DOWN, DOWN), clock, uniform=uniform))
        assert asked == [(0.0, BASE_S), (0.0, 2 * BASE_S)]
        assert clock.waits == [BASE_S / 4, BASE_S / 2]

    def test_it_begins_small_again(self) -> None:
        clock = Clock()
        one = gate(Told(DOWN, DOWN, None, DOWN), clock)
        take(one)
        take(one)
        assert clock.waits == [BASE_S, 2 * BASE_S, BASE_S]

    @pytest.mark.parametrize(("asked", "waited"), [(0.0, BASE_S), (BASE_S / 2, BASE_S), (77.0, 77.0), (3600.0, 3600.0)])
    def test_a_wait_that_the_sink_asks_for_is_kept(self, asked: float, waited: float) -> None:
        clock = Clock()
        take(gate(Told(SinkUnavailable("busy", asked)), clock))
        assert clock.waits == [waited]

    def test_whether_it_is_down(self) -> None:
        seen: list[bool] = []
        clock = Clock()

        def wait(stop: threading.Event, seconds: float) -> None:
            seen.append(one.down)
            clock.wait(stop, seconds)

        one: Gate = gate(Told(DOWN), clock, wait=wait)
        assert not one.down
        take(one)
        assert (seen, one.down) == ([True], False)


class TestTheLog:
    def test_one_line_as_it_falls_and_one_as_it_rises(self, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.INFO, "hongyan"):
            take(gate(Told(DOWN, DOWN, DOWN)))
        assert lines(caplog) == [
            (
                "WARNING",
                "sink.unavailable",
                {"sink": "http://receiver", "reason": str(DOWN), "down_s": 0.0, "retry_in_s": BASE_S},
            ),
            ("INFO", "sink.available", {"sink": "http://receiver", "down_s": 0.7, "tries": 3}),
        ]

    def test_now_and_then_while_it_is_down(self, caplog: pytest.LogCaptureFixture) -> None:
        clock = Clock()
        take(gate(Told(*[DOWN] * 20), clock))
        told = [facts["down_s"] for _, name, facts in lines(caplog) if name == "sink.unavailable"]
        assert told[0] == 0
        rounded = 0.2
        assert all(TELL_S - rounded < later - earlier < TELL_S + CAP_S + rounded for earlier, later in pairwise(told))
        assert told[-1] > sum(clock.waits) - 2 * TELL_S - CAP_S

    def test_what_falls_and_rises_all_the_time_is_told_now_and_then(self, caplog: pytest.LogCaptureFixture) -> None:
        clock = Clock()
        one = gate(Told(*[DOWN, None] * 1000), clock)
        with caplog.at_level(logging.INFO, "hongyan"):
            for _ in range(1000):
                take(one)
        names = [name for _, name, _ in lines(caplog)]
        assert names == ["sink.unavailable", "sink.available"] * (len(names) // 2)
        assert len(names) // 2 == pytest.approx(sum(clock.waits) / TELL_S, abs=2)

    def test_nothing_of_a_sink_that_takes_and_of_one_that_refuses(self, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.INFO, "hongyan"):
            take(gate(Told(None)))
            take(gate(Told(SinkRefused("no"))))
        assert lines(caplog) == []


class TestRefused:
    def test_a_few_tries_and_no_more(self) -> None:
        sink, clock = Told(*[SinkRefused("too large")] * 9), Clock()
        with pytest.raises(SinkRefused, match="too large"):
            take(gate(sink, clock))
        assert len(sink.tried) == REFUSALS
        assert clock.waits == [BASE_S, 2 * BASE_S]

    def test_taken_after_all(self) -> None:
        sink = Told(*[SinkRefused("no")] * (REFUSALS - 1))
        take(gate(sink))
        assert sink.taken == [EVENT.id]

    def test_failures_in_between_do_not_count(self) -> None:
        no = SinkRefused("no")
        sink = Told(DOWN, no, DOWN, DOWN, no, DOWN, None)
        take(gate(sink))
        assert sink.taken == [EVENT.id]

    def test_who_refuses_is_not_down(self) -> None:
        sink = Told(DOWN, *[SinkRefused("no")] * REFUSALS)
        one = gate(sink)
        with pytest.raises(SinkRefused):
            take(one)
        assert not one.down

    def test_stopped_in_between_it_may_yet_be_taken(self) -> None:
        sink, clock = Told(*[SinkRefused("no")] * 9), Clock(stops_at=0.0)
        with pytest.raises(SinkUnavailable) as caught:
            take(gate(sink, clock))
        assert (type(caught.value), len(sink.tried)) == (SinkUnavailable, 1)


class TestGone:
    def test_it_is_not_asked_again(self, caplog: pytest.LogCaptureFixture) -> None:
        sink = Told(DOWN, SinkGone("HTTP 410"))
        one = gate(sink)
        one.check()
        for _ in range(3):
            with pytest.raises(SinkGone, match="HTTP 410"):
                take(one)
        with pytest.raises(SinkGone, match="HTTP 410"):
            one.check()
        assert len(sink.tried) == 2
        assert [(level, name) for level, name, _ in lines(caplog)] == [
            ("WARNING", "sink.unavailable"),
            ("ERROR", "sink.gone"),
        ]

    def test_whoever_waits_is_told(self) -> None:
        sink = Blocked(DOWN, SinkGone("HTTP 410"))
        one = Gate("http://receiver", sink, uniform=lambda *_: 0.01)
        fall(one)
        with threads(8) as (pool, stop):
            waits = [pool.submit(take, one, stop) for _ in range(8)]
            assert sink.asked.acquire(timeout=5)
            sink.goes_on.set()
            assert {type(wait.exception(5)) for wait in waits} == {SinkGone}


class TestStopping:
    def test_a_sink_that_is_down_is_waited_for_no_longer(self) -> None:
        sink, clock = Told(*[DOWN] * 99), Clock(stops_at=1.0)
        with pytest.raises(SinkUnavailable, match="this process stops: no connection") as caught:
            take(gate(sink, clock))
        assert (type(caught.value), sink.taken) == (SinkUnavailable, [])
        assert sum(clock.waits) < 2

    def test_a_sink_that_takes_still_gets_the_event(self) -> None:
        stop = threading.Event()
        stop.set()
        sink = Told()
        take(gate(sink), stop)
        assert sink.taken == [EVENT.id]

    def test_a_sink_that_fails_meanwhile_is_not_asked_twice(self) -> None:
        stop = threading.Event()
        stop.set()
        sink, clock = Told(*[DOWN] * 9), Clock()
        one = gate(sink, clock)
        for _ in range(2):
            with pytest.raises(SinkUnavailable, match="stops"):
                take(one, stop)
        assert (len(sink.tried), clock.waits) == (1, [])

    def test_threads_that_wait_end_at_once(self) -> None:
        sink = Told(SinkUnavailable("busy", 3600.0))
        one = Gate("http://receiver", sink)
        fall(one)
        with threads(8) as (pool, stop):
            waits = [pool.submit(take, one, stop) for _ in range(8)]
            stop.set()
            assert {type(wait.exception(5)) for wait in waits} == {SinkUnavailable}

    def test_they_do_so_while_another_ones_try_hangs(self) -> None:
        sink = Blocked(DOWN)
        one = Gate("http://receiver", sink, uniform=lambda *_: 0.0)
        fall(one)
        with threads(8) as (pool, stop):
            hangs = pool.submit(take, one, stop)
            assert sink.asked.acquire(timeout=5)
            waits = [pool.submit(take, one, stop) for _ in range(7)]
            stop.set()
            assert {type(wait.exception(5)) for wait in waits} == {SinkUnavailable}
            assert not hangs.done()
            sink.goes_on.set()
            hangs.result(5)


class TestManyThreads:
    def test_one_tries_and_the_others_wait(self) -> None:
        sink = Flaky(failures=12)
        one = Gate("http://receiver", sink, uniform=lambda *_: 0.002)
        fall(one)
        with threads(16) as (pool, stop):
            list(pool.map(lambda number: take(one, stop, event(number)), range(300)))
        assert sink.most == 1
        assert sink.failed == 12
        assert sorted(sink.taken) == sorted(f"e{number}" for number in range(300))

    def test_many_that_fail_at_once_are_one_failure(self) -> None:
        pauses: list[float] = []
        together = threading.Barrier(8)

        class Falls(Told):
            def emit(self, event: CloudEvent) -> None:
                together.wait(5)
                raise DOWN

        def uniform(_: float, most: float) -> float:
            pauses.append(most)
            return 0.0

        one = Gate("http://receiver", Falls(), uniform=uniform)
        with threads(8) as (pool, stop):
            stop.set()
            waits = [pool.submit(take, one, stop) for _ in range(8)]
            assert {type(wait.exception(5)) for wait in waits} == {SinkUnavailable}
        assert pauses == [BASE_S]

    def test_who_waits_for_the_one_that_tries_is_told_by_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("events.sinks.gate._LOOK_S", 60.0)
        sink = Blocked(DOWN)
        one = Gate("http://receiver", sink, uniform=lambda *_: 0.0)
        fall(one)
        with threads(8) as (pool, stop):
            waits = [pool.submit(take, one, stop) for _ in range(8)]
            assert sink.asked.acquire(timeout=5)
            sink.goes_on.set()
            for wait in waits:
                wait.result(5)

    def test_a_bug_of_a_sink_lets_the_others_go_on(self) -> None:
        sink = Told(DOWN, ZeroDivisionError())
        one = Gate("http://receiver", sink, uniform=lambda *_: 0.0)
        fall(one)
        with threads(4) as (pool, stop):
            waits = [pool.submit(take, one, stop) for _ in range(4)]
            ends = [type(wait.exception(5)) for wait in waits]
        assert sorted(end.__name__ for end in ends) == ["NoneType", "NoneType", "NoneType", "ZeroDivisionError"]

    def test_what_comes_late_from_before_the_fall_does_not_raise_it(self) -> None:
        falls, rises = threading.Event(), threading.Event()

        class Slow(Told):
            def emit(self, event: CloudEvent) -> None:
                if event.id == "e0":
                    falls.set()
                    assert rises.wait(5)
                super().emit(event)

        one = Gate("http://receiver", Slow(SinkUnavailable("busy", 3600.0)))
        with threads(2) as (pool, stop):
            slow = pool.submit(take, one, stop, event(0))
            assert falls.wait(5)
            other = pool.submit(take, one, stop, event(1))
            until(lambda: one.down)
            rises.set()
            slow.result(5)
            assert one.down
            stop.set()
            assert isinstance(other.exception(5), SinkUnavailable)


class Blocked(Told):
    """Plays the first thing at once, and every later one when `goes_on` is set; `asked` counts these."""

    def __init__(self, *plays: Exception) -> None:
        super().__init__(*plays)
        self.asked = threading.Semaphore(0)
        self.goes_on = threading.Event()

    def emit(self, event: CloudEvent) -> None:
        if self.tried:
            self.asked.release()
            assert self.goes_on.wait(10)
        super().emit(event)


class Flaky:
    """Fails so many times, each taking a moment; `most` is how many tries there were at once before the last failure."""

    def __init__(self, failures: int) -> None:
        self.left = failures
        self.most = self.failed = self.now = 0
        self.taken: list[str] = []
        self._lock = threading.Lock()

    def emit(self, event: CloudEvent) -> None:
        with self._lock:
            if not self.left:
                self.taken.append(event.id)
                return
            self.now += 1
            self.most = max(self.most, self.now)
        threading.Event().wait(0.003)
        with self._lock:
            self.now -= 1
            self.left -= 1
            self.failed += 1
        raise DOWN
