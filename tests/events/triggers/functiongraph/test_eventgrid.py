"""CloudEvents of EventGrid: passed through in a list, alone, or made into something else by a template."""

from __future__ import annotations

from typing import Any

import pytest

from events.triggers.serverless.shapes import EventRefused
from events.triggers.serverless.whole import CannotSucceed
from tests.events.triggers.functiongraph.support import LISTS, deployed, sample, takes

LISTENS = {"HONGYAN_OPERATION": "elb.list_members"}


def alone(**changes: Any) -> dict[str, Any]:
    [event] = sample("eventgrid")["events"]
    return {name: value for name, value in {**event, **changes}.items() if value is not ...}


@pytest.mark.parametrize("event", [sample("eventgrid"), alone()])
def test_another_systems_event_is_the_payload_of_the_one_operation(event: dict[str, Any]) -> None:
    function = deployed(LISTENS)
    assert function.answer(event) == {"records": 1, "outcomes": {"succeeded": 1}}
    [result] = function.sink.events
    assert result.data["trigger"]["kind"] == "functiongraph.eventgrid"
    assert result.extensions["causationid"] == alone()["id"]


def test_pointers_begin_at_the_event() -> None:
    function = deployed(takes("/data"))
    assert function.answer(sample("eventgrid"))["outcomes"] == {"succeeded": 1}
    assert function.ids == [alone()["id"]]


def test_a_type_of_ours_says_what_to_run() -> None:
    function = deployed()
    events = [alone(type="hongyan.elb.list_members", id=name) for name in ("1", "2")]
    assert function.answer({"events": events})["outcomes"] == {"succeeded": 2}
    assert sorted(function.ids) == ["1", "2"]


def test_what_a_template_makes_is_run_as_it_says() -> None:
    assert deployed().answer(LISTS)["type"] == "hongyan.elb.list_members.succeeded"


def test_nothing_says_what_to_run() -> None:
    function = deployed()
    with pytest.raises(CannotSucceed, match="unimplemented"):
        function.answer(alone())
    assert function.sink.outcomes == ["rejected"]


@pytest.mark.parametrize(
    "changes", [{"id": None}, {"id": ...}, {"source": "名"}, {"specversion": "0.3"}, {"time": "x"}]
)
def test_an_event_that_is_not_valid_is_told_of_with_an_id_all_the_same(changes: dict[str, Any]) -> None:
    function = deployed(LISTENS)
    for _ in range(2):
        with pytest.raises(CannotSucceed, match="the CloudEvent is not valid"):
            function.answer({"events": [alone(**changes)]})
    assert function.sink.outcomes == ["rejected"] * 2
    assert len({event.id for event in function.sink.events}) == 1


def test_no_events_are_nothing_to_do() -> None:
    assert deployed().answer({"events": []}) == {"records": 0, "outcomes": {}}


def test_what_is_no_event_is_named() -> None:
    with pytest.raises(EventRefused, match=r"events\[1\] must be an object"):
        deployed().answer({"events": [alone(), 5]})
