"""The one path: every call ends in exactly one valid result event, whatever the payload, the settings or our own faults."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from events import strictjson
from events.cloudevents import validate
from events.dispatch import Call, Dispatcher, Result
from events.logs import JsonLines
from events.result_schema import result_schema
from events.samples import sample
from events.settings import EventSettings
from functions import registry
from functions.cloud.client import Client
from functions.cloud.deadline import Deadline, Trail
from functions.cloud.settings import CloudSettings
from functions.registry import Partial, names
from tests.support import LISTENER, PROJECT, says, scripted, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

EMULATED = CloudSettings.from_env(
    {"HONGYAN_EMULATOR": "local", "HONGYAN_ALLOWED_PROJECTS": "0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e"}
)
SAMPLE = object()
SCHEMA = jsonschema.Draft202012Validator(result_schema())


def dispatch(operation: str, payload: Any = SAMPLE, own: CloudSettings = EMULATED, **changes: Any) -> Result:
    payload = json.loads(sample(operation)) if payload is SAMPLE else payload
    known: dict[str, Any] = {
        "deadline": Deadline.after(20),
        "source": "/test",
        "trigger": "test",
        "id": "1",
        "sender_id": "s",
    }
    result = Dispatcher(Client(own), EventSettings()).dispatch(Call(operation, payload, **known | changes))
    validate(result.event)
    SCHEMA.validate(json.loads(strictjson.dumps(result.event.data)))
    assert set(result.event.data) == set(result_schema()["properties"])
    return result


@pytest.mark.parametrize("operation", names())
def test_each_operation_succeeds_with_its_sample(operation: str) -> None:
    result = dispatch(operation)
    event, data = result.event, result.event.data
    assert (result.outcome, data["outcome"], data["error"], result.error) == ("succeeded", "succeeded", None, None)
    assert (event.type, event.source) == (f"hongyan.{operation}.succeeded", f"/hongyan/emulator/{PROJECT}")
    assert event.dataschema == data_schema_id()
    assert event.subject
    assert data["target"]["project_id"] == PROJECT
    assert event.subject.split("/")[1] in data["target"].values()
    assert data["upstream"] | {"duration_ms": 0, "request_id": ""} == {
        "service": operation.split(".")[0],
        "method": data["upstream"]["method"],
        "status": 201 if operation == "apig.add_members" else 200,
        "request_id": "",
        "attempts": 1,
        "requests": 1,
        "duration_ms": 0,
    }
    assert data["trigger"] == {"kind": "test", "id": "s", "sender": None}


def data_schema_id() -> str:
    return str(result_schema()["$id"])


def test_a_redelivery_has_the_same_id_and_nothing_else_has() -> None:
    again = [dispatch("elb.list_members").event.id for _ in range(2)]
    assert again[0] == again[1]
    others = [
        dispatch("elb.list_members", id="2").event.id,
        dispatch("elb.list_members", source="/other").event.id,
        dispatch("csbs.check_restorable").event.id,
        dispatch("elb.list_members", id=None).event.id,
        dispatch("elb.list_members", id=None).event.id,
    ]
    assert len({again[0], *others}) == 6


def test_what_caused_it_and_what_it_belongs_to() -> None:
    plain = dispatch("elb.list_members").event.extensions
    assert plain == {"causationid": "1", "correlationid": "1"}
    trace = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01", "tracestate": "x=1"}
    passed = dispatch(
        "elb.list_members", extensions={"correlationid": "c", "partitionkey": "p", **trace}
    ).event.extensions
    assert passed == {"causationid": "1", "correlationid": "c", **trace}


@pytest.mark.parametrize("payload", [[], "text", 1, True, 1.5])
def test_a_payload_that_is_no_object(payload: Any) -> None:
    data = dispatch("elb.list_members", payload).event.data
    assert (data["outcome"], data["error"]["kind"], data["upstream"]) == ("rejected", "invalid_argument", None)
    assert data["error"]["fields"] == {"_schema": ["Must be a JSON object."]}


def test_a_wrong_payload_names_each_field() -> None:
    members = [{"host": "10.0.0.1", "weight": 101}, {"port": 1}]
    result = dispatch("apig.add_members", {"instance_id": "i", "members": members, "x": 1})
    error = result.event.data["error"]
    assert error["fields"] == {
        "members": {
            "0": {"weight": ["Must be greater than or equal to 0 and less than or equal to 100."]},
            "1": {"host": ["Name a host, or an ecs_id with its ecs_name."]},
        },
        "vpc_channel_id": ["Missing data for required field."],
        "x": ["Unknown field: remove it or correct its name."],
    }
    assert error["message"].endswith("(and 2 more)")
    assert (error["retryable"], result.event.subject) == (False, None)


def test_a_thousand_mistakes_are_not_all_repeated() -> None:
    result = dispatch("elb.list_members", {f"{'long' * 50}{number}": 1 for number in range(1000)})
    assert len(strictjson.dumps(result.event.data)) < 12_000


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("elb.nothing", "elb.nothing"),
        ("a\nb", "unknown"),
        ("x" * 1_000_000, "unknown"),
        ("", "unknown"),
        ("项目", "unknown"),
    ],
)
def test_an_operation_that_is_none(name: str, shown: str) -> None:
    result = dispatch(name, {})
    assert (result.outcome, result.event.data["error"]["kind"]) == ("rejected", "unimplemented")
    assert result.event.type == f"hongyan.{shown}.rejected"


def test_another_project_only_from_the_list() -> None:
    listener = {"listener_id": LISTENER}
    refused = dispatch("elb.list_members", {"project_id": "other", **listener}).event.data
    assert (refused["outcome"], refused["error"]["kind"], refused["target"]["project_id"]) == (
        "rejected",
        "permission_denied",
        PROJECT,
    )
    taken = dispatch("elb.list_members", {"project_id": "0e" * 16, **listener})
    assert (taken.outcome, taken.event.data["target"]["project_id"]) == ("succeeded", "0e" * 16)
    assert taken.event.source == f"/hongyan/emulator/{'0e' * 16}"


def test_settings_that_are_incomplete_fail_with_their_names() -> None:
    result = dispatch("elb.list_members", own=CloudSettings())
    assert (result.outcome, result.event.data["error"]["kind"]) == ("failed", "internal")
    assert "HUAWEICLOUD_SDK_AK" in result.event.data["error"]["message"]
    assert result.event.data["upstream"] is None


def test_items_that_did_not_go_through_make_it_partial() -> None:
    failed = {
        "id": "0df78897-35b0-4a93-ad17-0bc0585f546b",
        "status": "failed",
        "error": [{"error_code": "E", "error_message": "m"}],
    }
    with scripted(says(200, {"connections": [failed]})) as server:
        result = dispatch("vpcep.update_connection_descriptions", own=settings(server.url))
    assert (result.outcome, result.event.data["error"]) == ("partial", None)
    assert result.event.data["result"]["failed"] == [failed["id"]]
    assert result.event.data["result"]["missing"] == ["0d837f75-90d5-4528-bd11-5d974238ebca"]


class Broken:
    """Stands in for one operation's call, to see what a fault of ours ends in."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, operation: str, call: Callable[..., Any]) -> None:
        found = registry.find(operation)
        changed = registry.Function(
            found.name, call, found.payload, found.result, found.subject, found.reads, found.idempotent
        )
        monkeypatch.setattr("events.running.find", lambda _: changed)


def boom(payload: Mapping[str, Any], cloud: Any) -> dict[str, Any]:
    raise ZeroDivisionError("password=hunter2")


def asked_then_boom(payload: Mapping[str, Any], cloud: Any) -> dict[str, Any]:
    cloud.post("apig", "/x", path=payload, expect=201)
    raise ZeroDivisionError("password=hunter2")


def test_a_fault_of_ours_is_an_event_too(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    Broken(monkeypatch, "apig.add_members", boom)
    with caplog.at_level(logging.INFO, "hongyan"):
        result = dispatch("apig.add_members")
    assert (result.outcome, result.event.data["error"]["kind"]) == ("failed", "internal")
    assert "hunter2" not in strictjson.dumps(result.event.data).decode()
    crash = JsonLines().format(caplog.records[0])
    assert str(result.event.extensions["correlationid"]) in crash
    assert "ZeroDivisionError" in crash
    assert "ZeroDivisionError: password=hunter2" not in crash
    assert [record.message for record in caplog.records] == ["call.crashed", "call.finished"]
    assert caplog.records[0].exc_info


def test_a_fault_of_ours_after_a_write_leaves_its_outcome_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    Broken(monkeypatch, "apig.add_members", asked_then_boom)
    with scripted(says(201, {})) as server:
        result = dispatch("apig.add_members", own=settings(server.url))
    assert (result.outcome, result.event.data["error"]["kind"], result.event.data["error"]["retryable"]) == (
        "unknown",
        "unknown",
        False,
    )


def test_a_partial_answer_is_marked_by_its_function(monkeypatch: pytest.MonkeyPatch) -> None:
    Broken(monkeypatch, "apig.add_members", lambda *_: Partial(size=1, total=1, members=[], missing=["10.0.0.9"]))
    assert dispatch("apig.add_members").outcome == "partial"


def test_the_log_tells_the_call_and_no_payload(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "hongyan"):
        event = dispatch("vpcep.update_connection_descriptions", extensions={"correlationid": "c"}).event
    facts = caplog.records[-1].__dict__["facts"]
    assert facts | {"duration_ms": 0, "request_id": ""} == {
        "operation": "vpcep.update_connection_descriptions",
        "sender": None,
        "outcome": "succeeded",
        "kind": None,
        "code": None,
        "attempts": 1,
        "duration_ms": 0,
        "request_id": "",
        "event_id": event.id,
        "correlation_id": "c",
    }


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from([*names(), "elb.x"]) | st.text(max_size=20), json_values, st.none() | st.text(max_size=20))
def test_any_call_gives_one_valid_event(operation: str, payload: Any, sender_id: str | None) -> None:
    assert dispatch(operation, payload, sender_id=sender_id).outcome == "rejected"


@pytest.mark.parametrize(
    ("operation", "sent", "outcome", "kind"),
    [
        ("elb.list_members", True, "failed", "deadline_exceeded"),
        ("elb.list_members", False, "failed", "deadline_exceeded"),
        ("apig.add_members", True, "unknown", "unknown"),
        ("apig.add_members", None, "unknown", "unknown"),
        ("apig.add_members", False, "failed", "deadline_exceeded"),
        ("vpcep.update_connection_descriptions", True, "unknown", "deadline_exceeded"),
    ],
)
def test_a_call_that_was_lost_is_in_doubt_only_where_a_write_may_have_been_sent(
    operation: str,
    sent: bool | None,
    outcome: str,
    kind: str,
) -> None:
    trail = None if sent is None else Trail(sent)
    payload = json.loads(sample(operation))
    call = Call(operation, payload, Deadline.after(0), "/test", "test", "1", trail=trail)
    result = Dispatcher(Client(EMULATED), EventSettings()).lost(call)
    validate(result.event)
    SCHEMA.validate(json.loads(strictjson.dumps(result.event.data)))
    assert (result.outcome, result.event.data["error"]["kind"]) == (outcome, kind)
    assert result.event.id == dispatch(operation).event.id
    assert result.repeatable == (kind != "unknown")
