"""Notifications of SNS that invoke the function: repeated as a whole, and every field that may be null or absent."""

from __future__ import annotations

import json
from typing import Any

import pytest

from events.triggers.serverless.shapes import EventRefused
from events.triggers.serverless.whole import CannotSucceed, TryAgain
from tests.events.triggers.aws_lambda.support import (
    ADD,
    LIST,
    PAYLOAD,
    TOPIC,
    TRACE,
    WRITE,
    Function,
    asks,
    eventbridge,
    sns,
)
from tests.support import resets, scripted


def told(value: str) -> dict[str, str]:
    return {"Type": "String", "Value": value}


def test_a_notification_is_run_and_its_event_names_it() -> None:
    function = Function()
    assert function(sns(asks())) == {"records": 1, "outcomes": {"succeeded": 1}}
    [event] = function.sink.events
    assert event.data["trigger"] == {"kind": "sns", "id": "95df01b4-ee98-5cb9-9903-4c221d41eb5e", "sender": None}


def test_a_repeat_has_the_same_result_id_and_another_topics_has_not() -> None:
    function = Function()
    for event in (sns(asks()), sns(asks()), sns(asks(), TopicArn=f"{TOPIC}-2"), sns(asks(), MessageId="other")):
        function(event)
    first, again, *others = (event.id for event in function.sink.events)
    assert first == again
    assert len({first, *others}) == 3


@pytest.mark.parametrize("empty", [None, {}])
def test_every_field_that_may_be_null_or_absent(empty: Any) -> None:
    function = Function()
    event = sns(asks(), MessageAttributes=empty, Subject=None)
    for name in ("Subject", "Timestamp", "Signature", "SigningCertUrl", "UnsubscribeUrl", "SignatureVersion"):
        del event["Records"][0]["Sns"][name]
    assert function(event)["outcomes"] == {"succeeded": 1}
    del event["Records"][0]["Sns"]["MessageAttributes"]
    assert function(event)["outcomes"] == {"succeeded": 1}


def test_attributes_name_the_operation_and_carry_the_trace() -> None:
    function = Function()
    attributes = {"operation": told(LIST), "traceparent": told(TRACE), "odd": None, "binary": {"Type": "Binary"}}
    function(sns(json.dumps(PAYLOAD), MessageAttributes=attributes))
    [event] = function.sink.events
    assert (event.data["outcome"], event.extensions["traceparent"]) == ("succeeded", TRACE)


def test_an_event_of_eventbridge_comes_through_a_topic_too() -> None:
    function = Function()
    function(sns(json.dumps(eventbridge())))
    assert function.sink.events[0].extensions["causationid"] == eventbridge()["id"]


def test_what_is_worth_another_try_is_raised_and_tells_nothing_yet() -> None:
    function = Function()
    function.emulator.faults.add(status=503, body={}, times=99)
    with pytest.raises(TryAgain, match="1 of 1 records: 1 x unavailable"):
        function(sns(asks()))
    assert function.sink.events == []


def test_what_can_never_succeed_has_its_event_and_goes_to_the_dead_letters() -> None:
    function = Function()
    for body in ("no JSON", asks({}), asks(operation="no.such"), ""):
        with pytest.raises(CannotSucceed):
            function(sns(body))
    assert function.outcomes() == ["rejected"] * 4
    settled = Function(dead_letter=False)
    assert settled(sns("no JSON")) == {"records": 1, "outcomes": {"rejected": 1}}


def test_a_write_whose_answer_was_lost_is_not_repeated() -> None:
    with scripted(resets()) as cloud:
        function = Function(cloud.url)
        assert function(sns(asks(WRITE, ADD))) == {"records": 1, "outcomes": {"unknown": 1}}
    assert function.outcomes() == ["unknown"]


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"MessageId": None}, r"Records\[0\]\.Sns\.MessageId must be a string"),
        ({"TopicArn": ""}, r"Records\[0\]\.Sns\.TopicArn must be a string"),
        ({"Message": {}}, r"Records\[0\]\.Sns\.Message must be a string"),
        ({"MessageAttributes": []}, r"Records\[0\]\.Sns\.MessageAttributes must be an object"),
    ],
)
def test_what_a_notification_cannot_be(change: dict[str, Any], refusal: str) -> None:
    with pytest.raises(EventRefused, match=refusal):
        Function()(sns(asks(), **change))


@pytest.mark.parametrize("lacking", [None, {}])
def test_a_record_without_a_notification_is_refused(lacking: Any) -> None:
    with pytest.raises(EventRefused, match=r"Records\[0\]\.Sns\.TopicArn"):
        Function()({"Records": [{"EventSource": "aws:sns", "Sns": lacking}]})
