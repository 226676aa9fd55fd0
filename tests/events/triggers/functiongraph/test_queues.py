"""Messages without ids: they get the same one at a redelivery, and two equal ones of a batch get two; a topic keeps its order."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.triggers.functiongraph import queues
from events.triggers.serverless.shapes import EventRefused
from events.triggers.serverless.whole import CannotSucceed, TryAgain
from tests.events.triggers.functiongraph.support import LISTS, deployed, sample

INSTANCE = "19af4e2c-df67-512f-c5d7-92ee3b2e4bf7"


def read(event: dict[str, Any]) -> list[Any]:
    return list(queues._records(event, queues._kind(event) or ""))


def ids(event: dict[str, Any]) -> list[str]:
    return [record.id for record in read(event)]


@pytest.mark.parametrize(
    ("told", "kind", "grouped"),
    [
        ("KAFKA", "functiongraph.kafka", True),
        ("OPENSOURCEKAFKA", "functiongraph.kafka", True),
        ("ROCKETMQ", "functiongraph.rocketmq", False),
        ("RABBITMQ", "functiongraph.rabbitmq", False),
    ],
)
def test_each_queue_has_its_kind_and_kafka_keeps_the_order_of_a_topic(told: str, kind: str, grouped: bool) -> None:
    event, function = sample("kafka") | {"trigger_type": told}, deployed()
    assert {(record.kind, record.group) for record in read(event)} == {
        (kind, f"{INSTANCE}/letters" if grouped else None)
    }
    assert function.answer(event) == {"records": 3, "outcomes": {"succeeded": 3}}
    if grouped:
        assert function.ids == ids(event)


def test_the_instance_stands_at_the_top_or_in_the_record() -> None:
    outside, inside = sample("kafka"), sample("kafka")
    inside["records"][0]["instance_id"] = inside.pop("instance_id")
    assert read(outside) == read(inside)
    assert read(outside)[0].source == f"{INSTANCE}/letters"


@pytest.mark.parametrize("nothing", [None, "", ...])
def test_what_is_null_or_absent_does_not_stop_the_rest(nothing: Any) -> None:
    event = sample("kafka") | {"instance_id": nothing, "event_time": nothing, "region": nothing}
    event = {key: value for key, value in event.items() if value is not ...}
    event["records"][0] = {key: event["records"][0][key] for key in ("messages",)}
    assert len(set(ids(event))) == 3
    assert deployed().answer(event)["records"] == 3
    assert deployed().answer(sample("kafka") | {"records": None}) == {"records": 0, "outcomes": {}}


def test_two_equal_messages_are_two() -> None:
    event = sample("kafka")
    assert event["records"][0]["messages"][0] == event["records"][0]["messages"][1]
    assert len(set(ids(event))) == 3


@pytest.mark.parametrize(
    "change",
    [{"event_time": 1795334401}, {"instance_id": "other"}],
)
def test_another_batch_or_another_instance_has_other_ids(change: dict[str, Any]) -> None:
    assert not set(ids(sample("kafka"))) & set(ids(sample("kafka") | change))


def test_another_topic_has_other_ids() -> None:
    event = sample("kafka")
    event["records"].append({**event["records"][0], "topic_id": "others"})
    assert len(set(ids(event))) == 6
    assert [record.group for record in read(event)] == [f"{INSTANCE}/letters"] * 3 + [f"{INSTANCE}/others"] * 3


def test_an_id_of_the_sender_outlasts_another_batch() -> None:
    message = json.dumps({**LISTS, "id": "letter-7"})
    results = []
    for moment in (1, 2):
        function = deployed()
        function.answer(sample("kafka") | {"event_time": moment, "records": [{"messages": [message]}]})
        results += [event.id for event in function.sink.events]
    assert results[0] == results[1]


def test_a_message_that_is_no_json_fails_alone_and_the_batch_is_left_to_the_dead_letters() -> None:
    event, function = sample("kafka"), deployed()
    event["records"][0]["messages"][1] = "kafka message"
    with pytest.raises(CannotSucceed, match="1 of 3 records: 1 x invalid_argument"):
        function.answer(event)
    assert function.sink.outcomes == ["succeeded", "rejected", "succeeded"]


def test_a_batch_that_is_repeated_has_the_same_ids_again() -> None:
    function = deployed()
    function.emulator.faults.add(kind="throttle_429", match={"service": "elb"}, times=4)
    with pytest.raises(TryAgain):
        function.answer(sample("kafka"))
    first = [event.id for event in function.sink.events]
    function.answer(sample("kafka"))
    second = [event.id for event in function.sink.events][len(first) :]
    assert first == second[1:]


@pytest.mark.parametrize(
    "message", [{"body": json.dumps(LISTS), "exchange": "letters"}, {"body": LISTS}, LISTS, json.dumps(LISTS)]
)
def test_a_message_of_rabbitmq_may_be_an_object_with_a_body(message: Any) -> None:
    event = sample("kafka") | {"trigger_type": "RABBITMQ", "records": [{"messages": [message]}]}
    assert deployed().answer(event)["outcomes"] == {"succeeded": 1}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"records": {}}, "records must be an array"),
        ({"records": ["x"]}, r"records\[0\] must be an object"),
        ({"records": [{"messages": "x"}]}, r"records\[0\]\.messages must be an array"),
        ({"records": [{"topic_id": 5}]}, r"records\[0\]\.topic_id must be a string"),
        ({"instance_id": []}, "instance_id must be a string"),
    ],
)
def test_what_cannot_be_a_batch_is_named(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(EventRefused, match=told):
        deployed().answer(sample("kafka") | changes)


@given(st.lists(st.text(max_size=6) | st.integers() | st.none(), min_size=1, max_size=8))
def test_ids_of_a_batch_are_distinct_and_follow_from_the_batch_alone(messages: list[Any]) -> None:
    event = sample("kafka") | {"records": [{"messages": messages, "topic_id": "letters"}]}
    again = json.loads(json.dumps(event))
    assert ids(event) == ids(again)
    assert len(set(ids(event))) == len(messages)
    assert all(first != second for first, second in pairwise(ids(event)))
