"""Invocations of the function itself: the result event is the answer, and an event of a trigger is never taken for a payload."""

from __future__ import annotations

from typing import Any

import pytest

from events.triggers.serverless.shapes import UnknownEvent
from events.triggers.serverless.whole import TryAgain
from tests.events.triggers.functiongraph.support import LISTS, TELLS, deployed, sample
from tests.support import LISTENER

CLOUD_EVENT = {
    "specversion": "1.0",
    "id": "letter-1",
    "source": "/goose",
    "type": "hongyan.elb.list_members",
    "data": LISTS["payload"],
}
LISTENS = {"HONGYAN_OPERATION": "elb.list_members"}


@pytest.mark.parametrize(
    ("event", "environ", "its_id"),
    [
        (LISTS, {}, TELLS["getRequestID"]),
        ({**LISTS, "id": "letter-1"}, {}, "letter-1"),
        (CLOUD_EVENT, {}, "letter-1"),
        (LISTS["payload"], LISTENS, TELLS["getRequestID"]),
    ],
)
def test_the_result_event_is_the_answer(event: dict[str, Any], environ: dict[str, str], its_id: str) -> None:
    function = deployed(environ)
    answer = function.answer(event)
    assert (answer["type"], answer["causationid"]) == ("hongyan.elb.list_members.succeeded", its_id)
    assert answer["data"]["trigger"]["kind"] == "functiongraph.invoke"
    assert answer["data"]["result"]["count"] == 2
    assert function.sink.events == []
    assert function.answer(event)["id"] == answer["id"]


def test_a_refused_payload_is_an_answer_too() -> None:
    answer = deployed().answer({"operation": "elb.list_members", "payload": {}})
    assert (answer["data"]["outcome"], answer["data"]["error"]["kind"]) == ("rejected", "invalid_argument")


def test_what_may_succeed_later_is_raised() -> None:
    function = deployed()
    function.emulator.faults.add(kind="throttle_429", match={"service": "elb"}, times=9)
    with pytest.raises(TryAgain, match=r"resource_exhausted \(APIGW\.0308\)"):
        function.answer(LISTS)
    with pytest.raises(TryAgain, match="deadline_exceeded: "):
        deployed().answer(LISTS, getRemainingTimeInMilliSeconds=0)


@pytest.mark.parametrize(
    "event",
    [
        {"trigger_type": "PIGEON", "records": []},
        {"event_version": "v1.0", "listener_id": LISTENER},
        {"Records": {}},
        {"records": [{"event_source": "dds", "dds": {}}]},
        {"ShardID": "s"},
    ],
)
def test_an_event_of_a_trigger_is_no_payload(event: dict[str, Any]) -> None:
    with pytest.raises(UnknownEvent, match=f"'{next(iter(event))}'"):
        deployed(LISTENS).answer(event)


@pytest.mark.parametrize("event", [{}, LISTS["payload"], {"operation": "elb.list_members"}])
def test_without_an_operation_it_says_nothing(event: dict[str, Any]) -> None:
    with pytest.raises(UnknownEvent, match="HONGYAN_OPERATION"):
        deployed().answer(event)


def test_keys_of_triggers_may_be_names_of_fields() -> None:
    answer = deployed(LISTENS).answer({"record": "a", "records": [1], "cts": "x", "events": 5, "lts": None})
    assert sorted(answer["data"]["error"]["fields"]) == ["cts", "events", "listener_id", "lts", "record", "records"]


def test_a_sample_of_each_trigger_is_not_taken_for_an_invocation() -> None:
    for name in ("smn", "kafka", "dis", "timer"):
        assert "records" in deployed().answer(sample(name))
