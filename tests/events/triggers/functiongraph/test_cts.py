"""Traces of CTS: a trace is known by its id, and its time is looked at in none of its forms."""

from __future__ import annotations

from typing import Any

import pytest

from events.triggers.serverless.whole import CannotSucceed
from tests.events.triggers.functiongraph.support import deployed, sample, takes

LISTENS = takes({"listener_id": {"at": "/resource_id"}})


def test_a_trace_is_known_by_its_id() -> None:
    function = deployed(LISTENS)
    assert function.answer(sample("cts")) == {"records": 1, "outcomes": {"succeeded": 1}}
    assert function.ids == ["7acf75b8-1344-12e9-93f5-f6e48022a24f"]
    assert function.sink.events[0].data["trigger"]["kind"] == "functiongraph.cts"


@pytest.mark.parametrize("time", ["", 1795334400, 1795334400123, None])
def test_its_time_has_many_forms(time: Any) -> None:
    event = sample("cts")
    event["cts"]["time"] = event["cts"]["record_time"] = time
    assert deployed(LISTENS).answer(event)["outcomes"] == {"succeeded": 1}


@pytest.mark.parametrize("lost", [None, "", "标识", 5])
def test_a_trace_without_an_id_is_known_by_what_it_says(lost: Any) -> None:
    event, function = sample("cts"), deployed(LISTENS)
    event["cts"]["trace_id"] = lost
    function.answer(event)
    function.answer(event)
    function.answer({"cts": event["cts"] | {"code": 200}})
    assert len(set(function.ids)) == 2


def test_without_pointers_a_trace_is_no_payload() -> None:
    function = deployed({"HONGYAN_OPERATION": "elb.list_members"})
    with pytest.raises(CannotSucceed):
        function.answer(sample("cts"))
    assert function.sink.outcomes == ["rejected"]
