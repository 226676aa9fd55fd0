from __future__ import annotations

import contextlib
import io
import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events.cli.rendering import show, show_json
from events.cloudevents import CloudEvent

ERROR = {
    "kind": "not_found",
    "code": "APIG.3023",
    "message": "the cloud answered HTTP 404",
    "status": 404,
    "retryable": False,
    "retry_after_s": None,
    "fields": None,
}
UPSTREAM = {
    "service": "apig",
    "method": "POST",
    "status": 404,
    "request_id": "9f",
    "attempts": 1,
    "requests": 1,
    "duration_ms": 7,
}


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")


def shown(capsys: pytest.CaptureFixture[str], outcome: str = "succeeded", **data: Any) -> list[str]:
    whole = {"operation": "x.y", "outcome": outcome, "result": None, "error": None, "upstream": UPSTREAM, **data}
    show(CloudEvent("1", "/s", "t", data=whole, subject="things/1"), 0.0123)
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("outcome", "first"),
    [
        ("succeeded", "✓ succeeded in 12 ms · x.y · things/1"),
        ("partial", "◐ partial in 12 ms · x.y · things/1"),
        ("rejected", "✗ rejected in 12 ms · x.y · things/1"),
        ("failed", "✗ failed in 12 ms · x.y · things/1"),
        ("unknown", "? unknown in 12 ms · x.y · things/1"),
        ("new", "? new in 12 ms · x.y · things/1"),
    ],
)
def test_the_outcome_comes_first(outcome: str, first: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, outcome)[0] == first


def test_an_error_tells_kind_code_message_and_request_id(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, "failed", error=ERROR)[1:] == [
        "  not_found · APIG.3023 · the cloud answered HTTP 404",
        "  apig POST · HTTP 404 · 1 attempt · 7 ms · request 9f",
    ]


def test_a_refusal_names_every_field(capsys: pytest.CaptureFixture[str]) -> None:
    fields = {"members": {"0": {"weight": ["too much", "odd"]}}, "_schema": ["unfit"], "colour": "unknown"}
    assert shown(capsys, "rejected", error={**ERROR, "code": None, "fields": fields}, upstream=None)[1:] == [
        "  not_found",
        "  members.0.weight: too much",
        "  members.0.weight: odd",
        "  payload: unfit",
        "  colour: unknown",
        "  nothing was sent to the cloud",
    ]


@pytest.mark.parametrize(("wait", "line"), [(None, "  it may work later"), (1.5, "  it may work later, after 1.5 s")])
def test_what_may_work_later_says_so(wait: float | None, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert line in shown(capsys, "failed", error={**ERROR, "retryable": True, "retry_after_s": wait})


def test_no_answer_and_several_attempts_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, "unknown", upstream={**UPSTREAM, "status": None, "request_id": None, "attempts": 2})
    assert lines[1] == "  apig POST · no answer · 2 attempts · 7 ms"


def test_a_result_is_facts_and_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    members = [
        {"id": "1", "address": "10.0.0.1", "port": None, "tags": ["a", "b"], "up": True},
        {"id": "2", "address": "终端", "port": None, "tags": None, "up": False},
    ]
    result = {"count": 2, "health": {"healthy": 1, "unhealthy": 1}, "truncated": False, "next": None, "missing": []}
    assert shown(capsys, result={**result, "members": members})[2:] == [
        "  count 2 · health healthy 1, unhealthy 1 · truncated no",
        "  address   tags  up   id",
        "  10.0.0.1  a, b  yes  1",
        "  终端            no   2",
    ]


def test_a_long_table_ends(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, result={"members": [{"id": str(number)} for number in range(25)]})
    assert lines[-2:] == ["  19", "  … and 5 more"]


def test_a_table_without_anything_in_it_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(shown(capsys, result={"members": [{"id": None}]})) == 2


def test_what_a_server_said_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    text = "\x1b[2J\x07"
    lines = shown(capsys, "failed", error={**ERROR, "message": text}, result={"said": text, "rows": [{"a": text}]})
    assert not any("\x1b" in line or "\x07" in line for line in lines)


# Whatever a server says


class Terminal(io.StringIO):
    """Standard output of a person, to whom styles are written."""

    def isatty(self) -> bool:
        return True


# Bold, dim, a colour, and back: all that we write ourselves.
_OURS = re.compile(r"\x1b\[(?:0|1|2|3[0-9])m")


def only_ours(seen: str) -> None:
    assert seen
    assert all(char.isprintable() or char == "\n" for char in _OURS.sub("", seen)), seen


TEXT = st.sampled_from(
    ["\x1b[2J", "\x1b]0;a\x07", "\x9b8m", "a\r\nb", "\u202e", "\x1b[8m", "\ud800", "name", "\x1b[31_id", ""]
)
VALUE = st.recursive(
    TEXT | st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
RESULT = st.dictionaries(TEXT, VALUE | st.lists(st.dictionaries(TEXT, VALUE, max_size=3), max_size=25), max_size=4)
ERROR_OF = st.fixed_dictionaries(
    {"kind": TEXT, "code": st.none() | TEXT, "message": TEXT, "retryable": st.booleans(), "retry_after_s": st.none()},
    optional={"fields": st.none() | st.dictionaries(TEXT, VALUE, max_size=3)},
)
UPSTREAM_OF = st.fixed_dictionaries(
    {"service": TEXT, "method": TEXT, "status": st.none() | st.just(200), "request_id": TEXT, "attempts": st.just(2)},
).map(lambda given: {**given, "duration_ms": 7})


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXT, TEXT, st.none() | RESULT, st.none() | ERROR_OF, st.none() | UPSTREAM_OF, st.none() | TEXT)
def test_nothing_that_a_server_says_steers_the_terminal(
    outcome: str, operation: str, result: Any, error: Any, upstream: Any, subject: str | None
) -> None:
    data = {"operation": operation, "outcome": outcome, "result": result, "error": error, "upstream": upstream}
    seen = Terminal()
    with contextlib.redirect_stdout(seen):
        show(CloudEvent("1", "/s", "t", data=data, subject=subject), 0.0123)
    only_ours(seen.getvalue())


def test_names_of_columns_cannot_steer_the_terminal() -> None:
    data = {"operation": "x.y", "outcome": "succeeded", "error": None, "upstream": UPSTREAM}
    seen = Terminal()
    with contextlib.redirect_stdout(seen):
        show(CloudEvent("1", "/s", "t", data={**data, "result": {"rows": [{"\x1b[2Ja": "1"}]}}), 0.0)
    only_ours(seen.getvalue())
    assert " [2Ja" in seen.getvalue()


def test_json_is_utf_8_in_a_pipe_and_ascii_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    show_json({"a": "\u7ec8\x9b"})
    assert capsys.readouterr().out == '{"a":"\u7ec8\x9b"}\n'
    seen = Terminal()
    with contextlib.redirect_stdout(seen):
        show_json({"a": "\u7ec8\x9b"})
    assert (seen.getvalue().isascii(), json.loads(seen.getvalue())) == (True, {"a": "\u7ec8\x9b"})
