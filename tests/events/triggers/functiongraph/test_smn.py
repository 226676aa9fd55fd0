"""Messages of SMN topics: `record` in the singular, attributes that are null, alarms, and writes that are not done twice."""

from __future__ import annotations

import json
from typing import Any

import pytest

from events.samples import sample as operation_sample
from events.triggers.serverless.shapes import EventRefused
from events.triggers.serverless.whole import CannotSucceed, TryAgain
from tests.events.triggers.functiongraph.support import LISTS, deployed, sample, takes

WRITES = {"operation": "apig.add_members", "payload": json.loads(operation_sample("apig.add_members"))}


def messages(*each: Any) -> dict[str, Any]:
    """Return an event of these messages (JSON values)."""
    event = sample("smn")
    [record] = event["record"]
    told = [record["smn"] | {"message": json.dumps(one), "message_id": f"m{index}"} for index, one in enumerate(each)]
    return {**event, "record": [{**record, "smn": smn} for smn in told]}


def test_a_message_is_known_by_its_own_id() -> None:
    function = deployed()
    function.answer(sample("smn"))
    [event] = function.sink.events
    assert event.extensions["causationid"] == "b62782a88e58480dbbdf1ae3de2aa082"


def test_an_alarm_of_cloud_eye_is_taken_by_pointers() -> None:
    function = deployed(takes({"listener_id": {"at": "/alarm_name"}}))
    assert function.answer(messages(sample("ces_alarm")))["outcomes"] == {"succeeded": 1}


def test_only_what_is_needed_must_be_there() -> None:
    told = {key: sample("smn")["record"][0]["smn"][key] for key in ("topic_urn", "message_id", "message")}
    assert deployed().answer({"record": [{"smn": told}]})["outcomes"] == {"succeeded": 1}
    assert deployed().answer({"record": []}) == {"records": 0, "outcomes": {}}


@pytest.mark.parametrize("message", [None, "", "this is text"])
def test_a_message_that_is_no_json_is_told_of_and_left_to_the_dead_letters(message: Any) -> None:
    event, function = sample("smn"), deployed()
    event["record"][0]["smn"]["message"] = message
    with pytest.raises(CannotSucceed, match="1 of 1 records"):
        function.answer(event)
    assert function.sink.outcomes == ["rejected"]


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (5, r"record\[0\] must be an object"),
        ({}, r"record\[0\]\.smn\.topic_urn"),
        ({"smn": []}, r"record\[0\]\.smn must be an object"),
        ({"smn": {"topic_urn": "t", "message_id": None}}, r"record\[0\]\.smn\.message_id"),
        ({"smn": {"topic_urn": "t", "message_id": "m", "message": {}}}, r"record\[0\]\.smn\.message must be a string"),
    ],
)
def test_what_cannot_be_a_message_is_named(record: Any, told: str) -> None:
    with pytest.raises(EventRefused, match=told):
        deployed().answer({"record": [record]})


def test_what_may_succeed_later_is_asked_for_again_without_an_event() -> None:
    function = deployed()
    function.emulator.faults.add(kind="throttle_429", match={"service": "elb"}, times=9)
    with pytest.raises(TryAgain, match="1 of 1 records: 1 x resource_exhausted"):
        function.answer(messages(LISTS))
    assert function.sink.events == []


def test_a_write_whose_answer_was_lost_is_not_repeated() -> None:
    function = deployed()
    function.emulator.faults.add(kind="drop_after", match={"service": "apig"})
    assert function.answer(messages(WRITES)) == {"records": 1, "outcomes": {"unknown": 1}}
    assert function.sink.outcomes == ["unknown"]
    assert len(function.emulator.journal) == 1


def test_a_write_that_was_done_keeps_the_rest_from_being_repeated() -> None:
    function = deployed()
    function.emulator.faults.add(kind="throttle_429", match={"service": "elb"}, times=9)
    answer = function.answer(messages(WRITES, LISTS))
    assert answer == {"records": 2, "outcomes": {"succeeded": 1, "failed": 1}}
    assert sorted(function.sink.outcomes) == ["failed", "succeeded"]


def test_there_is_no_time_left() -> None:
    with pytest.raises(TryAgain, match="not run, there was no time"):
        deployed().answer(messages(LISTS), getRemainingTimeInMilliSeconds=600)
