"""Events of EventBridge: of rules, schedules and replays; what their detail may be, and that they are repeated as a whole."""

from __future__ import annotations

import json
from typing import Any

import pytest

from events.settings import EventSettings
from events.triggers.serverless.shapes import EventRefused
from events.triggers.serverless.whole import CannotSucceed, TryAgain
from tests.events.triggers.aws_lambda.support import (
    ADD,
    ASKS,
    EVENT,
    LIST,
    PAYLOAD,
    Function,
    eventbridge,
    without,
)

OTHER = "Instance State-change \U0001f436"


def test_the_detail_type_names_the_operation() -> None:
    function = Function()
    assert function(eventbridge()) == {"records": 1, "outcomes": {"succeeded": 1}}
    [event] = function.sink.events
    assert event.data["trigger"] == {"kind": "eventbridge", "id": eventbridge()["id"], "sender": None}
    prefixed = Function(events=EventSettings(prefix="com.example"))
    assert prefixed(eventbridge(**{"detail-type": f"com.example.{LIST}"}))["outcomes"] == {"succeeded": 1}


@pytest.mark.parametrize("detail", [PAYLOAD, ASKS, EVENT, json.dumps(PAYLOAD), json.dumps(ASKS)])
def test_what_a_detail_may_be(detail: Any) -> None:
    function = Function(operation=LIST)
    assert function(eventbridge(detail, **{"detail-type": OTHER}))["outcomes"] == {"succeeded": 1}


def test_what_the_detail_says_wins_over_its_type() -> None:
    function = Function()
    function(eventbridge(ASKS, **{"detail-type": f"hongyan.{ADD}"}))
    assert function.sink.events[0].data["operation"] == LIST


def test_a_pointer_looks_into_the_whole_event() -> None:
    payload = {"listener_id": {"at": "/detail/listener"}, "limit": 1}
    function = Function(operation=LIST, payload=payload)
    event = eventbridge({"listener": PAYLOAD["listener_id"]}, **{"detail-type": OTHER})
    assert function(event)["outcomes"] == {"succeeded": 1}


def test_a_replay_has_the_same_result_id() -> None:
    function = Function()
    for event in (eventbridge(), eventbridge(**{"replay-name": "after-the-outage"}), eventbridge(id="other")):
        function(event)
    first, again, other = (event.id for event in function.sink.events)
    assert first == again != other
    function(eventbridge(source="com.example.other"))
    assert function.sink.events[-1].id != first


def test_publishers_may_name_themselves_in_any_script() -> None:
    function = Function()
    for source in ("监控", "告警", "监控"):
        assert function(eventbridge(source=source))["outcomes"] == {"succeeded": 1}
    first, other, again = (event.id for event in function.sink.events)
    assert first == again != other


@pytest.mark.parametrize("null", [True, False])
def test_every_field_that_may_be_null_or_absent(null: bool) -> None:
    names = ("time", "resources", "version", "account", "region")
    event = eventbridge(**dict.fromkeys(names)) if null else without(eventbridge(), *names)
    assert Function()(event)["outcomes"] == {"succeeded": 1}


def test_a_schedules_own_event_holds_no_payload() -> None:
    schedule = eventbridge("{}", source="aws.scheduler", **{"detail-type": "Scheduled Event"})
    for operation, kind in (("", "unimplemented"), (LIST, "invalid_argument")):
        function = Function(operation=operation)
        with pytest.raises(CannotSucceed, match=kind):
            function(schedule)
        assert function.outcomes() == ["rejected"]


@pytest.mark.parametrize("detail", [[], "text", 1, True, {}, "\ud800", {"a": "\ud800"}])
def test_a_detail_that_is_no_payload_is_told_and_goes_to_the_dead_letters(detail: Any) -> None:
    function = Function()
    with pytest.raises(CannotSucceed):
        function(eventbridge(detail))
    assert function.outcomes() == ["rejected"]


def test_a_detail_that_is_null_is_no_payload() -> None:
    function = Function()
    with pytest.raises(CannotSucceed):
        function(eventbridge() | {"detail": None})


def test_what_is_worth_another_try_is_raised_and_tells_nothing_yet() -> None:
    function = Function()
    function.emulator.faults.add(status=429, body={}, times=99)
    with pytest.raises(TryAgain, match="resource_exhausted"):
        function(eventbridge())
    assert function.sink.events == []


@pytest.mark.parametrize(
    ("event", "refusal"),
    [
        (without(eventbridge(), "id"), "id must be a string"),
        (without(eventbridge(), "source"), "source must be a string"),
        (without(eventbridge(), "detail"), "detail is missing"),
        (eventbridge(**{"detail-type": 1}), "detail-type must be a string"),
        (eventbridge(id=None), "id must be a string"),
        (eventbridge(source=""), "source must be a string"),
        (eventbridge(source=1), "source must be a string"),
        (eventbridge(source="x" * 513), "source must be a string"),
    ],
)
def test_what_an_event_cannot_be(event: Any, refusal: str) -> None:
    with pytest.raises(EventRefused, match=refusal):
        Function(operation=LIST)(event)
