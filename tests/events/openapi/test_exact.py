"""The document is exact: it takes the payloads and events that the readers take, and no others."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from events.calls import check_sizes
from events.cloudevents import InvalidEvent
from events.cloudevents.json import from_envelope
from events.openapi import openapi
from events.openapi.fields import PLAIN, exact, portable
from events.openapi.shapes import name_of
from events.samples import sample
from functions.registry import find, names
from schemas.answers import SaidWord
from schemas.fields import Address, AnyId, PathId, ProjectId, Text
from tests.events.openapi.support import EVENT, JSON, STRUCTURED, Api, ref, takes
from tests.schemas import payloads
from tests.schemas.support import patient, with_a_fault

pytestmark = pytest.mark.slow

DRAWN = {
    "apig.add_members": payloads.ADD_MEMBERS,
    "csbs.check_restorable": payloads.CHECK_RESTORABLE,
    "elb.list_members": payloads.LIST_MEMBERS,
    "vpcep.update_connection_descriptions": payloads.UPDATE_DESCRIPTIONS,
}

# Payloads


def is_taken(operation: str, payload: Any) -> bool | None:
    """Whether the operation's schema loads a payload; None where JSON Schema has no words for why not."""
    if not isinstance(payload, dict):
        return False
    try:
        find(operation).payload.load(payload)
    except ValidationError as error:
        told = json.dumps(error.normalized_messages())  # type: ignore[no-untyped-call]
        return None if "stands here more than once" in told or "Must be a whole number" in told else False
    return True


def unsayable(value: Any) -> bool:
    """Whether a value holds what JSON Schema cannot tell from something else, or what no JSON in UTF-8 can hold."""
    try:
        text = json.dumps(value, ensure_ascii=False).encode().decode()
    except UnicodeEncodeError:
        return True
    return bool(re.search(r"\d\.0\b|e[+-]?\d", text))


@pytest.mark.parametrize("operation", sorted(set(names()) & set(DRAWN)))
def test_the_document_takes_the_payloads_that_the_schemas_take(operation: str) -> None:
    schema = ref(name_of(find(operation).payload))

    @patient
    @given(DRAWN[operation] | with_a_fault(DRAWN[operation]))
    def hold(payload: Any) -> None:
        taken = is_taken(operation, payload)
        if taken is not None and not unsayable(payload):
            assert takes(schema, payload) is taken

    hold()


def test_a_whole_number_is_said_as_exactly_as_json_schema_can() -> None:
    schema = ref("elb.ListMembers")
    for limit, taken in (
        (0, True),
        (2_147_483_647, True),
        (-1, False),
        (2_147_483_648, False),
        ("1", False),
        (1.5, False),
        (True, False),
    ):
        payload = {"listener_id": "l", "limit": limit}
        assert takes(schema, payload) is taken is is_taken_exactly("elb.list_members", payload)


def is_taken_exactly(operation: str, payload: dict[str, Any]) -> bool:
    return not find(operation).payload.validate(payload)


FIELDS = [
    ProjectId(),
    PathId(),
    AnyId(),
    Text(),
    Text(pattern="[^<>]*", rule="a text without < and >"),
    Text(pattern="a|b", rule="a or b"),
    Text(pattern=r"\S{0,64}", rule="short"),
]


@pytest.mark.parametrize("field", FIELDS, ids=str)
def test_patterns_say_the_same_of_every_character(field: Text) -> None:
    written = portable(field.metadata["pattern"]) if "pattern" in field.metadata else PLAIN
    pattern = re.compile(re.sub(r"\$$", r"\\Z", written))
    planes = [
        chr(code) for code in (*range(0xD800), *range(0xE000, 0x10000), 0x10000, 0x1F600, 0x1FFFE, 0x20000, 0x10FFFF)
    ]
    wrong = [character for character in planes if bool(pattern.search(character)) is not loads(field, character)]
    assert not wrong, [hex(ord(character)) for character in wrong[:9]]


def loads(field: Text, value: str) -> bool:
    try:
        field.deserialize(value)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize(
    "address",
    [
        "192.0.2.1",
        "192.0.2.01",
        "192.0.2",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "::ffff:1.2.3.4",
        "1::2::3",
        "",
        "a",
        "1" * 46,
    ],
)
def test_addresses(address: str) -> None:
    schema = openapi()["components"]["schemas"]["elb.ListMembers"]["properties"]["address"]
    assert "pattern" not in schema
    assert takes(schema, address) is loads(Address(), address)


@pytest.mark.parametrize(
    ("member", "taken"),
    [
        ({"host": "h"}, True),
        ({"ecs_id": "i", "ecs_name": "n"}, True),
        ({"host": "h", "ecs_id": "i", "ecs_name": "n"}, True),
        ({}, False),
        ({"ecs_id": "i"}, False),
        ({"host": "h", "ecs_id": "i"}, False),
        ({"host": "h", "ecs_name": "n"}, False),
        ({"host": "h", "x": 1}, False),
    ],
)
def test_what_holds_across_fields(member: dict[str, Any], taken: bool) -> None:
    payload = {"instance_id": "i", "vpc_channel_id": "c", "members": [member]}
    assert takes(ref("apig.AddMembers"), payload) is taken is is_taken("apig.add_members", payload)


def test_vocabularies_of_results_are_listed() -> None:
    shapes = openapi()["components"]["schemas"]
    assert shapes["elb.ElbBackend"]["properties"]["health"]["enum"] == ["healthy", "unhealthy", "unknown"]
    assert shapes["elb.ElbBackend"]["properties"]["state"]["enum"] == ["active", "pending", "error", None]
    assert exact(None, SaidWord({}, other=None), {"enum": ["a"]}) == {}


# Events

SAMPLE = json.loads(sample("elb.list_members"))
# Their form is a format, of which jsonschema knows nothing without further packages; schemathesis holds these.
FORMATS = ("source", "dataschema", "time")
EVENTS = st.fixed_dictionaries(
    {name: st.just(value) for name, value in EVENT.items()},
    optional={
        "subject": st.sampled_from([None, "s", "终端"]),
        "datacontenttype": st.sampled_from(
            [None, JSON, "text/plain", 'a/b+JSON; x="y"', "a/json ;", "nonsense", "text/json;charset"]
        ),
        "data": st.builds(dict, st.just(SAMPLE)) | st.text(max_size=5) | st.none(),
        "data_base64": st.sampled_from([None, "", "e30=", "e30", "e3=0", "====", "eyJ9"]),
        "correlationid": st.sampled_from(["c", "c" * 512, "c" * 513, 7, 2**31, True, None]),
        "traceparent": st.sampled_from(["t", 1]),
        "x1": st.sampled_from(["v", "\x7f", "\ufdd0", "\U0001fffe", 2**31 - 1, -(2**31) - 1, False, None, 1.5, [], {}]),
        "X": st.just("v"),
    },
)


KNOWN = {*EVENT, "subject", "time", "datacontenttype", "dataschema", "data", "data_base64", "x1"} | {
    "correlationid",
    "traceparent",
    "tracestate",
}


@settings(parent=patient)
@given(EVENTS | with_a_fault(EVENTS))
def test_the_document_takes_the_events_that_the_reader_takes(event: Any) -> None:
    if unsayable(event) or (isinstance(event, dict) and any(event[name] is None for name in set(event) - KNOWN)):
        return  # An attribute without a name that is null is unset like any other.
    try:
        check_sizes(from_envelope(event))
        refused = None
    except InvalidEvent as error:
        refused = error
    if refused and refused.attribute in FORMATS:
        return
    assert takes(ref("cloudevents.Event"), event) is (refused is None), refused


@pytest.mark.parametrize(
    ("change", "taken"),
    [
        ({"data": SAMPLE}, True),
        ({"data": SAMPLE, "datacontenttype": "application/json; charset=utf-8"}, True),
        ({"data": SAMPLE, "datacontenttype": "text/plain"}, False),
        ({"data": {}}, False),
        ({"data": "text"}, False),
        ({"data": SAMPLE, "data_base64": None}, True),
        ({"data": SAMPLE, "data_base64": "e30="}, False),
        ({"data_base64": base64.b64encode(sample("elb.list_members")).decode()}, True),
        ({"data_base64": "nonsense!"}, False),
        ({}, False),
    ],
)
def test_the_data_of_an_event_is_the_payload(change: dict[str, Any], taken: bool) -> None:
    event = {**EVENT, **change}
    assert takes(ref("elb.list_members.TypedEvent"), event) is taken
    answered = Api().http.post("/functions/elb.list_members", json=event, content_type=STRUCTURED)
    assert (answered.status_code == 200) is taken
