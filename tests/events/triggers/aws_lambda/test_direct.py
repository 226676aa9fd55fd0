"""Invocations of the function itself: the result event is the answer, and what is worth another try is raised."""

from __future__ import annotations

import json
from typing import Any

import pytest

from events.triggers.serverless.shapes import UnknownEvent
from events.triggers.serverless.whole import TryAgain
from tests.events.triggers.aws_lambda.support import (
    ADD,
    ASKS,
    EVENT,
    LIST,
    PAYLOAD,
    WRITE,
    Context,
    Function,
    without,
)
from tests.support import resets, says, scripted


@pytest.mark.parametrize(("event", "operation"), [(EVENT, ""), (ASKS, ""), (ASKS, LIST), (PAYLOAD, LIST)])
def test_the_result_event_is_the_answer_and_goes_nowhere_else(event: Any, operation: str) -> None:
    function = Function(operation=operation)
    answer = function(event)
    assert (answer["specversion"], answer["type"]) == ("1.0", f"hongyan.{LIST}.succeeded")
    assert answer["data"]["result"]["count"] == 2
    assert answer["data"]["trigger"] == {"kind": "lambda.invoke", "id": Context().aws_request_id, "sender": None}
    assert json.loads(json.dumps(answer)) == answer
    assert function.sink.events == []


def test_a_repeated_invocation_has_the_same_result_id() -> None:
    function = Function()
    first, again, other = (function(ASKS, Context(id_))["id"] for id_ in ("r-1", "r-1", "r-2"))
    assert first == again != other
    assert function(ASKS, Context("r-1", "arn:aws:lambda:other"))["id"] != first
    own = [function(ASKS | {"id": "mine"}, Context(id_)) for id_ in ("r-1", "r-2")]
    assert own[0]["id"] == own[1]["id"]
    assert own[0]["causationid"] == "mine"
    assert function(EVENT)["causationid"] == "e1"


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (ASKS | {"payload": {}}, "invalid_argument"),
        (ASKS | {"operation": "no.such"}, "permission_denied"),
        (ASKS | {"operation": None}, "invalid_argument"),
        (ASKS | {"operation": ADD, "payload": WRITE}, "permission_denied"),
        (EVENT | {"type": "com.example.other", "data": WRITE}, "invalid_argument"),
        (without(EVENT, "id"), "invalid_argument"),
        ({}, "invalid_argument"),
        ({"any": "\ud800"}, "invalid_argument"),
    ],
)
def test_what_can_never_succeed_is_answered(event: Any, kind: str) -> None:
    answer = Function(operation=LIST)(event)
    assert (answer["data"]["outcome"], answer["data"]["error"]["kind"]) == ("rejected", kind)


def test_another_systems_event_with_a_pointer_into_it() -> None:
    s3 = {"Records": [{"eventSource": "aws:s3", "listener": PAYLOAD["listener_id"]}]}
    function = Function(operation=LIST, payload={"listener_id": {"at": "/Records/0/listener"}})
    assert function(s3)["data"]["outcome"] == "succeeded"


@pytest.mark.parametrize("records", [None, {}, [{}], [{"eventSource": "aws:s3"}], ["text"]])
def test_records_of_another_source_are_never_answered_as_if_they_were_done(records: Any) -> None:
    for function in (Function(), Function(operation=LIST)):
        with pytest.raises(UnknownEvent, match=r"no trigger sends|not read here"):
            function({"Records": records})


@pytest.mark.parametrize(
    "event", [{}, PAYLOAD, {"operation": LIST}, {"payload": {}}, {"requestContext": {"routeKey": "a"}}]
)
def test_an_unknown_shape_is_refused_by_its_keys(event: dict[str, Any]) -> None:
    with pytest.raises(UnknownEvent) as caught:
        Function()(event)
    assert all(repr(key) in caught.value.message for key in event)
    assert "HONGYAN_OPERATION" in caught.value.message


def test_an_operation_that_nobody_has_is_answered() -> None:
    answer = Function()(ASKS | {"operation": "no.such"})
    assert (answer["type"], answer["data"]["error"]["kind"]) == ("hongyan.no.such.rejected", "unimplemented")


def test_a_cloudevent_of_another_type_is_told_what_is_wanted() -> None:
    answer = Function()(EVENT | {"type": "com.example.other"})
    assert "hongyan.<operation>" in answer["data"]["error"]["message"]


def test_what_is_worth_another_try_is_raised() -> None:
    function = Function()
    function.emulator.faults.add(status=429, body={"error_code": "APIGW.0308", "error_msg": "x"}, times=99)
    with pytest.raises(TryAgain, match=r"resource_exhausted \(APIGW\.0308\): "):
        function(ASKS)
    assert function.sink.events == []


def test_too_little_time_is_worth_another_try() -> None:
    with pytest.raises(TryAgain, match="deadline_exceeded: "):
        Function()(ASKS, Context(remaining_ms=100))


def test_a_write_whose_answer_was_lost_is_answered_as_unknown() -> None:
    with scripted(resets(), says(201, {"members": []})) as cloud:
        answer = Function(cloud.url)({"operation": ADD, "payload": WRITE})
        assert len(cloud.asked) == 1
    assert (answer["data"]["outcome"], answer["data"]["error"]["retryable"]) == ("unknown", False)


@pytest.mark.parametrize(
    "event",
    [
        {"eventSource": "aws:kafka", "records": {"a-0": [{}]}},
        {"eventSource": "aws:mq", "messages": [{}]},
        {"eventSource": "aws:rmq", "rmqMessagesByQueue": {"q::/": [{}]}},
        {"awslogs": {"data": "H4sI"}},
        {"version": "1.0", "requestPayload": {}, "responsePayload": {}},
        {"requestContext": {"eventType": "CONNECT", "connectionId": "c"}},
        {"requestContext": {"serviceArn": "arn:aws:vpc-lattice:x"}, "path": "/"},
        {"Records": [{"eventSource": "aws:dynamodb"}, {"eventSource": "aws:dynamodb"}]},
    ],
)
def test_what_another_poller_or_gateway_sends_is_never_answered_as_done(event: dict[str, Any]) -> None:
    pointed = {"listener_id": {"at": "/Records/0/listener"}}
    for function in (Function(operation=LIST), Function(operation=LIST, payload=pointed)):
        with pytest.raises(UnknownEvent):
            function(event)
        assert function.sink.events == []
