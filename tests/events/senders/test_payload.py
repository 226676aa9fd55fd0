"""The payload inside another system's body."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.senders.payload import apply
from functions.cloud.errors import PayloadRefused

# The document of RFC 6901, section 5.
BODY = {
    "foo": ["bar", "baz"],
    "": 0,
    "a/b": 1,
    "c%d": 2,
    "e^f": 3,
    "g|h": 4,
    "i\\j": 5,
    'k"l': 6,
    " ": 7,
    "m~n": 8,
    "~1": 9,
    "null": None,
}


def refusal(payload: Any, body: Any) -> PayloadRefused:
    with pytest.raises(PayloadRefused) as caught:
        apply(payload, body)
    return caught.value


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("", BODY),
        ("/foo", ["bar", "baz"]),
        ("/foo/0", "bar"),
        ("/foo/1", "baz"),
        ("/", 0),
        ("/a~1b", 1),
        ("/c%d", 2),
        ("/e^f", 3),
        ("/g|h", 4),
        ("/i\\j", 5),
        ('/k"l', 6),
        ("/ ", 7),
        ("/m~0n", 8),
        ("/~01", 9),
        ("/null", None),
    ],
)
def test_a_pointer_finds_what_it_names(pointer: str, value: Any) -> None:
    assert apply(pointer, BODY) == value
    assert apply({"field": {"at": pointer}}, BODY) == {"field": value}


@pytest.mark.parametrize(
    "pointer",
    [
        "/bar",
        "/foo/2",
        "/foo/-",
        "/foo/00",
        "/foo/+1",
        "/foo/-1",
        "/foo/１",
        "/foo/x",
        "/foo/0/0",
        "/null/x",
        "//",
        "/~1",
        "/foo/99999999999",
    ],
)
@pytest.mark.parametrize("body", [BODY, None, 5, "foo", [], True])
def test_a_pointer_to_nothing_is_named(pointer: str, body: Any) -> None:
    error = refusal(pointer, body)
    assert error.fields == {"_schema": [f"There is nothing at {pointer} in the body."]}
    assert error.message == f"There is nothing at {pointer} in the body."
    assert error.kind == "invalid_argument"


def test_without_a_word_the_body_is_the_payload() -> None:
    assert apply(None, BODY) is BODY


def test_a_table_holds_what_is_written_and_what_is_found() -> None:
    table = {
        "limit": 10,
        "name": {"at": "/who/name"},
        "deep": {"list": [{"host": {"at": "/who/hosts/1"}, "port": 80}, "x"]},
        "tags": [],
    }
    body = {"who": {"name": "雁", "hosts": ["a", "b"]}}
    assert apply(table, body) == {
        "limit": 10,
        "name": "雁",
        "deep": {"list": [{"host": "b", "port": 80}, "x"]},
        "tags": [],
    }


def test_a_table_that_is_one_pointer_is_that_pointer() -> None:
    assert apply({"at": "/foo/0"}, BODY) == "bar"


def test_every_pointer_to_nothing_is_named_with_its_field() -> None:
    table = {"a": {"at": "/x"}, "b": {"at": "/foo"}, "c": [{"d": {"at": "/y/0"}}]}
    error = refusal(table, BODY)
    assert error.fields == {
        "a": ["There is nothing at /x in the body."],
        "c.0.d": ["There is nothing at /y/0 in the body."],
    }
    assert error.message == "a: There is nothing at /x in the body. (and 1 more)"


def test_whoever_changes_a_payload_does_not_change_the_settings() -> None:
    table: dict[str, Any] = {"tags": [{"a": 1}]}
    apply(table, {})["tags"][0]["a"] = 2
    assert apply(table, {}) == {"tags": [{"a": 1}]}


KEYS = st.text(st.sampled_from("a~/01é "), max_size=3)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | KEYS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
)


@settings(deadline=None)
@given(body=JSON, data=st.data())
def test_every_place_has_a_pointer(body: Any, data: st.DataObject) -> None:
    value, pointer = body, ""
    while isinstance(value, (dict, list)) and value and data.draw(st.booleans()):
        key: Any = data.draw(st.sampled_from(sorted(value) if isinstance(value, dict) else range(len(value))))
        pointer += "/" + str(key).replace("~", "~0").replace("/", "~1")
        value = value[key]
    assert apply(pointer, body) == value


@settings(deadline=None)
@given(body=JSON, pointer=st.from_regex(r"(/([^~/]|~[01])*)*", fullmatch=True))
def test_any_pointer_into_any_body_is_answered(body: Any, pointer: str) -> None:
    try:
        found = apply(pointer, body)
    except PayloadRefused as error:
        assert error.fields  # noqa: PT017
    else:
        assert json.dumps(found) in json.dumps(body)
