"""Every kind of event carries every operation to its handler, and what comes out is the same whatever carried it."""

from __future__ import annotations

import base64
import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.cloudevents.json import from_envelope
from events.dispatch import Call, Dispatcher
from events.samples import sample
from events.samples.envelopes import Unfit, UnknownKind, envelope, find, kinds
from events.samples.envelopes.filling import Filling
from events.samples.envelopes.requests import signed
from events.triggers.aws_lambda import Lambda
from events.triggers.functiongraph import FunctionGraph
from functions.cloud.deadline import Deadline
from functions.registry import find as find_operation
from functions.registry import names
from tests.events.triggers.serverless.support import emulated

if TYPE_CHECKING:
    from events.cloudevents import CloudEvent

KINDS = kinds()
SEVERAL = [kind for kind in KINDS if find(kind).repeats]
HTTP = [kind for kind in KINDS if find(kind).is_http]
PLATFORMS: dict[str, Any] = {"lambda": Lambda, "functiongraph": FunctionGraph}
PAYLOAD = b'{"listener_id": "a"}'
# Each emulator says its own, of what it makes or changes.
MADE = frozenset({"id", "created_at", "updated_at"})


def run(kind: str, operation: str, times: int = 1) -> list[CloudEvent]:
    """Return the result events of a sample that a function on an emulator of its own is given so many times."""
    chosen = find(kind)
    event, environment = chosen.filled(Filling(kind, operation, sample(operation)))
    app, sink = emulated(environment)
    function = PLATFORMS[chosen.platform](app)
    answers = [function.answer(event, None) for _ in range(times)]
    if chosen.is_http:
        answers = [json.loads(answer["body"]) for answer in answers]
    return sink.events or [from_envelope(answer) for answer in answers]


@lru_cache
def known(operation: str) -> Any:
    """Return the result of a sample that no trigger carried."""
    app, _ = emulated()
    call = Call(operation, json.loads(sample(operation)), Deadline.after(10), source="/test", trigger="test")
    return lasting(Dispatcher(app.client, app.events).dispatch(call).event)


def lasting(event: CloudEvent) -> Any:
    """Return an event's result without what two clouds cannot have in common."""
    result = event.data["result"]
    return result if find_operation(event.data["operation"]).reads else without(MADE, result)


def without(names: frozenset[str], value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without(names, inner) for name, inner in value.items() if name not in names}
    return [without(names, item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("operation", names())
@pytest.mark.parametrize("kind", KINDS)
def test_an_operation_has_the_same_result_whatever_trigger_asked_for_it(kind: str, operation: str) -> None:
    [event] = run(kind, operation)
    assert event.data["outcome"] == "succeeded"
    assert event.data["result"]
    assert lasting(event) == known(operation)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_sample_again_is_a_redelivery(kind: str) -> None:
    first, second = run(kind, "elb.list_members", times=2)
    assert first.id == second.id
    assert first.extensions["causationid"] == second.extensions["causationid"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_says_in_a_line_what_it_is_and_leaves_no_marker_behind(kind: str) -> None:
    chosen = find(kind)
    assert 0 < len(chosen.about) <= 60
    assert chosen.platform in ("lambda", "functiongraph")
    assert kind.startswith("fg-") == (chosen.platform == "functiongraph")
    filled = chosen.filled(Filling(kind, "elb.list_members", PAYLOAD))
    assert "{{" not in json.dumps(filled)
    assert all(isinstance(value, str) for value in filled[1].values())


@pytest.mark.parametrize("kind", SEVERAL)
def test_a_count_makes_several_that_are_told_apart(kind: str) -> None:
    one, three = (json.dumps(envelope(kind, "elb.list_members", PAYLOAD, count=count)) for count in (1, 3))
    assert len(three) > len(one)
    chosen = find(kind)
    event, environment = chosen.filled(Filling(kind, "elb.list_members", sample("elb.list_members"), 3))
    app, sink = emulated(environment)
    PLATFORMS[chosen.platform](app).answer(event, None)
    assert len({event.id for event in sink.events}) == 3


@pytest.mark.parametrize("kind", sorted({*KINDS} - {*SEVERAL}))
def test_a_kind_that_brings_one_brings_no_more(kind: str) -> None:
    with pytest.raises(Unfit, match=f"an event of {kind} brings one payload"):
        envelope(kind, "elb.list_members", PAYLOAD, count=2)


def test_ids_follow_from_what_is_asked() -> None:
    ids = {
        envelope("lambda-direct", operation, payload)["id"]
        for operation in ("elb.list_members", "apig.add_members")
        for payload in (PAYLOAD, b"{}")
    }
    assert len(ids) == 4
    assert envelope("lambda-direct", "a.b", b"{}")["id"] != envelope("fg-direct", "a.b", b"{}")["id"]


def test_types_begin_with_the_prefix_that_is_set() -> None:
    assert envelope("eventbridge", "a.b", b"{}", prefix="com.example")["detail-type"] == "com.example.a.b"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    )
)
def test_any_payload_arrives_as_it_was_however_deep_it_is_wrapped(value: Any) -> None:
    # What a marker looks like is text like any other in a payload.
    payload = json.dumps([value, "{{id}}", "{{payload}}", ["{{each}}", 1]]).encode("utf-8", "surrogatepass")
    whole = json.loads(payload)
    body = envelope("sns-sqs", "a.b", payload)["Records"][0]["body"]
    assert json.loads(json.loads(body)["Message"]) == whole
    assert json.loads(base64.b64decode(envelope("fg-apig", "a.b", payload)["body"])) == whole
    [message] = envelope("fg-kafka", "a.b", payload)["records"][0]["messages"]
    assert json.loads(message) == {"operation": "a.b", "payload": whole}
    assert envelope("eventbridge", "a.b", payload)["detail"] == whole


def test_what_cannot_be_carried_is_refused() -> None:
    assert envelope("sqs", "a.b", b"no JSON")["Records"][0]["body"] == "no JSON"
    with pytest.raises(Unfit, match="fg-kafka carries the payload as a JSON value"):
        envelope("fg-kafka", "a.b", b"no JSON")
    with pytest.raises(Unfit, match="not UTF-8"):
        envelope("sqs", "a.b", b"\xff")
    with pytest.raises(LookupError, match="there is no marker nothing"):
        Filling("a", "a.b", b"{}").fill("{{nothing}}")


@pytest.mark.parametrize(
    ("kind", "said"),
    [("sqs-fifi", "did you mean sqs-fifo?"), ("", "the kinds are apigw-v1, "), ("../envelopes/sqs", "no such kind")],
)
def test_an_unknown_kind_is_told_the_nearest_or_all(kind: str, said: str) -> None:
    with pytest.raises(UnknownKind) as caught:
        find(kind)
    assert said in str(caught.value)


@pytest.mark.parametrize("kind", HTTP)
def test_a_signed_request_has_its_own_path_query_and_headers_and_nobody_vouches_for_it(kind: str) -> None:
    event = envelope(kind, "elb.list_members", PAYLOAD)
    found = signed(event, "/hooks/chat?token=a%20b", {"Content-Type": "text/plain", "X-Token": "t"})
    assert found.keys() == event.keys()
    assert found["body"] == event["body"]
    assert (found.get("rawPath") or found["path"]) == "/hooks/chat"
    assert found.get("queryStringParameters", {"token": "a b"}) == {"token": "a b"}
    headers = {name.lower(): value for name, value in found["headers"].items()}
    assert (headers["content-type"], headers["x-token"]) == ("text/plain", "t")
    assert "idempotency-key" not in headers
    assert headers["x-forwarded-proto"] == "https"
    told = json.dumps(found)
    assert "userArn" not in told or found["requestContext"]["identity"]["userArn"] is None
    assert "authorizer" not in told
    assert "/functions/" not in json.dumps({**found, "pathParameters": None})
