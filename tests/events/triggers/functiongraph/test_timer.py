"""Timers: what was written into the trigger is run, or the payload of the settings; nobody repeats one that failed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from events.triggers.serverless.shapes import EventRefused
from tests.events.triggers.functiongraph.support import LISTS, deployed, sample, takes
from tests.support import LISTENER


def test_a_firing_is_known_by_its_timer_and_time() -> None:
    function = deployed()
    function.answer(sample("timer"))
    assert function.ids == ["every-hour/2026-11-22T16:00:00+08:00"]


def test_the_same_firing_of_another_function_is_another() -> None:
    function = deployed()
    function.answer(sample("timer"))
    function.answer(sample("timer"), getFunctionName="swan")
    assert len({event.id for event in function.sink.events}) == 2


@pytest.mark.parametrize("nothing", [None, "", " ", ...])
def test_without_text_the_settings_say_it_all(nothing: Any) -> None:
    event = {key: value for key, value in (sample("timer") | {"user_event": nothing}).items() if value is not ...}
    function = deployed(takes(json.dumps({"listener_id": LISTENER})))
    assert function.answer(event) == {"records": 1, "outcomes": {"succeeded": 1}}
    refused = deployed()
    assert refused.answer(event) == {"records": 1, "outcomes": {"rejected": 1}}
    assert "HONGYAN_OPERATION" in refused.sink.events[0].data["error"]["message"]


def test_plain_text_is_refused_as_a_payload() -> None:
    function = deployed({"HONGYAN_OPERATION": "elb.list_members"})
    assert function.answer(sample("timer") | {"user_event": "wake up"})["outcomes"] == {"rejected": 1}


def test_a_failure_is_told_of_at_once() -> None:
    function = deployed()
    function.emulator.faults.add(kind="throttle_429", match={"service": "elb"}, times=9)
    assert function.answer(sample("timer"))["outcomes"] == {"failed": 1}
    assert function.sink.events[0].data["error"]["retryable"] is True
    late = deployed()
    assert late.answer(sample("timer"), getRemainingTimeInMilliSeconds=400) == {"records": 1, "outcomes": {"failed": 1}}
    assert late.sink.events[0].data["error"]["kind"] == "deadline_exceeded"


@pytest.mark.parametrize("name", [None, "", "定时"])
def test_a_timer_without_a_plain_name_is_told_by_its_time(name: Any) -> None:
    function = deployed()
    for time in ("1", "1", "2"):
        function.answer({"trigger_type": "TIMER", "trigger_name": name, "time": time, "user_event": json.dumps(LISTS)})
    assert len(set(function.ids)) == 2


@pytest.mark.parametrize(
    ("changes", "told"),
    [({"time": None}, "time must be"), ({"user_event": {}}, "user_event must be a string"), ({"trigger_name": 1}, "n")],
)
def test_what_cannot_be_a_timers_is_named(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(EventRefused, match=told):
        deployed().answer(sample("timer") | changes)
