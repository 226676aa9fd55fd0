"""Records of a DIS stream: each is known by its partition and number, and those of one partition keep their order."""

from __future__ import annotations

from typing import Any

import pytest

from events.triggers.functiongraph import dis
from events.triggers.serverless.shapes import EventRefused
from tests.events.triggers.functiongraph.support import deployed, sample


def test_a_record_is_known_by_its_partition_and_number() -> None:
    function = deployed()
    function.answer(sample("dis"))
    assert function.ids == ["shardId-0000000000/0", "shardId-0000000000/1"]
    assert {(record.source, record.group) for record in dis._records(sample("dis"))} == {
        ("dis/letters", "shardId-0000000000")
    }


@pytest.mark.parametrize("message", [None, {}, {"records": None}])
def test_a_stream_without_records(message: Any) -> None:
    assert deployed().answer(sample("dis") | {"Message": message}) == {"records": 0, "outcomes": {}}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"ShardID": None}, "ShardID must be"),
        ({"StreamName": 5}, "StreamName must be"),
        ({"Message": {"records": [{"data": "e30="}]}}, r"Message\.records\[0\]\.sequence_number"),
        ({"Message": {"records": [{"data": "{}", "sequence_number": "0"}]}}, r"Message\.records\[0\]\.data must be"),
    ],
)
def test_what_cannot_be_a_stream_is_named(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(EventRefused, match=told):
        deployed().answer(sample("dis") | changes)
