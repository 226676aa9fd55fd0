"""A function that is invoked itself: the result event is the answer and goes nowhere else, what may succeed later is raised."""

from __future__ import annotations

import json
import threading
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from events.dispatch import Dispatcher
from events.samples import sample
from events.triggers.records import Record
from events.triggers.serverless import direct
from events.triggers.serverless.whole import TryAgain
from functions.cloud.emulator.core import Emulator
from tests.events.triggers.serverless.support import emulated, invocation
from tests.support import LISTENER

if TYPE_CHECKING:
    from events.dispatch import Call

LISTS = {"operation": "elb.list_members", "payload": {"listener_id": LISTENER}}


def record(body: Any) -> Record:
    return Record("test", "/function", "invocation-1", body)


def test_the_answer_is_the_result_event_and_goes_nowhere_else() -> None:
    app, sink = emulated()
    answer = direct.answer(record(LISTS), app, invocation())
    assert (answer["type"], answer["causationid"]) == ("hongyan.elb.list_members.succeeded", "invocation-1")
    assert sink.events == []


def test_a_call_takes_no_longer_than_the_settings_or_the_invocation_allow() -> None:
    emulator = Emulator()
    app, _ = emulated({"HONGYAN_DEADLINE_S": "0.5"}, emulator)
    # An answer that takes a second is awaited neither by settings that give half of one nor by an invocation that does.
    emulator.sleep = lambda seconds: None
    emulator.faults.add(kind="delay", delay_s=1, times=9)
    for given, seconds in ((app, 60.0), (replace(app, events=replace(app.events, deadline_s=15.0)), 1.0)):
        with pytest.raises(TryAgain, match=r"deadline_exceeded|unavailable"):
            direct.answer(record(LISTS), given, invocation(seconds))


@pytest.mark.parametrize(
    ("body", "told"),
    [({"operation": "elb.list_members", "payload": {}}, "rejected"), ({"specversion": "1.0"}, "rejected")],
)
def test_what_can_never_succeed_is_an_answer(body: Any, told: str) -> None:
    app, _ = emulated()
    assert direct.answer(record(body), app, invocation())["data"]["outcome"] == told


def test_what_may_succeed_later_is_raised_with_the_clouds_code() -> None:
    emulator = Emulator()
    app, sink = emulated(emulator=emulator)
    emulator.faults.add(kind="throttle_429", times=9)
    with pytest.raises(TryAgain, match=r"^resource_exhausted \(APIGW\.0308\): "):
        direct.answer(record(LISTS), app, invocation())
    with pytest.raises(TryAgain, match=r"^deadline_exceeded: "):
        direct.answer(record(LISTS), app, invocation(0.0))
    assert sink.events == []


@pytest.mark.parametrize(
    ("event", "operation", "says"),
    [
        (LISTS, "", True),
        ({**LISTS, "id": "1"}, "", True),
        ({"specversion": "1.0"}, "", True),
        ({"operation": "elb.list_members"}, "", False),
        ({}, "", False),
        ({}, "elb.list_members", True),
    ],
)
def test_something_must_say_what_to_run(event: dict[str, Any], operation: str, says: bool) -> None:
    app, _ = emulated(operation=operation)
    assert direct.says_what(event, app) is says


@pytest.mark.parametrize(("sent", "raises"), [(False, True), (True, False)])
def test_a_call_that_hangs_is_answered_before_the_platform_ends_it(
    sent: bool,
    raises: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    released, (app, _) = threading.Event(), emulated()

    def hang(_: Dispatcher, call: Call) -> None:
        assert call.trail
        call.trail.sent = sent
        released.wait(timeout=20)

    monkeypatch.setattr(Dispatcher, "dispatch", hang)
    write = {"operation": "apig.add_members", "payload": json.loads(sample("apig.add_members"))}
    with pytest.raises(TryAgain, match="deadline_exceeded") if raises else nullcontext():
        answer = direct.answer(record(write), app, invocation(0.6))
        assert answer["data"]["outcome"] == "unknown"
    released.set()
