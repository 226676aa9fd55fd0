"""All sinks at once: none is left out, none is asked twice for what it took, and none of them holds another up."""

from __future__ import annotations

import json
import threading
from collections import Counter
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

import pytest

from events.sinks import SinkGone, SinkRefused, SinkUnavailable
from events.sinks.gate import REFUSALS, Gate
from events.sinks.http import Http
from events.sinks.several import Named, Several
from tests.events.queues.support import until
from tests.events.sinks.support import EVENT, Clock, Told, event, receiving, threads

if TYPE_CHECKING:
    from events.sinks import Sink

DOWN = SinkUnavailable("no connection")
NO = SinkRefused("too large")


def several(*sinks: Sink, clock: Clock | None = None) -> Several:
    clock = clock or Clock()
    gate = partial(Gate, clock=clock, wait=clock.wait, uniform=lambda _, most: most)
    return Several([Named(f"sink {number}", sink) for number, sink in enumerate(sinks)], gate)


def test_every_sink_gets_every_event_once() -> None:
    one, other = Told(), Told()
    both = several(one, other)
    for number in range(3):
        both.emit(event(number))
    assert one.tried == other.tried == ["e0", "e1", "e2"]


def test_what_took_the_event_is_not_asked_again() -> None:
    one, other, third = Told(), Told(*[DOWN] * 5), Told()
    several(one, other, third).emit(EVENT)
    assert [len(sink.tried) for sink in (one, other, third)] == [1, 6, 1]


def test_an_event_that_is_emitted_again_goes_to_all_again() -> None:
    one, other = Told(), Told(*[NO] * REFUSALS)
    both = several(one, other)
    with pytest.raises(SinkRefused):
        both.emit(EVENT)
    both.emit(EVENT)
    assert (len(one.taken), len(other.taken)) == (2, 1)


def test_the_others_get_it_before_one_that_is_down_is_waited_for() -> None:
    down, up = Told(*[DOWN] * 99), Told()
    both = several(down, up, clock=Clock(stops_at=1.0))
    stop = threading.Event()
    with pytest.raises(SinkUnavailable, match="stops"):
        both.emit(event(1), stop)
    assert both.down == ["sink 0"]
    with pytest.raises(SinkUnavailable, match="stops"):
        both.emit(event(2), stop)
    assert up.taken == ["e1", "e2"]
    assert "e2" not in down.tried


def test_a_refusal_is_told_once_the_others_have_the_event() -> None:
    one, other = Told(*[NO] * REFUSALS), Told(DOWN)
    with pytest.raises(SinkRefused, match="too large"):
        several(one, other).emit(EVENT)
    assert other.taken == [EVENT.id]


@pytest.mark.parametrize("turned", [False, True])
def test_while_one_may_yet_take_it_another_ones_refusal_is_not_the_end(turned: bool) -> None:
    refuses, down = Told(*[NO] * REFUSALS), Told(*[DOWN] * 99)
    sinks = [down, refuses] if turned else [refuses, down]
    with pytest.raises(SinkUnavailable) as caught:
        several(*sinks, clock=Clock(stops_at=5.0)).emit(EVENT, threading.Event())
    assert type(caught.value) is SinkUnavailable


def test_one_that_is_gone_ends_it_for_all() -> None:
    one, other, third = Told(), Told(SinkGone("HTTP 410")), Told()
    all_ = several(one, other, third)
    for _ in range(3):
        with pytest.raises(SinkGone):
            all_.emit(EVENT)
    assert [len(sink.tried) for sink in (one, other, third)] == [1, 1, 0]


def test_one_that_goes_while_it_is_waited_for_ends_it_too() -> None:
    one, other = Told(DOWN, SinkGone("HTTP 410")), Told()
    with pytest.raises(SinkGone):
        several(one, other).emit(EVENT)
    assert other.taken == [EVENT.id]


def test_a_sink_like_any_other_without_a_stop() -> None:
    sink: Sink = several(Told(DOWN))
    sink.emit(EVENT)


def test_closing_closes_all() -> None:
    closed: list[int] = []
    sinks = [Named(str(number), Told(), partial(closed.append, number)) for number in range(3)]
    Several(sinks).close()
    assert closed == [0, 1, 2]


def test_a_receiver_that_falls_and_rises_under_many_threads_gets_everything() -> None:
    """Over real connections: of each 40 posts to one receiver 10 fail in a row; the other takes everything."""
    plans = {number: 503 for first in range(20, 400, 40) for number in range(first, first + 10)}
    with receiving() as healthy, receiving(lambda number: plans.get(number, 204)) as flaky:
        sinks = [Http(flaky.url, {}), Http(healthy.url, {})]
        gate = partial(Gate, uniform=lambda *_: 0.001)
        with (
            closing(Several([Named(sink.shown, sink, sink.close) for sink in sinks], gate)) as both,
            threads(8) as (pool, stop),
        ):
            list(pool.map(lambda number: both.emit(event(number), stop), range(300)))
    everything = {f"e{number}" for number in range(300)}
    assert Counter(json.loads(post.body)["id"] for post in healthy.posts) == dict.fromkeys(everything, 1)
    taken = [json.loads(post.body)["id"] for number, post in enumerate(flaky.posts) if number not in plans]
    assert Counter(taken) == dict.fromkeys(everything, 1)
    assert len(flaky.posts) == 300 + sum(number < len(flaky.posts) for number in plans)


def test_a_receiver_that_is_not_there_yet_gets_everything_when_it_is() -> None:
    begins = threading.Event()
    gate = partial(Gate, uniform=lambda *_: 0.01)
    with receiving() as healthy, receiving(begins=begins) as late:
        sinks = [Http(late.url, {}), Http(healthy.url, {})]
        with (
            closing(Several([Named(sink.shown, sink, sink.close) for sink in sinks], gate)) as both,
            threads(8) as (pool, stop),
        ):
            waits = [pool.submit(both.emit, event(number), stop) for number in range(8)]
            until(lambda: len(healthy.posts) == 8)
            assert both.down == [late.url]
            assert not [wait for wait in waits if wait.done()]
            begins.set()
            for wait in waits:
                wait.result(10)
    for receiver in (late, healthy):
        assert Counter(json.loads(post.body)["id"] for post in receiver.posts) == {f"e{n}": 1 for n in range(8)}
