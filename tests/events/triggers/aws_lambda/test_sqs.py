"""Batches of SQS: what is given back and what is not, each message once, and the order of FIFO queues."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from events.triggers.aws_lambda import sqs as trigger
from events.triggers.serverless.shapes import EventRefused
from tests.events.triggers.aws_lambda.support import (
    ADD,
    EVENT,
    FIFO,
    LIST,
    PAYLOAD,
    QUEUE,
    TRACE,
    WRITE,
    Context,
    Function,
    asks,
    failed,
    message,
    sqs,
    without,
)
from tests.support import resets, says, scripted

BAD = asks({})
ATTRIBUTES = "messageAttributes"


def text(value: str) -> dict[str, str]:
    return {"stringValue": value, "dataType": "String"}


def test_a_batch_without_records_is_done() -> None:
    assert Function()({"Records": []}) == {"batchItemFailures": []}


def test_what_succeeds_is_not_given_back_and_its_event_names_the_message() -> None:
    function = Function()
    assert failed(function(sqs(message(), message(id_="m-2")))) == []
    assert function.outcomes() == ["succeeded", "succeeded"]
    event = function.sink.events[0]
    assert event.data["trigger"]["kind"] == "sqs"
    assert {event.data["trigger"]["id"] for event in function.sink.events} == {"m-1", "m-2"}


def test_a_redelivery_has_the_same_result_id_and_another_message_has_not() -> None:
    function = Function()
    for each in (message(), message(attributes={"ApproximateReceiveCount": "2"}), message(id_="m-2")):
        function(sqs(each))
    first, again, other = (event.id for event in function.sink.events)
    assert first == again != other
    function(sqs(message(eventSourceARN=f"{QUEUE}-2")))
    assert function.sink.events[-1].id != first


def test_only_some_are_given_back_in_the_order_of_the_batch() -> None:
    function = Function()
    each = [message(BAD if index % 2 else None, f"m-{index}") for index in range(8)]
    assert failed(function(sqs(*each))) == ["m-1", "m-3", "m-5", "m-7"]
    assert function.outcomes() == ["rejected"] * 4 + ["succeeded"] * 4


def test_a_batch_that_fails_as_a_whole_names_every_message() -> None:
    function = Function()
    assert failed(function(sqs(*(message("no JSON", f"m-{index}") for index in range(3))))) == ["m-0", "m-1", "m-2"]
    assert function.outcomes() == ["rejected"] * 3


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "null",
        "[]",
        "\ud800",
        '"\\ud800"',
        "x" * 2_000_000,
        "[" * 100_000,
        '{"a":1,"a":1}',
        asks(None),
        asks([]),
    ],
)
def test_a_body_that_is_no_payload_has_its_event_and_goes_to_the_dead_letters(body: str) -> None:
    function = Function(operation=LIST)
    assert failed(function(sqs(message(body)))) == ["m-1"]
    assert function.outcomes() == ["rejected"]
    settled = Function(operation=LIST, dead_letter=False)
    assert failed(settled(sqs(message(body)))) == []
    assert settled.outcomes() == ["rejected"]


def test_an_operation_that_is_unknown_or_not_deployed_here() -> None:
    for body, operation, kind in (
        (asks(operation="elb.no_such"), "", "unimplemented"),
        (asks(operation=ADD), LIST, "permission_denied"),
        (json.dumps(PAYLOAD), "", "unimplemented"),
    ):
        function = Function(operation=operation)
        assert failed(function(sqs(message(body)))) == ["m-1"]
        assert function.sink.events[0].data["error"]["kind"] == kind
        assert not function.emulator.journal


def test_what_is_worth_another_try_is_given_back_without_an_event() -> None:
    function = Function()
    function.emulator.faults.add(status=503, body={}, times=99)
    assert failed(function(sqs())) == ["m-1"]
    assert function.sink.events == []


@pytest.mark.parametrize(("receives", "told"), [("2", 0), ("3", 1), ("4", 1), (None, 0), ("soon", 0), (3, 0), ("²", 0)])
def test_the_last_delivery_tells_of_its_failure(receives: Any, told: int) -> None:
    function = Function(max_receives=3)
    function.emulator.faults.add(status=503, body={}, times=99)
    assert failed(function(sqs(message(attributes={"ApproximateReceiveCount": receives})))) == ["m-1"]
    assert function.outcomes() == ["failed"] * told
    assert all(event.data["error"]["retryable"] for event in function.sink.events)


def test_a_write_whose_answer_was_lost_is_not_done_again(caplog: pytest.LogCaptureFixture) -> None:
    with scripted(resets(), says(201, {"members": []})) as cloud:
        function = Function(cloud.url)
        assert failed(function(sqs(message(asks(WRITE, ADD))))) == []
        assert len(cloud.asked) == 1
    assert function.outcomes() == ["unknown"]
    [logged] = [record for record in caplog.records if record.getMessage() == "record.unknown"]
    assert (logged.levelno, logged.__dict__["facts"]["id"]) == (logging.ERROR, "m-1")


def test_what_there_is_no_time_for_is_given_back() -> None:
    function = Function()
    answer = function(sqs(message(), message(id_="m-2")), Context(remaining_ms=600))
    assert failed(answer) == ["m-1", "m-2"]
    assert not function.emulator.journal
    assert function.sink.events == []


# One id, several times


def test_a_message_that_is_there_twice_is_run_once() -> None:
    function = Function()
    assert failed(function(sqs(message(), message(receiptHandle="other")))) == []
    assert failed(function(sqs(message(BAD), message(BAD)))) == ["m-1"]
    assert function.outcomes() == ["rejected", "succeeded"]


@pytest.mark.parametrize("bodies", [(BAD, None), (None, BAD), (BAD, "{")])
def test_one_id_with_two_bodies_runs_both_and_is_given_back_once(bodies: tuple[str | None, ...]) -> None:
    function = Function()
    assert failed(function(sqs(*(message(body) for body in bodies)))) == ["m-1"]
    assert len(function.sink.events) == 2


@pytest.mark.parametrize("id_", [None, "", " ", 1, "é", "x" * 513, "\ud800"])
def test_a_message_without_an_id_refuses_the_batch_before_anything_is_run(id_: Any) -> None:
    function = Function()
    for broken in (message() | {"messageId": id_}, without(message(), "messageId")):
        with pytest.raises(EventRefused, match=r"Records\[1\]\.messageId must be a string"):
            function(sqs(message(), broken))
    assert not function.emulator.journal


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"eventSourceARN": None}, r"Records\[0\]\.eventSourceARN must be"),
        ({"body": {}}, r"Records\[0\]\.body must be a string"),
        ({"attributes": []}, r"Records\[0\]\.attributes must be an object"),
        ({"messageAttributes": "a"}, r"Records\[0\]\.messageAttributes must be an object"),
        (
            {"eventSourceARN": FIFO, "attributes": {"MessageGroupId": 1}},
            r"Records\[0\]\.attributes\.MessageGroupId must be a string",
        ),
    ],
)
def test_what_a_message_cannot_be(change: dict[str, Any], told: str) -> None:
    with pytest.raises(EventRefused, match=told):
        Function()(sqs(message(**change)))


def test_every_field_that_may_be_null_or_absent() -> None:
    names = ("attributes", "messageAttributes", "receiptHandle", "md5OfBody", "awsRegion")
    function = Function()
    assert failed(function(sqs(without(message(), *names), message(id_="m-2", **dict.fromkeys(names))))) == []
    assert function.outcomes() == ["succeeded", "succeeded"]
    assert failed(function(sqs(message() | {"body": None}))) == ["m-1"]
    assert failed(function(sqs(without(message(), "body")))) == ["m-1"]


# What to run


def test_an_attribute_of_the_message_names_the_operation() -> None:
    bare = json.dumps(PAYLOAD)
    for attributes, operation, outcome in (
        ({"operation": text(LIST)}, "", "succeeded"),
        ({"operation": text(LIST)}, LIST, "succeeded"),
        ({"operation": text(ADD)}, LIST, "rejected"),
        ({"operation": {"binaryValue": "ZWxi", "stringValue": None, "dataType": "Binary"}}, LIST, "succeeded"),
        ({"operation": None}, LIST, "succeeded"),
        ({"other": text(ADD)}, LIST, "succeeded"),
    ):
        function = Function(operation=operation)
        function(sqs(message(bare, messageAttributes=attributes)))
        assert function.outcomes() == [outcome], attributes


def test_a_cloudevent_brings_its_own_id_and_trace() -> None:
    function = Function()
    function(sqs(message(json.dumps(EVENT | {"traceparent": TRACE}))))
    [event] = function.sink.events
    assert (event.extensions["causationid"], event.extensions["traceparent"]) == ("e1", TRACE)
    assert event.data["trigger"]["id"] == "m-1"


def test_the_trace_of_the_messages_attributes_is_passed_on() -> None:
    function = Function()
    function(sqs(message(messageAttributes={"traceparent": text(TRACE), "tracestate": text("v=1")})))
    [event] = function.sink.events
    assert (event.extensions["traceparent"], event.extensions["tracestate"]) == (TRACE, "v=1")


# FIFO queues


def fifo(*names: str) -> dict[str, Any]:
    """Return a batch of a FIFO queue: `a1` is of group a, `b2!` of group b and can never succeed."""
    return sqs(*(message(BAD if name.endswith("!") else None, name, group=name[0]) for name in names))


def test_a_group_stops_at_its_first_failure_and_gives_back_all_that_follow() -> None:
    function = Function()
    assert failed(function(fifo("a1", "b1", "a2!", "b2", "a3", "c1!", "b3", "a4!"))) == ["a2!", "a3", "c1!", "a4!"]
    ran = [event.data["trigger"]["id"] for event in function.sink.events]
    assert sorted(ran) == ["a1", "a2!", "b1", "b2", "b3", "c1!"]
    assert [each for each in ran if each[0] == "b"] == ["b1", "b2", "b3"]


def test_what_is_worth_another_try_stops_its_group_too() -> None:
    function = Function()
    function.emulator.faults.add(status=503, body={}, times=4)
    assert failed(function(fifo("a1", "a2", "a3"))) == ["a1", "a2", "a3"]
    assert function.sink.events == []


def test_what_is_acknowledged_does_not_stop_its_group() -> None:
    function = Function(dead_letter=False)
    assert failed(function(fifo("a1", "a2!", "a3"))) == []
    assert function.outcomes() == ["rejected", "succeeded", "succeeded"]


def test_a_standard_queues_groups_keep_no_order() -> None:
    function = Function()
    each = [message(body, id_, group="a", eventSourceARN=QUEUE) for id_, body in (("m-1", BAD), ("m-2", None))]
    assert failed(function(sqs(*each))) == ["m-1"]
    assert function.outcomes() == ["rejected", "succeeded"]


def test_a_fifo_queue_without_groups_is_one_group() -> None:
    function = Function()
    each = [message(body, id_, eventSourceARN=FIFO) for id_, body in (("m-1", BAD), ("m-2", None))]
    assert failed(function(sqs(*each))) == ["m-1", "m-2"]


def test_what_counts_as_a_batch() -> None:
    others: list[Any] = [None, {}, "", [{}], [None], [{"eventSource": "aws:s3"}]]
    assert trigger.takes({"Records": []})
    assert not any(trigger.takes({"Records": other}) for other in others)
