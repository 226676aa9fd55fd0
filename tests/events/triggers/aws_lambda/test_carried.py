"""Envelopes in queues: a notification and an event of EventBridge are unwrapped, what only looks like one is left alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.events.triggers.aws_lambda.support import (
    EVENT,
    LIST,
    PAYLOAD,
    TOPIC,
    TRACE,
    Function,
    asks,
    eventbridge,
    failed,
    message,
    notification,
    sns,
    sqs,
    without,
)

BARE = json.dumps(PAYLOAD)
ID = notification("")["MessageId"]


def ran(body: Any, *, operation: str = "", **more: Any) -> Any:
    """Return the one result event of a message with this body."""
    function = Function(operation=operation)
    function(sqs(message(body if isinstance(body, str) else json.dumps(body), **more)))
    [event] = function.sink.events
    return event


def told(value: str) -> dict[str, Any]:
    return {"operation": {"stringValue": value, "dataType": "String"}}


def test_a_wrapped_notification_runs_as_the_same_one_does_without_a_queue() -> None:
    event = ran(notification(asks()))
    assert (event.data["outcome"], event.extensions["causationid"]) == ("succeeded", ID)
    assert event.data["trigger"] == {"kind": "sqs", "id": ID, "sender": None}
    direct = Function()
    direct(sns(asks()))
    assert direct.sink.events[0].id == event.id


def test_a_wrapped_notification_that_fails_is_given_back_under_the_queues_id() -> None:
    function = Function()
    assert failed(function(sqs(message(json.dumps(notification("no JSON")))))) == ["m-1"]
    assert function.outcomes() == ["rejected"]


def test_a_raw_notification_is_the_queues_message() -> None:
    event = ran(BARE, messageAttributes=told(LIST))
    assert (event.data["outcome"], event.extensions["causationid"]) == ("succeeded", "m-1")


def test_the_notifications_own_attributes_win_over_the_queues() -> None:
    inner = {"operation": {"Type": "String", "Value": LIST}, "traceparent": {"Type": "String", "Value": TRACE}}
    event = ran(notification(BARE, MessageAttributes=inner), messageAttributes=told("apig.add_members"))
    assert (event.data["outcome"], event.extensions["traceparent"]) == ("succeeded", TRACE)
    assert ran(notification(BARE), messageAttributes=told(LIST)).data["outcome"] == "succeeded"


def test_an_event_of_eventbridge_in_a_queue() -> None:
    event = ran(eventbridge())
    assert (event.data["outcome"], event.extensions["causationid"]) == ("succeeded", eventbridge()["id"])
    direct = Function()
    direct(eventbridge())
    assert direct.sink.events[0].id == event.id


def test_an_event_of_eventbridge_through_a_topic_into_a_queue() -> None:
    event = ran(notification(json.dumps(eventbridge())))
    assert (event.data["outcome"], event.extensions["causationid"]) == ("succeeded", eventbridge()["id"])


def test_a_cloudevent_in_an_envelope_keeps_its_own_id() -> None:
    assert ran(notification(json.dumps(EVENT))).extensions["causationid"] == "e1"
    assert ran(eventbridge(EVENT)).extensions["causationid"] == "e1"


NO_ENVELOPES: list[dict[str, Any]] = [
    notification(asks(), Type="SubscriptionConfirmation"),
    notification(asks(), TopicArn=None),
    notification(asks(), MessageId=""),
    notification(asks(), MessageAttributes=[]),
    notification(asks()) | {"Message": PAYLOAD},
    without(notification(asks()), "MessageId"),
    {"Type": "Notification", "TopicArn": TOPIC},
    eventbridge(id=None),
    eventbridge(source=1),
    eventbridge(**{"detail-type": None, "id": 7}),
    without(eventbridge(), "detail"),
    PAYLOAD | {"detail-type": f"hongyan.{LIST}", "detail": {}},
    {"specversion": "1.0", "detail-type": f"hongyan.{LIST}", "source": "a", "id": "b", "detail": PAYLOAD},
]


@pytest.mark.parametrize("body", NO_ENVELOPES)
def test_what_only_looks_like_an_envelope_is_a_payload(body: dict[str, Any]) -> None:
    event = ran(body, operation=LIST)
    assert (event.data["outcome"], event.extensions["causationid"]) == ("rejected", "m-1")


@pytest.mark.parametrize("body", ['["TopicArn"]', '"\\"TopicArn\\""', '{"TopicArn"', '{"TopicArn": "\\ud800"}'])
def test_a_mark_of_an_envelope_in_no_object_is_nothing(body: str) -> None:
    assert ran(body, operation=LIST).data["outcome"] == "rejected"


def test_a_payload_may_speak_of_envelopes() -> None:
    body = asks(PAYLOAD | {"server_address": '"TopicArn" "detail-type"'})
    assert ran(body).data["operation"] == LIST
