"""Records: what to run and on what, read from every form of body that a queue may bring."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.settings import EventSettings
from events.triggers.records import Record
from events.triggers.serverless.settings import ServerlessSettings
from functions.cloud.deadline import Deadline

if TYPE_CHECKING:
    from events.dispatch import Call

TRACE = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate": "a=1"}
EVENT = {
    "specversion": "1.0",
    "id": "e-1",
    "source": "/shop",
    "type": "hongyan.elb.list_members",
    "datacontenttype": "application/json",
    "data": {"listener_id": "l"},
    "correlationid": "c-1",
}


def asks(body: Any, own: ServerlessSettings | None = None, **more: Any) -> Call:
    record = Record("sqs", "/queue", "m-1", body, **more)
    return record.asks(Deadline.after(5), EventSettings(body_limit=2000), own or ServerlessSettings())


def test_a_bare_payload_runs_what_the_settings_say() -> None:
    call = asks('{"listener_id": "l"}', ServerlessSettings(operation="elb.list_members"))
    assert (call.operation, call.payload, call.refusal) == ("elb.list_members", {"listener_id": "l"}, None)
    assert (call.source, call.id, call.sender_id, call.trigger) == ("/queue", "m-1", "m-1", "sqs")


def test_what_the_envelope_says_comes_before_the_settings() -> None:
    assert asks("{}", ServerlessSettings(operation="a.b"), operation="elb.list_members").operation == "elb.list_members"


@pytest.mark.parametrize("body", [json.dumps(EVENT), json.dumps(EVENT).encode(), EVENT])
def test_an_event_says_itself_what_to_run(body: Any) -> None:
    call = asks(body, operation="csbs.check_restorable")
    assert (call.operation, call.payload) == ("elb.list_members", {"listener_id": "l"})
    assert (call.source, call.id, call.sender_id) == ("/shop", "e-1", "m-1")
    assert call.extensions["correlationid"] == "c-1"


def test_an_event_of_another_type_brings_a_payload_for_what_the_settings_say() -> None:
    foreign = EVENT | {"type": "com.example.scaled"}
    assert asks(foreign, ServerlessSettings(operation="elb.list_members")).operation == "elb.list_members"
    refused = asks(foreign)
    assert refused.refusal
    assert "hongyan.<operation>" in refused.refusal.message


def test_a_wrapped_payload_says_what_to_run_and_may_have_an_id() -> None:
    call = asks({"operation": "elb.list_members", "payload": {"listener_id": "l"}})
    assert (call.operation, call.payload, call.id) == ("elb.list_members", {"listener_id": "l"}, "m-1")
    assert asks({"operation": "elb.list_members", "payload": None, "id": "order-7"}).id == "order-7"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"operation": 7, "payload": {}}, "operation"),
        ({"operation": "", "payload": {}}, "operation"),
        ({"operation": "elb.list_members", "payload": {}, "id": ""}, "id"),
        ({"operation": "elb.list_members", "payload": {}, "id": 7}, "id"),
        ({"operation": "elb.list_members", "payload": {}, "id": "x" * 513}, "id"),
    ],
)
def test_a_wrong_wrapper_names_the_field(body: Any, field: str) -> None:
    refusal = asks(body).refusal
    assert refusal
    assert list(refusal.fields or {}) == [field]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("not json", "the body is not JSON"),
        ("", "the body is not JSON"),
        (b"\xff", "the body is not JSON: the text is not UTF-8"),
        ("\ud800", "not a value that JSON can carry"),
        ({"a": float("nan")}, "not a value that JSON can carry"),
        ({"a": {1, 2}}, "not a value that JSON can carry"),
        ('"' + "x" * 2000 + '"', "larger than 2000 bytes"),
        ({"specversion": "1.0"}, "the CloudEvent is not valid: id: is missing"),
        (EVENT | {"id": "x" * 600}, "must not be longer than 512"),
        (EVENT | {"datacontenttype": "text/plain", "data": "x"}, "the event's data must be JSON"),
    ],
)
def test_what_is_no_call_is_refused_with_what_to_mend(body: Any, told: str) -> None:
    call = asks(body, ServerlessSettings(operation="elb.list_members"))
    assert call.refusal
    assert told in call.refusal.message
    assert (call.operation, call.refusal.retryable) == ("elb.list_members", False)


def test_what_names_no_operation_is_told_how_to() -> None:
    refusal = asks({"listener_id": "l"}).refusal
    assert refusal
    assert "HONGYAN_OPERATION" in refusal.message
    assert refusal.kind == "unimplemented"


def test_the_trace_is_the_carriers_unless_the_event_has_one() -> None:
    assert asks("{}", operation="a.b", carrier=TRACE).extensions == TRACE
    own = {"traceparent": TRACE["traceparent"].replace("0af7", "1af7")}
    assert asks(EVENT | own, carrier=TRACE).extensions["traceparent"] == own["traceparent"]


def test_a_payload_is_found_where_the_settings_say() -> None:
    own = ServerlessSettings(operation="elb.list_members", payload={"listener_id": {"at": "/cts/resource_id"}})
    assert asks({"cts": {"resource_id": "l"}}, own).payload == {"listener_id": "l"}
    refusal = asks({"cts": {}}, own).refusal
    assert refusal
    assert refusal.fields == {"listener_id": ["There is nothing at /cts/resource_id in the body."]}


def test_secrets_in_bodies_do_not_show() -> None:
    assert "hush" not in repr(Record("sqs", "/q", "1", "hush", carrier={"traceparent": "hush"}))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON | st.dictionaries(st.sampled_from([*EVENT, "operation", "payload"]), JSON) | st.binary() | st.text())
def test_any_body_gives_a_call(body: Any) -> None:
    call = asks(body)
    assert call.refusal or call.operation
