"""The vocabulary of payloads: each field's limits from both sides, and what no field takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given

from schemas.fields import Address, AnyId, Flag, Items, PathId, Payload, ProjectId, Text, Uuid, Whole
from tests.schemas import support
from tests.schemas.support import JSON, assert_loads_or_refuses, patient, refusal

if TYPE_CHECKING:
    from marshmallow import fields

UUID = "0df78897-35b0-4a93-ad17-0bc0585f546b"
TEXTS: list[fields.Field[Any]] = [Text(), ProjectId(), PathId(load_default="x"), AnyId(), Uuid(), Address()]
OTHERS: list[fields.Field[Any]] = [Whole(least=0, most=9), Flag()]


def schema(field: fields.Field[Any]) -> Payload:
    made: type[Payload] = Payload.from_dict({"it": field})  # type: ignore[assignment]
    return made()


def name(field: Any) -> str:
    return type(field).__name__


ACCEPTED = [
    (Text(), ["", "a", "雁 🦢", "two\tcolumns\r\nand lines", "x" * 100_000, "\ufffe", "\xa0"]),
    (Text(pattern="a+", rule="some a"), ["a", "aaa"]),
    (ProjectId(), ["a", "0605767a3300d5762fb7c0186d9e1779", UUID, "a" * 64]),
    (PathId(), ["a", "A-z_9", "a" * 64]),
    (PathId(least=32), ["a" * 32, UUID, "a" * 64]),
    (AnyId(), ["a", "a/b?c", "云", "a" * 64]),
    (Uuid(), [UUID, UUID.upper(), UUID.replace("-", ""), "0df7889735b0-4a93ad17-0bc0585f546b"]),
    (Address(), ["192.168.2.25", "0.0.0.0", "255.255.255.255", "::", "2001:DB8::1", "::ffff:192.168.100.228"]),
    (Whole(least=0, most=100), [0, 1, 99, 100]),
    (Flag(), [True, False]),
]
REFUSED: list[tuple[Any, list[Any]]] = [
    (Text(pattern="a+", rule="some a"), ["", "b", "aab", "aa\n", " a"]),
    (ProjectId(), ["", "a" * 65, "a_b", "a b", "a/b", "..", "项目", "a\n", "{project_id}"]),
    (PathId(), ["", "a" * 65, "a/b", "..", "a.b", "a b", "a%2F", "a?b", "a#b", "监听器", "a\n"]),
    (PathId(least=32), ["a" * 31, "a" * 65]),
    (AnyId(), ["", "a" * 65, "a b", "a\tb", "a\n", "\u3000", "\xa0"]),
    (Uuid(), ["", UUID[:-1], UUID + "0", UUID[:-1] + "g", "{" + UUID + "}", "urn:uuid:" + UUID, UUID + "\n"]),
    (
        Address(),
        ["", "256.0.0.1", "1.2.3", "01.2.3.4", "::1%eth0", "::g", "1.2.3.4/24", "a.example", "1.2.3.4:80", ":" * 46],
    ),
    (Whole(least=0, most=100), [-1, 101, 10**400, -(10**400)]),
    *[(field, support.WRONG_FOR_TEXT) for field in TEXTS],
    *[(field, support.UNPRINTABLE) for field in TEXTS],
    (Whole(least=0, most=9), support.WRONG_FOR_WHOLE),
    (Flag(), support.WRONG_FOR_FLAG),
]


@pytest.mark.parametrize(("field", "values"), ACCEPTED, ids=name)
def test_what_a_field_takes_comes_back_as_it_came(field: Any, values: list[Any]) -> None:
    for value in values:
        assert support.same_json(schema(field).load({"it": value}), {"it": value})


@pytest.mark.parametrize(("field", "values"), REFUSED, ids=name)
def test_what_a_field_refuses_is_refused_by_its_name(field: Any, values: list[Any]) -> None:
    for value in values:
        assert list(refusal(schema(field), {"it": value})) == [("it",)], value


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        (Text(), 1, "Must be a string."),
        (Text(), "\x00", "Must not hold control characters or halves of surrogate pairs."),
        (Text(pattern="a+", rule="some a"), "b", "Must be some a."),
        (ProjectId(), "", "Must be 1 to 64 letters, digits and hyphens."),
        (PathId(), "", "Must be 1 to 64 letters, digits, hyphens and underscores."),
        (PathId(least=32), "", "Must be 32 to 64 letters, digits, hyphens and underscores."),
        (AnyId(), "", "Must be 1 to 64 characters without spaces."),
        (Uuid(), "", f"Must be a UUID, as {UUID}."),
        (Address(), "x", "Must be an IPv4 or IPv6 address."),
        (Address(), "1.2.3.256", "Must be an IPv4 or IPv6 address."),
        (Whole(least=0, most=9), "1", "Must be a whole number (a JSON integer)."),
        (Whole(least=0, most=9), 10, "Must be greater than or equal to 0 and less than or equal to 9."),
        (Flag(), 1, "Must be true or false (a JSON boolean)."),
    ],
)
def test_a_refusal_says_how_it_must_be(field: Any, value: Any, message: str) -> None:
    assert refusal(schema(field), {"it": value}) == {("it",): [message]}


@pytest.mark.parametrize("value", [None, True, 1, "text", [], [{}]])
def test_a_payload_is_an_object(value: Any) -> None:
    assert refusal(schema(Text()), value) == {(): ["Must be a JSON object."]}


@pytest.mark.parametrize("unknown", ["It", "it ", "", "它", "\ud800", "__class__", "x" * 1000])
def test_an_unknown_field_is_refused_by_name(unknown: str) -> None:
    messages = refusal(schema(Text()), {"it": "a", unknown: 1})
    assert messages == {(unknown,): ["Unknown field: remove it or correct its name."]}


def test_every_mistake_is_told_at_once() -> None:
    both = Payload.from_dict({"one": Whole(least=0, most=9), "two": Flag(required=True)})()
    assert set(refusal(both, {"one": True, "three": 3})) == {("one",), ("two",), ("three",)}


def test_a_path_id_is_required_unless_it_has_a_default() -> None:
    assert refusal(schema(PathId()), {}) == {("it",): ["Missing data for required field."]}
    assert schema(PathId(load_default="it-is-known")).load({}) == {"it": "it-is-known"}


def test_a_project_may_be_left_out() -> None:
    assert schema(ProjectId()).load({}) == {}


def test_a_pattern_is_told_as_one_for_the_whole_text() -> None:
    assert ProjectId().metadata["pattern"] == "^(?:[A-Za-z0-9-]{1,64})$"
    assert "pattern" not in Text().metadata


@given(JSON)
@patient
def test_no_field_answers_any_json_with_anything_but_a_value_or_a_refusal(value: Any) -> None:
    for field in [*TEXTS, *OTHERS]:
        assert_loads_or_refuses(schema(field), {"it": value})


class _Inner(Payload):
    name = Text(required=True)


class _Outer(Payload):
    items = Items(_Inner, least=1, most=3)


def test_items_are_counted_before_they_are_looked_at() -> None:
    assert refusal(_Outer(), {"items": []}) == {("items",): ["Must hold 1 to 3 items."]}
    assert refusal(_Outer(), {"items": [{}] * 4}) == {("items",): ["Must hold 1 to 3 items."]}
    assert refusal(_Outer(), {"items": {}}) == {("items",): ["Must be a JSON array."]}
    assert _Outer().load({"items": [{"name": "a"}] * 3}) == {"items": [{"name": "a"}] * 3}


def test_the_first_twenty_items_that_are_wrong_are_told() -> None:
    class Many(Payload):
        items = Items(_Inner)

    assert len(refusal(Many(), {"items": [{}] * 1000})) == 20
