"""Calls as messages and back: nothing of a call is lost on the way, and what strangers wrote is read as it always is."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.dispatch import Call
from events.queues import Message
from events.queues.calls import group_of, to_call, to_message
from events.settings import EventSettings
from events.triggers.serverless.settings import ServerlessSettings
from functions.cloud.deadline import Deadline
from tests.events.queues.support import patiently

DEADLINE = Deadline.after(60)
TRACE = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate": "a=1"}
CALL = Call(
    "elb.list_members",
    {"listener_id": "l", "marker": 2**60, "名": ["é", None, 1.5]},
    DEADLINE,
    "/shop",
    "webhook",
    "e-1",
    "delivery-7",
    {"correlationid": "c-1", "partitionkey": "k", **TRACE},
    sender="github",
    projects=frozenset({"p2", "p1"}),
)


@dataclass(frozen=True)
class Place:
    transport: str = "redis"
    name: str = "jobs"


def back(message: Message, own: ServerlessSettings | None = None) -> Call:
    return to_call(message, Place(), DEADLINE, EventSettings(), own or ServerlessSettings())


@pytest.mark.parametrize(
    "call",
    [
        CALL,
        replace(CALL, sender=None, sender_id=None, projects=None, extensions={}),
        replace(CALL, projects=frozenset(), payload=None),
        replace(CALL, payload=[1, "two"], trigger="functiongraph.smn"),
        replace(CALL, payload={"operation": "apig.add_members", "payload": {}}),
        replace(CALL, payload={"specversion": "1.0"}),
        replace(CALL, operation="no.such_operation"),
    ],
    ids=["all", "little", "own_projects", "list", "looks_wrapped", "looks_like_an_event", "unknown"],
)
def test_a_call_comes_as_it_went(call: Call) -> None:
    message = to_message(call, "hongyan")
    expected = replace(call, sender_id=call.sender_id or message.id)
    # A foreign deployment's own reading of bodies is not for what we wrote.
    for own in (ServerlessSettings(), ServerlessSettings(payload="/detail")):
        assert back(message, own) == expected
    assert message.id == call.id


def test_a_call_without_an_id_gets_one_that_its_redeliveries_keep() -> None:
    message = to_message(replace(CALL, id=None), "hongyan")
    first, second = back(message), back(replace(message, tries=1))
    assert first.id == second.id == message.id
    assert to_message(replace(CALL, id=None), "hongyan").id != message.id


def test_the_body_is_an_event_that_others_can_read() -> None:
    assert json.loads(to_message(CALL, "goose").body) == {
        "specversion": "1.0",
        "id": "e-1",
        "source": "/shop",
        "type": "goose.elb.list_members",
        "datacontenttype": "application/json",
        "data": CALL.payload,
        "correlationid": "c-1",
        "partitionkey": "k",
        **TRACE,
    }


def test_groups_are_a_senders_own() -> None:
    groups = {
        to_message(replace(CALL, sender=sender, extensions={"partitionkey": key}), "hongyan").group
        for sender in ("a", "b", None)
        for key in ("1", "2")
    }
    assert len(groups) == 6
    assert to_message(replace(CALL, extensions={}), "hongyan").group is None
    assert to_message(replace(CALL, extensions={"partitionkey": ""}), "hongyan").group is None


@pytest.mark.parametrize(
    ("body", "group"),
    [
        (b'{"specversion": "1.0", "partitionkey": "k"}', "/k"),
        (b'{"partitionkey": "k"}', None),
        (b'{"specversion": "1.0"}', None),
        (b'{"specversion": "1.0", "partitionkey": 1}', None),
        (b'{"specversion": "1.0", "partitionkey": ""}', None),
        (b'{"specversion": "1.0", "partitionkey": "a\\nb"}', None),
        (b'["specversion"]', None),
        (b"\xff", None),
        (b"", None),
    ],
)
def test_the_group_of_what_somebody_else_wrote(body: bytes, group: str | None) -> None:
    assert group_of(body) == group


def test_what_nobody_wrote_for_us_is_a_record_of_its_queue() -> None:
    call = back(Message(b'{"listener_id": "l"}', "m-1"), ServerlessSettings(operation="elb.list_members"))
    assert (call.operation, call.payload, call.refusal) == ("elb.list_members", {"listener_id": "l"}, None)
    assert (call.trigger, call.source, call.id, call.sender_id) == ("queue.redis", "/hongyan/queue/jobs", "m-1", "m-1")
    assert (call.sender, call.projects) == (None, None)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"\xff\xfe", "invalid_argument"),
        (b"", "invalid_argument"),
        (b'{"specversion": "1.0"}', "invalid_argument"),
        (b"x" * 11_000_000, "invalid_argument"),
        (b"{}", "unimplemented"),
    ],
    ids=["no_utf8", "empty", "no_event", "large", "says_nothing"],
)
def test_what_asks_for_nothing_carries_its_refusal(body: bytes, kind: str) -> None:
    call = back(Message(body, "m-1"))
    assert call.refusal
    assert call.refusal.kind == kind
    assert call.id == "m-1"


def test_what_could_not_be_read_is_refused_and_must_be_published_again() -> None:
    call = back(replace(to_message(CALL, "hongyan"), version=0))
    assert call.refusal
    assert (call.refusal.kind, call.refusal.retryable) == ("unimplemented", False)
    assert "publish it again" in call.refusal.message


@pytest.mark.parametrize("version", [2, 99])
def test_another_version_is_refused_and_says_what_to_do(version: int) -> None:
    call = back(replace(to_message(CALL, "hongyan"), version=version))
    assert call.refusal
    assert call.refusal.kind == "unimplemented"
    assert not call.refusal.retryable
    assert f"format {version}, and this worker reads 1: upgrade it, then redrive" in call.refusal.message


def test_a_version_that_is_not_read_may_hold_anything() -> None:
    call = back(Message(b"\x00\x01", "m-1", version=2, meta={"trigger": "webhook"}))
    assert call.refusal
    assert call.refusal.kind == "unimplemented"


@patiently
@given(
    st.binary(max_size=60), st.dictionaries(st.sampled_from(["trigger", "sender", "projects", "sender_id"]), st.text())
)
def test_anything_becomes_a_call(body: bytes, meta: dict[str, str]) -> None:
    call: Any = back(Message(body, "m-1", meta=meta))
    assert call.id
    assert isinstance(call, Call)
