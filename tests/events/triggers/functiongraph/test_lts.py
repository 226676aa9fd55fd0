"""Log lines of LTS: JSON in base64, decoded strictly, with the lines inside it read so that pointers lead to them."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from events.triggers.serverless.shapes import EventRefused
from tests.events.triggers.functiongraph.support import deployed, sample, takes

FIRST_LINE = takes({"listener_id": {"at": "/logs/0/message"}})


def event(value: Any) -> dict[str, Any]:
    """Return an event that holds this: a JSON value, or text as it is."""
    text = value if isinstance(value, str) else json.dumps(value)
    return {"lts": {"data": base64.b64encode(text.encode()).decode()}}


def test_lines_are_taken_by_pointers_whether_they_are_text_or_an_array() -> None:
    written = sample("lts")
    for logs in (written["logs"], json.loads(written["logs"])):
        function = deployed(FIRST_LINE)
        assert function.answer(event(written | {"logs": logs})) == {"records": 1, "outcomes": {"succeeded": 1}}
        assert function.sink.events[0].data["trigger"]["kind"] == "functiongraph.lts"


def test_the_same_lines_have_the_same_id_and_others_another() -> None:
    function, lines = deployed(FIRST_LINE), sample("lts")
    for told in (lines, lines, lines | {"log_topic_id": "other"}):
        function.answer(event(told))
    assert len(set(function.ids)) == 2


def test_what_is_null_or_absent_does_not_stop_the_rest() -> None:
    lines = sample("lts") | {"owner": None, "log_group_id": None}
    del lines["log_topic_id"]
    assert deployed(FIRST_LINE).answer(event(lines))["outcomes"] == {"succeeded": 1}


@pytest.mark.parametrize(
    ("lts", "told"),
    [
        ({}, "lts.data must be a string of padded base64"),
        ({"data": None}, "lts.data must be a string of padded base64"),
        ({"data": '{"logs": []}'}, "lts.data must be a string of padded base64"),
        ({"data": "e30"}, "lts.data must be a string of padded base64"),
        ({"data": "é30="}, "lts.data must be a string of padded base64"),
        (event("text")["lts"], "lts.data must hold JSON: malformed"),
        (event([])["lts"], "lts.data must hold a JSON object"),
        (event({"logs": "[{"})["lts"], "lts.data.logs must hold JSON"),
        (event({"log_group_id": 5})["lts"], "lts.data.log_group_id must be a string"),
    ],
)
def test_what_cannot_be_log_lines_is_named(lts: Any, told: str) -> None:
    with pytest.raises(EventRefused, match=told):
        deployed().answer({"lts": lts})
