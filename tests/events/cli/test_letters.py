from __future__ import annotations

import base64
import contextlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events.cli.choosing import REASONS, abbreviated
from events.cli.letters import facts, listed, preview, show, tell
from events.queues import Message
from tests.events.cli.queued import ERROR, UPSTREAM, event, letter
from tests.events.cli.test_rendering import ERROR_OF, RESULT, TEXT, UPSTREAM_OF, VALUE, Terminal, only_ours

if TYPE_CHECKING:
    from events.queues import Letter

NOW = 1_750_000_000.0
LETTER = replace(
    letter("0123456789abcdef"),
    at=NOW - 185,
    message=Message(b'{"host": "\xe7\xbb\x88"}', "order-7", "/gateway-1", NOW - 7_300, 2, 1, meta={"sender": "github"}),
)
STEERING = "\x1b[2J\x1b]0;a\x07\x9b8m\r\u202e\x00"


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def shown(one: Letter) -> str:
    """Return what a person at a terminal sees of a letter, in a list and alone, and make sure that it steers nothing."""
    seen = Terminal()
    with contextlib.redirect_stdout(seen):
        for line in listed([one], abbreviated([one]), NOW):
            print(line)  # noqa: T201
        show(one, NOW)
    only_ours(seen.getvalue())
    return seen.getvalue()


def plain(capsys: pytest.CaptureFixture[str], one: Letter) -> str:
    show(one, NOW)
    return capsys.readouterr().out


# JSON


def test_json_has_everything_but_the_body() -> None:
    assert facts(LETTER, NOW) == {
        "id": "0123456789abcdef",
        "at": "2025-06-15T15:03:35Z",
        "age_s": 185.0,
        "reason": "failed",
        "operation": "apig.add_members",
        "kind": "not_found",
        "code": "APIG.3023",
        "event": event(),
        "message": {
            "id": "order-7",
            "group": "/gateway-1",
            "sent_at": "2025-06-15T13:05:00Z",
            "tries": 2,
            "runs": 1,
            "version": 1,
            "meta": {"sender": "github"},
            "body_bytes": 15,
        },
    }


def test_or_with_the_body() -> None:
    told = facts(LETTER, NOW, body=True)["message"]
    assert base64.b64decode(told["body_base64"]) == LETTER.message.body


def test_a_time_that_no_calendar_has_is_none() -> None:
    told = facts(replace(LETTER, at=1e300), NOW)
    assert told["at"] is None
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_a_lone_surrogate_is_told_in_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    tell({"a": "终"})
    tell({"a": "\ud800"})
    assert capsys.readouterr().out == '{"a":"终"}\n{"a": "\\ud800"}\n'


# Lists


def test_a_list_has_a_row_and_the_error_below_it() -> None:
    long = letter(
        "b" * 32, operation="vpcep.update_connection_descriptions", kind="unavailable", code=None, reason="tries"
    )
    long = replace(long, at=NOW - 86_400 * 3, event=event(error={**ERROR, "message": "no answer came " * 30}))
    none = replace(letter("c" * 32, kind=None, code=None, event=None, operation="unknown", reason="broker"), at=NOW)
    head, *rows = map(click.unstyle, listed([LETTER, long, none], abbreviated([LETTER, long, none]), NOW))
    assert head == "id        age     tries  reason  operation"
    assert rows[0] == "01234567  3 min   2      failed  apig.add_members"
    assert rows[1] == "    not_found · APIG.3023 · the cloud answered HTTP 404"
    assert rows[2] == "bbbbbbbb  3 days  2      tries   vpcep.update_connection_descriptions"
    assert rows[3].startswith("    unavailable · no answer came no answer came")
    assert rows[4].endswith(" …")
    assert max(map(len, rows)) <= 80
    assert rows[5] == "cccccccc  0 s     2      broker  unknown"
    assert rows[6] == "    no result event"
    assert len(rows) == 7


@pytest.mark.parametrize(
    ("whole", "said"),
    [
        (event(error=None), "not_found · APIG.3023"),
        ({"data": []}, "not_found · APIG.3023"),
        ({"data": {"error": {"message": 7}}}, "not_found · APIG.3023"),
    ],
)
def test_an_event_without_a_message_has_its_kind(whole: Any, said: str) -> None:
    _, _, below = listed([replace(LETTER, event=whole)], {LETTER.id: "a"}, NOW)
    assert said in below


def test_an_event_without_an_error_says_so() -> None:
    _, _, below = listed([replace(LETTER, event=event(error=None), kind=None, code=None)], {LETTER.id: "a"}, NOW)
    assert "no error is told" in below


# One


def test_one_is_shown_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert plain(capsys, LETTER).splitlines() == [
        "dead letter 0123456789abcdef",
        "  reason     failed: the cloud refused it for good",
        "  dead since 2025-06-15T15:03:35Z, 3 min ago",
        "  operation  apig.add_members",
        "  message    order-7",
        "  sent       2025-06-15T13:05:00Z, 2 h ago",
        "  group      /gateway-1",
        "  tries      2 failed, redriven 1 time",
        "  asked by   sender github",
        "",
        "result event",
        "  ✗ failed in 7 ms · apig.add_members · things/1",
        "    not_found · APIG.3023 · the cloud answered HTTP 404",
        "    apig POST · HTTP 404 · 1 attempt · 7 ms · request 9f",
        "",
        "body, 15 bytes",
        "  {",
        '    "host": "终"',
        "  }",
    ]


@pytest.mark.parametrize("reason", [*REASONS, "novel"])
def test_every_reason_is_explained(reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    told = REASONS.get(reason, "a reason that this version does not know")
    assert f"  reason     {reason}: {told}\n" in plain(capsys, replace(LETTER, reason=reason))


def test_one_without_an_event_and_a_body(capsys: pytest.CaptureFixture[str]) -> None:
    bare = replace(LETTER, event=None, message=Message(b"", "m", sent_at=-1e18))
    said = plain(capsys, bare)
    assert "\nno result event\n" in said
    assert said.endswith("\nbody, 0 bytes\n")
    assert "  sent       no time that a calendar has, over 9999 days ago\n" in said
    assert "  tries      0 failed\n" in said
    assert "group" not in said


@pytest.mark.parametrize(
    "whole",
    [
        {"specversion": "1.0"},
        {"any": ["thing"]},
        {},
        {**event(), "id": 7},
        event(upstream={**UPSTREAM, "duration_ms": "7"}),
        event(upstream={**UPSTREAM, "duration_ms": 10**400}),
        event(error={**ERROR, "retryable": True, "retry_after_s": "1.5"}),
        event(operation=STEERING, result={"a": ["x" * 2_000_000]}),
        {**event(), "data": "text"},
        {**event(), "data": {"a": "\ud800"}},
    ],
    ids=range(10),
)
def test_an_event_that_is_no_result_is_shown_as_it_is(whole: Any) -> None:
    seen = shown(replace(LETTER, event=whole))
    assert "result event" in seen
    assert "✗ failed in" not in seen
    assert len(seen) < 30_000


# Bodies


SHAPED = r"""{
  "a": [
    1,
    {}
  ],
  "b": "\u001b\u009b\u202e"
}"""


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        (b'{"a":[1,{}],"b":"\\u001b\xc2\x9b\xe2\x80\xae"}', SHAPED.splitlines()),
        (b'"\xf3\xa0\x80\x81"', [r'"\udb40\udc01"']),
        (b"7", ["7"]),
        (b"<a>\n <b/>\x1b[2J\r</a>\n", ["<a>", r" <b/>\u001b[2J\r</a>", ""]),
        (b"\xff\xfe\x00a\x7f", [r"\xff\xfe\u0000a\u007f"]),
        (b'{"a":NaN}', ['{"a":NaN}']),
        (b"[" * 100_000, ["[" * 8_192, "… cut after 8192 characters: --json gives all 100000 bytes, in base64"]),
        ("终".encode() * 8_192, ["终" * 8_192]),
        (b"", []),
    ],
    ids=range(9),
)
def test_a_body_is_shown_readably_and_safely(body: bytes, lines: list[str]) -> None:
    assert list(preview(body)) == lines


@pytest.mark.parametrize("size", [32_769, 1_048_577, 10_000_000])
@pytest.mark.parametrize("unit", [b"a", b"\xff", b"\x1b", "终".encode(), b"[1,"])
def test_a_large_body_is_cut(size: int, unit: bytes) -> None:
    body = (unit * (size // len(unit) + 1))[:size]
    *said, last = preview(body)
    assert last == f"… cut after 8192 characters: --json gives all {size} bytes, in base64"
    assert sum(map(len, said)) <= 8_192 * 6


def test_large_json_is_cut() -> None:
    *said, last = preview(json.dumps([{"a": number} for number in range(9_000)]).encode())
    assert said[:4] == ["[", "  {", '    "a": 0', "  },"]
    assert last.startswith("… cut after 8192 characters")
    *said, last = preview(b'"' + b"a" * 10_000_000 + b'"')
    assert last.startswith("… cut after 8192 characters")


# Whatever somebody put there

DATA = st.fixed_dictionaries(
    {"operation": TEXT, "outcome": TEXT, "error": st.none() | ERROR_OF, "upstream": st.none() | UPSTREAM_OF},
    optional={"result": st.none() | RESULT, "target": st.none() | st.dictionaries(TEXT, VALUE, max_size=2)},
)
EVENT = st.one_of(
    st.none(),
    st.dictionaries(TEXT, VALUE, max_size=3),
    DATA.map(lambda data: {**event(), "data": data}),
    st.builds(lambda error, result: event(error=error, result=result), st.none() | ERROR_OF, RESULT),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    TEXT, TEXT, st.none() | TEXT, st.floats(allow_nan=False, allow_infinity=False), EVENT, st.binary(max_size=40), TEXT
)
def test_nothing_in_a_letter_steers_the_terminal(
    its_id: str, reason: str, code: str | None, at: float, whole: Any, body: bytes, meta: str
) -> None:
    message = Message(body, its_id, code, at, meta={meta: reason})
    one = replace(LETTER, id=its_id, reason=reason, operation=reason, code=code, at=at, event=whole, message=message)
    shown(one)
    seen = Terminal()
    with contextlib.redirect_stdout(seen):
        tell(facts(one, NOW, body=True))
    assert json.loads(seen.getvalue())["id"] == its_id


def test_texts_of_megabytes_are_cut() -> None:
    for long in ("x " * 2_000_000, "\u0301" * 4_000_000, "x" * 4_000_000, STEERING * 400_000):
        message = Message(b"1", long, long, meta={long: long})
        one = replace(LETTER, id=long, reason=long, operation=long, kind=long, code=long, message=message)
        assert len(shown(one)) < 40_000
