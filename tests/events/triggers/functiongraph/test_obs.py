"""Events of OBS buckets: what tells one from another is bucket, key, sequencer and event."""

from __future__ import annotations

from typing import Any

import pytest

from events.triggers.functiongraph import obs
from events.triggers.serverless.shapes import EventRefused, UnknownEvent
from tests.events.triggers.functiongraph.support import deployed, sample, takes


def changed(inside: str = "s3", **changes: Any) -> dict[str, Any]:
    """Return the sample with fields of its object, bucket or record changed, and `s3` renamed."""
    [record] = sample("obs")["Records"]
    told = record.pop("s3")
    for part in (record, told["object"], told["bucket"]):
        part.update({name: value for name, value in changes.items() if name in part})
    return {"Records": [record | {inside: told}]}


def id_of(event: dict[str, Any]) -> str:
    [record] = obs._records(event)
    return record.id


@pytest.mark.parametrize("inside", ["s3", "obs"])
def test_an_object_is_taken_by_pointers(inside: str) -> None:
    function = deployed(takes({"listener_id": {"at": f"/{inside}/object/key"}}))
    assert function.answer(changed(inside)) == {"records": 1, "outcomes": {"succeeded": 1}}
    assert function.sink.events[0].data["trigger"]["kind"] == "functiongraph.obs"
    assert id_of(changed(inside)) == id_of(changed())


@pytest.mark.parametrize(
    "change",
    [
        {"key": "其他"},
        {"name": "others"},
        {"sequencer": "1"},
        {"eventName": "ObjectRemoved:Delete"},
        {"sequencer": None},
    ],
)
def test_another_object_or_event_has_another_id(change: dict[str, Any]) -> None:
    assert id_of(changed(**change)) != id_of(changed())


def test_the_time_tells_events_apart_where_there_is_no_sequencer() -> None:
    early, late = (changed(sequencer=None, eventTime=time) for time in ("1", "2"))
    assert id_of(early) != id_of(late)
    assert id_of(changed(eventTime="1")) == id_of(changed(eventTime="2"))


def test_no_records_are_nothing_to_do() -> None:
    assert deployed().answer({"Records": []}) == {"records": 0, "outcomes": {}}


def test_records_of_another_cloud_are_not_taken() -> None:
    with pytest.raises(UnknownEvent, match="'Records'"):
        deployed({"HONGYAN_OPERATION": "elb.list_members"}).answer(
            {"Records": [{"eventSource": "aws:sqs", "body": ""}]}
        )


@pytest.mark.parametrize(
    ("s3", "told"),
    [
        ({"bucket": []}, r"Records\[0\]\.s3\.bucket must be an object"),
        ({"bucket": {"name": 5}}, r"Records\[0\]\.s3\.bucket\.name must be a string"),
        ({"object": "key"}, r"Records\[0\]\.s3\.object must be an object"),
    ],
)
def test_what_cannot_be_a_record_is_named(s3: dict[str, Any], told: str) -> None:
    with pytest.raises(EventRefused, match=told):
        deployed().answer({"Records": [{"s3": s3}]})
