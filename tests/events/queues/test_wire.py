"""Messages and dead letters as text: what is written is read back, and what anybody else wrote is read as something."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.queues import VERSION, Letter, Message, QueueRefused, wire
from tests.events.queues.support import patiently

NOW = 1_750_000_000.0
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAME = st.text("abcXYZ019-_./:~ é\n", min_size=1, max_size=20).filter(
    lambda text: text.isascii() and text.isprintable()
)
COUNT = st.integers(0, 999_999_999)
MESSAGES = st.builds(
    Message,
    body=st.binary(max_size=50),
    id=NAME.map(str.strip).filter(bool),
    group=TEXT.filter(bool) | st.none(),
    sent_at=st.integers(0, 4_000_000_000_000).map(lambda thousandths: thousandths / 1000),
    tries=COUNT,
    runs=COUNT,
    version=COUNT,
    meta=st.dictionaries(TEXT, TEXT, max_size=3),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
LETTERS = st.builds(
    Letter,
    message=MESSAGES,
    reason=st.sampled_from(["rejected", "failed", "tries", "losses", "sink", "broker"]),
    at=st.floats(0, 1e11),
    operation=TEXT,
    kind=TEXT | st.none(),
    code=TEXT | st.none(),
    event=st.dictionaries(TEXT, JSON, max_size=3) | st.none(),
    id=TEXT,
)
LETTER = Letter(
    Message(b"\xff{}", "m-1", "g", 1.5, 2, 1, VERSION, {"sender": "é"}),
    "tries",
    NOW,
    "apig.add_members",
    "unavailable",
    "APIG.1",
    {"id": "e", "data": {"marker": 2**60}},
    "l-1",
)


def test_what_is_usual_is_left_out() -> None:
    assert wire.to_fields(Message(b"{}", "m-1", sent_at=1.5)) == {"id": "m-1", "sent_at": "1.500000", "version": "1"}


def test_everything_has_its_field() -> None:
    assert wire.to_fields(LETTER.message) == {
        "id": "m-1",
        "group": "g",
        "sent_at": "1.500000",
        "tries": "2",
        "runs": "1",
        "version": "1",
        "meta": '{"sender":"é"}',
    }


@patiently
@given(MESSAGES)
def test_a_message_comes_as_it_went(message: Message) -> None:
    found = wire.from_fields(message.body, wire.to_fields(message), "other", NOW)
    assert found.sent_at == pytest.approx(message.sent_at, abs=1e-5)
    assert replace(found, sent_at=0.0) == replace(message, sent_at=0.0)


@patiently
@given(
    st.dictionaries(
        st.sampled_from(["id", "group", "sent_at", "tries", "runs", "version", "meta", "x"]),
        st.text(max_size=20)
        | st.sampled_from(["NaN", "1e5", "-1", "٣", "9" * 20, "1." + "9" * 9, "[]", '{"a":1}', "{"]),
    )
)
def test_fields_of_anybody_are_read(fields: dict[str, str]) -> None:
    found = wire.from_fields(b"x", fields, "other", NOW)
    assert found.id
    assert found.sent_at >= 0
    assert min(found.tries, found.runs, found.version) >= 0
    assert all(isinstance(value, str) for value in found.meta.values())


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({}, Message(b"x", "other", sent_at=NOW)),
        ({"id": ""}, Message(b"x", "other", sent_at=NOW)),
        ({"id": " a"}, Message(b"x", "other", sent_at=NOW)),
        ({"id": "a\n"}, Message(b"x", "other", sent_at=NOW)),
        ({"id": "é"}, Message(b"x", "other", sent_at=NOW)),
        ({"sent_at": "-5"}, Message(b"x", "other", sent_at=NOW)),
        ({"sent_at": "inf"}, Message(b"x", "other", sent_at=NOW)),
        ({"sent_at": "12"}, Message(b"x", "other", sent_at=12.0)),
        ({"tries": "x", "runs": "-1"}, Message(b"x", "other", sent_at=NOW)),
        ({"version": "2"}, Message(b"x", "other", sent_at=NOW, version=2)),
        ({"version": "two"}, Message(b"x", "other", sent_at=NOW, version=0)),
        ({"id": b"m", "sent_at": 12, "tries": 1, "runs": None}, Message(b"x", "other", sent_at=NOW)),
        ({"meta": "{}", "group": ""}, Message(b"x", "other", sent_at=NOW)),
        ({"group": "g\ud800\udc80"}, Message(b"x", "other", "g??", sent_at=NOW)),
    ],
)
def test_what_a_field_cannot_be_is_what_it_usually_is(fields: dict[str, Any], found: Message) -> None:
    assert wire.from_fields(b"x", fields, "other", NOW) == found


LONG = 100_001


@pytest.mark.parametrize(
    "meta",
    [
        "",
        "{",
        "[1]",
        "null",
        '{"a": "b", "c": 1}',
        '{"a": "b", "a": "c"}',
        '{"a": "\ud800"}',
        '{"a": "\\ud800"}',
        json.dumps({"a": "x" * LONG}),
        json.dumps({"a": "é" * 50_000}, ensure_ascii=False),
        b"{}",
        {"a": "b"},
        1,
        True,
    ],
    ids=lambda said: ascii(said)[:20],
)
def test_what_cannot_be_read_of_what_is_allowed_allows_nothing(meta: Any) -> None:
    found = wire.from_fields(b"x", {"meta": meta, "group": "g", "version": str(VERSION)}, "other", NOW)
    assert found == Message(b"x", "other", "g", NOW, version=0)
    assert wire.from_fields(b"x", wire.to_fields(found), "other", NOW) == found


@pytest.mark.parametrize("group", ["x" * LONG, "é" * 50_001, b"g", 1, None], ids=lambda said: ascii(said)[:20])
def test_a_group_that_cannot_be_read(group: Any) -> None:
    found = wire.from_fields(b"x", {"group": group, "meta": '{"a": "b"}'}, "other", NOW)
    assert found == Message(b"x", "other", None, NOW, version=0, meta={"a": "b"})


@pytest.mark.parametrize("version", [1, None, b"1", "1" * 10, "-1"])
def test_a_version_that_cannot_be_read(version: Any) -> None:
    assert wire.from_fields(b"x", {"version": version}, "other", NOW) == Message(b"x", "other", None, NOW, version=0)


def test_a_group_that_leaves_no_room_for_what_is_allowed() -> None:
    fields = {"group": "g" * 99_990, "meta": '{"a": "bc"}'}
    found = wire.from_fields(b"x", fields, "other", NOW)
    assert (found.group, found.meta, found.version) == ("g" * 99_990, {}, 0)
    fields["group"] = fields["group"][1:]
    found = wire.from_fields(b"x", fields, "other", NOW)
    assert (found.group, found.meta, found.version) == ("g" * 99_989, {"a": "bc"}, VERSION)


SPOILED = st.text(st.characters() | st.sampled_from("\ud800\udc00\udfff"), max_size=20)


@patiently
@given(
    st.dictionaries(
        st.sampled_from(["id", "group", "sent_at", "tries", "runs", "version", "meta", "due"]),
        SPOILED
        | SPOILED.map(lambda text: json.dumps({text: text}, ensure_ascii=False))
        | st.sampled_from(["g" * 99_995, "é" * 60_000, "\ud800" * LONG, json.dumps({"a": "\0" * 17_000})])
        | st.sampled_from(["9" * 9, "9" * 12])
        | st.none()
        | st.binary(max_size=5),
    )
)
def test_what_was_read_can_be_written_whatever_it_was(fields: dict[str, Any]) -> None:
    found = wire.from_fields(b"x", fields, "other", NOW)
    assert wire.from_fields(b"x", wire.to_fields(found), "other", NOW) == found
    letter = Letter(found, "rejected", NOW, id="l")
    assert wire.from_json(wire.to_json(letter), "other", NOW) == letter


@pytest.mark.parametrize(
    "bad",
    [
        Message(b"x", "\ud800"),
        Message(b"x", group="\ud800"),
        Message(b"x", meta={"a": "\ud800"}),
        Message(b"x", "é" * 501),
        Message(b"x", group="é" * 50_001),
        Message(b"x", group="g" * 50_000, meta={"a": "x" * 50_000}),
    ],
)
def test_what_nobody_could_read_is_refused(bad: Message) -> None:
    with pytest.raises(QueueRefused, match=r"without lone surrogates|must not be longer than"):
        wire.to_fields(bad)


@pytest.mark.parametrize("changed", [{"meta": 5}, {"meta": "[]"}, {"version": 1}, {"group": ["g"]}])
def test_a_letter_whose_message_cannot_be_read_allows_nothing(changed: dict[str, Any]) -> None:
    said = json.loads(wire.to_json(LETTER))
    found = wire.from_json(json.dumps(said | {"message": said["message"] | changed}).encode(), "other", NOW)
    assert (found.id, found.message.version, wire.again(found).version) == ("l-1", 0, 0)


def test_a_letter_in_json() -> None:
    assert json.loads(wire.to_json(LETTER)) == {
        "id": "l-1",
        "reason": "tries",
        "at": NOW,
        "operation": "apig.add_members",
        "kind": "unavailable",
        "code": "APIG.1",
        "event": {"id": "e", "data": {"marker": 2**60}},
        "message": {**wire.to_fields(LETTER.message), "body": "/3t9"},
    }
    assert wire.from_json(wire.to_json(LETTER), "other", 0.0) == LETTER


@patiently
@given(LETTERS)
def test_a_letter_comes_as_it_went(letter: Letter) -> None:
    found = wire.from_json(wire.to_json(letter), "other", NOW)
    assert found.message.sent_at == pytest.approx(letter.message.sent_at, abs=1e-5)
    assert replace(found, message=letter.message) == letter
    assert replace(found.message, sent_at=0.0) == replace(letter.message, sent_at=0.0)


def broken(raw: bytes) -> Letter:
    return Letter(Message(raw, "other", sent_at=NOW), "broker", NOW, id="other")


@pytest.mark.parametrize(
    "raw", [b"", b"\xff", b"{}", b"[]", b"null", b'{"message": 1}', b'{"message": {}}', b"[" * 500]
)
def test_what_is_no_letter_becomes_the_body_of_one(raw: bytes) -> None:
    assert wire.from_json(raw, "other", NOW) == broken(raw)


@pytest.mark.parametrize(
    "changed",
    [
        {"message": {"body": "no base64!"}},
        {"message": {"body": "é"}},
        {"message": {"body": None}},
        {"message": []},
        {"at": 10**400},
    ],
)
def test_a_letter_that_was_spoiled_becomes_the_body_of_one(changed: dict[str, Any]) -> None:
    raw = json.dumps(json.loads(wire.to_json(LETTER)) | changed).encode()
    assert wire.from_json(raw, "other", NOW) == broken(raw)


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"at": "yesterday"}, {"at": NOW + 1}),
        ({"at": True}, {"at": NOW + 1}),
        ({"kind": 1, "code": []}, {"kind": None, "code": None}),
        ({"event": "x"}, {"event": None}),
    ],
)
def test_what_is_odd_in_a_letter_is_left_out(changed: dict[str, Any], found: dict[str, Any]) -> None:
    raw = json.dumps(json.loads(wire.to_json(LETTER)) | changed).encode()
    assert wire.from_json(raw, "other", NOW + 1) == replace(LETTER, **found)


@patiently
@given(JSON | st.fixed_dictionaries(dict.fromkeys(json.loads(wire.to_json(LETTER)), JSON)))
def test_any_json_is_read_as_some_letter(value: Any) -> None:
    found = wire.from_json(json.dumps(value).encode(), "other", NOW)
    assert found.message.id
    assert isinstance(wire.to_json(found), bytes)


@patiently
@given(st.binary(max_size=50))
def test_any_bytes_are_read_as_some_letter(raw: bytes) -> None:
    assert wire.from_json(raw, "other", NOW) == broken(raw)


def test_redriven_a_message_keeps_its_id() -> None:
    assert wire.again(LETTER) == replace(LETTER.message, tries=0, runs=2)
